"""The JSON Schemas say what the decoder does, as far as JSON Schema can."""

import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacc_event_model import EventFormat, InvalidEvent, decode, event_type, json_schema, schemas
from nacc_event_model._rules import field_rules
from tests.event_model.strategies import documents, event_formats, example_document
from tests.event_model.test_refusals import CASES, broken_documents, is_date

each_format = pytest.mark.parametrize("event_format", EventFormat)
A_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
OUTSIDE_OF_THE_CALENDAR = ("2024-02-30", "2023-02-29", "0000", "0001", "9999")
VALIDATORS = {
    event_format: jsonschema.Draft202012Validator(json_schema(event_format))
    for event_format in EventFormat
}


def accepts(event_format: EventFormat, document: Mapping[str, Any]) -> bool:
    """Tell whether the decoder takes a document."""
    try:
        decode(msgspec.json.encode(document), event_format=event_format)
    except InvalidEvent:
        return False
    return True


def can_be_expressed(document: Mapping[str, Any]) -> bool:
    """Tell whether JSON Schema can tell what is wrong with a document.

    It cannot tell 4 from 4.0, nor compare a numeric string, nor tell which days there are, nor add
    an offset to a time.
    """
    adcid, day, time = (document.get(n) for n in ("pipeline_adcid", "visit_date", "timestamp"))
    untold = [
        isinstance(adcid, float) and adcid.is_integer(),
        isinstance(adcid, str) and re.fullmatch("[0-9]{1,10}", adcid) and int(adcid) >= 2**31,
        isinstance(day, str) and re.fullmatch(A_DAY, day) and not is_date(day),
        isinstance(time, str) and time.startswith(OUTSIDE_OF_THE_CALENDAR),
    ]
    return not any(untold)


@each_format
def test_a_schema_is_a_schema(event_format: EventFormat) -> None:
    """Draft 2020-12, with an id; every field has a title that can name a type, and its rule."""
    schema = json_schema(event_format)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:nacc:visit-event:{event_format}"
    assert schema["title"] == f"Visit event {event_format}"
    assert tuple(schema["properties"]) == event_type(event_format).__struct_fields__
    titles = [field["title"] for field in schema["properties"].values()]
    assert [title for title in titles if not re.fullmatch("[A-Z][A-Za-z ]+", title)] == []
    assert len(set(titles)) == len(titles)
    assert field_rules(event_type(event_format)) == {
        name: field["description"] for name, field in schema["properties"].items()
    }


@each_format
def test_the_file_in_the_package_is_the_schema(event_format: EventFormat) -> None:
    """If not: `python -m nacc_event_model.schemas`."""
    path = schemas.schema_path(event_format)

    assert path.name == f"visit-event-{event_format}.schema.json"
    assert path.read_text(encoding="utf-8") == schemas.schema_text(event_format)
    assert msgspec.json.decode(path.read_bytes()) == json_schema(event_format)


def test_the_module_writes_the_files_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each format, where `schema_path` says."""
    monkeypatch.setattr(
        schemas, "schema_path", lambda event_format: tmp_path / f"{event_format}.json"
    )

    runpy.run_module("nacc_event_model.schemas", run_name="__main__")

    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {
        f"{event_format}.json": schemas.schema_text(event_format) for event_format in EventFormat
    }


@given(st.data(), event_formats)
def test_a_valid_document_keeps_the_schema(data: st.DataObject, event_format: EventFormat) -> None:
    """However it is written, and with fields that nobody knows."""
    document, _ = data.draw(documents(event_format))

    VALIDATORS[event_format].validate(document | {"novelty": {"any": ["thing"]}})


@given(st.data(), event_formats)
def test_schema_and_decoder_agree_on_broken_documents(
    data: st.DataObject, event_format: EventFormat
) -> None:
    """Wherever JSON Schema can express the rule."""
    document = data.draw(broken_documents(event_format).filter(can_be_expressed))

    assert VALIDATORS[event_format].is_valid(document) == accepts(event_format, document)


@pytest.mark.parametrize("event_format, field, value", CASES)
def test_schema_and_decoder_agree_on_every_refused_value(
    event_format: EventFormat, field: str, value: Any
) -> None:
    """The same values that the decoder is known to refuse."""
    document = example_document(event_format, **{field: value})

    assert VALIDATORS[event_format].is_valid(document) != can_be_expressed(document)
