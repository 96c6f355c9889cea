"""The JSON Schemas mean the same to validators of other makes, in other languages."""

import os
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

from nacc_event_model import EventFormat, json_schema
from nacc_event_model.schemas import schema_path
from tests.event_model.strategies import example_document
from tests.event_model.test_refusals import CASES
from tests.event_model.test_schemas import accepts, can_be_expressed

ROOT = Path(__file__).parents[2]
# `npm install --no-save --prefix .venv ajv@8` puts it into the first.
FOLDERS = (
    ROOT / ".venv",
    ROOT,
    Path("/usr/share/nodejs"),
    Path("/usr/lib"),
    Path("/usr/local/lib"),
)

Schema = Mapping[str, Any]
Validator = Callable[[Schema], Callable[[Any], bool]]

each_format = pytest.mark.parametrize("event_format", EventFormat)


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
    schemas = {each: msgspec.Raw(schema_path(each).read_bytes()) for each in EventFormat}
    asked = {"folder": str(folder), "schemas": schemas, "documents": DOCUMENTS}

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


def expected(event_format: EventFormat) -> list[bool]:
    """Return which documents a schema has to accept: the decoder's, and what it cannot tell."""
    return [
        accepts(event_format, document) or not can_be_expressed(document) for document in DOCUMENTS
    ]


def test_the_corpus_tells_a_good_validator_from_a_bad_one() -> None:
    """There is much of both kinds, and final line breaks, over which engines differ."""
    for event_format in EventFormat:
        verdicts = expected(event_format)
        assert min(verdicts.count(True), verdicts.count(False)) > 20
    assert any(document["ptid"] == "AB\n" for document in DOCUMENTS if "ptid" in document)
