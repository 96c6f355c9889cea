"""Random histories of objects, runs, faults and rivals, held against the oracle."""

from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from checkpoint_core import CheckpointError, Request, RunReport, Settings
from checkpoint_format.stores import FailureOutcome
from nacc_event_model import EventFormat
from tests.checkpoint_core.memory import CrashError, Fault
from tests.checkpoint_core.oracle import Oracle, digest_of, narrow
from tests.checkpoint_core.removals import PTIDS, Removals, ptids
from tests.checkpoint_core.world import REJECTS, World, a_time, document, key, named, scratch

pytestmark = pytest.mark.usefixtures("deltas")

EXCLUDED = "sandbox-form"
WHOLE = Settings(exclude_projects=("sandbox-*",), row_group_rows=3)
LIMITED = Settings(
    exclude_projects=("sandbox-*",), max_events_per_run=1, batch_objects=1, row_group_rows=1
)
NAMED = {4: "2024-01-15T10:00:00Z", 5: "2024-01-15T10:00:01Z"}
"""Objects whose names are true: their time is always this."""
CUTOFF = "2024-01-15T10:00:00Z"
TIMES = [CUTOFF, "2024-01-15T10:00:01Z", "2020-02-29T23:59:59.999999Z", "2031-01-01T00:00:00Z"]

numbers = st.integers(1, 5)
times = st.sampled_from(TIMES)


class History(Removals, RuleBasedStateMachine):
    """Everything that may happen to a source and a store, in any order.

    Every version that is written is unique, so that its row tells it; `revert` and `copy` are the
    exceptions, which give equal rows that must all be there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.world = World(self._open.enter_context(scratch()))
        self.world.store.is_versioned = True
        self.oracle = Oracle(self.world)
        self.format = EventFormat.V1_0

    @property
    def settings(self) -> Settings:
        """What whole runs are made with."""
        return structs.replace(WHOLE, event_format=self.format)

    @property
    def limited(self) -> Settings:
        """What runs are made with that take one event, or fill one row."""
        return structs.replace(LIMITED, event_format=self.format)

    @initialize(count=st.integers(0, 3))
    def begin(self, count: int) -> None:
        for number in range(count):
            self.write(number=number + 1, time=CUTOFF)

    # What happens to objects.

    def _key(self, number: int) -> str:
        if number not in NAMED:
            return key(number)
        return f"{number}/{named(document(timestamp=NAMED[number]))}"

    def _write(self, number: int, data: bytes) -> None:
        self.world.source.write(self._key(number), data)

    def _event(self, **changed: str) -> bytes:
        """Return an event that nobody has written yet, with more in it than format 1.0 knows."""
        serial = len(self.world.source.history)
        return document(gear_name=f"version-{serial}", naccid=f"NACC{serial}", **changed)

    @rule(number=numbers, time=times, ptid=ptids)
    def write(self, number: int, time: str, ptid: str = PTIDS[0]) -> None:
        """A new object, or one rewritten in place: later, earlier, or with the same timestamp.

        It may become another participant's.
        """
        self._write(number, self._event(timestamp=NAMED.get(number, time), ptid=ptid))

    @rule(number=numbers)
    def write_unwanted(self, number: int) -> None:
        self._write(number, self._event(project_label=EXCLUDED))

    @rule(number=numbers)
    def break_(self, number: int) -> None:
        self._write(number, b'{"broken": %d' % len(self.world.source.history))

    @rule(number=numbers, back=st.integers(0, 5))
    def revert(self, number: int, back: int) -> None:
        """An earlier content of this or another object, once more."""
        history = self.world.source.history
        if history:
            self._write(number, history[-1 - back % len(history)].data)

    @rule(number=numbers)
    def touch(self, number: int) -> None:
        if self._key(number) in self.world.source.objects:
            self.world.source.touch(self._key(number))

    @rule(number=numbers)
    def delete(self, number: int) -> None:
        self.world.source.objects.pop(self._key(number), None)

    @rule(number=numbers)
    def write_unrecognized(self, number: int) -> None:
        self.world.source.write(f"other-{number}.json", document())

    @rule(number=numbers, outcome=st.sampled_from(["unreadable", "denied", "archived"]))
    def withhold(self, number: int, outcome: FailureOutcome) -> None:
        self.world.source.outcomes[self._key(number)] = outcome

    @rule()
    def release(self) -> None:
        self.world.source.outcomes.clear()
        # A run looks at restore states at most once a day.
        self.world.clock.current += timedelta(days=1)

    # What happens to the store.

    @rule()
    def lose_rejects(self) -> None:
        self.world.store.files.pop(REJECTS, None)

    @precondition(lambda self: self.oracle.taken)
    @rule(archived=st.sets(numbers, max_size=2))
    def lose_ledger_and_adopt(self, archived: set[int]) -> None:
        """Archived objects stay so: some of them enter by their names, the others wait."""
        outcomes = self.world.source.outcomes
        for name in [name for name, outcome in outcomes.items() if outcome != "archived"]:
            del outcomes[name]
        outcomes |= {self._key(number): "archived" for number in archived}
        self.world.lose_ledgers()
        before = narrow(self.world.rows())
        self.oracle.rewriting = True
        report = self.world.run(self.settings, mode="adopt", accept_empty_source=True)
        self.oracle.rewriting = False
        self._check_equation(report)
        wanted = Counter(
            self.oracle.row(digest)
            for content in self.world.source.objects.values()
            if self._is_event(content.key)
            and content.key not in outcomes
            and (digest := digest_of(content.data)) in self.oracle.valid()
            and (self.oracle.row(digest) in before or self.oracle.row(digest)[3] != EXCLUDED)
        )
        listed = self.oracle.listed()
        expected = before | wanted
        assert narrow(self.world.rows()) == Counter(
            {values: count for values, count in expected.items() if values[6] not in listed}
        )

    # Runs.

    @rule()
    def go_to_the_newer_format(self) -> None:
        """From now on; it cannot be taken back."""
        self.format = EventFormat.V1_1

    @rule(restores=st.booleans())
    def run_whole(self, *, restores: bool) -> None:
        """Afterwards nothing that can be read is left out, and nothing new means no write."""
        self._undisturbed(self.settings, list_restores=restores)
        if not self.world.source.outcomes:
            writes = self.world.writes()
            report = self._undisturbed(self.settings)
            assert report.counts.accepted == report.counts.touched == report.counts.upgraded == 0
            assert self.world.writes() == writes

    @rule()
    def run_limited(self) -> None:
        report = self._undisturbed(self.limited)
        assert report.counts.accepted <= 1

    @rule()
    def run_since(self) -> None:
        before = narrow(self.world.rows())
        self._undisturbed(self.settings, since=a_time(CUTOFF))
        new = narrow(self.world.rows()) - before
        assert all(values[12] > a_time(CUTOFF) for values in new)  # type: ignore[operator]

    @rule()
    def run_dry(self) -> None:
        writes = self.world.writes()
        self._undisturbed(self.settings, dry_run=True)
        assert self.world.writes() == writes

    @rule(number=st.integers(0, 9), fault=st.sampled_from(Fault))
    def run_with_fault(self, number: int, fault: Fault) -> None:
        self.world.store.faults = {len(self.world.store.calls) + number: fault}
        try:
            report = self._run(self.settings)
        except (CheckpointError, CrashError):
            pass
        else:
            self._check_equation(report)
        self.world.store.faults = {}

    @rule(
        at=st.lists(st.integers(0, 9), min_size=1, max_size=3),
        number=numbers,
        limited=st.booleans(),
        data=st.data(),
    )
    def run_with_rivals(
        self, at: list[int], number: int, *, limited: bool, data: st.DataObject
    ) -> None:
        """Whole runs in the middle of one, and in the middle of those, after more changes."""
        rivals = self.limited if limited else self.settings
        start = len(self.world.store.calls)
        waiting = sorted(start + each for each in at)
        changes = [
            self.touch,
            self.delete,
            self.break_,
            lambda number: self.write(number, CUTOFF),
            lambda number: self.remove_amid(PTIDS[number % 2]),
        ]

        def hook(_call: str) -> None:
            if waiting and len(self.world.store.calls) > waiting[0]:
                waiting.pop(0)
                data.draw(st.sampled_from(changes))(number=number)
                self._check_equation(self._run(rivals))

        self.world.store.before_call = hook
        self._check_equation(self._run(self.settings))
        self.world.store.before_call = lambda _call: None

    @rule(number=numbers, time=times)
    def run_while_an_object_changes(self, number: int, time: str) -> None:
        """Between its being listed and its being read, it is rewritten or gone."""
        source = self.world.source

        def hook(_key: str) -> None:
            source.before_reading = lambda _key: None
            if time == CUTOFF:
                self.delete(number=number)
            else:
                self.write(number=number, time=time)

        source.before_reading = hook
        self._check_equation(self._run(self.settings))
        source.before_reading = lambda _key: None

    # What must hold.

    @invariant()
    def agrees_with_the_oracle(self) -> None:
        self.oracle.check()

    def teardown(self) -> None:  # type: ignore[explicit-override]  # new in Python 3.12
        try:
            self.world.source.outcomes.clear()
            self._run(self.settings, list_restores=True)
            self.oracle.check_complete(excluded=frozenset({EXCLUDED}))
            self._check_rejects()
            if self.oracle.taken:
                # An empty listing is a problem, whoever emptied the source.
                listed = bool(self.world.source.objects)
                assert self.world.problems(self.settings, source=listed) == []
        finally:
            self._open.close()

    def _run(self, settings: Settings, **request: Any) -> RunReport:
        return self.world.run(settings, **{"accept_empty_source": True, **request})

    def _undisturbed(self, settings: Settings, **request: Any) -> RunReport:
        report = self._run(settings, **request)
        self._check_equation(report)
        assert report.listed == len(self.world.source.objects)
        asked = Request(**request)
        if report.complete and not asked.dry_run and asked.since is None:
            if not self.world.source.outcomes:
                self.oracle.check_complete(excluded=frozenset({EXCLUDED}))
                self._check_rejects()
                if self.format is EventFormat.V1_1 and not report.awaiting_upgrade:
                    self.oracle.check_filled()
            assert report.rejects == len(self.world.reasons())
        assert self.is_applied() or asked.dry_run
        if self.is_applied():
            would_be = report.counts.accepted if asked.dry_run else 0
            assert report.total_events == self.world.rows().total() + would_be
        return report

    def _check_equation(self, report: RunReport) -> None:
        assert report.listed == report.counts.listed
        assert report.listed in self.world.source.listed
        assert min(getattr(report.counts, name) for name in report.counts.__struct_fields__) >= 0

    def _check_rejects(self) -> None:
        """The rejects are the objects of which the newest version is not in the ledger.

        What is not named like an event object is beside them.
        """
        expected = {}
        valid = self.oracle.valid()
        for content in self.world.source.objects.values():
            taken = self.oracle.taken.get(content.key, [b""])[-1]
            digest = digest_of(content.data)
            is_unread = content.key in self.oracle.adopted()
            if self.oracle.is_withheld(content.key, digest):
                continue
            if self._is_event(content.key) and digest != taken and not is_unread:
                expected[content.key] = "excluded" if digest in valid else "invalid"
        assert {name: outcome for name, (outcome, _) in self.world.reasons().items()} == expected
        others = {name for name in self.world.source.objects if not self._is_event(name)}
        assert set(self.world.unrecognized()) == others

    def _is_event(self, name: str) -> bool:
        return name.rpartition("/")[2].startswith("log-")


TestHistory = History.TestCase
TestHistory.settings = hypothesis_settings(
    max_examples=hypothesis_settings().max_examples // 3, stateful_step_count=15
)
