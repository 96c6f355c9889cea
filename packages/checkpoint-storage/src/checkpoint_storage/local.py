"""What a run needs from the machine that it runs on."""

import random
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

from checkpoint_core import Host, Observer
from checkpoint_format.stores import unlimited

__all__ = ["local_host", "new_id"]


def local_host(workdir: Path, observer: Observer) -> Host:
    """Return this machine as a host whose runs may take as long as they need."""
    return Host(
        now=_now,
        new_id=new_id,
        pause=time.sleep,
        jitter=random.random,
        remaining_s=unlimited,
        workdir=workdir,
        observer=observer,
    )


def new_id() -> str:
    """Return an id that is unique, sorts by time, and fits into a file name."""
    return f"{_now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def _now() -> datetime:
    return datetime.now(UTC)
