"""Looking at a checkpoint without changing it."""

from msgspec import structs

from checkpoint_core import REJECTS_SCHEMA
from checkpoint_core.verifying import verify
from checkpoint_format.inspection import describe, open_rejects
from checkpoint_format.rejects import Rejects
from nacc_event_model import EventFormat
from tests.checkpoint_core.world import CHECKPOINT, REJECTS, SETTINGS, World, key


def test_a_checkpoint_is_described(world: World) -> None:
    """What it holds by center and action, and what it lacks."""
    world.write(1, 2)
    world.write(3, action="pass-qc")
    world.write(4, center_label="beta")
    world.spoil(5, 6)
    world.write(7)
    world.source.outcomes[key(7)] = "denied"
    report = world.run()

    description = describe(world.store, world.workdir())

    assert description is not None
    assert description.events.rows() == [
        ("alpha", "pass-qc", 1),
        ("alpha", "submit", 2),
        ("beta", "submit", 1),
    ]
    assert description.rejects == {"invalid": 2, "denied": 1}
    assert (description.objects, description.size_bytes) == (4, report.size_bytes)
    assert description.metadata.commit_id == report.commit_id
    assert description.metadata.event_format is EventFormat.V1_0


def test_without_a_checkpoint_there_is_nothing_to_describe(world: World) -> None:
    """And nothing to verify."""
    checks = verify(world.store, world.source, SETTINGS, world.workdir())

    assert describe(world.store, world.workdir()) is None
    assert [(check.name, check.passed, check.detail) for check in checks] == [
        ("pair", False, "there is no checkpoint")
    ]


def test_rejects_are_known_only_where_they_are_those_of_the_checkpoint(world: World) -> None:
    """Empty ones are written with the first commit, so that lost ones are not taken for none."""

    def known() -> tuple[dict[str, int] | None, str | None]:
        opened = open_rejects(world.store, world.workdir())
        description = describe(world.store, world.workdir())
        assert opened is not None
        if description is not None:
            assert opened.unknown == description.rejects_unknown
        return description.rejects if description else None, opened.unknown

    assert open_rejects(world.store, world.workdir()) is None
    world.spoil(1)
    world.run()
    assert known() == (None, None)
    world.write(2)
    world.run()
    restored = world.store.data(CHECKPOINT)
    assert known() == ({"invalid": 1}, None)
    world.spoil(3)
    world.write(4)
    world.run()
    assert known() == ({"invalid": 2}, None)
    world.store.write(CHECKPOINT, restored)
    assert known()[1] == "the rejects file is of another commit; the next run brings it up to date"
    del world.store.files[REJECTS]
    assert known() == (None, "there is no rejects file beside it")
    world.write(5)
    world.run()
    assert known() == ({"invalid": 2}, None)


def test_rejects_of_a_commit_before_the_lineage_are_known(world: World) -> None:
    """Only commits that change them write them, and a lineage does not reach back for ever."""
    world.write(1)
    world.run()
    found = describe(world.store, world.workdir())
    assert found is not None
    later = "00000060-run0060"
    metadata = structs.replace(found.metadata, lineage=(later,), commit_id=later, generation=60)

    for commit_id, is_known in (("00000059-run0059", True), ("00000061-run0061", False)):
        rejects = Rejects(rows=REJECTS_SCHEMA.to_frame(), commit_id=commit_id)
        assert (rejects.unknown(metadata) is None) == is_known


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
