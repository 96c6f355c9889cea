"""The rows of each kind of export, in the shape that its definition asks for."""

from collections.abc import Callable
from typing import Final

import polars as pl

from checkpoint_queries import Filters, submissions
from checkpoint_queries.exports._definitions import Export, Kind

LATEST: Final = (
    "action",
    "ptid",
    "visit_date",
    "timestamp",
    "datatype",
    "module",
    "pipeline_adcid",
)
"""Of events that are alike in these the event log scraper keeps the last."""

_SCRAPER_ORDER: Final = (
    "action",
    "study",
    "pipeline_adcid",
    "project_label",
    "center_label",
    "gear_name",
    "ptid",
    "naccid",
    "visit_date",
    "visit_number",
    "datatype",
    "module",
    "packet",
    "modality",
    "timestamp",
)
_ROW: Final = "key_row"


def export_rows(events: pl.LazyFrame, export: Export) -> pl.LazyFrame:
    """Return the rows of an export, given the events in the order of the checkpoint.

    Events keep that order; submissions are sorted by what identifies them. All centers are in,
    also the test site. Columns that the scraper's order has and the checkpoint lacks are null.
    """
    rows = _KINDS[export.kind](events)
    if export.column_order == "scraper":
        has = set(rows.collect_schema().names())
        missing = [
            pl.lit(None, pl.String).alias(name) for name in _SCRAPER_ORDER if name not in has
        ]
        rows = rows.with_columns(missing).select(_SCRAPER_ORDER)
    if export.text_dates:
        rows = rows.with_columns(pl.col("visit_date").dt.to_string("iso"))
    return rows


def _latest(events: pl.LazyFrame) -> pl.LazyFrame:
    """Keep the last of the events that are alike in LATEST, in the order that they have."""
    numbered = events.with_row_index(_ROW)
    last = numbered.select(*LATEST, _ROW).group_by(LATEST).agg(pl.col(_ROW).max()).select(_ROW)
    return numbered.join(last, on=_ROW, how="semi", maintain_order="left").drop(_ROW)


def _submissions(events: pl.LazyFrame) -> pl.LazyFrame:
    return submissions(events, Filters(include_test_center=True))


_KINDS: Final[dict[Kind, Callable[[pl.LazyFrame], pl.LazyFrame]]] = {
    "events": lambda events: events,
    "latest-events": _latest,
    "submissions": _submissions,
}
