"""What `nacc-checkpoint rejects` does."""

from collections.abc import Iterator

import polars as pl
import typer
from rich.console import RenderableType
from rich.text import Text

from checkpoint_cli._failures import ended_well
from checkpoint_cli._form import SHOWN
from checkpoint_cli._options import checkpoint_store
from checkpoint_cli._printing.output import table, write_lines
from checkpoint_cli._printing.plain import plain
from checkpoint_cli._printing.sheets import write_csv
from checkpoint_cli._printing.text import complain, write_document
from checkpoint_cli.errors import NoCheckpointError
from checkpoint_core import CheckpointStore
from checkpoint_format.inspection import hints_of, open_rejects
from checkpoint_storage.scratch import temporary_folder

__all__ = ["list_rejects"]


def list_rejects(
    checkpoint: str,
    *,
    outcome: str | None,
    key_contains: str | None,
    unrecognized: bool,
    limit: int | None,
    as_json: bool,
    as_csv: bool,
    csv_safe: bool,
    debug: bool,
) -> None:
    """List them in the form that is asked for."""
    if as_json and (as_csv or csv_safe):
        raise typer.BadParameter("choose one", param_hint="--json, --csv")
    if unrecognized and outcome is not None:
        raise typer.BadParameter("choose one", param_hint="--unrecognized, --outcome")
    store = checkpoint_store(checkpoint)
    with ended_well(as_json=as_json, debug=debug):
        everything, unknown = _load(store, unrecognized=unrecognized)
        rejects = everything
        if unknown:
            complain(f"warning: what is left out is unknown: {unknown}")
        if outcome is not None:
            rejects = rejects.filter(pl.col("outcome") == outcome)
        if key_contains is not None:
            rejects = rejects.filter(pl.col("key").str.contains(key_contains, literal=True))
        if rejects.is_empty() and not everything.is_empty():
            complain(f"note: none of them is asked for; there are {_totals(everything)}")
        listed = rejects.head(rejects.height if limit is None else limit)
        if as_json:
            write_document(list(plain(listed).iter_rows(named=True)))
        elif as_csv or csv_safe:
            write_csv(listed, safe=csv_safe)
        elif unknown and rejects.is_empty():
            write_lines(["unknown"])
        else:
            write_lines(_lines(rejects, limit=SHOWN if limit is None else limit))


def _load(store: CheckpointStore, *, unrecognized: bool) -> tuple[pl.DataFrame, str | None]:
    with temporary_folder() as workdir:
        found = open_rejects(store, workdir)
    if found is None:
        raise NoCheckpointError(store.location)
    return found.unrecognized if unrecognized else found.rows, found.unknown


def _kinds(rejects: pl.DataFrame) -> list[str]:
    # Names that are not those of event objects have no outcome.
    return [name for name in ("outcome", "reason") if name in rejects.columns]


def _totals(rejects: pl.DataFrame) -> str:
    kind = _kinds(rejects)[0]
    ends = rejects[kind].value_counts().sort(kind).iter_rows()
    return ", ".join(f"{count:,} {end}" for end, count in ends)


def _lines(rejects: pl.DataFrame, *, limit: int) -> Iterator[RenderableType]:
    totals = _totals(rejects)
    yield Text(f"{rejects.height:,} objects{f': {totals}' if totals else ''}", "bold")
    if rejects.height and limit:
        kinds = _kinds(rejects)
        rows = rejects.head(limit).select(*kinds, "key").iter_rows()
        yield table((*kinds, "object"), rows)
    yield from (Text(hint, "yellow") for hint in hints_of(rejects))
    if rejects.height > limit:
        yield f"{rejects.height - limit:,} more; see --limit, --json and --csv"
