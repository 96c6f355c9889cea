"""Documents that were written once must be readable for ever, as the same events."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from nacc_event_model import AnyVisitEvent, EventFormat, decode
from tests.event_model.strategies import example_event, example_event_v11

GOLDEN = Path(__file__).parent.parent / "golden" / "event_model"
EVENTS: dict[str, AnyVisitEvent] = {
    "1.0-compact.json": example_event(),
    "1.0-design-with-nulls.json": example_event(ptid="ABC123", module=None, packet=None),
    "1.0-offset-and-microseconds.json": example_event(
        action="not-pass-qc",
        study="dvcid",
        pipeline_adcid=7,
        project_label="ingest-form-dvcid",
        center_label="bêta",
        gear_name="form-qc-checker",
        ptid="9",
        visit_date=date(2024, 2, 29),
        visit_number="2",
        module="FTLD",
        packet=None,
        timestamp=datetime(2024, 1, 15, 10, 0, 0, 123_456, tzinfo=UTC),
    ),
    "1.0-with-newer-fields.json": example_event(
        action="pass-qc",
        gear_name="form-qc-coordinator",
        packet="F",
        timestamp=datetime(2024, 1, 15, 10, 30, tzinfo=UTC),
    ),
    "1.1-form.json": example_event_v11(
        action="duplicate-submit",
        ptid="ab-01",
        visit_date=date(2026, 3, 1),
        visit_number="3",
        packet="F",
        timestamp=datetime(2026, 3, 2, 8, 15, 30, 250_000, tzinfo=UTC),
    ),
    "1.1-image.json": example_event_v11(
        study="leads",
        pipeline_adcid=5,
        project_label="ingest-dicom-leads",
        center_label="gamma",
        gear_name="image-identifier-lookup",
        ptid="LDS0000001",
        visit_date=date(2026, 3, 1),
        visit_number=None,
        datatype="dicom",
        module=None,
        packet=None,
        timestamp=datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC),
        naccid=None,
        modality="MR",
    ),
}
"""What each is: the usual event but for this."""


@pytest.mark.parametrize("name", EVENTS)
def test_a_golden_document_is_the_event_that_it_was(name: str) -> None:
    """The file's name begins with the format that it was written in."""
    event_format = EventFormat(name.partition("-")[0])

    assert decode((GOLDEN / name).read_bytes(), event_format=event_format) == EVENTS[name]


def test_every_golden_document_is_read() -> None:
    """No file lies there unread, and none was taken away."""
    assert {path.name for path in GOLDEN.iterdir()} == set(EVENTS)
