"""How many objects may be read at once on this machine."""

import resource
from typing import Final

__all__ = ["affordable"]

# An object that is asked for again may have two connections for a moment, and a request that hung
# when the last run ended may still have its thread beside the one of this run.
_FOR_EACH: Final = 2
# For everything else: the listing, polars, the files of the run, the log.
_SPARE: Final = 64
_LIMITS: Final = {"open files": resource.RLIMIT_NOFILE, "threads": resource.RLIMIT_NPROC}


def affordable(wanted: int, *, setting: str) -> tuple[int, str | None]:
    """Return how many objects to read at once, and, if those are fewer, a warning that says why.

    The limits of this process on open files and threads count: macOS allows 256 files, Lambda
    1,024 of both.

    Args:
        wanted: how many are wanted.
        setting: what people call the setting here.

    """
    at_once, warning = wanted, None
    for what, kind in _LIMITS.items():
        allowed, _ = resource.getrlimit(kind)
        if allowed == resource.RLIM_INFINITY:
            continue
        fitting = max(1, (allowed - _SPARE) // _FOR_EACH)
        if fitting < at_once:
            at_once = fitting
            warning = (
                f"{setting} is {wanted}, and this machine allows a process {allowed} {what}: "
                f"{fitting} objects are read at once. Set {setting} lower, or raise the limit."
            )
    return at_once, warning
