"""Runs whose objects are read and judged elsewhere, and come back in files."""

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

import msgspec
import polars as pl
import pytest
from msgspec import structs

from checkpoint_core import Settings, Source, StorageError
from checkpoint_core.readers import (
    ARRIVAL,
    PORTION_SCHEMA,
    AcceptedRows,
    JudgingRules,
    Portion,
    Reading,
    SourceReader,
)
from tests.checkpoint_core.scenarios import SCENARIOS, Prepared, before_withholding
from tests.checkpoint_core.world import CHECKPOINT, LIST, SETTINGS, World, key


class ElsewhereReader:
    """Reads as another machine does: it gets rules as text, and hands accepted rows over in files."""

    def __init__(self, source: Source, folder: Path, *, objects: int) -> None:
        self.largest_portion = Portion(objects=objects, size_bytes=1_000_000)
        self._usual = SourceReader(source, batch_objects=2)
        self._folder = folder
        self._numbers = count()
        self.reads: Callable[[pl.DataFrame], pl.DataFrame] = lambda portion: portion
        self.damages = False

    def read(
        self,
        portion: pl.DataFrame,
        rules: JudgingRules,
        *,
        remaining_s: Callable[[], float],
        told: Callable[[int], None],
    ) -> Reading:
        assert portion.schema == PORTION_SCHEMA
        rules = msgspec.json.decode(msgspec.json.encode(rules), type=JudgingRules)
        reading = self._usual.read(self.reads(portion), rules, remaining_s=remaining_s, told=told)
        rows = reading.judgement.accepted.collect().sort(*ARRIVAL)
        files = []
        # An empty file is as good as any.
        for part in (rows[:2], rows[2:]):
            files.append(self._folder / f"{next(self._numbers)}.parquet")
            part.write_parquet(files[-1])
            if self.damages:
                files[-1].write_bytes(b"damaged")
        accepted = AcceptedRows.in_files(files, rows.height)
        return structs.replace(
            reading, judgement=structs.replace(reading.judgement, accepted=accepted)
        )


_OF_ITS_OWN = ("committed_at", "unclaimed_digest")
"""In the file of unclaimed rows, objects stand in the order in which they were read."""


def told_by(world: World) -> dict[str, object]:
    """Return rows, ledger, rejects and what the checkpoint says of itself."""
    said = world.metadata() if world.gears() else None
    return {
        "rows": world.store.rows().rows(),
        "ledger": world.ledger().rows() if said else None,
        "rejects": world.rejects().drop("first_seen").rows() if world.reasons() else None,
        "said": said and {name: said[name] for name in said if name not in _OF_ITS_OWN},
    }


@pytest.mark.parametrize("objects", [2, 1_000])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_depends_on_who_reads(
    prepared: Prepared, scenario: str, objects: int, tmp_path: Path
) -> None:
    """Rows in their order, ledger, rejects and report are those of the usual reader."""
    usual, expected = prepared.after(scenario)
    world = prepared.before(scenario)
    world.reader = lambda source: ElsewhereReader(source, tmp_path, objects=objects)

    report = SCENARIOS[scenario].run(world)

    timeless = dict.fromkeys(("started_at", "finished_at"), expected.started_at)
    sizeless = timeless | {"size_bytes": 0}
    assert structs.replace(report, **sizeless) == structs.replace(expected, **sizeless)
    assert told_by(world) == told_by(usual)
    assert world.problems(SCENARIOS[scenario].settings) == []


def test_who_is_withheld_does_not_depend_on_who_reads(world: World, tmp_path: Path) -> None:
    """Neither by the list that a reader is given, nor by one that comes after it has read."""
    before_withholding(world)
    usual = world.copy()
    world.reader = lambda source: ElsewhereReader(source, tmp_path, objects=1_000)

    reports = [each.run() for each in (usual, world)]

    assert [report.counts.withheld for report in reports] == [3, 3]
    assert (told_by(world), world.store.data(LIST)) == (told_by(usual), usual.store.data(LIST))
    for each in (usual, world):
        each.write(7, 8, ptid="330003")
        each.write(9, ptid="440004")
        each.before(f"put_if {CHECKPOINT}", partial(each.remove, (42, "330003")))
    reports = [each.run() for each in (usual, world)]
    # With the object that has only its name.
    assert [report.counts.withheld for report in reports] == [3, 3]
    assert world.gears() == ["gear-3", "gear-2", "gear-4", "gear-9"]
    assert (told_by(world), world.problems(source=True)) == (told_by(usual), [])


def test_a_lost_race_gives_up_rows_that_are_in_files(world: World, tmp_path: Path) -> None:
    """What the winner has taken is left to the next run, the rest is merged again."""
    world.write(1, 2, 3)
    rival = world.copy()
    rival.store = world.store
    rival.source.delete(key(3))
    rival.runs = 50
    world.before("put_if", rival.run)
    world.reader = lambda source: ElsewhereReader(source, tmp_path, objects=1_000)

    report = world.run()

    assert (report.counts.accepted, report.counts.deferred) == (1, 2)
    assert world.gears() == ["gear-1", "gear-2", "gear-3"]
    assert world.problems() == []


def test_limits_and_the_deadline_are_kept_by_the_run(world: World, tmp_path: Path) -> None:
    """A portion has no more than the run may take; what was not answered in time is left."""
    world.write(*range(9))
    world.reader = lambda source: ElsewhereReader(source, tmp_path, objects=5)
    limited = world.run(Settings(max_events_per_run=7))
    answers = len(world.source.answers)

    late = world.run(
        host=world.host(lambda: SETTINGS.reserve_s + (len(world.source.answers) == answers))
    )

    assert (limited.counts.accepted, limited.counts.deferred) == (7, 2)
    assert (late.counts.accepted, late.counts.deferred) == (1, 1)


def test_a_reader_that_hands_an_object_over_twice_is_refused(world: World, tmp_path: Path) -> None:
    """As many as were asked for, but one of them twice and one of them not."""
    world.write(1, 2)
    reader = ElsewhereReader(world.source, tmp_path, objects=5)
    reader.reads = lambda portion: pl.concat([portion[:1], portion[:1]])
    world.reader = lambda _source: reader

    with world.untouched(StorageError, "read more than once"):
        world.run()


def test_files_that_are_damaged_are_told_without_what_they_held(
    world: World, tmp_path: Path
) -> None:
    """Polars may quote values of a file."""
    world.write(1, 2)
    reader = ElsewhereReader(world.source, tmp_path, objects=5)
    reader.damages = True
    world.reader = lambda _source: reader

    with world.untouched(StorageError, "not in its files any more"):
        world.run()
