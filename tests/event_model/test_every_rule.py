"""All that is wrong with a document at once, for whoever repairs it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacc_event_model import Decoder, EventFormat, InvalidEvent, Violation, decode, event_type
from nacc_event_model._rules import MISSING, field_rules
from tests.event_model.strategies import event_formats, example_document
from tests.event_model.test_refusals import REFUSED

OPTIONAL = {"study", "module", "packet"}


def refusal(decoder: Decoder[Any], data: bytes) -> InvalidEvent:
    """Return what is said of a document that is refused."""
    with pytest.raises(InvalidEvent) as caught:
        decoder.decode(data)
    return caught.value


@given(st.data(), event_formats)
def test_every_rule_that_is_broken_is_named_and_no_other(
    data: st.DataObject, event_format: EventFormat
) -> None:
    """In the order of the fields; the first that a reader of many names is among them."""
    fields = data.draw(st.lists(st.sampled_from(list(REFUSED)), min_size=1, unique=True))
    missing = data.draw(st.sets(st.sampled_from(fields))) - OPTIONAL - {"visit_number"}
    changes = {
        name: ... if name in missing else data.draw(st.sampled_from(REFUSED[name]))
        for name in fields
    }
    document = json.dumps(example_document(event_format, **changes, new=[1])).encode()
    rules = field_rules(event_type(event_format))

    first = refusal(Decoder(event_format), document)
    whole = refusal(Decoder(event_format, every_rule=True), document)

    in_order = [name for name in event_type(event_format).__struct_fields__ if name in fields]
    expected = [(name, MISSING if name in missing else rules[name]) for name in in_order]
    assert expected == list(whole.violations)
    assert ((first.field, first.rule),) == first.violations
    assert (first.field, first.rule) == (whole.field, whole.rule)
    assert (first.field, first.rule) in whole.violations
    assert "; ".join(f"{field}: {rule}" for field, rule in expected) == str(whole)


@pytest.mark.parametrize(
    "data, said",
    [
        (b"[]", "not a JSON object"),
        (b'{"ptid":"1",', "not valid JSON: cut off at byte 12"),
        (b'{"action":7,', "action: must be one of"),
        (b'{"action":7,"ptid":"\xff"}', "action: must be one of"),
        # Of equal names each has to be valid, and the last one is all that is left to look at.
        (b'{"ptid":7,"ptid":"1"}', "ptid: must be a string of 1 to 10"),
        (b'{"ptid":7,"\xff":1}', "ptid: must be a string of 1 to 10"),
    ],
)
def test_what_cannot_be_read_as_a_whole_is_judged_as_far_as_it_can_be(
    data: bytes, said: str
) -> None:
    """And always names what is known."""
    with pytest.raises(InvalidEvent) as caught:
        decode(data)

    assert said in str(caught.value)
    assert Violation(caught.value.field, caught.value.rule) in caught.value.violations
