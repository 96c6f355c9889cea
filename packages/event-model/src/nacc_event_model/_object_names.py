"""The names of event objects: what makes one, and what it tells.

    log-{action}-{YYYYMMDD-HHMMSS}-{adcid}-{project}-{ptid}-{visit}.json

A name only decides whether an object is an event object, and in which order it is read; the
content is the truth.
So what stands between the time and the end may be anything: an event must not go missing because
its name looks odd, as it does with a slash in the ptid, or without a center.
"""

from __future__ import annotations

import functools
import re
from typing import Final, Literal, get_args, get_type_hints

import msgspec

from nacc_event_model.errors import EventModelError, InvalidEvent
from nacc_event_model.events import AnyVisitEvent, EventFormat, event_type

_NAMEABLE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f/]+")
_UNNAMEABLE: Final = "cannot be put into an object name"
_NO_CENTER: Final = "None"


class ObjectName(msgspec.Struct, frozen=True, kw_only=True):
    """What the name of an event object tells; None for what it does not.

    Args:
        action: One of the format's actions.
        time: `YYYYMMDD-HHMMSS` in ASCII digits, not checked to be a time; sorts by time.
        adcid: Number of the center; producers that do not know it write `None`.
        project: Label of the project; may hold hyphens.
        ptid: Participant identifier; may hold slashes.
        visit: Date of the visit as YYYY-MM-DD, or its number.

    """

    action: str
    time: str
    adcid: int | None
    project: str | None
    ptid: str | None
    visit: str | None


def object_name_pattern(event_format: EventFormat) -> str:
    """Return the regular expression for the keys of event objects.

    Its groups are the fields of `ObjectName`. The name begins with the last path segment that
    begins like one, and may hold slashes.

    *Guarantee:* Python's `re.fullmatch` and, written `^(?:...)$`, Rust's regex crate (so polars)
    accept the same keys and find the same groups. Linear time in both.
    What one format accepts, every later one does.
    """
    actions = "|".join(map(re.escape, get_args(get_type_hints(event_type(event_format))["action"])))
    return (
        rf"(?s:.*/)?log-(?P<action>{actions})-(?P<time>[0-9]{{8}}-[0-9]{{6}})-"
        rf"(?:(?P<adcid>-?[0-9]{{1,18}}|{_NO_CENTER})"
        # The project takes as little as it can, so that a trailing date is the visit's.
        r"-(?P<project>(?s:.)+?)-(?P<ptid>[^-]*)"
        r"-(?P<visit>[0-9]{4}-[0-9]{2}-[0-9]{2}|[^-]*)|(?s:.)*)[.]json"
    )


@functools.cache
def _compiled(event_format: EventFormat) -> re.Pattern[str]:
    return re.compile(object_name_pattern(event_format))


def parse_object_name(key: str, *, event_format: EventFormat) -> ObjectName | None:
    """Return what the name of an event object tells; None if it is not one.

    The visit is a trailing date if there is one, otherwise what follows the last hyphen; the
    ptid is what stands between the two hyphens before it; the project is the rest.
    A ptid with a hyphen therefore loses its first part to the project.
    `Decoder.parse_object_name` goes by the format that the decoder judges by.

    Args:
        key: Full key or path with `/`.
        event_format: Whose actions are event objects.

    """
    # Without this a key of very many names would be searched to its end from each of them.
    match = _compiled(event_format).fullmatch(key) if key.endswith(".json") else None
    if match is None:
        return None
    adcid = match["adcid"]
    return ObjectName(
        action=match["action"],
        time=match["time"],
        adcid=None if adcid in (None, _NO_CENTER) else int(adcid),
        project=match["project"],
        ptid=match["ptid"],
        visit=match["visit"],
    )


def make_object_name(
    event: AnyVisitEvent, *, prefix: str = "", visit: Literal["date", "number"] = "date"
) -> str:
    """Return the key of the object that holds an event: the time is UTC, to the second.

    *Guarantee:* `parse_object_name` takes it, and gives back action, time and adcid; the other
    parts as far as they can be told apart.
    Two events of one visit with the same action and second have the same name.

    Args:
        event: A valid event.
        prefix: The folder to put before the name: empty, or ending with `/`.
        visit: Whether the name ends in the visit's date, as producers write it today, or number.

    Raises:
        InvalidEvent: a field cannot stand in a name: it is empty, or holds a slash or a control
            character.
        EventModelError: the prefix is no folder; with what it ends in, the name would not begin
            with `log-`, and nobody would recognize the object.

    """
    if prefix and not prefix.endswith("/"):
        raise EventModelError("prefix: must be empty or end with /")
    time = event.timestamp
    visit_field = "visit_date" if visit == "date" else "visit_number"
    parts = {
        "action": event.action,
        "timestamp": f"{time.year:04}{time:%m%d-%H%M%S}",
        "pipeline_adcid": str(event.pipeline_adcid),
        "project_label": event.project_label,
        "ptid": event.ptid,
        visit_field: str(getattr(event, visit_field) or ""),
    }
    for field, part in parts.items():
        if not _NAMEABLE.fullmatch(part):
            raise InvalidEvent(field, _UNNAMEABLE)
    return f"{prefix}log-{'-'.join(parts.values())}.json"
