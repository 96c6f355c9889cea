"""Documents that break a rule, and how that is said."""

import bz2
import gzip
import lzma
import re
import string
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacc_event_model import AnyVisitEvent, Decoder, EventFormat, InvalidEvent, decode, event_type
from nacc_event_model._failures import MAX_DEPTH
from nacc_event_model._rules import field_rules
from tests.event_model.strategies import (
    ACTIONS,
    LEAST_ADCID,
    MAX_ADCID,
    PTID_CHARACTERS,
    USUAL,
    each_format,
    event_formats,
    example_document,
    labels,
    optional_texts,
    with_field,
)

NOT_STRINGS: list[Any] = [None, 1, 1.5, True, [], {}]
REFUSED: Mapping[str, list[Any]] = {
    "action": ["", "Submit", "submit ", "submit\n", "unknown", ["submit"], None, 1],
    "study": ["", *NOT_STRINGS],
    "pipeline_adcid": [
        *[True, False, None, 4.5, 4.0, -1, MAX_ADCID + 1, 2**64, 10**30, [42], {}],
        *["4.0", " 4", "4 ", "4\n", "+4", "-4", "4_2", "0x4", "", "four", "٤", "²"],
        *[str(MAX_ADCID + 1), "00000000004", "9" * 5_000],
    ],
    "project_label": ["", *NOT_STRINGS],
    "center_label": ["", *NOT_STRINGS],
    "gear_name": ["", *NOT_STRINGS],
    "ptid": [
        *["", "11000100011", "110001\n", "11 001", "11\x0001", "11é001", "\uff11\uff11"],
        *NOT_STRINGS,
    ],
    "visit_date": [
        *["2024-01-15T00:00:00", "2024-01-15T00:00:00Z", "2024-01-15 00:00", "2024-01-15Z"],
        *["2024-1-15", "20240115", "2024-W03-1", "01/15/2024", "2024-01-15\n", " 2024-01-15"],
        *["2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00"],
        *["0000-01-01", "10000-01-01", "-001-01-01", "٢024-01-15", "", 20240115, 1705276800.5],
        *[None, True, [2024, 1, 15]],
    ],
    "visit_number": ["", *NOT_STRINGS[1:]],
    "datatype": ["", *NOT_STRINGS],
    "module": NOT_STRINGS[1:],
    "packet": NOT_STRINGS[1:],
    "timestamp": [
        *["2024-01-15", "2024-01-15T", "2024-01-15T10", "2024-01-15T10:00", "2024-01-15T10:00Z"],
        *["2024-01-15 10:00:00Z", "2024-01-15_10:00:00Z", "20240115T100000Z"],
        *["2024-W03-1T10:00:00Z"],
        *["2024-01-15T10:00:00+0500", "2024-01-15T10:00:00+05", "2024-01-15T10:00:00 Z"],
        *["2024-01-15T10:00:00+24:00", "2024-01-15T10:00:00+05:60", "2024-01-15T10:00:00+05:00:00"],
        *["2024-01-15T10:00:00UTC", "2024-01-15T10:00:00.Z", "2024-01-15T10:00:00,5Z"],
        *["2024-01-15T10:00:60Z", "2016-12-31T23:59:60Z", "2024-01-15T10:60:00Z"],
        *["2024-01-15T24:00:00Z", "2024-01-15T24:00:00", "2024-01-15T25:00:00Z"],
        *["2024-02-30T10:00:00Z", "2024-02-30T10:00:00.5Z", "2023-02-29T10:00:00Z"],
        *["2024-00-15T10:00:00Z", "2024-13-15T10:00:00Z", "0000-01-01T00:00:00Z"],
        *["10000-01-01T00:00:00Z", "+2024-01-15T10:00:00Z", "2024-01-15T-1:00:00Z"],
        *["0001-01-01T00:00:00+00:01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-12:00"],
        *["2024-01-15T10:00:00Z\n", " 2024-01-15T10:00:00Z", "2024-01-15T1٢:00:00Z", "\uff11" * 20],
        *["", "now", 1705312800, 1705312800.5, None, True, []],
    ],
}
ONLY_IN_1_0: Mapping[str, list[Any]] = {
    "action": ["duplicate-submit"],
    "ptid": ["ab1", "AB-1", "A_1", "~"],
    "pipeline_adcid": [0, "0", "0000000000"],
    "visit_number": [None],
}
CASES = [
    (event_format, field, value)
    for table, formats in [(REFUSED, list(EventFormat)), (ONLY_IN_1_0, [EventFormat.V1_0])]
    for event_format in formats
    for field, values in table.items()
    for value in values
]


@pytest.mark.parametrize("event_format, field, value", CASES)
def test_a_value_that_breaks_a_rule_is_refused_with_field_and_rule(
    event_format: EventFormat, field: str, value: Any
) -> None:
    """The error names the field, and says its rule as this format has it."""
    data = msgspec.json.encode(example_document(event_format, **{field: value}))

    with pytest.raises(InvalidEvent) as caught:
        decode(data, event_format=event_format)

    assert caught.value.field == field
    assert caught.value.rule == field_rules(event_type(event_format))[field]
    assert str(caught.value) == f"{field}: {caught.value.rule}"


def test_a_number_written_with_an_exponent_is_no_integer() -> None:
    """Nor one with a fraction of zero: both are numbers of another kind for many readers."""
    for number in (b"4e0", b"4E1", b"42.0"):
        with pytest.raises(InvalidEvent, match=r"^pipeline_adcid: must be an integer"):
            decode(USUAL.replace(b":42,", b":" + number + b","))


@each_format
def test_a_required_field_that_is_missing_is_named(event_format: EventFormat) -> None:
    """Those without a default: all but study and the optional ones."""
    required = set(example_document()) - {"study", "module", "packet"}
    if event_format is EventFormat.V1_1:
        required.remove("visit_number")

    for field in required:
        data = msgspec.json.encode(example_document(event_format, **{field: ...}))
        with pytest.raises(InvalidEvent) as caught:
            decode(data, event_format=event_format)
        assert str(caught.value) == f"{field}: required field is missing"
    with pytest.raises(InvalidEvent, match=r"^action: required field is missing; pipeline_adcid: "):
        decode(b"{}", event_format=event_format)


NOT_JSON = "not valid JSON"
DEEP = "nested too deeply"
SIZE = len(USUAL)
ALPHA = USUAL.index(b"alpha")


def at(place: int, problem: str = "") -> str:
    """Return the sentence that says where a document goes wrong."""
    return f"{NOT_JSON}: {problem} at byte {place}" if problem else f"{NOT_JSON} at byte {place}"


def cut_off(data: bytes) -> tuple[bytes, str]:
    """Return a document that ends too early, and what is said of it."""
    return data, at(len(data), "cut off")


def instead_of_alpha(text: bytes, problem: str, place: int = 0) -> tuple[bytes, str]:
    """Return the usual document with another text in it, and what is said of that."""
    return USUAL.replace(b"alpha", text), at(ALPHA + place, problem)


ANOTHER = "another document after its end"
SURROGATE = "half a surrogate pair"
NOT_UTF_8 = "not UTF-8"
DOCUMENTS = {
    "nothing": (b"", "empty"),
    "white space": (b" \r\n\t", "empty"),
    "a byte order mark": (b"\xef\xbb\xbf" + USUAL, "starts with a byte order mark"),
    "gzip": (gzip.compress(USUAL), f"{NOT_JSON}: compressed with gzip"),
    "zstd": (b"\x28\xb5\x2f\xfd\x04", f"{NOT_JSON}: compressed with zstd"),
    "bzip2": (bz2.compress(USUAL), f"{NOT_JSON}: compressed with bzip2"),
    "xz": (lzma.compress(USUAL), f"{NOT_JSON}: compressed with xz"),
    "zip": (b"PK\x03\x04\x14", f"{NOT_JSON}: compressed with zip"),
    "a truncated document": cut_off(USUAL[:-20]),
    "a truncated text": cut_off(b'"sub'),
    "a truncated word": cut_off(b"nul"),
    "a truncated escape": cut_off(rb'{"action":"\u00'),
    "a truncated pair": cut_off(rb'{"action":"\ud83d'),
    "a string without an end": cut_off(with_field(b'"novelty":[[],"' + b"[" * 200_000)[:-1]),
    "two documents": (USUAL + USUAL, at(SIZE, ANOTHER)),
    "two lines": (USUAL + b"\r\n" + USUAL, at(SIZE + 2, ANOTHER)),
    "an array after it": (USUAL + b" []", at(SIZE + 1, ANOTHER)),
    "a word after it": (USUAL + b"\nx", at(SIZE + 1, "something after its end")),
    "rubbish": (b"\x00\x01\x02", "not JSON at all"),
    "Parquet": (b"PAR1\x15\x04\x15", "not JSON at all"),
    "an answer of S3": (b'<?xml version="1.0"?><Error/>', "not JSON at all"),
    "a page": (b"\n<html>", "not JSON at all"),
    "NaN": (with_field(b'"novelty":NaN'), at(SIZE + 10)),
    "Infinity": (with_field(b'"novelty":-Infinity'), at(SIZE + 11)),
    "a comment": (with_field(b'/* */"novelty":1'), at(SIZE)),
    "a trailing comma": (with_field(b""), at(SIZE)),
    "a single quote": (with_field(b"'novelty':1"), at(SIZE)),
    "quotes outside of strings": (with_field(b"[]" * 300 + b'\\"' * 400_000), at(SIZE)),
    "a line break in a string": instead_of_alpha(b"al\npha", "", 2),
    "a lone surrogate": instead_of_alpha(rb"\ud800", SURROGATE),
    "a lone low surrogate": instead_of_alpha(rb"\udc00", SURROGATE),
    "a surrogate after a pair": instead_of_alpha(rb"\\\ud83d\ude00\uDBFF", SURROGATE, 14),
    "a low surrogate further on": instead_of_alpha(rb"\ud83d \ude00", SURROGATE),
    "a lone surrogate in a name": (with_field(rb'"\ud800":1'), at(SIZE + 1, SURROGATE)),
    "a lone surrogate elsewhere": (with_field(rb'"novelty":"\ud800"'), at(SIZE + 11, SURROGATE)),
    "a surrogate in UTF-8": instead_of_alpha(b"\xed\xa0\x80", NOT_UTF_8),
    "bytes that are not UTF-8": instead_of_alpha(b"\xff", NOT_UTF_8),
    "Latin-1": instead_of_alpha("aé".encode("latin-1"), NOT_UTF_8, 1),
    **{
        f"UTF-{width}-{end} {mark}": (
            (mark + USUAL.decode()).encode(f"utf-{width}-{end}"),
            f"{NOT_JSON}: encoded in UTF-{width}, not in UTF-8",
        )
        for width in (16, 32)
        for end in ("le", "be")
        for mark in ("", "\ufeff")
    },
    "an array": (b"[" + USUAL + b"]", "not a JSON object"),
    "null": (b"null", "not a JSON object"),
    "a number": (b"1", "not a JSON object"),
    "a string": (b'"submit"', "not a JSON object"),
    "brackets": (b"[" * 200_000, DEEP),
    "closed brackets": (b"[" * 200_000 + b"]" * 200_000, DEEP),
    "closed braces": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, DEEP),
    "brackets in a known field": (USUAL.replace(b'"alpha"', b"[" * 300 + b"]" * 300), DEEP),
    "one level too many": (with_field(b'"n":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH), DEEP),
    "brackets after a string with a quote": (b'["\\"",' + b"[" * 200_000, DEEP),
    "2 MiB": (USUAL.replace(b"alpha", b"a" * 2**21), "larger than 1048576 bytes"),
    "2 MiB of brackets": (b"[" * 2**21, "larger than 1048576 bytes"),
}


@each_format
@pytest.mark.parametrize("listener", [None, lambda _: None], ids=["unheard", "heard"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_no_document_at_all_is_refused_with_a_fixed_sentence(
    name: str, listener: Callable[..., None] | None, event_format: EventFormat
) -> None:
    """No field is named; whether somebody listens for unknown fields changes nothing."""
    data, rule = DOCUMENTS[name]

    with pytest.raises(InvalidEvent) as caught:
        Decoder(event_format, on_unknown_fields=listener).decode(data)

    assert (caught.value.field, caught.value.rule) == (None, rule)
    assert str(caught.value) == rule


def test_a_limit_of_ones_own_is_named_in_the_refusal() -> None:
    """So that whoever reads it knows which setting to change."""
    with pytest.raises(InvalidEvent, match=r"^larger than 100 bytes$"):
        decode(USUAL, max_size_bytes=100)


@pytest.mark.parametrize(
    "action", ["x - at `$.study`", "Object missing required field `study`", "$.study"]
)
def test_a_value_that_looks_like_a_path_does_not_mislead(action: str) -> None:
    """The parser quotes values in its messages; only what it says itself counts."""
    with pytest.raises(InvalidEvent, match=r"^action: must be one of submit, "):
        decode(msgspec.json.encode(example_document(action=action)))


def is_valid(event_format: EventFormat, document: Mapping[str, Any], field: str) -> bool:
    """Tell whether a field keeps its rule; the contract once more, in other words."""
    value = document.get(field, ...)
    is_1_1 = event_format is EventFormat.V1_1
    least = LEAST_ADCID[event_format]
    match field:
        case "action":
            return value in ACTIONS[event_format]
        case "study":
            return value is ... or (isinstance(value, str) and value != "")
        case "pipeline_adcid" if isinstance(value, str):
            return re.fullmatch("[0-9]{1,10}", value) is not None and least <= int(value) < 2**31
        case "pipeline_adcid":
            return type(value) is int and least <= value < 2**31
        case "ptid":
            return (
                isinstance(value, str)
                and 1 <= len(value) <= 10
                and set(value) <= set(PTID_CHARACTERS[event_format])
            )
        case "visit_date":
            return isinstance(value, str) and is_date(value)
        case "visit_number" if is_1_1 and value in (None, ...):
            return True
        case "naccid" | "modality":
            return True
        case "module" | "packet":
            return value is ... or value is None or isinstance(value, str)
        case "timestamp":
            return isinstance(value, str) and value.endswith("Z")
    return isinstance(value, str) and value != ""


def broken_fields(event_format: EventFormat, document: Mapping[str, Any]) -> set[str]:
    """Name the fields that break their rules."""
    names = event_type(event_format).__struct_fields__
    return {name for name in names if not is_valid(event_format, document, name)}


def is_date(text: str) -> bool:
    """Tell whether a text is a real date as YYYY-MM-DD."""
    year, _, rest = text.partition("-")
    month, _, day = rest.partition("-")
    try:
        return text == date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return False


@st.composite
def broken_documents(draw: st.DrawFn, /, event_format: EventFormat) -> dict[str, Any]:
    """Draw a document with some fields from any value at all, some from nearly valid ones."""
    anything = st.sampled_from([..., None, True, 0, -3, 4.5, 2**40, "", " ", "form"]) | st.text()
    nearly = {
        "action": st.sampled_from([*ACTIONS[EventFormat.V1_1], "SUBMIT"]),
        "pipeline_adcid": st.integers(-2, 2**32) | st.text(string.digits + "+ .", max_size=11),
        "ptid": st.text(PTID_CHARACTERS[EventFormat.V1_1] + " é\n", max_size=11),
        "visit_date": st.builds(
            "{:04}-{:02}-{:02}".format, st.integers(0, 2030), st.integers(0, 13), st.integers(0, 32)
        ),
        "datatype": st.sampled_from(["form", "dicom"]),
        "module": optional_texts,
        "timestamp": st.sampled_from(["2024-01-15T10:00:00Z", "2024-01-15"]),
    }
    names = event_type(event_format).__struct_fields__
    changed = {
        name: draw(nearly.get(name, labels) | (anything if name != "timestamp" else st.none()))
        for name in draw(st.sets(st.sampled_from(names), min_size=1, max_size=4))
    }
    return example_document(event_format, **changed)


# Feature: event-log-scraper, Property 5: Validation enforcement
@given(st.data(), event_formats)
def test_a_document_is_accepted_exactly_if_every_field_keeps_its_rule(
    data: st.DataObject, event_format: EventFormat
) -> None:
    """And where it is refused, a field that breaks its rule is named."""
    document = data.draw(broken_documents(event_format))
    broken = broken_fields(event_format, document)
    encoded = msgspec.json.encode(document)

    if broken:
        with pytest.raises(InvalidEvent) as caught:
            decode(encoded, event_format=event_format)
        assert caught.value.field in broken
    else:
        event = decode(encoded, event_format=event_format)
        assert event.study == document.get("study", "adrc")


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_any_bytes_are_an_event_or_an_invalid_one(data: bytes) -> None:
    """Nothing else comes out of decoding."""
    with pytest.raises(InvalidEvent):
        decode(data)


@given(st.data(), event_formats)
def test_a_damaged_document_is_an_event_or_an_invalid_one(
    data: st.DataObject, event_format: EventFormat
) -> None:
    """Some bytes replaced, and the verdict is the same for whoever listens."""
    encoded = bytearray(msgspec.json.encode(example_document(event_format, novelty={"a": [1]})))
    for _ in range(data.draw(st.integers(1, 3))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))

    assert verdict(Decoder(event_format), bytes(encoded)) == verdict(
        Decoder(event_format, on_unknown_fields=lambda _: None), bytes(encoded)
    )


def verdict(decoder: Decoder[AnyVisitEvent], data: bytes) -> object:
    """Return the event, or what is wrong with it."""
    try:
        return decoder.decode(data)
    except InvalidEvent as error:
        return str(error)
