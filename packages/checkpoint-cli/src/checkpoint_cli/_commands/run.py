"""`nacc-checkpoint run`."""

from typing import Annotated, Any

import typer

from checkpoint_cli._options import (
    CheckpointArgument,
    DebugOption,
    JsonOption,
    SourceArgument,
    options_of,
)
from checkpoint_core import Request, Settings
from checkpoint_storage.settings import S3Settings

__all__ = ["run_command"]

_AdoptOption = Annotated[
    bool,
    typer.Option(
        "--adopt",
        help="Take over a checkpoint that has no ledger: keep its rows, find out which objects "
        "they came from, and append what is missing.",
    ),
]
_AdoptFromOption = Annotated[
    list[str] | None,
    typer.Option(
        "--adopt-from",
        metavar="FILE",
        help="Take over the rows of a Parquet file that another system wrote, as --adopt does: "
        "a file, or s3://bucket/key. It is not changed; CHECKPOINT may be new. "
        "May be given several times: all are taken together.",
    ),
]
_RebuildOption = Annotated[
    bool,
    typer.Option(
        "--rebuild",
        help="Make the checkpoint anew from the source. The replaced file is kept in _previous.",
    ),
]


@options_of(Request, Settings, S3Settings)
def run_command(
    source: SourceArgument,
    checkpoint: CheckpointArgument,
    *,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    adopt: _AdoptOption = False,
    adopt_from: _AdoptFromOption = None,
    rebuild: _RebuildOption = False,
    **given: Any,
) -> None:
    """Bring the checkpoint up to date with the source, until nothing is left to take.

    Objects that are no valid events are left out and can be listed with `rejects`.
    Where nothing is new, nothing is written.
    """
    from checkpoint_cli._execution.run import bring_up_to_date

    adopting = adopt or bool(adopt_from)
    if adopting and rebuild:
        raise typer.BadParameter("choose one", param_hint="--adopt, --rebuild")
    bring_up_to_date(
        source,
        checkpoint,
        mode="adopt" if adopting else "rebuild" if rebuild else "incremental",
        adopt_from=adopt_from or [],
        given=given,
        as_json=as_json,
        debug=debug,
    )
