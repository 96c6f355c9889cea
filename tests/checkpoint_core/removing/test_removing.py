"""Taking a participant out: what is left, what comes of objects, and what does not come back."""

import json
from typing import Any

import polars as pl
import pytest

from checkpoint_core import CheckpointError, StorageError
from checkpoint_core.errors import NotAppliedError
from checkpoint_core.removal import find_participants, listed, names_withheld, purge, undo
from checkpoint_format.inspection import open_for_queries
from nacc_event_model import EventFormat
from tests.checkpoint_core.memory import CrashError, Fault
from tests.checkpoint_core.removing.history import (
    GONE,
    NACCID,
    PTID,
    SETTINGS,
    export,
    files_with,
    others,
    put,
    theirs,
)
from tests.checkpoint_core.world import CHECKPOINT, LIST, REJECTS, World, key

pytestmark = pytest.mark.usefixtures("deltas")


def test_a_dry_run_says_what_holds_the_participant_and_changes_nothing(full: World) -> None:
    """Rows, ledger, rejects, exports, versions, previous files, and the objects by name."""
    files, versions = dict(full.store.files), dict(full.store.versions)

    removal = full.remove(GONE, settings=SETTINGS, source=full.source, dry_run=True)

    found = removal.holdings
    assert (full.store.files, full.store.versions) == (files, versions)
    # Five as they are, one under another's name, which was overwritten since.
    assert (found.rows, found.ledger_entries) == (5, 4)
    # Invalid, excluded, and a name that is none of an event object.
    assert found.rejects == 3
    assert (found.export_files, found.previous_files) == (2, 1)
    assert found.older_ledgers > 0
    assert found.older_versions == len(full.store.versions)
    assert len(found.objects) == 7
    assert all(PTID in name for name in found.objects)
    assert removal.commit_id is None


def test_a_removal_takes_out_their_rows_and_nothing_else(full: World) -> None:
    """In one commit, whose numbers add up; other rows stay in their order."""
    before = full.store.rows()

    removal = full.remove(GONE, settings=SETTINGS)

    left = before.filter(pl.col("ptid").str.strip_chars_start("0") != PTID)
    assert full.store.rows().equals(left)
    assert full.metadata()["commit_id"] == removal.commit_id
    assert full.metadata()["layout"] == 4
    # A version of theirs was overwritten by somebody else's, which the ledger counts as two.
    assert full.metadata()["balance"] == -1
    assert {each.state for each in removal.exports} == {"made"}
    assert full.problems(SETTINGS, source=True) == []
    assert not {name for name in files_with(full) if name in {CHECKPOINT, REJECTS, LIST}}
    assert not {
        name for name in files_with(full) if not name.startswith("_") and "before" not in name
    }


def test_their_objects_are_withheld_once_and_then_known(full: World) -> None:
    """The content decides, and where it does not tell, the name; nothing says whose they were."""
    full.remove(GONE, settings=SETTINGS)
    new, unread, broken = put(full, theirs(20), theirs(21), theirs(22))
    full.source.outcomes[unread] = "denied"
    full.source.write(broken, b"{")
    full.source.write(key(9), theirs(23))

    first = full.run(SETTINGS)
    full.source.answers.clear()
    second = full.run(SETTINGS)

    assert first.listed == first.counts.listed
    assert second.listed == second.counts.listed
    assert (first.counts.accepted, first.counts.failed, first.counts.excluded) == (0, 0, 0)
    # Of the new ones, and those that have no row of before: three by their names.
    assert first.counts.withheld == 7
    assert second.counts.withheld == 4
    assert second.counts.rejected_before == first.counts.rejected_before + 3
    assert PTID not in repr((first, second))
    assert not {name for name in files_with(full) if name in {CHECKPOINT, REJECTS, LIST}}
    assert full.problems(SETTINGS, source=True) == []
    assert new not in full.source.reads


def test_what_is_after_a_purge_holds_nothing_of_them(full: World) -> None:
    """No byte and no value of any file of ours, of now or of before, or that a killed run staged."""
    full.store.write(f"_work/{CHECKPOINT}/staged-1.parquet", full.store.data(CHECKPOINT))
    full.remove(GONE, settings=SETTINGS)
    full.run(SETTINGS)
    export(full)
    rows, writes = full.store.rows(), full.writes()
    assert files_with(full)

    dry = purge(full.store, host=full.host(), dry_run=True)
    assert full.writes() == writes
    done = purge(full.store, host=full.host(), dry_run=False)

    assert files_with(full) == set()
    assert (done.ledgers, done.previous_files, done.left) == (dry.ledgers, dry.previous_files, 0)
    assert (done.staged, dry.staged) == (1, 1)
    assert done.versions > 0
    assert full.store.rows().equals(rows)
    assert full.problems(SETTINGS, source=True) == []
    full.store.write(f"_work/{CHECKPOINT}/staged-2.parquet", b"of a run in progress")
    again = purge(full.store, host=full.host(), dry_run=False)
    assert (again.ledgers, again.previous_files, again.versions) == (0, 0, 0)
    assert (again.staged, again.left) == (0, 1)
    put(full, others(30))
    assert full.run(SETTINGS).counts.accepted == 1


def test_undoing_brings_back_what_the_source_still_has(full: World) -> None:
    """The overwritten version and the adopted row do not come back."""
    before = full.rows()
    full.remove(GONE, settings=SETTINGS)
    full.run(SETTINGS)

    assert undo(full.store, (GONE,), host=full.host())
    assert not undo(full.store, (GONE,), host=full.host())
    report = full.run(SETTINGS)

    gone = before - full.rows()
    assert full.rows() <= before
    assert sorted(values[12].second for values in gone) == [3, 9]  # type: ignore[attr-defined]
    assert report.counts.accepted == 3
    assert listed(full.store, full.host()).participants == 0
    assert full.problems(SETTINGS, source=True) == []


def test_an_older_version_that_is_restored_brings_nobody_back(full: World) -> None:
    """Neither by the next run, nor by a question before it; nor by adopting or rebuilding it."""
    older = full.store.data(CHECKPOINT)
    full.remove(GONE, settings=SETTINGS)
    rows = full.rows()
    full.store.write(CHECKPOINT, older)

    opened = open_for_queries(full.store, full.workdir(), ledger=True)
    dry = full.run(SETTINGS, dry_run=True)
    assert any("withheld" in problem for problem in full.problems(SETTINGS))
    full.run(SETTINGS)

    assert opened is not None
    assert opened.ledger is not None
    for file in (opened.events, opened.ledger):
        assert not pl.read_parquet(file)["ptid"].str.contains(PTID).any()
    assert dry.total_events == rows.total()
    assert full.rows() == rows
    full.store.write(CHECKPOINT, older)
    full.lose_ledgers()
    full.run(SETTINGS, mode="adopt")
    assert full.rows() == rows
    full.store.write(CHECKPOINT, older)
    full.run(SETTINGS, mode="rebuild", allow_loss=True)
    assert not {values for values in full.rows() if PTID in str(values[6])}


@pytest.mark.parametrize("call", ["put_if _withheld", "put _ledger", f"put_if {CHECKPOINT}"])
def test_a_run_that_read_their_object_before_brings_nobody_back(full: World, call: str) -> None:
    """It loses the race, or is first and is then built upon; whatever it is about to do."""
    put(full, theirs(40), others(41))
    full.before(call, lambda: full.run(SETTINGS))
    full.remove(GONE, settings=SETTINGS)
    assert not {values for values in full.rows() if PTID in str(values[6])}

    put(full, theirs(42), others(43))
    full.before(
        call.replace("put_if _withheld", "put _ledger"), lambda: full.remove((42, "110001"))
    )
    report = full.run(SETTINGS)

    assert full.rows().total() == 0
    assert report.counts.listed == report.listed
    assert full.problems(SETTINGS) == []


def test_a_removal_of_somebody_without_rows_holds_for_a_run_in_progress(world: World) -> None:
    """It commits all the same, so that a run that knows no list cannot."""
    world.write(1)
    world.run()
    put(world, theirs(1))
    world.before("put _ledger", lambda: world.remove(GONE))

    report = world.run(SETTINGS)

    assert (report.counts.accepted, report.counts.withheld) == (0, 1)
    assert world.rows().total() == 1


def test_a_list_that_is_gone_or_older_stops_everything(full: World) -> None:
    """Else they would come back; it is said how to go on."""
    full.remove(GONE, settings=SETTINGS)
    first = full.store.data(LIST)
    full.remove((42, "777"), settings=SETTINGS)
    for content in (None, first, b"damaged", json.dumps({"layout": 2}).encode()):
        if content is None:
            del full.store.files[LIST]
        else:
            full.store.write(LIST, content)
        match = "later version|_withheld/events.json, is (gone|older|damaged)|layout 2 is newer"
        for act in _acts(full):
            with full.untouched(CheckpointError, match):
                act()
        with pytest.raises(CheckpointError):
            full.run(SETTINGS, mode="rebuild", allow_loss=True)

    del full.store.files[LIST]
    full.remove(GONE, settings=SETTINGS, list_is_lost=True)

    assert full.problems(SETTINGS) == []
    assert listed(full.store, full.host()).participants == 1


def _acts(world: World) -> list[Any]:
    return [
        lambda: world.run(SETTINGS),
        lambda: world.remove(GONE, settings=SETTINGS),
        lambda: undo(world.store, (GONE,), host=world.host()),
        lambda: listed(world.store, world.host()),
        lambda: purge(world.store, host=world.host(), dry_run=False),
    ]


def test_a_purge_waits_until_what_is_in_force_is_without_them(full: World) -> None:
    """Otherwise it would leave them in what it spares."""
    before = full.store.data(CHECKPOINT)
    with full.untouched(NotAppliedError, "has not been applied"):
        purge(full.store, host=full.host(), dry_run=False)
    full.remove(GONE, settings=SETTINGS)
    full.store.write(CHECKPOINT, before)
    with full.untouched(NotAppliedError, "has not been applied"):
        purge(full.store, host=full.host(), dry_run=False)
    full.run(SETTINGS)
    with full.untouched(NotAppliedError, "its export all is not up to date"):
        purge(full.store, host=full.host(), dry_run=False)


def test_a_purge_spares_the_ledger_of_a_run_in_progress(full: World) -> None:
    """Which may be about to commit upon what is in force; the next purge takes what was left."""
    full.remove(GONE, settings=SETTINGS)
    put(full, others(50))
    done = []
    full.before(
        f"put_if {CHECKPOINT}",
        lambda: done.append(purge(full.store, host=full.host(), dry_run=False)),
    )

    report = full.run(SETTINGS)

    assert done[0].left == 2
    assert report.counts.accepted == 1
    assert full.problems(SETTINGS) == []


def test_a_naccid_tells_every_center_where_they_were(world: World) -> None:
    """And none where the format has no such column, or there is no checkpoint; blanks are none."""
    assert find_participants(world.store, world.host(), NACCID) == ()
    world.write(1)
    world.run()
    assert find_participants(world.store, world.host(), NACCID) == ()
    put(world, theirs(1), theirs(2, pipeline_adcid=7, ptid="12", naccid=f" {NACCID}"))
    put(world, others(3))
    world.run(SETTINGS)

    assert find_participants(world.store, world.host(), f"{NACCID} ") == ((7, "12"), (42, PTID))
    assert find_participants(world.store, world.host(), "NACC1") == ()


def test_there_must_be_a_checkpoint_to_take_somebody_out_of(world: World) -> None:
    """A name that is mistyped would put the list beside nothing."""
    with world.untouched(StorageError, "there is no checkpoint"):
        world.remove(GONE)
    with world.untouched(StorageError, "there is no checkpoint"):
        listed(world.store, world.host())


def test_as_long_as_nobody_was_taken_out_an_earlier_version_may_go_on(world: World) -> None:
    """From the first removal on it must refuse, also after it was undone."""
    world.write(1)
    world.run()
    assert world.metadata()["layout"] == 3
    world.remove(GONE)
    assert world.metadata()["layout"] == 4
    undo(world.store, (GONE,), host=world.host())
    world.write(2)
    world.run()

    assert world.metadata()["layout"] == 4


def test_rows_that_were_adopted_without_a_file_are_reckoned(world: World) -> None:
    """As by the first versions: it is not known which those are."""
    put(world, theirs(1), others(2))
    world.run(SETTINGS)
    world.source.objects.clear()
    world.lose_ledgers()
    world.run(SETTINGS, mode="adopt", accept_empty_source=True)
    world.rewrite(CHECKPOINT, unclaimed=None, unclaimed_digest=None, adopted_at=None)
    world.lose_digests()

    world.remove(GONE, settings=SETTINGS)

    assert (world.metadata()["adopted_rows"], world.metadata()["balance"]) == (1, 0)
    assert world.rows().total() == 1


def test_the_last_participant_leaves_an_empty_checkpoint(world: World) -> None:
    """Which the next run goes on from."""
    put(world, theirs(1), theirs(2))
    world.run(SETTINGS)
    world.remove(GONE, settings=SETTINGS)
    assert world.rows().total() == 0
    assert world.problems(SETTINGS, source=True) == []

    put(world, others(3))
    assert world.run(SETTINGS).total_events == 1


def test_the_format_of_a_checkpoint_may_change_while_somebody_is_taken_out(world: World) -> None:
    """The removal goes on in the format that is then in force."""
    put(world, theirs(1), others(2))
    world.run()
    world.before(f"put_if {CHECKPOINT}", lambda: world.run(SETTINGS))
    world.remove(GONE)
    assert world.rows().total() == 1
    assert world.metadata()["event_format"] == str(EventFormat.V1_1)


def test_a_checkpoint_that_vanishes_meanwhile_is_told(world: World) -> None:
    """The list is written by then, and holds for the next one."""
    world.write(1)
    world.run()
    world.before("put_if _withheld", lambda: world.store.files.pop(CHECKPOINT))
    with pytest.raises(StorageError, match="there is no checkpoint"):
        world.remove((42, "110001"))

    assert world.run().counts.withheld == 1


def test_a_checkpoint_that_keeps_being_replaced_is_told(full: World) -> None:
    """As by somebody who copies the same file over it again and again."""

    def hook(call: str) -> None:
        if call == f"fetch {CHECKPOINT}":
            full.store.write(CHECKPOINT, full.store.data(CHECKPOINT))

    full.store.before_call = hook
    with pytest.raises(StorageError, match="keeps being replaced"):
        full.remove(GONE, settings=SETTINGS)


def test_a_list_that_keeps_being_replaced_is_told(full: World) -> None:
    """Nothing was changed then."""
    files = dict(full.store.files)
    full.disturb("put_if _withheld", *[Fault.CONFLICT] * 6)
    with pytest.raises(StorageError, match=r"list, _withheld.* keeps being replaced"):
        full.remove(GONE, settings=SETTINGS)

    assert full.store.files == files


def test_a_run_that_cannot_remember_what_it_withheld_says_so(full: World) -> None:
    """It reads those objects again the next time; and it remembers nothing by another list."""
    full.remove(GONE, settings=SETTINGS)
    put(full, theirs(55))
    full.disturb("put_if _withheld", Fault.DENIED)
    first = full.run(SETTINGS)
    full.before("put_if _withheld", lambda: undo(full.store, (GONE,), host=full.host()))
    second = full.run(SETTINGS)
    third = full.run(SETTINGS)

    assert any("could not be remembered" in warning for warning in first.warnings)
    assert (first.counts.withheld, second.counts.withheld) == (4, 4)
    assert third.counts.accepted == 4


def test_questions_to_a_copy_without_its_ledger_leave_them_out(full: World) -> None:
    """As long as the list is beside it."""
    older = full.store.data(CHECKPOINT)
    full.remove(GONE, settings=SETTINGS)
    full.store.write(CHECKPOINT, older)
    full.lose_ledgers()

    opened = open_for_queries(full.store, full.workdir(), ledger=True)

    assert opened is not None
    assert opened.ledger is None
    assert not pl.read_parquet(opened.events)["ptid"].str.contains(PTID).any()


def test_who_names_objects_beforehand_can_ask(full: World) -> None:
    """As a log does that tells of each object that is read."""
    full.remove(GONE, settings=SETTINGS)
    is_withheld = names_withheld(full.store)

    assert {name for name in full.source.objects if is_withheld(name)} == {
        name for name in full.source.objects if PTID in name
    }


def test_an_adoption_names_nobody_who_is_withheld(world: World) -> None:
    """Neither where their name is on an event of somebody else, of a project that is left out."""
    put(world, others(1))
    (named,) = put(world, theirs(2))
    world.source.write(named, others(2, project_label="sandbox-form"))
    world.run(SETTINGS)
    world.remove(GONE, settings=SETTINGS)
    world.lose_ledgers()

    report = world.run(SETTINGS, mode="adopt")
    again = world.run(SETTINGS)

    assert (report.counts.excluded, again.counts.withheld) == (1, 1)
    assert not files_with(world) & {CHECKPOINT, REJECTS, LIST}
    assert world.problems(SETTINGS, source=True) == []


def test_a_removal_that_was_interrupted_is_found_by_the_same_naccid(full: World) -> None:
    """As long as the rows are there."""
    full.disturb(f"put_if {CHECKPOINT}", Fault.CRASH_BEFORE)
    with pytest.raises(CrashError):
        full.remove(GONE, settings=SETTINGS)

    assert (42, PTID) in find_participants(full.store, full.host(), NACCID)
