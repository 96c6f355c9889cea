"""What `nacc-checkpoint show` does."""

from collections.abc import Iterator
from datetime import datetime
from typing import Self

import polars as pl
from msgspec import Struct
from rich.console import RenderableType
from rich.text import Text

from checkpoint_cli._failures import ended_well
from checkpoint_cli._options import checkpoint_store
from checkpoint_cli._printing.output import table, write_lines
from checkpoint_cli._printing.summary import instant, span
from checkpoint_cli._printing.text import one_line, write_document
from checkpoint_cli.errors import NoCheckpointError
from checkpoint_format.inspection import Description, describe
from checkpoint_storage.locations import familiar
from checkpoint_storage.scratch import temporary_folder

__all__ = ["show"]


class _Count(Struct, frozen=True):
    center_label: str
    action: str
    events: int


class _Document(Struct, frozen=True, kw_only=True):
    checkpoint: str
    size_bytes: int
    rows: int
    adopted_rows: int
    first_timestamp: datetime | None
    last_timestamp: datetime | None
    committed_at: datetime
    commit_id: str
    source: str
    event_format: str
    objects: int | None
    rejects: dict[str, int] | None
    events: list[_Count]

    @classmethod
    def of(cls, location: str, description: Description) -> Self:
        metadata = description.metadata
        return cls(
            checkpoint=location,
            size_bytes=description.size_bytes,
            rows=metadata.rows,
            adopted_rows=metadata.adopted_rows,
            first_timestamp=metadata.first_timestamp,
            last_timestamp=metadata.last_timestamp,
            committed_at=metadata.committed_at,
            commit_id=metadata.commit_id,
            source=metadata.source,
            event_format=str(metadata.event_format),
            objects=description.objects,
            rejects=description.rejects,
            events=[_Count(*row) for row in description.events.iter_rows()],
        )


def show(checkpoint: str, *, as_json: bool, debug: bool) -> None:
    """Tell it all, as a document or in words."""
    store = checkpoint_store(checkpoint)
    with ended_well(as_json=as_json, debug=debug), temporary_folder() as workdir:
        description = describe(store, workdir)
        if description is None:
            raise NoCheckpointError(store.location)
        if as_json:
            write_document(_Document.of(store.location, description))
        else:
            write_lines(_lines(checkpoint, description))


def _lines(checkpoint: str, description: Description) -> Iterator[RenderableType]:
    metadata = description.metadata
    yield Text(one_line(checkpoint), "bold")
    facts = {
        "size": f"{description.size_bytes:,} bytes",
        "holds": span(metadata.rows, metadata.first_timestamp, metadata.last_timestamp),
        "objects": _objects(description),
        "rejects": _rejects(description),
        "event format": str(metadata.event_format),
        "last change": f"{instant(metadata.committed_at)}, commit {metadata.commit_id}",
    }
    if metadata.adopted_rows:
        facts["adopted"] = f"{metadata.adopted_rows:,} rows whose objects are not known"
    for name, fact in facts.items():
        yield f"  {name:<14}{fact}"
    yield _pivot(description.events)


def _objects(description: Description) -> str:
    source = one_line(familiar(description.metadata.source))
    if description.objects is None:
        return f"unknown: its ledger is not beside it; they are in {source}"
    return f"{description.objects:,} in {source}"


def _rejects(description: Description) -> str:
    if description.rejects is None:
        return f"unknown: {description.rejects_unknown}"
    parts = (f"{count:,} {outcome}" for outcome, count in sorted(description.rejects.items()))
    return ", ".join(parts) or "none"


def _pivot(events: pl.DataFrame) -> RenderableType:
    """Return a table with a row for each center and a column for each action."""
    if events.is_empty():
        return "No rows."
    actions = events["action"].unique().sort().to_list()
    counts: dict[str, dict[str, int]] = {}
    for center, action, count in events.iter_rows():
        counts.setdefault(center, {})[action] = count
    rows = [
        [center, *(counted.get(action, 0) for action in actions), sum(counted.values())]
        for center, counted in counts.items()
    ]
    sums = [sum(column) for column in zip(*(row[1:] for row in rows), strict=True)]
    return table(("center", *map(str, actions), "total"), [*rows, ["all", *sums]])
