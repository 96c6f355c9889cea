"""What an event shows of itself: not whose it is."""

import io
from datetime import date

import msgspec
from hypothesis import given
from rich.console import Console

from nacc_event_model import AnyVisitEvent, VisitEventV11, encode, to_dict
from tests.event_model.strategies import event_formats, events_of


def test_whose_an_event_is_is_not_shown() -> None:
    """Neither participant nor visit: an event gets into logs, tracebacks and notebooks."""
    event = VisitEventV11(
        action="submit",
        pipeline_adcid=42,
        project_label="ingest-form",
        center_label="alpha",
        gear_name="form-scheduler",
        ptid="SECRET1",
        visit_date=date(1999, 12, 31),
        visit_number="SECRET2",
        datatype="form",
        module="UDS",
        timestamp="2024-01-15T10:00:00Z",  # type: ignore[arg-type] # as a document has it
        naccid="SECRET3",
    )
    output = io.StringIO()
    Console(file=output, width=400).print([event])

    for shown in (repr(event), str(event), f"{event}", output.getvalue()):
        assert "SECRET" not in shown
        assert "1999" not in shown
        assert "ptid=..." in shown.replace("Ellipsis", "...")
        assert "VisitEventV11(action='submit', study='adrc', pipeline_adcid=42," in shown
        assert "datatype='form', module='UDS'" in shown


@given(event_formats.flatmap(events_of))
def test_an_event_as_a_dict_is_its_document(event: AnyVisitEvent) -> None:
    """Of what JSON has, in its order, without what is null."""
    told = to_dict(event)

    assert encode(event) == msgspec.json.encode(told)
    assert list(told) == [name for name in event.__struct_fields__ if name in told]
    assert {type(value) for value in told.values()} <= {str, int}
