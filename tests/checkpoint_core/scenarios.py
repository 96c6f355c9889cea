"""What may be there before a run, and how the run is asked for: one world for every kind of run."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Any

from msgspec import Struct

from checkpoint_core import RunReport, Settings
from nacc_event_model import EventFormat
from tests.checkpoint_core.foreign import WITHOUT_SANDBOX, adopt_unread, put
from tests.checkpoint_core.world import CHECKPOINT, SETTINGS, V11, World, document, key, scratch


def before_a_first_run(world: World) -> None:
    """Three events and an invalid one, and no checkpoint yet."""
    world.write(1, 2, 3)
    world.spoil(4)


def before_an_incremental_run(world: World) -> None:
    """New, late, rewritten, touched, repaired, broken and deleted objects."""
    world.write(1, 2, 3, 4, 5)
    world.spoil(6, 7)
    world.run()
    world.write(8)
    world.write(9, timestamp="2020-01-01T00:00:00Z")
    world.write(1, module="FTLD")
    world.source.touch(key(2))
    world.source.delete(key(3))
    world.source.write(key(4), b"{")
    world.write(6)


def before_a_run_upon_a_delta(world: World) -> None:
    """A full ledger and a delta, of both of which objects are rewritten, and a new one."""
    world.write(1, 2, 3, 4, 5)
    world.run()
    world.write(1, gear_name="in the delta")
    world.write(6)
    world.run()
    assert ".upon." in world.ledger_name()
    world.write(1, gear_name="again")
    world.write(2, gear_name="in the full one")
    world.source.touch(key(6))
    world.write(7)


def before_a_run_over_files_of_each_kind(world: World) -> None:
    """Two commits, a delta among their ledgers, a reject, and another object."""
    world.write(1, 2)
    world.spoil(3)
    world.run()
    world.write(2, gear_name="second")
    world.run()
    world.write(4)


def before_a_run_that_ends_a_delta(world: World) -> None:
    """So many changes that the next ledger is a full one again."""
    before_a_run_upon_a_delta(world)
    world.write(8, 9)


def before_a_rewrite(world: World) -> None:
    """A checkpoint without its ledger, to which two versions of one object gave rows."""
    before_an_incremental_run(world)
    world.run()
    world.lose_ledgers()
    world.write(10)


def before_a_rebuild(world: World) -> None:
    """A checkpoint that can be made again, and more."""
    before_a_first_run(world)
    world.run()
    world.write(5)


def before_adopting_a_foreign_file(world: World) -> None:
    """Rows of another tool, one of which has no object, and an object without a row."""
    before_a_first_run(world)
    world.run()
    rows = world.store.rows()
    world.store.files.clear()
    put(world, rows)
    world.source.delete(key(2))
    world.write(5)


def before_a_rebuild_over_damage(world: World) -> None:
    """A checkpoint of which nothing can be read."""
    before_a_first_run(world)
    world.store.write(CHECKPOINT, b"damaged")


def before_an_upgrade(world: World) -> None:
    """Five rows that were taken under format 1.0, whose objects have more."""
    for number in range(1, 6):
        time = f"2024-01-15T10:00:0{number}Z"
        data = document(EventFormat.V1_1, naccid=f"NACC{number:06d}", timestamp=time)
        world.source.write(key(number), data)
    world.run()


def before_claiming(world: World) -> None:
    """Two rows that were adopted unread, of whose objects one is restored."""
    adopt_unread(world)
    del world.source.outcomes[next(iter(world.source.objects))]


def before_withholding(world: World) -> None:
    """Somebody was taken out after whom all objects are named, and more of each kind comes."""
    world.write(1, 2)
    world.write(3, ptid="220002")
    world.run()
    world.remove((42, "110001"))
    world.write(1, gear_name="again")
    world.write(2, 4, ptid="220002")
    world.write(5)
    world.spoil(6)


class Scenario(Struct, frozen=True):
    """What is done before, and how the run is asked for."""

    prepare: Callable[[World], None]
    request: dict[str, Any] = {}
    settings: Settings = SETTINGS

    def run(self, world: World) -> RunReport:
        """Run as this scenario has it."""
        return world.run(self.settings, **self.request)


SCENARIOS = {
    "first": Scenario(before_a_first_run),
    "incremental": Scenario(before_an_incremental_run),
    "upon a delta": Scenario(before_a_run_upon_a_delta),
    "ending a delta": Scenario(before_a_run_that_ends_a_delta),
    "adopt": Scenario(before_a_rewrite, {"mode": "adopt"}),
    "adopt a foreign file": Scenario(before_adopting_a_foreign_file, {"mode": "adopt"}),
    "claim": Scenario(before_claiming, {"list_restores": True}, WITHOUT_SANDBOX),
    "upgrade": Scenario(before_an_upgrade, {}, V11),
    "rebuild": Scenario(before_a_rebuild, {"mode": "rebuild"}),
    "rebuild over a damaged file": Scenario(
        before_a_rebuild_over_damage, {"mode": "rebuild", "allow_loss": True}
    ),
}


class Prepared:
    """Every scenario, as it is before its run and after it; each is made once, when it is needed."""

    def __init__(self, folders: ExitStack) -> None:
        self._folders = folders
        self._before = cache(self._prepare)
        self.after = cache(self._run)
        self._known: set[tuple[str, frozenset[tuple[str, bytes]]]] = set()

    def before(self, scenario: str) -> World:
        """Return a world of its own before the run."""
        return self._before(scenario).copy()

    def is_known(self, scenario: str, world: World) -> bool:
        """Return whether this is what the store held before the run, or when this was asked before."""
        states = []
        for each in (self._before(scenario), world):
            files = frozenset((name, data) for name, (data, *_) in each.store.files.items())
            states.append((scenario, files))
        is_known = states[1] in {states[0], *self._known}
        self._known.add(states[1])
        return is_known

    def _prepare(self, scenario: str) -> World:
        world = World(self._folders.enter_context(scratch()))
        SCENARIOS[scenario].prepare(world)
        return world

    def _run(self, scenario: str) -> tuple[World, RunReport]:
        """Return the world after its undisturbed run, and what that reported."""
        world = self.before(scenario)
        return world, SCENARIOS[scenario].run(world)
