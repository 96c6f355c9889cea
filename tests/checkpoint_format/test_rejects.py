"""The life of a reject: recorded, left alone, tried again, gone."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_core import Settings, StorageError
from checkpoint_format.inspection import describe, open_rejects
from tests.checkpoint_core.memory import Fault
from tests.checkpoint_core.world import (
    REJECTS,
    SANDBOX,
    World,
    key,
    parquet,
    read_json_metadata,
    scratch,
)


def test_rejects_are_written_after_the_commit_and_only_when_changed(world: World) -> None:
    """Never first: the ledger always wins."""
    world.write(1)
    world.spoil(2)
    world.run()
    world.write(3)
    world.run()

    commit = ["put _ledger", "put _ledger", "put_if events.parquet"]
    assert [call.split("/")[0] for call in world.writes()] == [*commit, "put _rejects", *commit]


def test_a_reject_that_is_still_bad_keeps_the_day_it_was_first_seen(world: World) -> None:
    """Its reason and its version are new."""
    world.spoil(1)
    world.run()
    first = world.rejects().row(0, named=True)
    world.clock.current += timedelta(days=3)
    world.source.write(key(1), b"[]")
    world.run()
    second = world.rejects().row(0, named=True)

    assert second["first_seen"] == first["first_seen"]
    assert (second["etag"], second["reason"]) == ("e2", "not a JSON object")
    assert second["digest"] != first["digest"]


def test_a_changed_setting_lets_an_excluded_object_in(world: World) -> None:
    """And a wider one excludes only what comes after: rows are never taken out."""
    world.write(1, project_label="sandbox-form")
    excluded = world.run(SANDBOX)
    taken = world.run()
    world.write(2, project_label="sandbox-form")
    again = world.run(SANDBOX)

    assert (excluded.counts.excluded, excluded.rejects, excluded.failed_files) == (1, 1, ())
    assert (taken.counts.accepted, taken.rejects) == (1, 0)
    assert (again.counts.excluded, again.counts.unchanged) == (1, 1)
    assert world.gears() == ["gear-1"]


def test_restore_states_are_asked_for_once_a_day(world: World) -> None:
    """And only while there are archived rejects, or on request."""
    world.write(1, 2)
    world.run()
    world.write(3)
    world.source.outcomes[key(3)] = "archived"
    for days in (0, 0, 0.5, 0.6, 0.1, 1.1):
        world.clock.current += timedelta(days=days)
        world.run()
    world.source.outcomes.clear()
    world.run()
    taken = world.run(list_restores=True)
    world.clock.current += timedelta(days=2)
    world.run()

    assert world.source.listings == [
        False,  # nothing is archived
        False,  # archived, which only reading tells
        True,
        False,
        True,
        False,
        True,
        False,  # restored, which this listing does not tell
        True,  # on request
        False,  # nothing is archived any more
    ]
    assert (taken.counts.accepted, taken.counts.rejected_before) == (1, 0)
    assert world.source.reads.count(key(3)) == 2


def test_a_restored_object_that_was_deferred_is_not_forgotten(world: World) -> None:
    """The run had its limit; the next one must go on with it, not in a day."""
    world.write(1, 2)
    world.source.outcomes = {key(1): "archived", key(2): "archived"}
    world.run()
    world.source.outcomes.clear()
    first = world.run(Settings(max_events_per_run=1), list_restores=True)
    second = world.run()

    assert (first.counts.accepted, first.counts.deferred) == (1, 1)
    assert (second.counts.accepted, second.counts.rejected_before) == (1, 0)


def unsigned(
    data: bytes, change: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows, layout: int = 2
) -> bytes:
    """Return such a file with other rows and without their digest, as layout 2 had it."""
    said = read_json_metadata(data) | {"layout": layout}
    del said["digest"]
    return parquet(change(pl.read_parquet(data)), json.dumps(said))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data.replace(b'"layout":3', b'"layout":4'),
        lambda data: data.replace(b"nacc.checkpoint", b"some.checkpoint"),
        lambda data: data.replace(b"first_seen", b"first_sean"),
        lambda data: unsigned(data, lambda rows: rows.drop("reason")),
        lambda data: unsigned(data, lambda rows: pl.concat([rows, rows])),
        lambda data: unsigned(data, layout=3),
    ],
)
@pytest.mark.parametrize("left", [0, 1])
def test_an_unusable_rejects_file_is_made_anew(world: World, change: Any, left: int) -> None:
    """Also where there is nothing to put into it: until then, looking at it fails."""
    world.write(1)
    world.spoil(2)
    world.run()
    before = world.reasons()
    world.store.write(REJECTS, change(world.store.data(REJECTS)))
    if not left:
        world.source.delete(key(2))
    with pytest.raises(StorageError, match="its rejects file is damaged or of a later version"):
        open_rejects(world.store, world.workdir())
    described = describe(world.store, world.workdir())
    assert described is not None
    assert described.rejects is None
    assert described.rejects_unknown == "the rejects file is damaged; the next run makes it anew"

    report = world.run()

    assert report.warnings == (
        "the rejects file could not be read; all rejected objects were judged again",
    )
    assert (report.counts.invalid, report.counts.rejected_before) == (left, 0)
    assert world.reasons() == (before if left else {})
    assert world.rejects().height == left
    assert world.run().warnings == ()


def test_the_rejects_of_another_source_do_not_count(world: World) -> None:
    """Equal keys are other objects there."""
    world.write(1)
    world.spoil(2)
    world.run()
    world.source.location = "memory://moved"
    world.source.delete(key(2))

    report = world.run(accept_source_change=True)

    assert (report.rejects, report.warnings) == (0, ())
    assert world.rejects().is_empty()


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_rejects_that_cannot_be_written_do_not_fail_the_run(world: World, fault: Fault) -> None:
    """The commit took place; the next run writes them."""
    world.write(1)
    world.spoil(2)
    world.disturb(f"put {REJECTS}", fault)
    report = world.run()
    world.run()

    assert report.total_events == 1
    assert len(report.warnings) == 1
    assert report.warnings[0].startswith("the rejects could not be written: put _rejects/events")
    assert list(world.reasons()) == [key(2)]


# Feature: event-log-scraper, Property 4: Error resilience in retrieval
@given(
    st.lists(
        st.sampled_from([None, "unreadable", "denied", "archived", "missing"]),
        min_size=1,
        max_size=12,
    )
)
def test_what_cannot_be_read_does_not_keep_the_rest_out(outcomes: list[Any]) -> None:
    """Everything else is taken, each failure is recorded as what it is, and nothing is lost."""
    with scratch() as folder:
        world = World(folder)
        world.write(*range(len(outcomes)))
        gone = {key(number) for number, outcome in enumerate(outcomes) if outcome == "missing"}
        world.source.outcomes = {
            key(number): outcome for number, outcome in enumerate(outcomes) if outcome
        }
        world.source.before_reading = lambda name: (
            world.source.objects.pop(name, None) if name in gone else None
        )

        report = world.run()

        read = [f"gear-{number}" for number, outcome in enumerate(outcomes) if not outcome]
        assert sorted(world.gears()) == sorted(read)
        assert {name: outcome for name, (outcome, _) in world.reasons().items()} == (
            world.source.outcomes
        )
        assert report.listed == len(outcomes)
        assert report.counts.accepted == len(read)
        for outcome in ("unreadable", "denied", "archived", "missing"):
            assert getattr(report.counts, outcome) == outcomes.count(outcome)
