"""The JSON Schemas say what the decoder does, as far as JSON Schema can.

To validators of other makes, in other languages, they mean the same.
"""

import os
import re
import runpy
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import msgspec
import pytest
import re2  # type: ignore[import-untyped]  # it has no types
from hypothesis import given
from hypothesis import strategies as st

from nacc_event_model import EventFormat, event_type, json_schema, schemas
from nacc_event_model._rules import field_rules
from tests.event_model.strategies import (
    accepted,
    documents,
    each_format,
    event_formats,
    example_document,
)
from tests.event_model.test_refusals import CASES, broken_documents, broken_fields, is_date

ROOT = Path(__file__).parents[2]
# `npm install --no-save --prefix .venv ajv@8` puts it into the first.
FOLDERS = (ROOT / ".venv", ROOT, *map(Path, ("/usr/share/nodejs", "/usr/lib", "/usr/local/lib")))
A_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
OUTSIDE_OF_THE_CALENDAR = ("2024-02-30", "2023-02-29", "0000", "0001", "9999")
VALIDATORS = {
    event_format: jsonschema.Draft202012Validator(json_schema(event_format))
    for event_format in EventFormat
}


Schema = Mapping[str, Any]
Validator = Callable[[Schema], Callable[[Any], bool]]


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
def test_a_document_keeps_the_schema_exactly_if_every_field_keeps_its_rule(
    data: st.DataObject, event_format: EventFormat
) -> None:
    """Wherever JSON Schema can express the rule."""
    document = data.draw(broken_documents(event_format).filter(can_be_expressed))

    assert VALIDATORS[event_format].is_valid(document) != bool(
        broken_fields(event_format, document)
    )


def corpus() -> Iterator[dict[str, Any]]:
    """Give valid documents and such as break one rule of a format."""
    for event_format in EventFormat:
        for field in example_document(event_format):
            for value in (..., None, "\u2028", 0, 5.5, "AB\n"):
                yield example_document(event_format, **{field: value})
    for event_format, field, value in CASES:
        yield example_document(event_format, **{field: value})
    for adcid in (1, "1", "0000000042", 0, "0", 2**31 - 1):
        yield example_document(pipeline_adcid=adcid)
    for action in ("delete", "duplicate-submit"):
        yield example_document(action=action, datatype="dicom", module=None, novelty=[{}])
    for time in ("2024-01-15t10:00:00.123456789z", "2024-12-31T23:59:59-05:30"):
        yield example_document(timestamp=time)


DOCUMENTS = list(corpus())


def expected(event_format: EventFormat) -> list[bool]:
    """Return which documents a schema has to accept: the decoder's, and what it cannot tell."""
    return [
        accepted(msgspec.json.encode(document), event_format) is not None
        or not can_be_expressed(document)
        for document in DOCUMENTS
    ]


def with_jsonschema(schema: Schema) -> Callable[[Any], bool]:
    """Validate by Python, with Python's regular expressions."""
    return jsonschema.Draft202012Validator(schema).is_valid


def with_re2(schema: Schema) -> Callable[[Any], bool]:
    """Validate by Python, with the regular expressions of RE2, as Go has them."""

    def pattern(_: Any, regex: str, text: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
        if isinstance(text, str) and not re2.search(regex, text):
            yield jsonschema.ValidationError("no match")

    extend: Any = jsonschema.validators.extend
    is_valid: Callable[[Any], bool] = extend(jsonschema.Draft202012Validator, {"pattern": pattern})(
        schema
    ).is_valid
    return is_valid


def with_jsonschema_rs(schema: Schema) -> Callable[[Any], bool]:
    """Validate by Rust, with the regular expressions of its regex crate, as polars has them."""
    options = jsonschema_rs.RegexOptions()
    return jsonschema_rs.validator_for(dict(schema), pattern_options=options).is_valid


@each_format
@pytest.mark.parametrize("validator", [with_jsonschema, with_re2, with_jsonschema_rs])
def test_validators_and_decoder_agree(validator: Validator, event_format: EventFormat) -> None:
    """On every document of which a schema can tell what is wrong."""
    is_valid = validator(json_schema(event_format))

    assert expected(event_format) == [is_valid(document) for document in DOCUMENTS]


def test_ajv_and_the_decoder_agree() -> None:
    """In strict mode, which refuses a schema with anything doubtful in it."""
    node = shutil.which("node")
    folder = next((each for each in FOLDERS if (each / "node_modules" / "ajv").is_dir()), None)
    if node is None or folder is None:
        problem = "no node, or no Ajv: npm install --no-save --prefix .venv ajv@8"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(problem)
    written = {each: msgspec.Raw(schemas.schema_path(each).read_bytes()) for each in EventFormat}
    asked = {"folder": str(folder), "schemas": written, "documents": DOCUMENTS}

    script = Path(__file__).with_name("ajv.cjs")
    answer = subprocess.run(
        [node, script],
        input=msgspec.json.encode(asked),
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert answer.stderr.decode() == ""
    verdicts = msgspec.json.decode(answer.stdout)
    assert {str(each): expected(each) for each in EventFormat} == verdicts


def test_the_corpus_tells_a_good_validator_from_a_bad_one() -> None:
    """There is much of both kinds, and final line breaks, over which engines differ."""
    for event_format in EventFormat:
        verdicts = expected(event_format)
        assert min(verdicts.count(True), verdicts.count(False)) > 20
    assert any(document["ptid"] == "AB\n" for document in DOCUMENTS if "ptid" in document)
