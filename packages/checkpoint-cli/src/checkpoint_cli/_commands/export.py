"""`nacc-checkpoint export`."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from checkpoint_cli._failures import ended_well
from checkpoint_cli._options import (
    CheckpointArgument,
    DebugOption,
    JsonOption,
    checkpoint_store,
)
from checkpoint_cli._printing.output import one_line, table, write_document, write_lines
from checkpoint_cli.errors import NoCheckpointError
from checkpoint_core import CheckpointError, Settings
from checkpoint_core.exports import (
    ColumnOrder,
    Export,
    ExportResult,
    InvalidExportsError,
    Kind,
    read_exports,
    update_exports,
)
from checkpoint_core.responses import warnings_of
from checkpoint_core.stores import QuietObserver
from checkpoint_storage.local import local_host
from checkpoint_storage.locations import familiar

__all__ = ["export_command", "exports_told"]

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
    Kind,
    typer.Option(
        help="Its rows: `events` as they are, of equal ones the `latest-events`, or `submissions`."
    ),
]
_NameOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="What it is called.", show_default="its kind")
]
_TextDatesOption = Annotated[
    bool, typer.Option("--text-dates", help="Write visit_date as text, such as 2026-09-01.")
]
_ColumnOrderOption = Annotated[
    ColumnOrder,
    typer.Option(help="The order of its columns: that of the checkpoint, or of the scraper."),
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
    store = checkpoint_store(checkpoint)
    given: list[dict[str, Any]] = []
    if definitions is not None:
        if path is not None:
            raise typer.BadParameter("choose one", param_hint="--path, --definitions")
        given = _read_file(definitions)
    elif path is not None:
        given = [
            {
                "name": name or kind,
                "kind": kind,
                "path": path,
                "text_dates": text_dates,
                "column_order": column_order,
            }
        ]
    elif name or text_dates or kind != "events" or column_order != "checkpoint":
        raise typer.BadParameter("it goes with --path", param_hint="--kind, --name and the others")
    exports = _checked(given, store.checkpoint_name, "--definitions" if definitions else "--path")
    with ended_well(as_json=as_json, debug=debug):
        if store.read_tail(store.checkpoint_name, 1) is None:
            raise NoCheckpointError(familiar(store.location))
        with store.scratch() as workdir:
            results = update_exports(
                store,
                exports,
                settings=Settings(),
                host=local_host(workdir, QuietObserver()),
                only_these=definitions is not None,
            )
        if as_json:
            write_document({"exports": results})
        else:
            write_lines(exports_told(results))
        if problems := warnings_of(results):
            raise CheckpointError("; ".join(problems))


def exports_told(results: Sequence[ExportResult]) -> Iterator[RenderableType]:
    """Tell what became of each export."""
    if not results:
        yield Text("No exports are defined. Define one with --path or --definitions.")
        return
    yield table(
        ("export", "state", "files", "written", "removed"),
        [(each.name, each.state, each.files, each.written, each.removed) for each in results],
    )


def _read_file(file: Path) -> list[dict[str, Any]]:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise typer.BadParameter(
            f"{one_line(str(file))}: {reason}", param_hint="--definitions"
        ) from error
    unknown = sorted(tables.keys() - {"export"})
    if unknown:
        raise typer.BadParameter(
            "it may have nothing but tables [[export]]", param_hint="--definitions"
        )
    found: list[dict[str, Any]] = tables.get("export", [])
    return found


def _checked(given: object, checkpoint: str, hint: str) -> tuple[Export, ...]:
    try:
        return read_exports(given, checkpoint=checkpoint)
    except InvalidExportsError as error:
        raise typer.BadParameter(one_line(str(error)), param_hint=hint) from error
