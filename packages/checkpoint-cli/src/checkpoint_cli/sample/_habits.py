"""How producers write events: what they leave out, and since when they write what."""

import random
from datetime import UTC, datetime
from typing import Any, Final, Self

from msgspec import Struct, structs

from nacc_event_model import AnyVisitEvent, VisitEventV11, encode, make_object_name

__all__ = ["Writing", "as_written", "data_of", "name_of"]

_DATES_IN_NAMES_SINCE: Final = datetime(2026, 1, 16, tzinfo=UTC)
_NACCID_SINCE: Final = datetime(2026, 3, 4, tzinfo=UTC)
_MODALITY_SINCE: Final = datetime(2026, 7, 7, tzinfo=UTC)
_DUPLICATES_SINCE: Final = datetime(2026, 8, 13, tzinfo=UTC)
_USUAL_STUDY: Final = "adrc"


class Writing(Struct, frozen=True, kw_only=True):
    """What the producer of one event does not know, or does not care about."""

    no_study: bool
    no_visit_number: bool
    no_naccid: bool

    @classmethod
    def of(cls, action: str, study: str, rng: random.Random) -> Self:
        """Choose what the producer of such an event leaves out."""
        deletes = action == "delete"
        return cls(
            no_study=study != _USUAL_STUDY and rng.random() < 0.5,
            no_visit_number=deletes and rng.random() < 0.6,
            no_naccid=deletes,
        )

    def changes(self) -> dict[str, Any]:
        """Return the fields that are otherwise therefore."""
        changed: dict[str, Any] = {"study": _USUAL_STUDY} if self.no_study else {}
        changed |= {"visit_number": None} if self.no_visit_number else {}
        return changed | ({"naccid": None} if self.no_naccid else {})


def as_written(event: AnyVisitEvent) -> AnyVisitEvent | None:
    """Return the event as it was written at its time; None where it was not written then."""
    if not isinstance(event, VisitEventV11):
        return event
    if event.action == "duplicate-submit" and event.timestamp < _DUPLICATES_SINCE:
        return None
    if event.timestamp < _NACCID_SINCE:
        event = structs.replace(event, naccid=None)
    if event.timestamp < _MODALITY_SINCE:
        event = structs.replace(event, modality=None)
    return event


def name_of(event: AnyVisitEvent) -> str:
    """Return the name of its object: it ended in the visit's number once."""
    is_old = isinstance(event, VisitEventV11) and event.timestamp < _DATES_IN_NAMES_SINCE
    numbered = is_old and event.visit_number is not None
    return make_object_name(event, visit="number" if numbered else "date")


def data_of(event: AnyVisitEvent) -> bytes:
    """Return the object's content; times of images are written without an offset."""
    data = encode(event)
    if isinstance(event, VisitEventV11) and event.datatype == "dicom":
        time = event.timestamp.isoformat().removesuffix("+00:00")
        return data.replace(f'"{time}Z"'.encode(), f'"{time}"'.encode())
    return data
