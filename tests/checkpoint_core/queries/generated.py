"""Generated checkpoints and filters: few values, so that visits, ties and duplicates come about.

One ptid occurs at two centers, in two studies, and with and without a visit number; a center is
renamed; events are logged again, with more fields or none; they are dated before their visit and
at equal times; visits are deleted and submitted again.
"""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from checkpoint_core import LEDGER_SCHEMA, event_schema
from checkpoint_core.queries import Filters
from nacc_event_model import EventFormat
from tests.event_model.strategies import ACTIONS

Values = tuple[Any, ...]

DAYS = [date(2024, 1, 15), date(2024, 2, 29)]
VISITS = [
    ("adrc", 1, "A1", DAYS[0], "01", "form"),
    ("adrc", 2, "A1", DAYS[0], "01", "form"),
    ("dvcid", 1, "A1", DAYS[0], "01", "form"),
    ("adrc", 1, "A2", DAYS[0], "01", "form"),
    ("adrc", 1, "A1", DAYS[1], "01", "form"),
    ("adrc", 1, "A1", DAYS[0], "02", "form"),
    ("adrc", 1, "A1", DAYS[0], "01", "dicom"),
]
UNNUMBERED = [("adrc", 1, "A1", DAYS[0], None, "dicom"), ("adrc", 2, "A1", DAYS[0], None, "dicom")]
TIMES = [
    datetime(2024, 1, 14, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2024, 1, 15, tzinfo=UTC),
    datetime(2024, 1, 15, 10, tzinfo=UTC),
    datetime(2024, 2, 1, tzinfo=UTC),
    datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=UTC),
    datetime(2024, 6, 3, tzinfo=UTC),
]
CENTERS = ["alpha", "beta"]
PROJECTS = ["ingest-form", "ingest"]
GEARS = ["lookup", "qc"]
MODULES = [None, "UDS", "FTLD", ""]
PACKETS = [None, "I", "F"]
NAMES = [None, "NACC1"]


def visits_of(event_format: EventFormat) -> list[Values]:
    """Return the visits that a format allows."""
    return VISITS if event_format is EventFormat.V1_0 else VISITS + UNNUMBERED


def in_file_order(rows: Iterable[Values], event_format: EventFormat) -> pl.DataFrame:
    """Return rows, given as they arrived, as the checkpoint has them."""
    schema = event_schema(event_format)
    frame = pl.DataFrame(list(rows), schema=schema, orient="row")
    return frame.sort("timestamp", maintain_order=True)


def as_row(visit: Values, action: str, time: datetime, *others: Any) -> Values:
    """Return a row in the order of the columns; `others` are those that are not a visit's."""
    study, adcid, ptid, visit_date, visit_number, datatype = visit
    project, center, gear, module, packet, *added = others
    identity = (ptid, visit_date, visit_number, datatype)
    return (action, study, adcid, project, center, gear, *identity, module, packet, time, *added)


@st.composite
def checkpoints(draw: st.DrawFn, event_format: EventFormat) -> pl.DataFrame:
    """Draw the rows of a checkpoint, in their order."""
    choices: list[list[Any]] = [
        visits_of(event_format),
        ACTIONS[event_format],
        TIMES,
        PROJECTS,
        CENTERS,
        GEARS,
        MODULES,
        PACKETS,
    ]
    if event_format is EventFormat.V1_1:
        choices += [NAMES, NAMES]
    events = st.tuples(*map(st.sampled_from, choices))
    rows = [as_row(*values) for values in draw(st.lists(events, max_size=16))]
    if rows:
        rows += draw(st.lists(st.sampled_from(rows), max_size=3))
    return in_file_order(rows, event_format)


any_checkpoint = st.sampled_from(EventFormat).flatmap(checkpoints)


def filters(**narrowed: st.SearchStrategy[Any]) -> st.SearchStrategy[Filters]:
    """Return a strategy for filters, of which few are given at a time."""
    everything: dict[str, st.SearchStrategy[Any]] = {
        "study": _some(["adrc", "dvcid"]),
        "pipeline_adcid": _some([1, 2, 3]),
        "ptid": _some(["A1", "A2"]),
        "visit_number": _some(["01", "02", None]),
        "datatype": _some(["form", "dicom"]),
        "center_label": _some(CENTERS),
        "project_label": _some(PROJECTS),
        "gear_name": _some(GEARS),
        "action": _some(ACTIONS[EventFormat.V1_1]),
        "module": _some(MODULES),
        "packet": _some(PACKETS),
        "visit_date_from": st.sampled_from(DAYS),
        "visit_date_to": st.sampled_from(DAYS),
        "timestamp_from": _moments,
        "timestamp_to": _moments,
    }
    names = st.lists(st.sampled_from(list(everything)), max_size=4, unique=True)
    return names.flatmap(
        lambda given: st.builds(Filters, **({name: everything[name] for name in given} | narrowed))
    )


def _some(values: list[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2).map(tuple)


_moments = st.sampled_from([*TIMES, *(time + timedelta(microseconds=1) for time in TIMES)])


@st.composite
def ledgers(draw: st.DrawFn) -> pl.DataFrame:
    """Draw the rows of a ledger, with rewritten, adopted and early objects."""
    late = st.sampled_from([timedelta(0), timedelta(hours=-1), timedelta(minutes=90)])
    entries = st.tuples(
        st.sampled_from(TIMES),
        late | st.timedeltas(timedelta(-400), timedelta(400)),
        st.sampled_from([1, 1, 2]),
        st.sampled_from([1, 2]),
        st.sampled_from(["A1", "A2"]),
    )
    drawn = draw(st.lists(entries | st.none(), max_size=12))
    return pl.DataFrame(
        [_entry(number, entry) for number, entry in enumerate(drawn)],
        schema=LEDGER_SCHEMA,
        orient="row",
    )


def _entry(number: int, entry: Values | None) -> Values:
    if entry is None:
        adopted = ("adopted", None, None, None, "c", None)
        return (f"key-{number:02}", None, "e", 1, TIMES[0], 0, *adopted)
    time, late, versions, adcid, ptid = entry
    accepted = ("accepted", time, adcid, ptid, "c", "1.0")
    return (f"key-{number:02}", b"d", "e", 1, time + late, versions, *accepted)


def large_checkpoint(rows: int, event_format: EventFormat) -> pl.DataFrame:
    """Return so many rows, always the same, of which every few are one visit's."""
    rng = random.Random(5)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    added = () if event_format is EventFormat.V1_0 else (None, None)
    visits = [
        (
            rng.choice(["adrc", "dvcid"]),
            rng.randint(1, 5),
            f"A{rng.randrange(50)}",
            date(2024, 1, 1) + timedelta(rng.randrange(300)),
            "01",
            "form",
        )
        for _ in range(rows // 4)
    ]
    return in_file_order(
        (
            as_row(
                rng.choice(visits),
                rng.choice(ACTIONS[event_format]),
                # To the hour, so that there are many ties.
                start + timedelta(hours=rng.randrange(300 * 24)),
                "ingest-form",
                rng.choice(CENTERS),
                rng.choice(GEARS),
                rng.choice(MODULES),
                rng.choice(PACKETS),
                *added,
            )
            for _ in range(rows)
        ),
        event_format,
    )
