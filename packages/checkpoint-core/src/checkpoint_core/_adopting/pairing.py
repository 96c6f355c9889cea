"""Finding the rows that events have already: as a multiset, whoever wrote them."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

import polars as pl

from checkpoint_format.event_columns import event_schema
from checkpoint_format.merge import scan_rows
from checkpoint_format.parquet import collect
from nacc_event_model import EventFormat

_SHARED: Final = event_schema(EventFormat.V1_0).names()


def pair(
    file: Path,
    events: pl.DataFrame,
    event_format: EventFormat,
    *,
    is_bare: pl.Series | None = None,
) -> pl.DataFrame:
    """Pair events with rows of a file; each event with at most one row, each row with one event.

    A row is an event's when both are equal; or when the row is null where it differs, in columns
    that were added to the thirteen; or, where no such row is left, when it has the event's texts
    without the blanks around them. `is_bare` says of each event whether its row is known to be null
    in all added columns; where it is given, rows that are null in some only are nobody's.
    Of several equal rows the last are paired first, with the last of several equal events.

    Returns `event` and `row`, the places of both, and `adds`: whether the event has values that
    the row lacks. Raises DamagedFileError.
    """
    schema = event_schema(event_format)
    added = [name for name in schema if name not in _SHARED]
    compared = list(_by_size(added)) if is_bare is None else [tuple(added), ()]
    bare = pl.lit(value=False) if is_bare is None else is_bare
    rows = scan_rows(file, schema).with_row_index("row")
    wanted = events.select(schema.names()).with_row_index("event").with_columns(is_bare=bare)
    pairs = _pair(file, rows, wanted, compared)
    left = wanted.join(pairs, on="event", how="anti", maintain_order="left")
    stripped = left.with_columns(
        pl.col(name).str.strip_chars() for name, dtype in schema.items() if dtype == pl.String
    )
    stripped = stripped.join(left, on=left.columns, how="anti", nulls_equal=True)
    if stripped.is_empty():
        return pairs
    free = rows.join(pairs.lazy().select("row"), on="row", how="anti")
    return pl.concat([pairs, _pair(file, free, stripped, compared)])


def added_by(pairs: pl.DataFrame, events: pl.DataFrame, event_format: EventFormat) -> pl.DataFrame:
    """Return what paired events add to their rows: `row`, and the values of the added columns."""
    added = [name for name in event_schema(event_format) if name not in _SHARED]
    adding = pairs.filter("adds")
    values = events.select(added)[adding["event"]]
    return values.with_columns(adding["row"]).sort("row")


def _pair(
    file: Path, rows: pl.LazyFrame, events: pl.DataFrame, compared: Sequence[tuple[str, ...]]
) -> pl.DataFrame:
    """Pair by equality in the shared columns and, in turn, in each of these sets of added ones.

    The first set is all of them. The columns that are not compared are null in the row.
    """
    added = compared[0]
    groups = events.select(_SHARED).unique().with_row_index("group")
    events = events.join(groups, on=_SHARED, how="inner", nulls_equal=True)
    events = events.select("group", "event", "is_bare", *added)
    found = rows.join(groups.lazy(), on=_SHARED, how="inner", nulls_equal=True)
    left = collect(file, found.select("group", "row", *added))
    pairs = []
    for names in compared:
        ignored = [pl.col(name) for name in added if name not in names]
        key = ["group", *names]
        # Whose row is known to be bare has none that is equal in what it adds.
        asking = events if ignored else events.filter(~pl.col("is_bare"))
        bare = left.filter(*(column.is_null() for column in ignored))
        adds = pl.any_horizontal(pl.lit(value=False), *(column.is_not_null() for column in ignored))
        both = (
            _numbered(asking, "event", key)
            .with_columns(adds=adds)
            .join(_numbered(bare, "row", key), on=[*key, "nth"], how="inner", nulls_equal=True)
            .select("event", "row", "adds")
        )
        pairs.append(both)
        events = events.join(both, on="event", how="anti")
        left = left.join(both, on="row", how="anti")
    return pl.concat(pairs)


def _by_size(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield every set of these names, the greater first."""
    for size in range(len(names), -1, -1):
        yield from combinations(names, size)


def _numbered(frame: pl.DataFrame, place: str, key: list[str]) -> pl.DataFrame:
    """Number those that are equal in the key, from the last."""
    nth = pl.int_range(pl.len(), dtype=pl.UInt32).over(key)
    return frame.sort(place, descending=True).with_columns(nth=nth)
