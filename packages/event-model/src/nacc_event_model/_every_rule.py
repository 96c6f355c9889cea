"""Every rule that a document breaks, for whoever repairs it; a reader of many needs the first only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from nacc_event_model._failures import DECODING_ERRORS
from nacc_event_model.errors import InvalidEvent, Violation

_WITHOUT_FAULT: Final[Mapping[str, object]] = {
    "action": "submit",
    "pipeline_adcid": 1,
    "project_label": "-",
    "center_label": "-",
    "gear_name": "-",
    "ptid": "1",
    "visit_date": "2024-01-15",
    "visit_number": "1",
    "datatype": "-",
    "timestamp": "2024-01-15T10:00:00Z",
}
"""The required fields of every format, each keeping its rule."""


def every_violation(
    data: bytes,
    first: InvalidEvent,
    fields: Iterable[str],
    judge: Callable[[bytes], InvalidEvent | None],
) -> tuple[Violation, ...]:
    """Return what each field breaks, in the order of the fields.

    Of a document that cannot be taken apart it is what is known already.

    Args:
        data: The document.
        first: What is known to be wrong with it.
        fields: The fields of its format.
        judge: Tells what is wrong with another document of the format, None if nothing is.

    """
    found = {first.field: first.rule}
    for name, alone in _each_alone(data, fields) if first.field is not None else ():
        error = judge(alone)
        if error is not None and error.field == name:
            found.setdefault(name, error.rule)
    return tuple(Violation(name, found[name]) for name in [None, *fields] if name in found)


def _each_alone(data: bytes, fields: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield for each field a document in which only that one may break its rule.

    Rules are about one field each. Nothing where the document cannot be taken apart.
    """
    try:
        written = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except DECODING_ERRORS:
        return
    for name in fields:
        others = {other: value for other, value in _WITHOUT_FAULT.items() if other != name}
        own = {name: written[name]} if name in written else {}
        yield name, msgspec.json.encode(others | own)
