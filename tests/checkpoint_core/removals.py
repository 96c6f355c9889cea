"""What may happen to participants: taken out, back on, and versions of before put back."""

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from checkpoint_core import CheckpointError
from checkpoint_core.removal import purge, undo
from checkpoint_format.errors import MissingLedgerError
from checkpoint_format.inspection import open_for_queries
from tests.checkpoint_core.memory import CrashError, Fault
from tests.checkpoint_core.world import CHECKPOINT, LIST, read_json_metadata

if TYPE_CHECKING:
    from tests.checkpoint_core.oracle import Oracle
    from tests.checkpoint_core.world import World

PTIDS: Final = ("110001", "220002", "0220002")
"""Objects are named after the first, whoever their content is of; the others are one."""
ptids = st.sampled_from(PTIDS)


class Removals:
    """Rules about participants, for a history of a world."""

    world: "World"
    oracle: "Oracle"

    def is_applied(self) -> bool:
        """Whether what is in force is without those who are on the list."""
        if CHECKPOINT not in self.world.store.files:
            return True
        revision = self.world.metadata().get("withheld")
        return revision == self.world.revision()

    @precondition(lambda self: CHECKPOINT in self.world.store.files)
    @rule(ptid=ptids)
    def remove(self, ptid: str) -> None:
        """Afterwards there is no row of theirs, and the rest is as it was."""
        before = self.world.rows()
        self.remove_amid(ptid)
        listed = self.oracle.listed()
        assert self.world.rows() == {
            values: count for values, count in before.items() if values[6] not in listed
        }

    def remove_amid(self, ptid: str) -> None:
        """Take somebody out, whoever else is at work."""
        if CHECKPOINT in self.world.store.files:
            self.world.remove((42, ptid))
            assert self.is_applied()
            assert ptid not in {values[6] for values in self.world.rows()}

    @precondition(lambda self: CHECKPOINT in self.world.store.files)
    @rule(ptid=ptids, number=st.integers(0, 30), fault=st.sampled_from(Fault))
    def remove_with_fault(self, ptid: str, number: int, fault: Fault) -> None:
        self.world.store.faults = {len(self.world.store.calls) + number: fault}
        with suppress(CheckpointError, CrashError):
            self.world.remove((42, ptid))
            assert self.is_applied()
        self.world.store.faults = {}

    @precondition(lambda self: LIST in self.world.store.files)
    @rule(ptid=ptids, number=st.integers(0, 30), fault=st.sampled_from([*Fault, None]))
    def undo(self, ptid: str, number: int, fault: Fault | None) -> None:
        """The next run brings back what the source still has."""
        self.world.store.faults = {len(self.world.store.calls) + number: fault} if fault else {}
        with suppress(CheckpointError, CrashError):
            undo(self.world.store, ((42, ptid),), host=self.world.host())
        self.world.store.faults = {}

    @rule(back=st.integers(0, 9))
    def restore(self, back: int) -> None:
        """An older version is put in force, where its ledger is still there, as people do it."""
        store = self.world.store
        older = [data for (name, _), data in store.versions.items() if name == CHECKPOINT]
        data = older[-1 - back % len(older)] if older else b""
        if not older or read_json_metadata(data)["commit_id"] not in self.oracle.states:
            return
        present = store.files[CHECKPOINT]
        store.write(CHECKPOINT, data)
        try:
            opened = open_for_queries(store, self.world.workdir(), ledger=True)
        except MissingLedgerError:
            opened = None
        problems = [each for each in self.world.problems() if not each.startswith("list")]
        if opened is None or opened.ledger is None or problems:
            store.files[CHECKPOINT] = present
            return
        self.oracle.restored()

    @precondition(lambda self: LIST in self.world.store.files)
    @rule(number=st.integers(0, 30), fault=st.sampled_from([*Fault, None]))
    def purge(self, number: int, fault: Fault | None) -> None:
        """What is in force is as it was, and sound; a version of before cannot be restored."""
        files = self.world.store.files
        before = files.get(CHECKPOINT)
        self.world.store.faults = {len(self.world.store.calls) + number: fault} if fault else {}
        with suppress(CheckpointError, CrashError):
            purge(self.world.store, host=self.world.host(), dry_run=False)
        self.world.store.faults = {}
        assert files.get(CHECKPOINT) == before
        if before:
            problems = [each for each in self.world.problems() if not each.startswith("list")]
            assert problems == []
