"""Events in Pydantic's models and in FastAPI's bodies, judged by the rules of this package."""

import json
import subprocess
import sys
from typing import Annotated, Any

import msgspec
import pytest
from fastapi import Body, FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from nacc_event_model import (
    AnyVisitEvent,
    EventFormat,
    InvalidEvent,
    VisitEvent,
    VisitEventV11,
    decode,
    event_type,
    json_schema,
    to_dict,
)
from nacc_event_model._rules import UNWRITABLE
from tests.event_model.strategies import event_formats, events_of, example_document
from tests.event_model.test_refusals import broken_documents

ADAPTERS: dict[EventFormat, TypeAdapter[Any]] = {
    each: TypeAdapter(event_type(each)) for each in EventFormat
}


class Batch(BaseModel):
    """Events of both formats in another message."""

    old: VisitEvent
    new: list[VisitEventV11] = []


@given(event_formats.flatmap(events_of))
def test_what_is_valid_is_the_same_event(event: AnyVisitEvent) -> None:
    """Of a document, of its text, and of the event itself; and it is written as it is read."""
    is_new = isinstance(event, VisitEventV11)
    adapter = ADAPTERS[EventFormat.V1_1 if is_new else EventFormat.V1_0]
    document = to_dict(event)

    assert event == adapter.validate_python(document)
    assert event == adapter.validate_json(json.dumps(document))
    assert adapter.validate_python(event) is event
    assert document == adapter.dump_python(event) == json.loads(adapter.dump_json(event))


@given(st.data(), event_formats)
def test_any_document_is_judged_as_it_is_here(
    data: st.DataObject, event_format: EventFormat
) -> None:
    """Every broken rule is an error of its field, and none holds a value."""
    document = data.draw(broken_documents(event_format))
    adapter = ADAPTERS[event_format]
    try:
        event = decode(msgspec.json.encode(document), event_format=event_format)
    except InvalidEvent as error:
        broken = [(() if field is None else (field,), rule) for field, rule in error.violations]
    else:
        assert event == adapter.validate_python(document)
        return

    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(document)

    assert broken == [(error["loc"], error["msg"]) for error in caught.value.errors()]
    assert {None} == {error["input"] for error in caught.value.errors()}


def test_what_no_document_can_hold_is_refused() -> None:
    """As a whole: it cannot be written as JSON."""
    for value in (object(), {"ptid": object()}, {"ptid": "\ud800"}):
        with pytest.raises(ValidationError) as caught:
            ADAPTERS[EventFormat.V1_0].validate_python(value)
        assert [((), UNWRITABLE)] == [(e["loc"], e["msg"]) for e in caught.value.errors()]


def test_an_event_can_be_part_of_a_model() -> None:
    """With the place of each error in it."""
    good, bad = example_document(), example_document(ptid="x y", module=7)

    batch = Batch.model_validate({"old": good, "new": [good, example_document(ptid="a-1")]})
    with pytest.raises(ValidationError) as caught:
        Batch.model_validate({"old": good, "new": [good, bad]})

    assert "a-1" == batch.new[1].ptid
    assert [("new", 1, "ptid"), ("new", 1, "module")] == [e["loc"] for e in caught.value.errors()]
    assert "x y" not in str(caught.value)
    properties = Batch.model_json_schema()["properties"]
    assert json_schema(EventFormat.V1_0)["properties"] == properties["old"]["properties"]


app = FastAPI()


@app.post("/events")
def take(event: Annotated[VisitEventV11, Body()]) -> VisitEventV11:
    """Take an event and give it back."""
    return event


def test_fastapi_takes_an_event_as_a_body() -> None:
    """What is wrong is answered with status 422, field by field, without what was sent."""
    client = TestClient(app)
    document = example_document(EventFormat.V1_1)

    taken = client.post("/events", json=document)
    refused = client.post("/events", json=document | {"ptid": "SECRET TOO", "action": "SECRET"})
    no_event = client.post("/events", json=["SECRET"])
    described = client.get("/openapi.json").json()

    event = decode(msgspec.json.encode(document), event_format=EventFormat.V1_1)
    assert (200, to_dict(event)) == (taken.status_code, taken.json())
    assert 422 == refused.status_code
    assert [["body", "action"], ["body", "ptid"]] == [e["loc"] for e in refused.json()["detail"]]
    assert "must be one of submit, pass-qc," in refused.json()["detail"][0]["msg"]
    assert (422, "not a JSON object") == (no_event.status_code, no_event.json()["detail"][0]["msg"])
    assert "SECRET" not in refused.text + no_event.text
    body = described["paths"]["/events"]["post"]["requestBody"]["content"]["application/json"]
    assert json_schema(EventFormat.V1_1)["required"] == body["schema"]["required"]


def test_pydantic_is_not_loaded_before_it_asks() -> None:
    """Whoever only reads events needs none."""
    program = "import nacc_event_model, sys; print([n for n in sys.modules if 'pydantic' in n])"

    said = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )

    assert "[]\n" == said.stdout
