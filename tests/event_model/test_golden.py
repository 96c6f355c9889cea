"""Documents that were written once must be readable for ever, as the same events."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from nacc_event_model import AnyVisitEvent, EventFormat, VisitEvent, VisitEventV11, decode

GOLDEN = Path(__file__).parent.parent / "golden" / "event_model"
EVENTS: dict[str, AnyVisitEvent] = {
    "1.0-compact.json": VisitEvent(
        action="submit",
        study="adrc",
        pipeline_adcid=42,
        project_label="ingest-form",
        center_label="alpha",
        gear_name="form-scheduler",
        ptid="110001",
        visit_date=date(2024, 1, 15),
        visit_number="01",
        datatype="form",
        module="UDS",
        packet="I",
        timestamp=datetime(2024, 1, 15, 10, tzinfo=UTC),
    ),
    "1.0-design-with-nulls.json": VisitEvent(
        action="submit",
        study="adrc",
        pipeline_adcid=42,
        project_label="ingest-form",
        center_label="alpha",
        gear_name="form-scheduler",
        ptid="ABC123",
        visit_date=date(2024, 1, 15),
        visit_number="01",
        datatype="form",
        module=None,
        packet=None,
        timestamp=datetime(2024, 1, 15, 10, tzinfo=UTC),
    ),
    "1.0-offset-and-microseconds.json": VisitEvent(
        action="not-pass-qc",
        study="dvcid",
        pipeline_adcid=7,
        project_label="ingest-form-dvcid",
        center_label="bêta",
        gear_name="form-qc-checker",
        ptid="9",
        visit_date=date(2024, 2, 29),
        visit_number="2",
        datatype="form",
        module="FTLD",
        packet=None,
        timestamp=datetime(2024, 1, 15, 10, 0, 0, 123_456, tzinfo=UTC),
    ),
    "1.0-with-newer-fields.json": VisitEvent(
        action="pass-qc",
        study="adrc",
        pipeline_adcid=42,
        project_label="ingest-form",
        center_label="alpha",
        gear_name="form-qc-coordinator",
        ptid="110001",
        visit_date=date(2024, 1, 15),
        visit_number="01",
        datatype="form",
        module="UDS",
        packet="F",
        timestamp=datetime(2024, 1, 15, 10, 30, tzinfo=UTC),
    ),
    "1.1-form.json": VisitEventV11(
        action="duplicate-submit",
        study="adrc",
        pipeline_adcid=42,
        project_label="ingest-form",
        center_label="alpha",
        gear_name="form-scheduler",
        ptid="ab-01",
        visit_date=date(2026, 3, 1),
        visit_number="3",
        datatype="form",
        module="UDS",
        packet="F",
        timestamp=datetime(2026, 3, 2, 8, 15, 30, 250_000, tzinfo=UTC),
        naccid="NACC000001",
        modality=None,
    ),
    "1.1-image.json": VisitEventV11(
        action="submit",
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


@pytest.mark.parametrize("name", EVENTS)
def test_a_golden_document_is_the_event_that_it_was(name: str) -> None:
    """The file's name begins with the format that it was written in."""
    event_format = EventFormat(name.partition("-")[0])

    assert decode((GOLDEN / name).read_bytes(), event_format=event_format) == EVENTS[name]


def test_every_golden_document_is_read() -> None:
    """No file lies there unread, and none was taken away."""
    assert {path.name for path in GOLDEN.iterdir()} == set(EVENTS)
