"""Generated checkpoints and filters: few values, so that ties and long histories come about.

One ptid occurs at two centers, with leading zeros and without; events disagree on the study, and
lack or misspell a module, a modality or a visit number; a center is renamed, one is the test site;
events are logged again, with more fields or none; they are dated before their visit and at equal
times; submissions are deleted and handed in again.
"""

import operator
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import chain, product
from typing import Any

import polars as pl
from hypothesis import strategies as st

from checkpoint_core import LEDGER_SCHEMA, event_schema
from checkpoint_queries import Filters
from nacc_event_model import EventFormat
from tests.event_model.strategies import ACTIONS

Values = tuple[Any, ...]

DAYS = [date(2024, 1, 15), date(2024, 2, 29)]
PLACES = [
    (1, "A1", DAYS[0], "form"),
    (1, "00A1", DAYS[0], "form"),
    (1, "A1", DAYS[0], "dicom"),
    (1, "A1", DAYS[1], "form"),
    (1, "A2", DAYS[0], "form"),
    (2, "A1", DAYS[0], "form"),
    (0, "000", DAYS[0], "form"),
]
"""Center, participant, date and datatype: the first two are one place."""
NEAR_PLACES = [
    (1, "A1", DAYS[0], "form"),
    (1, "0a1", DAYS[0], "form"),
    (1, "0-A1", DAYS[0], "form"),
    (1, "A1", DAYS[0] + timedelta(days=1), "form"),
    (1, "A1", DAYS[1], "form"),
    (1, "A2", DAYS[0], "form"),
    (1, "A1", DAYS[0], "Form"),
    (1, "A1", DAYS[0], "dicom"),
    (1, "-", DAYS[0], "form"),
    (2, "A2", DAYS[0], "form"),
]
"""Places that are alike but for what may be a mistake, and such as are not."""
NEAR_PARTS = [None, "UDS", "U DS", "ftld", ""]
STUDIES = ["adrc", "dvcid", "leads"]
NUMBERS = ["01", "1"]
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
MODULES = [None, "UDS", "uds", "FTLD", ""]
MODALITIES = [None, "MR", "mr", "PT"]
PACKETS = [None, "I", "F"]
NAMES = [None, "NACC1"]
DRAWN_APART = ("place", "action", "timestamp", "module")


def in_file_order(rows: Iterable[Values], event_format: EventFormat) -> pl.DataFrame:
    """Return rows, given as they arrived, as the checkpoint has them."""
    schema = event_schema(event_format)
    frame = pl.DataFrame(list(rows), schema=schema, orient="row")
    return frame.sort("timestamp", maintain_order=True)


def choices_of(event_format: EventFormat) -> dict[str, list[Any]]:
    """Return the values of each field that a format allows; `place` stands for four of them."""
    is_latest = event_format is not EventFormat.V1_0
    choices: dict[str, list[Any]] = {
        "place": PLACES if is_latest else PLACES[:-1],
        # Twice as many submits and outcomes as deletes, so that there is something to delete.
        "action": [*ACTIONS[event_format], "submit", "pass-qc", "not-pass-qc"],
        "timestamp": TIMES,
        "study": STUDIES,
        "visit_number": [*NUMBERS, None] if is_latest else NUMBERS,
        "project_label": PROJECTS,
        "center_label": CENTERS,
        "gear_name": GEARS,
        "module": MODULES,
        "packet": PACKETS,
    }
    return choices | ({"naccid": NAMES, "modality": MODALITIES} if is_latest else {})


@cache
def combined(event_format: EventFormat) -> list[dict[str, Any]]:
    """Return every combination of what is not drawn apart."""
    others = {n: each for n, each in choices_of(event_format).items() if n not in DRAWN_APART}
    return [dict(zip(others, values, strict=True)) for values in product(*others.values())]


def as_row(values: dict[str, Any], event_format: EventFormat) -> Values:
    """Return a row in the order of the columns."""
    adcid, ptid, visit_date, datatype = values["place"]
    place = {"pipeline_adcid": adcid, "ptid": ptid, "visit_date": visit_date, "datatype": datatype}
    named = values | place
    return tuple(named[name] for name in event_schema(event_format))


@st.composite
def checkpoints(
    draw: st.DrawFn, /, event_format: EventFormat, **instead: list[Any]
) -> pl.DataFrame:
    """Draw the rows of a checkpoint, in their order; more often than not of few submissions."""
    choices = choices_of(event_format) | instead
    if draw(st.booleans()):
        choices["place"] = choices["place"][: draw(st.integers(1, 3))]
    apart = {name: st.sampled_from(choices[name]) for name in DRAWN_APART}
    # All others at once: they are many, and each draw takes its time.
    others = st.sampled_from(combined(event_format))
    events = st.builds(operator.or_, st.fixed_dictionaries(apart), others)
    rows = [as_row(values, event_format) for values in draw(st.lists(events, max_size=16))]
    if rows:
        rows += draw(st.lists(st.sampled_from(rows), max_size=3))
    return in_file_order(rows, event_format)


any_checkpoint = st.sampled_from(EventFormat).flatmap(checkpoints)


def filters(**narrowed: st.SearchStrategy[Any]) -> st.SearchStrategy[Filters]:
    """Return a strategy for filters, of which few are given at a time."""
    everything: dict[str, st.SearchStrategy[Any]] = {
        "study": _some(["adrc", "dvcid"]),
        "pipeline_adcid": _some([0, 1, 2, 3]),
        "ptid": _some(["A1", "0A1", "A2", "0"]),
        "visit_number": _some(["01", "1", None]),
        "datatype": _some(["form", "dicom"]),
        "center_label": _some(CENTERS),
        "project_label": _some(PROJECTS),
        "gear_name": _some(GEARS),
        "action": _some(ACTIONS[EventFormat.V1_1]),
        "not_action": _some(ACTIONS[EventFormat.V1_1]),
        "module": _some(MODULES),
        "modality": _some(MODALITIES),
        "packet": _some(PACKETS),
        "visit_date_from": st.sampled_from(DAYS),
        "visit_date_to": st.sampled_from(DAYS),
        "timestamp_from": _moments,
        "timestamp_to": _moments,
        "include_test_center": st.just(value=True),
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
        st.sampled_from([0, 1, 2]),
        st.sampled_from(["A1", "0A1", "A2"]),
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


def large_checkpoint(
    rows: int, event_format: EventFormat, times: Sequence[datetime] | None = None
) -> pl.DataFrame:
    """Return so many rows, always the same, of which every few are one submission's.

    Each at one of the times; without these, at an hour of ten months.
    """
    rng = random.Random(5)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    times = times or [start + timedelta(hours=hour) for hour in range(300 * 24)]
    places = [
        (
            rng.randint(1, 5),
            f"A{rng.randrange(50)}",
            date(2024, 1, 1) + timedelta(rng.randrange(300)),
            rng.choice(["form", "form", "dicom"]),
        )
        for _ in range(rows // 8)
    ]
    choices = choices_of(event_format) | {"place": places, "timestamp": times}
    drawn = [{name: rng.choice(choices[name]) for name in choices} for _ in range(rows)]
    return in_file_order((as_row(each, event_format) for each in drawn), event_format)


def every_history(longest: int) -> pl.DataFrame:
    """Return a submission of each sequence of so many actions or fewer, on successive days."""
    usual = {name: values[0] for name, values in choices_of(EventFormat.V1_1).items()}
    histories = chain.from_iterable(
        product(ACTIONS[EventFormat.V1_1], repeat=length) for length in range(1, longest + 1)
    )
    events = (
        usual
        | {"place": (1, f"A{number}", DAYS[0], "form"), "module": "UDS"}
        | {"action": action, "timestamp": TIMES[0] + timedelta(days=day)}
        for number, actions in enumerate(histories)
        for day, action in enumerate(actions)
    )
    return in_file_order((as_row(each, EventFormat.V1_1) for each in events), EventFormat.V1_1)
