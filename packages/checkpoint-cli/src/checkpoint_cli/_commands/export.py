"""`nacc-checkpoint export`."""

from pathlib import Path
from typing import Annotated

import typer

from checkpoint_cli._choices import COLUMN_ORDERS, KINDS, choice
from checkpoint_cli._options import CheckpointArgument, DebugOption, JsonOption

__all__ = ["export_command"]

_PathOption = Annotated[
    str | None,
    typer.Option(
        "--path",
        metavar="TEMPLATE",
        help="Define one export: the names of its files beside the checkpoint, such as "
        "'{study}/{datatype}/events.parquet', with any of {study}, {datatype}, {adcid}, {year} and "
        "{month}.",
    ),
]
_KindOption = Annotated[
    str,
    typer.Option(
        help="Its rows: `events` as they are, of equal ones the `latest-events`, or `submissions`.",
        **choice("kind", KINDS),
    ),
]
_NameOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="What it is called.", show_default="its kind")
]
_TextDatesOption = Annotated[
    bool, typer.Option("--text-dates", help="Write visit_date as text, such as 2026-09-01.")
]
_ColumnOrderOption = Annotated[
    str,
    typer.Option(
        help="The order of its columns: that of the `checkpoint`, or of the `scraper`.",
        **choice("column order", COLUMN_ORDERS, metavar="ORDER"),
    ),
]
_DefinitionsOption = Annotated[
    Path | None,
    typer.Option(
        "--definitions",
        metavar="FILE",
        help="A TOML file with a table [[export]] for each, with name, kind, path, text_dates and "
        "column_order. Exports that it does not have are removed.",
    ),
]


def export_command(
    checkpoint: CheckpointArgument,
    *,
    path: _PathOption = None,
    kind: _KindOption = "events",
    name: _NameOption = None,
    text_dates: _TextDatesOption = False,
    column_order: _ColumnOrderOption = "checkpoint",
    definitions: _DefinitionsOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Bring exports up to date: Parquet files in other shapes, derived from the checkpoint.

    With --path or --definitions they are defined, and kept up to date by every later `run` and
    `export`. Only files whose rows have changed are written; each is replaced in one step.
    """
    from checkpoint_cli._execution.export import export

    if definitions is not None and path is not None:
        raise typer.BadParameter("choose one", param_hint="--path, --definitions")
    defined = {
        "name": name or kind,
        "kind": kind,
        "path": path,
        "text_dates": text_dates,
        "column_order": column_order,
    }
    is_usual = not (name or text_dates) and (kind, column_order) == ("events", "checkpoint")
    if definitions is None and path is None and not is_usual:
        raise typer.BadParameter("it goes with --path", param_hint="--kind, --name and the others")
    export(
        checkpoint,
        defined=None if path is None else defined,
        definitions=definitions,
        as_json=as_json,
        debug=debug,
    )
