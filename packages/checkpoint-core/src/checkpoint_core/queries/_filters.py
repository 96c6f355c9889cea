"""What a question is about: filters over the fields of events, alone or of visits."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Final

import polars as pl
from msgspec import Struct, structs

VISIT: Final = ("study", "pipeline_adcid", "ptid", "visit_date", "visit_number", "datatype")
"""What identifies a visit, together. A missing visit_number equals a missing one.

Module and packet are no part of it: they are filled in later. Centers and studies are: they give
out their identifiers on their own.
"""

_VALUES: Final = (
    "study",
    "pipeline_adcid",
    "ptid",
    "visit_number",
    "datatype",
    "center_label",
    "project_label",
    "gear_name",
    "action",
    "module",
    "packet",
)


class Filters(Struct, frozen=True, kw_only=True):
    """What must hold, all of it; what is empty or None is not asked for.

    A tuple names the values of which a field must have one; None among them stands for a missing
    one. Visit dates are inclusive at both ends. Times are not: `timestamp_to` is the first moment
    that is too late, as the first of the next month.

    Raises:
        TypeError: something else stands where a tuple of values belongs, or a time where a date
            does.
        ValueError: a time has no offset.

    """

    study: tuple[str, ...] = ()
    pipeline_adcid: tuple[int, ...] = ()
    ptid: tuple[str, ...] = ()
    visit_number: tuple[str | None, ...] = ()
    datatype: tuple[str, ...] = ()
    center_label: tuple[str, ...] = ()
    project_label: tuple[str, ...] = ()
    gear_name: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    module: tuple[str | None, ...] = ()
    packet: tuple[str | None, ...] = ()
    visit_date_from: date | None = None
    visit_date_to: date | None = None
    timestamp_from: datetime | None = None
    timestamp_to: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what would silently match something else."""
        for name in _VALUES:
            if not isinstance(getattr(self, name), tuple):
                raise TypeError(f"{name}: give a tuple of values")
        if isinstance(self.visit_date_from, datetime) or isinstance(self.visit_date_to, datetime):
            raise TypeError("visit_date_from, visit_date_to: give dates without a time")
        for name in ("timestamp_from", "timestamp_to"):
            time: datetime | None = getattr(self, name)
            if time is not None and time.tzinfo is None:
                raise ValueError(f"{name}: give a time with its offset from UTC")


NO_FILTERS: Final = Filters()


def filter_events(events: pl.LazyFrame, filters: Filters = NO_FILTERS) -> pl.LazyFrame:
    """Keep the events of which every filter holds, in their order."""
    return events.filter(*_about_visit(filters), *_until(filters), *_about_event(filters))


def candidates(events: pl.LazyFrame, filters: Filters) -> pl.LazyFrame:
    """Keep the events of visits that may be asked for, as they stood at `timestamp_to`.

    Of each visit all events until then: what could tell one from another is left to `wanted`.
    """
    return events.filter(*_about_visit(filters), *_until(filters))


def wanted(rows: pl.LazyFrame, filters: Filters) -> pl.LazyFrame:
    """Keep those of the candidates, or of what stands for a visit, of which the rest holds."""
    return rows.filter(*_about_event(filters))


def recent(rows: pl.LazyFrame, filters: Filters) -> pl.LazyFrame:
    """Keep the candidates from `timestamp_from` on.

    A visit whose latest event is not among them is not wanted, so that earlier ones need not be
    read to find the latest.
    """
    return rows.filter(*_since(filters))


def is_about_events(filters: Filters) -> bool:
    """Tell whether `wanted` would look at anything."""
    return any(True for _ in _about_event(filters))


def given(filters: Filters) -> set[str]:
    """Name the filters that are given."""
    return {name for name, value in structs.asdict(filters).items() if value not in {(), None}}


def _about_visit(filters: Filters) -> Iterator[pl.Expr]:
    yield from _among(filters, [name for name in _VALUES if name in VISIT])
    if filters.visit_date_from is not None:
        yield pl.col("visit_date") >= filters.visit_date_from
    if filters.visit_date_to is not None:
        yield pl.col("visit_date") <= filters.visit_date_to


def _until(filters: Filters) -> Iterator[pl.Expr]:
    if filters.timestamp_to is not None:
        yield pl.col("timestamp") < filters.timestamp_to.astimezone(UTC)


def _about_event(filters: Filters) -> Iterator[pl.Expr]:
    yield from _among(filters, [name for name in _VALUES if name not in VISIT])
    yield from _since(filters)


def _since(filters: Filters) -> Iterator[pl.Expr]:
    if filters.timestamp_from is not None:
        yield pl.col("timestamp") >= filters.timestamp_from.astimezone(UTC)


def _among(filters: Filters, names: Iterable[str]) -> Iterator[pl.Expr]:
    for name in names:
        values: tuple[object, ...] = getattr(filters, name)
        if values:
            yield pl.col(name).is_in(values, nulls_equal=True)
