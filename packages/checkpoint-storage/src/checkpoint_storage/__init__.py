"""Where event objects and checkpoints live: directories and S3.

`locations` opens what a person names; `s3` and `directory` have the sources and the stores
themselves; `doctor` finds out beforehand whether they can be worked with.
"""

from checkpoint_storage._version import __version__

__all__ = ["__version__"]
