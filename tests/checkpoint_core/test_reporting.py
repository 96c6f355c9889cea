"""What a run tells: how many events of each study, counts that add up, errors; fit to be told."""

import pickle
from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_core import Counts, StudyCount, add_up, errors
from checkpoint_core._reporting import count_by_study
from checkpoint_core.accounting import MOST_STUDIES, OTHERS
from checkpoint_format.errors import CheckpointError, CorruptCheckpointError, StorageError
from tests.checkpoint_core.world import World

texts = st.text(min_size=1, max_size=60)
pairs = st.tuples(texts, texts)
SCHEMA = {"study": pl.String, "datatype": pl.String}


def counted(rows: list[tuple[str, str]]) -> tuple[StudyCount, ...]:
    """Return the numbers of these accepted events."""
    return count_by_study(pl.DataFrame(rows, schema=SCHEMA, orient="row"))


def numbers(counts: tuple[StudyCount, ...]) -> dict[tuple[str, str], int]:
    """Return the numbers by study and datatype."""
    return {(each.study, each.datatype): each.events for each in counts}


def test_a_run_tells_what_it_took_by_study_and_datatype(world: World) -> None:
    """Of accepted events alone, the greatest number first."""
    world.write(1, study="leads", datatype="dicom")
    world.write(2, 3)
    world.write(4, ptid="-")

    first, second = world.run(), world.run()

    assert {("adrc", "form"): 2, ("leads", "dicom"): 1} == numbers(first.new_events_by_study)
    assert ["adrc", "leads"] == [each.study for each in first.new_events_by_study]
    assert () == second.new_events_by_study


@given(st.lists(pairs, max_size=30).map(lambda some: some * 2) | st.lists(pairs, max_size=80))
def test_no_event_is_lost_and_every_name_is_harmless(rows: list[tuple[str, str]]) -> None:
    """Whatever producers write: printable ASCII, 40 characters at most."""
    counts = counted(rows)

    assert len(rows) == sum(each.events for each in counts)
    assert len(numbers(counts)) == len(counts) <= MOST_STUDIES + 1
    for each in counts:
        for text in (each.study, each.datatype):
            assert text.isascii()
            assert text.isprintable()
            assert 1 <= len(text) <= 40


def test_beyond_fifty_the_smallest_are_told_together() -> None:
    """A producer that writes ever new names makes no more metrics, and hides no great number."""
    flood = [(f"study-{number:03d}", "form") for number in range(1_000)]

    counts = counted([*flood, *[("adrc", "form")] * 3, ("study-999", "form")])

    assert [("adrc", 3), ("study-999", 2), ("study-000", 1)] == [
        (each.study, each.events) for each in counts[:3]
    ]
    assert StudyCount(study=OTHERS, datatype=OTHERS, events=951) == counts[-1]
    assert 51 == len(counts)


@given(st.lists(st.sampled_from([(f"s{n}", "form") for n in range(60)]), max_size=200))
def test_passes_add_up_to_what_was_taken(rows: list[tuple[str, str]]) -> None:
    """Each pass's others included."""
    parts = [rows[start : start + 70] for start in range(0, len(rows), 70)]
    whole = add_up(each for part in parts for each in counted(part))

    assert len(rows) == sum(each.events for each in whole)
    if len(set(rows)) <= MOST_STUDIES:
        assert Counter(rows) == numbers(whole)


def test_counts_that_do_not_add_up_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a mistake of ours nobody would know otherwise."""
    world.write(1, 2)
    monkeypatch.setattr(Counts, "listed", 1)

    assert world.run().warnings == (
        "the counts add up to 1, but 2 objects were listed: this is a bug; please report it",
    )


def test_unknown_fields_are_counted_of_accepted_events_alone(world: World) -> None:
    """What is read again and again is not counted each time."""
    world.write(1, more=1, timestamp="2020-01-01T00:00:00Z")
    world.write(2, more=1)

    report = world.run(since=world.clock.now().replace(year=2023))

    assert report.unknown_fields == {"more": 1}


@pytest.mark.parametrize(
    "error",
    [
        CorruptCheckpointError("there", "is damaged"),
        errors.SourceChangedError("there", "this", "that", renamed=True),
        errors.AdoptionIncompleteError("there", 2, ("one", "two")),
        errors.WouldLoseRowsError("there", None),
        StorageError("it failed"),
    ],
)
def test_errors_pass_from_process_to_process(error: CheckpointError) -> None:
    """With their message and their facts."""
    passed = pickle.loads(pickle.dumps(error))

    assert type(passed) is type(error)
    assert str(passed) == str(error)
    assert vars(passed) == vars(error)
