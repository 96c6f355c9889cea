"""What a checkpoint's files are, and how they are read and written.

The checkpoint with its metadata, the ledger, the digests, the rejects, the list of who is withheld;
the protocols of the stores that they lie in; and looking at them without changing them. What a run
does to them is decided elsewhere. It has no clock, no environment, no logger and no network.

Each module is public, and is imported by its name.
"""

from checkpoint_format._version import __version__

__all__ = ["__version__"]
