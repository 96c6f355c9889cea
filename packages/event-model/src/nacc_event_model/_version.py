"""The version of this package, and the version of its verdicts."""

__version__ = "0.1.0"

RULES_VERSION = "2"
"""Changes whenever the same bytes might be judged differently by the same event format.

A consumer that remembers which objects it refused tries them again when this text changes.
"""
