"""Samples: made-up events that are as real ones are, the same for the same seed."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoint_cli.sample import SampleSummary, write_samples
from checkpoint_core import event_schema
from checkpoint_format.errors import StorageError
from checkpoint_queries import submissions
from nacc_event_model import (
    AnyVisitEvent,
    EventFormat,
    InvalidEvent,
    decode,
    make_object_name,
    parse_object_name,
)
from tests.checkpoint_storage.directory.processes import as_ordinary_user, folder_for_everybody

FORMATS = list(EventFormat)
SEPTEMBER = date(2026, 9, 1)
OCTOBER = date(2026, 10, 1)


def contents(directory: Path) -> dict[str, tuple[bytes, int]]:
    """Return every file's bytes and modification time by its name."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in directory.iterdir()}


def valid_events(directory: Path, event_format: EventFormat) -> dict[str, AnyVisitEvent]:
    """Return every valid event object's event by its name."""
    found = {}
    for name, (data, _) in contents(directory).items():
        if parse_object_name(name, event_format=event_format):
            try:
                found[name] = decode(data, event_format=event_format)
            except InvalidEvent:
                continue
    return found


def arrival(path: Path) -> datetime:
    """Return when a file arrived."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


@given(seed=st.integers(), event_format=st.sampled_from(FORMATS))
@settings(max_examples=30)
def test_valid_samples_keep_the_contract_and_are_named_by_it(
    tmp_path_factory: pytest.TempPathFactory, seed: int, event_format: EventFormat
) -> None:
    """Whatever the seed: the name is the one that a producer gives this event."""
    directory = tmp_path_factory.mktemp("samples")

    summary = write_samples(directory, count=40, seed=seed, event_format=event_format)

    events = valid_events(directory, event_format)
    assert summary == SampleSummary(written=40, invalid=0, unrecognized=0, late=0, rewritten=0)
    assert len(events) == 40
    assert all(make_object_name(event) == name for name, event in events.items())


def test_the_same_arguments_give_the_same_files(tmp_path: Path) -> None:
    """Names, bytes and times, also of a second call; another seed gives others."""
    for name in ("one", "other"):
        for _ in range(2):
            write_samples(
                tmp_path / name,
                count=100,
                seed=7,
                invalid_share=0.1,
                late_share=0.1,
                rewritten_share=0.2,
            )
    write_samples(tmp_path / "third", count=100, seed=8)

    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    assert not contents(tmp_path / "one").keys() & contents(tmp_path / "third").keys()


@pytest.mark.parametrize("event_format", FORMATS)
def test_the_summary_says_what_is_there(tmp_path: Path, event_format: EventFormat) -> None:
    """Counted by what a run looks at: names and contents."""
    summary = write_samples(
        tmp_path,
        count=1_000,
        seed=1,
        invalid_share=0.02,
        late_share=0.05,
        event_format=event_format,
    )

    named = [n for n in contents(tmp_path) if parse_object_name(n, event_format=event_format)]
    events = valid_events(tmp_path, event_format)
    late = [
        name
        for name, event in events.items()
        if arrival(tmp_path / name) - event.timestamp > timedelta(days=2)
    ]
    assert summary == SampleSummary(written=1_000, invalid=17, unrecognized=3, late=50, rewritten=0)
    assert len(contents(tmp_path)) == 1_000
    assert len(named) == 1_000 - 3
    assert len(events) == 1_000 - 20
    assert len(late) == 50


def test_broken_samples_are_broken_in_several_ways(tmp_path: Path) -> None:
    """By their bytes, by one field, by a missing one; the reason never quotes the value."""
    write_samples(tmp_path, count=60, seed=1, invalid_share=1.0)

    problems = set()
    for name, (data, _) in contents(tmp_path).items():
        if parse_object_name(name, event_format=EventFormat.V1_0):
            with pytest.raises(InvalidEvent) as error:
                decode(data)
            problems.add(error.value.field)
            assert "NOT A PTID!" not in str(error.value)
    assert {"ptid", "action", "center_label", None} == problems
    assert any(not data for data, _ in contents(tmp_path).values())


@pytest.mark.parametrize("event_format", FORMATS)
def test_events_arrive_after_they_happened(tmp_path: Path, event_format: EventFormat) -> None:
    """Ordinary ones within the period, minutes to hours later; visits come before both."""
    write_samples(tmp_path, count=500, seed=3, start=SEPTEMBER, days=10, event_format=event_format)

    for name, event in valid_events(tmp_path, event_format).items():
        assert (
            datetime(2026, 9, 1, tzinfo=UTC) <= event.timestamp < datetime(2026, 9, 11, tzinfo=UTC)
        )
        assert (
            timedelta(minutes=2) <= arrival(tmp_path / name) - event.timestamp < timedelta(days=2)
        )
        assert event.visit_date <= event.timestamp.date()


def test_samples_are_as_mixed_as_real_events(tmp_path: Path) -> None:
    """Many centers, every action, several studies, projects and modules, some not yet known."""
    write_samples(tmp_path, count=2_000, seed=1)

    events = list(valid_events(tmp_path, EventFormat.V1_0).values())
    sizes = [len(data) for data, _ in contents(tmp_path).values()]
    assert len({event.pipeline_adcid for event in events}) == 40
    assert {event.action for event in events} == {"submit", "pass-qc", "not-pass-qc", "delete"}
    assert {event.study for event in events} == {"adrc", "dvcid", "leads"}
    assert {event.module for event in events} == {"UDS", "FTLD", "LBD", "NP", None}
    assert 0 < sum(event.project_label.startswith("sandbox-") for event in events) < 150
    assert 0 < sum(event.action == "delete" for event in events) < 60
    assert all(200 < size < 600 for size in sizes)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The fields of samples of format 1.1, by name: of the time in which producers changed."""
    directory = tmp_path_factory.mktemp("year")
    write_samples(
        directory,
        count=4_000,
        seed=1,
        start=date(2025, 12, 20),
        days=300,
        event_format=EventFormat.V1_1,
    )
    return {name: msgspec.json.decode(data) for name, (data, _) in contents(directory).items()}


@pytest.mark.parametrize(
    "since, is_told",
    [
        # Images have no number that a name could end in.
        ("2026-01-16", lambda name, fields: fields.get("visit_number") is not None
         and name.endswith(f"{fields['visit_date']}.json")),
        ("2026-03-04", lambda _, fields: "naccid" in fields),
        ("2026-07-07", lambda _, fields: "modality" in fields),
        ("2026-08-13", lambda _, fields: fields["action"] == "duplicate-submit"),
    ],
    ids=["dates in names", "naccid", "modality", "duplicates"],
)  # fmt: skip
def test_producers_began_to_write_fields_and_actions_one_after_the_other(
    year: dict[str, dict[str, Any]], since: str, is_told: Callable[[str, dict[str, Any]], bool]
) -> None:
    """By date: names with the visit's date, naccid, modality, and duplicates."""
    told = {fields["timestamp"] for name, fields in year.items() if is_told(name, fields)}

    assert since <= min(told)
    assert any(fields["timestamp"] < since for fields in year.values())


def test_format_1_1_is_as_contradictory_as_real_events(year: dict[str, dict[str, Any]]) -> None:
    """Naive times of images, deletes without numbers, other ptids, two studies and two modules of a
    visit.
    """
    visits: dict[Any, list[dict[str, Any]]] = {}
    for fields in year.values():
        visits.setdefault((fields["ptid"], fields["visit_date"]), []).append(fields)

    assert all(
        (fields["datatype"] == "dicom") != fields["timestamp"].endswith("Z")
        for fields in year.values()
    )
    deletes = [f for f in year.values() if f["action"] == "delete"]
    assert any(f.get("visit_number") is None for f in deletes)
    assert any("-" in ptid for ptid, _ in visits)
    assert any(len({f["study"] for f in events}) == 2 for events in visits.values())
    assert any({"UDS", "FTLD"} <= {f.get("module") for f in events} for events in visits.values())


def test_an_unchanged_resubmission_is_found_out_later(year: dict[str, dict[str, Any]]) -> None:
    """A pass, then a submit and its duplicate; no outcome follows, and it has passed."""
    rows = pl.DataFrame(
        [{**fields, "timestamp": fields["timestamp"].rstrip("Z")} for fields in year.values()],
        schema=dict.fromkeys(event_schema(EventFormat.V1_1), pl.String)
        | {"pipeline_adcid": pl.Int32},
    ).with_columns(
        pl.col("timestamp").str.to_datetime(time_unit="us", time_zone="UTC"),
        pl.col("visit_date").str.to_date(),
    )
    told = submissions(rows.sort("timestamp").lazy()).collect()
    again = told.filter(pl.col("duplicates") > 0)

    assert again.height > 20
    assert {"pass-qc"} == set(again["status"])


@pytest.mark.parametrize("event_format", FORMATS)
def test_another_day_adds_and_rewrites(tmp_path: Path, event_format: EventFormat) -> None:
    """New and late files are added; rewritten ones have more fields, the same timestamp, and
    arrived again; all others stay as they were.
    """
    write_samples(tmp_path, count=400, seed=1, invalid_share=0.1, event_format=event_format)
    before = contents(tmp_path)

    summary = write_samples(
        tmp_path,
        count=200,
        seed=1,
        late_share=0.1,
        rewritten_share=0.5,
        start=OCTOBER,
        days=1,
        event_format=event_format,
    )

    after = contents(tmp_path)
    changed = {name for name in before if after[name] != before[name]}
    added = after.keys() - before.keys()
    events = valid_events(tmp_path, event_format)
    first_day = datetime(2026, 10, 1, tzinfo=UTC)
    assert before.keys() <= after.keys()
    assert (summary.written, summary.rewritten) == (len(added), len(changed)) == (200, 100)
    assert sum(events[name].timestamp < first_day for name in added) == summary.late == 20
    for name in changed:
        old, new = (msgspec.json.decode(files[name][0]) for files in (before, after))
        assert old.items() < new.items()
        assert old["timestamp"] == new["timestamp"]
        assert events[name].timestamp < first_day
        assert after[name][1] > before[name][1]


def test_no_more_is_rewritten_than_can_be(tmp_path: Path) -> None:
    """Only valid event files that still lack something; not links, not folders."""
    write_samples(tmp_path, count=5, seed=1)
    (name, *_) = contents(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()

    totals = [
        write_samples(tmp_path, count=100, seed=seed, rewritten_share=1.0).rewritten
        for seed in range(3)
    ]

    assert totals[0] == 4
    assert totals[1] == 100


@pytest.mark.parametrize(
    "arguments",
    [
        {"count": -1},
        {"days": 0},
        {"invalid_share": 1.1},
        {"late_share": -0.1},
        {"rewritten_share": 2.0},
        {"invalid_share": 0.6, "late_share": 0.6},
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, arguments: dict[str, float]) -> None:
    """Before anything is written."""
    with pytest.raises(ValueError, match=r"must|share"):
        write_samples(tmp_path / "new", **{"count": 1, "seed": 1, **arguments})  # type: ignore[arg-type]  # that is the point

    assert not (tmp_path / "new").exists()


def test_a_directory_that_may_not_be_written_to_is_said() -> None:
    """With the path, and the system's reason."""
    with folder_for_everybody() as folder:
        (folder / "closed").mkdir(mode=0o555)

        with pytest.raises(StorageError, match=r"closed: cannot write samples there \(Permission"):
            as_ordinary_user(write_samples, folder / "closed", count=1, seed=1)
