"""Synthetic visit events as forty made-up centers would log them.

Those of format 1.1 are as today's producers write them, who do not agree with each other.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from msgspec import Struct

from checkpoint_cli.sample._habits import Writing
from nacc_event_model import AnyVisitEvent, EventFormat, event_type

__all__ = ["Period", "completed", "events"]

_CENTERS = 40
_DAY_S = 86_400.0
_HOUR_S = 3_600.0
_PACKETS = {"UDS": ("I", "F", "T"), "FTLD": ("I", "F"), "LBD": ("I", "F"), "NP": ()}
_MODALITIES = ("MR", "PT")


class Period(Struct, frozen=True):
    """The days in which events arrive."""

    start: date
    days: int

    @property
    def begin(self) -> datetime:
        """The first moment, in UTC."""
        return datetime.combine(self.start, time(), tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The moment after the last, in UTC."""
        return self.begin + timedelta(days=self.days)

    def moment(self, rng: random.Random) -> datetime:
        """Return a moment in the period, mostly in working hours."""
        day = self.begin + timedelta(days=rng.randrange(self.days))
        return day + timedelta(seconds=int(rng.triangular(0, _DAY_S, 15 * _HOUR_S)))


def events(
    rng: random.Random, period: Period, event_format: EventFormat
) -> Iterator[AnyVisitEvent]:
    """Yield events without end, those of one visit one after the other, all within the period.

    The same state of `rng` gives the same events.
    """
    event = event_type(event_format)
    while True:
        visit = _visit(rng, event_format)
        submitted = period.moment(rng)
        visit["visit_date"] = (submitted - timedelta(days=rng.randint(1, 120))).date()
        modules = [visit]
        if event_format is not EventFormat.V1_0 and visit.get("module") == "UDS":
            modules += [visit | {"module": "FTLD", "packet": "I"}] * (rng.random() < 0.15)
        for each in modules:
            for action, gear, timestamp in _history(rng, submitted, event_format):
                if timestamp >= period.end:
                    break
                known = {**each, "action": action, "gear_name": gear, "timestamp": timestamp}
                if action == "submit" and rng.random() < 0.2:
                    # Not determined yet; the object is rewritten when it is.
                    known["packet"] = None
                    if event_format is EventFormat.V1_0:
                        known["module"] = None
                if event_format is not EventFormat.V1_0:
                    known |= Writing.of(action, known["study"], rng).changes()
                yield event(**known)


def completed(rng: random.Random, fields: dict[str, Any]) -> dict[str, Any] | None:
    """Return the fields of an event with those that were still open; None if nothing was."""
    if fields["datatype"] == "form" and "packet" not in fields:
        module = fields.get("module", "UDS")
        if packets := _PACKETS.get(module):
            return {**fields, "module": module, "packet": rng.choice(packets)}
    if "naccid" not in fields:
        return {**fields, "naccid": f"NACC{rng.randrange(1_000_000):06}"}
    return None


def _visit(rng: random.Random, event_format: EventFormat) -> dict[str, Any]:
    """Return what all events of one visit have in common, but for its date."""
    # A few centers log most of the events.
    center = 1 + int(_CENTERS * rng.random() ** 1.6)
    visit: dict[str, Any] = {
        "study": "adrc",
        "pipeline_adcid": center,
        "project_label": "ingest-form",
        "center_label": f"sample-center-{center:02}",
        "ptid": f"SYN{center:02}{rng.randrange(100_000):05}",
        "visit_number": f"{rng.randint(1, 15):02}",
        "datatype": "form",
    }
    kind = rng.random()
    if kind < 0.08:
        visit |= {"study": "leads", "project_label": "ingest-dicom-leads", "datatype": "dicom"}
        if event_format is EventFormat.V1_1:
            visit |= {"visit_number": None, "modality": rng.choice(_MODALITIES)}
        return visit
    if kind < 0.15:
        visit |= {"study": "dvcid", "project_label": "ingest-form-dvcid"}
    elif kind < 0.17:
        visit["project_label"] = "sandbox-ingest-form"
    module = rng.choices(tuple(_PACKETS), (70, 10, 15, 5))[0]
    visit["module"] = module
    visit["packet"] = rng.choice(_PACKETS[module] or (None,))
    if event_format is EventFormat.V1_1:
        if rng.random() < 0.1:
            visit["ptid"] = f"syn-{center:02}{rng.randrange(10_000):04}"
        if rng.random() < 0.8:
            visit["naccid"] = f"NACC{rng.randrange(1_000_000):06}"
    return visit


def _history(
    rng: random.Random, submitted: datetime, event_format: EventFormat
) -> Iterator[tuple[str, str, datetime]]:
    """Yield action, gear and time of what happens to one visit, in order."""
    now = submitted
    yield "submit", "identifier-lookup", now
    if rng.random() < 0.01:
        now = _later(rng, now, hours=48)
        yield "delete", "form-deletion", now
        return
    # Some are not looked at within the time, and some never pass.
    while rng.random() < 0.88:
        now = _later(rng, now, hours=8)
        if rng.random() < 0.78:
            yield "pass-qc", "form-qc-coordinator", now
            if event_format is not EventFormat.V1_0 and rng.random() < 0.12:
                yield from _again(rng, now)
            return
        yield "not-pass-qc", "form-qc-coordinator", now
        if rng.random() < 0.35:
            return
        now = _later(rng, now, hours=60)
        yield "submit", "identifier-lookup", now


def _again(rng: random.Random, passed: datetime) -> Iterator[tuple[str, str, datetime]]:
    """Yield what happens when the same data is handed in again: nobody checks it."""
    now = _later(rng, passed, hours=72)
    yield "submit", "identifier-lookup", now
    # Another gear finds out, from a file that is made of the one handed in.
    yield "duplicate-submit", "form-transformer", now + timedelta(seconds=rng.randint(0, 3600))


def _later(rng: random.Random, moment: datetime, *, hours: float) -> datetime:
    """Return a later moment, on average that many hours."""
    return moment + timedelta(seconds=int(60 + rng.expovariate(1 / (hours * _HOUR_S))))
