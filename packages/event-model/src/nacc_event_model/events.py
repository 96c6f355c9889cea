"""The visit event: one thing that happened to a visit, as each event format allows it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, overload

import msgspec

from nacc_event_model import _fields
from nacc_event_model._callers import rule_for_caller
from nacc_event_model._conversions import to_adcid, to_utc
from nacc_event_model._rules import field_rules
from nacc_event_model.errors import InvalidEvent

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

_set = msgspec.structs.force_setattr


_OF_A_PERSON: Final = {"ptid", "naccid", "visit_date", "visit_number"}
"""What tells whose visit it was, alone or together."""


class EventFormat(enum.StrEnum):
    """Version of the event contract."""

    V1_0 = "1.0"
    V1_1 = "1.1"


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    """The thirteen columns in their order, and the types that all formats share.

    A field typed without a rule is one that each format defines for itself.
    """

    action: str
    study: _fields.Study = "adrc"
    pipeline_adcid: int
    project_label: _fields.ProjectLabel
    center_label: _fields.CenterLabel
    gear_name: _fields.GearName
    ptid: str
    visit_date: _fields.VisitDate
    visit_number: str | None
    datatype: _fields.Datatype
    module: _fields.Module = None
    packet: _fields.Packet = None
    timestamp: _fields.Timestamp

    def __repr__(self) -> str:  # type: ignore[explicit-override] # override is new in Python 3.12
        """Show the event without whose it is: it gets into logs and tracebacks."""
        told = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({told})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # type: ignore[explicit-override] # likewise
        """Show the same to rich."""
        return [
            (name, ... if name in _OF_A_PERSON else getattr(self, name))
            for name in self.__struct_fields__
        ]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        """Let Pydantic, and so FastAPI, take an event as a field or a body."""
        from nacc_event_model._pydantic import core_schema  # noqa: PLC0415 - loads Pydantic

        return core_schema(_format_of(cls), _EVENT_TYPES[_format_of(cls)])

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> dict[str, Any]:
        """Give Pydantic the JSON Schema of the format."""
        from nacc_event_model._pydantic import pydantic_json_schema  # noqa: PLC0415 - likewise

        return pydantic_json_schema(_format_of(cls))


def _convert(event: _Event, contract: type[_Event], *, least_adcid: int) -> None:
    """Make the center's number an int and the timestamp UTC, in whatever form they came.

    The contract is the type whose rules are named, also where the event is of a subclass.
    """
    if type(event.pipeline_adcid) is not int:
        adcid = to_adcid(event.pipeline_adcid, least_adcid)
        if adcid is None:
            raise _broken_rule(event, contract, "pipeline_adcid")
        _set(event, "pipeline_adcid", adcid)
    timestamp = to_utc(event.timestamp)
    if timestamp is None:
        raise _broken_rule(event, contract, "timestamp")
    _set(event, "timestamp", timestamp)


def _broken_rule(event: _Event, contract: type[_Event], field: str) -> InvalidEvent:
    value, rule = getattr(event, field), field_rules(contract)[field]
    # A text may be of a document; anything else is of Python code.
    return InvalidEvent(
        field, rule if isinstance(value, str) else rule_for_caller(field, value, rule)
    )


class VisitEvent(_Event, frozen=True, kw_only=True):
    """A visit event of format 1.0.

    Decoding checks every rule; so does encoding.
    The constructor converts `pipeline_adcid` and `timestamp`, and leaves the rest to types.

    *Guarantee:* the fields are the columns of the checkpoint, in its order.
    `pipeline_adcid` is an int, and `timestamp` is in UTC.
    Fields that the contract does not know are skipped when decoding, also by msgspec itself.

    Raises:
        InvalidEvent: `pipeline_adcid` or `timestamp` cannot be converted.

    """

    action: _fields.ActionV10
    pipeline_adcid: _fields.PipelineAdcidV10
    ptid: _fields.PtidV10
    visit_number: _fields.VisitNumberV10

    def __post_init__(self) -> None:
        """Convert what is not yet in the form that an event holds."""
        _convert(self, VisitEvent, least_adcid=1)


class VisitEventV11(_Event, frozen=True, kw_only=True):
    """A visit event of format 1.1; as `VisitEvent`, with what producers write today.

    *Guarantee:* `decode` accepts every document of format 1.0, and gives it the same values.

    Raises:
        InvalidEvent: as for `VisitEvent`.

    """

    action: _fields.ActionV11
    pipeline_adcid: _fields.PipelineAdcidV11
    ptid: _fields.PtidV11
    visit_number: _fields.VisitNumberV11 = None
    naccid: _fields.Naccid = None
    modality: _fields.Modality = None

    def __post_init__(self) -> None:
        """Convert what is not yet in the form that an event holds."""
        _convert(self, VisitEventV11, least_adcid=0)


AnyVisitEvent: TypeAlias = VisitEvent | VisitEventV11

_EVENT_TYPES: Final[Mapping[EventFormat, type[AnyVisitEvent]]] = {
    EventFormat.V1_0: VisitEvent,
    EventFormat.V1_1: VisitEventV11,
}


def _format_of(type_: type[_Event]) -> EventFormat:
    is_newer = issubclass(type_, VisitEventV11)
    return EventFormat.V1_1 if is_newer else EventFormat.V1_0


@overload
def event_type(event_format: Literal[EventFormat.V1_0]) -> type[VisitEvent]: ...
@overload
def event_type(event_format: Literal[EventFormat.V1_1]) -> type[VisitEventV11]: ...
@overload
def event_type(event_format: EventFormat) -> type[AnyVisitEvent]: ...
def event_type(event_format: EventFormat) -> type[AnyVisitEvent]:
    """Return the type of the events of a format."""
    return _EVENT_TYPES[event_format]
