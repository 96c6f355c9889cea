"""What `nacc-checkpoint export` does."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import RenderableType
from rich.text import Text

from checkpoint_cli._failures import ended_well
from checkpoint_cli._options import checkpoint_store
from checkpoint_cli._printing.output import table, write_lines
from checkpoint_cli._printing.text import one_line, write_document
from checkpoint_cli.errors import NoCheckpointError
from checkpoint_core import CheckpointError, Settings
from checkpoint_core.responses import warnings_of
from checkpoint_format.stores import QuietObserver
from checkpoint_queries.exports import (
    Export,
    ExportResult,
    InvalidExportsError,
    read_exports,
    update_exports,
)
from checkpoint_storage.local import local_host

__all__ = ["export", "exports_told"]


def export(
    checkpoint: str,
    *,
    defined: dict[str, Any] | None,
    definitions: Path | None,
    as_json: bool,
    debug: bool,
) -> None:
    """Define what was given, and bring all exports up to date.

    `defined` is one more export, `definitions` a file of all that there are to be.
    """
    store = checkpoint_store(checkpoint)
    if definitions is None:
        given, hint = [] if defined is None else [defined], "--path"
    else:
        given, hint = _read_file(definitions), "--definitions"
    exports = _checked(given, store.checkpoint_name, hint)
    with ended_well(as_json=as_json, debug=debug):
        if store.read_tail(store.checkpoint_name, 1) is None:
            raise NoCheckpointError(store.location)
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
