"""The usual run, upon what executors have left."""

import checkpoint_core
from checkpoint_core import Request, RunReport, Settings
from checkpoint_core.inspection import verify
from checkpoint_core.stores import QuietObserver
from checkpoint_storage.local import local_host
from checkpoint_storage.locations import open_checkpoint, open_source
from tests.checkpoint_core.world import scratch

CHECKPOINT = "s3://checkpoints/out/events.parquet"


def run_here() -> RunReport:
    """Run as everybody else does, on the bucket `events`."""
    store = open_checkpoint(CHECKPOINT)
    with store.scratch() as workdir:
        return checkpoint_core.run(
            open_source("s3://events"),
            store,
            settings=Settings(),
            request=Request(),
            host=local_host(workdir, QuietObserver()),
        )


def problems() -> list[str]:
    """Return what `verify` finds wrong, the source included."""
    with scratch() as workdir:
        checks = verify(
            open_checkpoint(CHECKPOINT), open_source("s3://events"), Settings(), workdir=workdir
        )
    return [f"{check.name}: {check.detail}" for check in checks if not check.passed]
