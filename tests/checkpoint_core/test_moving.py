"""Objects keep their rows when a source or a format moves, and other ends of a run."""

import pickle

import pytest
from msgspec import structs

from checkpoint_core import REJECTS_SCHEMA, Counts, Settings, errors
from checkpoint_core._committing.replacement import Replacement
from checkpoint_core._files.ledger import NO_LEDGER
from checkpoint_core._files.snapshot import NOTHING
from checkpoint_core._judging.judgement import Judgement
from checkpoint_core._judging.selection import Rules, select
from checkpoint_core._reporting import remarks
from checkpoint_core.errors import (
    CheckpointError,
    CommitOutcomeUnknownError,
    SourceChangedError,
    StorageError,
)
from checkpoint_core.inspection import describe
from nacc_event_model import EventFormat
from tests.checkpoint_core.foreign import existing, frame, put
from tests.checkpoint_core.memory import Fault
from tests.checkpoint_core.test_adopting import lose_ledger
from tests.checkpoint_core.world import CHECKPOINT, REJECTS, World, document, key

RULES = Rules.of(Settings())
V11 = Settings(event_format=EventFormat.V1_1)


def test_a_row_that_an_object_accounts_for_is_not_given_away(world: World) -> None:
    """Two equal objects are two rows, also while other adopted rows wait."""
    gone = document(gear_name="gone", timestamp="2020-01-01T00:00:00Z")
    put(world, frame(*existing(world, 1), gone))
    world.run(mode="adopt")

    world.source.write(key(2), world.source.objects[key(1)].data)
    report = world.run()

    assert (report.counts.accepted, report.total_events) == (1, 3)
    assert world.metadata()["adopted_rows"] == 1
    assert world.problems(source=True) == []


def test_an_archived_object_of_nearly_the_same_time_is_not_adopted_unread(world: World) -> None:
    """Its name is in its own offset: it may be later than the last row, and never taken."""
    put(world, frame(document(timestamp="2024-01-01T11:00:00Z")))
    world.write(1)
    world.source.outcomes[key(1)] = "archived"

    world.run(mode="adopt")

    assert world.ledger().height == 0
    assert world.reasons()[key(1)][0] == "archived"


def test_rows_of_an_earlier_format_are_recognized(world: World) -> None:
    """They have null where the later format has a value that 1.0 did not know."""
    world.write(1, 2, naccid="NACC000001")
    world.run()
    world.write(3, naccid="NACC000003")
    world.run(V11)
    lose_ledger(world)

    report = world.run(V11, mode="adopt")

    assert (report.counts.touched, report.counts.accepted, report.total_events) == (3, 0, 3)
    assert world.problems(V11, source=True) == []
    assert world.run(V11, mode="rebuild").total_events == 3
    assert world.store.rows()["naccid"].null_count() == 0


def test_objects_under_other_names_are_not_taken_twice(world: World) -> None:
    """Their source was moved by a folder: accepting the change alone would double every row."""
    world.write(1, 2)
    world.run()
    moved = World(world.folder)
    moved.store.files = dict(world.store.files)
    moved.source = type(moved.source)(moved.clock, "memory://elsewhere")
    for number in (1, 2, 3):
        moved.source.write(key(number, prefix="prod/"), document(gear_name=f"gear-{number}"))

    with pytest.raises(
        SourceChangedError, match="other names there, and every row would be taken twice"
    ):
        moved.run(accept_source_change=True)
    report = moved.run(mode="adopt", accept_source_change=True)

    assert (report.counts.touched, report.counts.accepted, report.total_events) == (2, 1, 3)
    assert moved.problems(source=True) == []
    assert moved.run().counts.unchanged == 3


def test_a_copy_without_its_ledger_can_be_looked_at(world: World) -> None:
    """An analyst has copied the file alone."""
    world.write(1, 2)
    world.run()
    copy = World(world.folder)
    copy.store.write(CHECKPOINT, world.store.data(CHECKPOINT))

    found = describe(copy.store, copy.workdir())

    assert found is not None
    assert (found.metadata.rows, found.objects) == (2, None)
    assert REJECTS not in copy.store.files


def test_a_damaged_rejects_file_is_found(world: World) -> None:
    """By the check that needs it; the others do not."""
    world.write(1)
    world.source.write(key(2), b"{")
    world.run()
    world.store.write(REJECTS, b"damaged")

    assert world.problems() == []
    assert world.problems(source=True) == [
        "source: the rejects file is damaged; the next run makes it anew"
    ]


def deciding_call(world: World) -> int:
    """Return the number of the deciding write's call, by going through the run in a copy."""
    copy = world.copy()
    copy.run()
    return copy.store.calls.index(f"put_if {CHECKPOINT}") + len(world.store.calls)


def test_the_ledger_of_a_commit_that_was_refused_for_good_is_removed(world: World) -> None:
    """A full disk must not fill up with ledgers that nothing refers to."""
    world.write(1)
    world.run()
    world.write(2)
    world.store.faults = {deciding_call(world): Fault.DENIED}

    with pytest.raises(StorageError):
        world.run()

    assert len(world.ledgers()) == 1
    assert world.run().total_events == 2


def test_a_ledger_stays_where_an_earlier_answer_was_unclear(world: World) -> None:
    """The first attempt may still take place, so what it names must be there."""
    world.write(1)
    world.run()
    world.write(2)
    first = deciding_call(world)
    world.store.faults = {first: Fault.BEFORE, first + 2: Fault.DENIED}

    with pytest.raises(CommitOutcomeUnknownError):
        world.run()

    assert world.store.calls[first + 2] == f"put_if {CHECKPOINT}"
    assert len(world.ledgers()) == 2


def test_counts_that_do_not_add_up_are_told(world: World) -> None:
    """A source that breaks its promise, and lists another number than it gives, would show."""
    world.write(1)
    listing = world.source.list_objects(restore_states=False)
    selection = select(
        NO_LEDGER.compare(listing, narrower=()), rejects=REJECTS_SCHEMA.to_frame(), rules=RULES
    )
    nothing = structs.replace(selection, listed=2)
    empty = REJECTS_SCHEMA.to_frame()
    result = Replacement(
        committed=None,
        rows=0,
        snapshot=NOTHING,
        judgement=Judgement(
            accepted=empty, touched=empty, reread=empty, rejected=empty, before_cutoff=0
        ),
        deferred=empty,
        upgraded=empty,
        adopted=empty,
    )

    assert list(remarks(nothing, Counts(deferred=1), result)) == [
        "the counts add up to 1, but 2 objects were listed: this is a bug; please report it"
    ]
    assert list(remarks(selection, Counts(deferred=1), result)) == []


def test_unknown_fields_are_counted_of_accepted_events_alone(world: World) -> None:
    """What is read again and again is not counted each time."""
    world.write(1, more=1, timestamp="2020-01-01T00:00:00Z")
    world.write(2, more=1)

    report = world.run(since=world.clock.now().replace(year=2023))

    assert report.unknown_fields == {"more": 1}


@pytest.mark.parametrize(
    "error",
    [
        errors.CorruptCheckpointError("there", "is damaged"),
        errors.SourceChangedError("there", "this", "that", renamed=True),
        errors.AdoptionIncompleteError("there", 2, ("one", "two")),
        errors.WouldLoseRowsError("there", None),
        errors.StorageError("it failed"),
    ],
)
def test_errors_pass_from_process_to_process(error: CheckpointError) -> None:
    """With their message and their facts."""
    passed = pickle.loads(pickle.dumps(error))

    assert type(passed) is type(error)
    assert str(passed) == str(error)
    assert vars(passed) == vars(error)
