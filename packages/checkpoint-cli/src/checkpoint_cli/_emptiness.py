"""Why an answer is empty, as far as the question and the file tell.

Named are studies, datatypes, actions and centers; no other value of the file, and no participant.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import polars as pl
from msgspec import structs

from checkpoint_cli._choices import no_such
from checkpoint_cli._printing.summary import instant
from checkpoint_core import CheckpointMetadata
from checkpoint_queries import Filters

__all__ = ["reasons"]

_NAMED: Final = {
    "study": "study",
    "pipeline_adcid": "center",
    "center_label": "center",
    "datatype": "datatype",
    "action": "action",
}
"""What may be said of the file, and what people call it."""
_TEST_CENTER: Final = 0


def reasons(
    rows: pl.LazyFrame, metadata: CheckpointMetadata, filters: Filters, as_of: datetime | None
) -> Iterator[str]:
    """Yield what each by itself lets nothing through; `rows` are what was asked.

    Raises what polars raises over a damaged file.
    """
    yield from _reversed(filters)
    columns = rows.collect_schema().names()
    given = {
        name: set(value)
        for name, value in structs.asdict(filters).items()
        if isinstance(value, tuple) and value and name in columns
    }
    names = sorted({*given, "pipeline_adcid"})
    found = {name: _values(rows, name) for name in names}
    if not any(found.values()):
        yield "there are no events at all"
        return
    for name, wanted in given.items():
        if _plain(name, wanted) & _plain(name, found[name]):
            continue
        if name in _NAMED:
            there = [str(value) for value in sorted(found[name] - {None})]
            yield from (no_such(_NAMED[name], str(value), there) for value in sorted(wanted))
        else:
            yield f"no event has what --{name.replace('_', '-')} asks for"
    if found["pipeline_adcid"] == {_TEST_CENTER} and not filters.include_test_center:
        yield "all events are of center 0, the test site; see --include-test-center"
    yield from _out_of_time(metadata, filters, as_of)


def _values(rows: pl.LazyFrame, name: str) -> set[Any]:
    return set(rows.select(pl.col(name).unique()).collect(engine="streaming")[name])


def _plain(name: str, values: set[Any]) -> set[Any]:
    """Return values as filters compare them."""
    if name == "ptid":
        return {str(value).lstrip("0") or "0" for value in values}
    if name in {"module", "modality"}:
        return {value and value.upper() for value in values}
    return values


def _reversed(filters: Filters) -> Iterator[str]:
    first, last = filters.visit_date_from, filters.visit_date_to
    if first and last and first > last:
        yield f"no day is from {first} to {last}: --visit-date-from is after --visit-date-to"
    begin, end = filters.timestamp_from, filters.timestamp_to
    if begin and end and begin >= end:
        yield "no time is in the range: --timestamp-from is not before --timestamp-to"


def _out_of_time(
    metadata: CheckpointMetadata, filters: Filters, as_of: datetime | None
) -> Iterator[str]:
    first, last, begin = metadata.first_timestamp, metadata.last_timestamp, filters.timestamp_from
    if begin and last and begin > last:
        yield f"the last event is of {instant(last)}, which is before --timestamp-from"
    for option, end in (("--timestamp-to", filters.timestamp_to), ("--as-of", as_of)):
        if end and first and end <= first:
            yield f"the first event is of {instant(first)}, which is not before {option}"
