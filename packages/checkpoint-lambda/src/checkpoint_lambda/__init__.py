"""The shell of the visit-event checkpoint: storage adapters and the command line.

The decisions are made in `checkpoint_core`; what is here gathers what they need and applies them.
"""

from checkpoint_lambda._version import __version__

__all__ = ["__version__"]
