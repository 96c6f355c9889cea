"""The usual run, upon what executors have left."""

from collections.abc import Sequence

from msgspec import structs

import checkpoint_core
from checkpoint_core import Request, RunReport, Settings
from checkpoint_core.verifying import verify
from checkpoint_format.stores import QuietObserver
from checkpoint_storage.foreign import fetch_foreign, open_foreign
from checkpoint_storage.local import local_host
from checkpoint_storage.locations import open_checkpoint, open_source
from tests.checkpoint_core.world import SETTINGS, scratch

CHECKPOINT = "s3://checkpoints/out/events.parquet"
AS_USUAL = Request()


def run_here(
    checkpoint: str = CHECKPOINT,
    *,
    settings: Settings = SETTINGS,
    request: Request = AS_USUAL,
    adopt_from: Sequence[str] = (),
) -> RunReport:
    """Run as everybody else does, on the bucket `events`."""
    store = open_checkpoint(checkpoint)
    with store.scratch() as workdir:
        files = fetch_foreign(open_foreign(adopt_from, store), workdir)
        return checkpoint_core.run(
            open_source("s3://events"),
            store,
            settings=settings,
            request=structs.replace(request, adopt_from=files),
            host=local_host(workdir, QuietObserver()),
        )


def problems(settings: Settings = SETTINGS) -> list[str]:
    """Return what `verify` finds wrong, the source included."""
    with scratch() as workdir:
        checks = verify(
            open_checkpoint(CHECKPOINT), open_source("s3://events"), settings, workdir=workdir
        )
    return [f"{check.name}: {check.detail}" for check in checks if not check.passed]
