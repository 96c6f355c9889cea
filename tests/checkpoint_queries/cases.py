"""Checkpoints of a few events that a test names one by one."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from msgspec.structs import asdict

from nacc_event_model import EventFormat
from tests.checkpoint_queries.generated import in_file_order
from tests.event_model.strategies import example_event_v11

NOON = datetime(2026, 8, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FORM: dict[str, Any] = {"visit_date": date(2026, 8, 5), "timestamp": NOON}
IMAGE = FORM | {"datatype": "dicom", "module": None, "packet": None, "modality": "MR"}

_USUAL: dict[str, Any] = asdict(example_event_v11(modality=None))


def checkpoint(*events: dict[str, Any]) -> pl.LazyFrame:
    """Return the checkpoint of events that arrived in this order; a form's, but for this."""
    rows = [tuple((_USUAL | FORM | changed).values()) for changed in events]
    return in_file_order(rows, EventFormat.V1_1).lazy()


def history(actions: str) -> pl.LazyFrame:
    """Return the checkpoint of one submission with these actions on successive days."""
    return checkpoint(
        *(
            {"action": action, "timestamp": NOON + number * DAY}
            for number, action in enumerate(actions.split())
        )
    )


def rows(answer: pl.LazyFrame, *columns: str) -> list[tuple[Any, ...]]:
    """Collect these columns of an answer."""
    return answer.select(columns).collect().rows()
