"""The columns of events, and which of them each event format has."""

from typing import Final

import polars as pl

from nacc_event_model import EventFormat

TIMESTAMP: Final = pl.Datetime("us", "UTC")

_EVENT_COLUMNS: Final[dict[str, pl.DataType]] = {
    "action": pl.String(),
    "study": pl.String(),
    "pipeline_adcid": pl.Int32(),
    "project_label": pl.String(),
    "center_label": pl.String(),
    "gear_name": pl.String(),
    "ptid": pl.String(),
    "visit_date": pl.Date(),
    "visit_number": pl.String(),
    "datatype": pl.String(),
    "module": pl.String(),
    "packet": pl.String(),
    "timestamp": TIMESTAMP,
}
_ADDED_COLUMNS: Final[dict[EventFormat, dict[str, pl.DataType]]] = {
    EventFormat.V1_0: {},
    EventFormat.V1_1: {"naccid": pl.String(), "modality": pl.String()},
}


def event_schema(event_format: EventFormat) -> pl.Schema:
    """Return the checkpoint's columns, in order, with their types."""
    return pl.Schema(_EVENT_COLUMNS | _ADDED_COLUMNS[event_format])


def added_columns(event_format: EventFormat) -> list[str]:
    """Return the columns that a format has beyond the thirteen that all have."""
    return list(_ADDED_COLUMNS[event_format])


def narrower_formats(event_format: EventFormat) -> list[str]:
    """Return the formats whose rows lack columns of this one."""
    columns = len(event_schema(event_format))
    return [str(each) for each in EventFormat if len(event_schema(each)) < columns]
