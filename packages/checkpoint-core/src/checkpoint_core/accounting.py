"""Every listed object is counted once: the equation that shows that nothing was lost."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct, structs

__all__ = ["MOST_STUDIES", "OTHERS", "Counts", "FailedFile", "RunReport", "StudyCount", "add_up"]

MOST_STUDIES: Final = 50
"""How many pairs of study and datatype are told; what names them is input and has no bound."""
OTHERS: Final = "__others__"
"""In the place of study and datatype: all the pairs that are not told."""


class Counts(Struct, frozen=True, kw_only=True):
    """How many listed objects came to each end; together they are all that were listed."""

    unrecognized: int = 0
    """Not named like an event object; never read."""
    unchanged: int = 0
    """In the ledger with the same etag; not read, or only to find nothing that its row lacks."""
    touched: int = 0
    """Read, and the content is the one already taken; no new row."""
    upgraded: int = 0
    """Read, and its row was given what the event format has added since it was taken."""
    rejected_before: int = 0
    """Rejected or withheld by an earlier run under the same rules, and not changed since; not read."""
    before_cutoff: int = 0
    """Read, and not later than the cutoff of this run; not recorded."""
    accepted: int = 0
    """Read and taken: one new row each."""
    invalid: int = 0
    """Read, and not an event of the selected format."""
    excluded: int = 0
    """Read, and of a project that is not wanted."""
    withheld: int = 0
    """Of a participant who was taken out."""
    unreadable: int = 0
    """Could not be read after the retries."""
    denied: int = 0
    """Access to this one object was refused."""
    archived: int = 0
    """In an archive class and not restored."""
    missing: int = 0
    """Listed, and gone when it was to be read."""
    deferred: int = 0
    """Left to the next run."""

    @property
    def listed(self) -> int:
        """The sum of all the ends."""
        return sum(structs.astuple(self))

    @property
    def failed(self) -> int:
        """The objects that a person may have to look at."""
        return self.invalid + self.unreadable + self.denied + self.missing


class FailedFile(Struct, frozen=True, kw_only=True):
    """One object that was rejected in this run, and why."""

    key: str
    outcome: str
    reason: str


class StudyCount(Struct, frozen=True, kw_only=True):
    """How many events of one study and datatype were taken; both are shortened and escaped."""

    study: str
    datatype: str
    events: int


def add_up(counts: Iterable[StudyCount]) -> tuple[StudyCount, ...]:
    """Return one for each study and datatype, the greatest first: MOST_STUDIES, then OTHERS."""
    sums = Counter[tuple[str, str]]()
    for each in counts:
        sums[each.study, each.datatype] += each.events
    others = sums.pop((OTHERS, OTHERS), 0)
    ranked = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    others += sum(events for _, events in ranked[MOST_STUDIES:])
    told = [*ranked[:MOST_STUDIES], ((OTHERS, OTHERS), others)]
    return tuple(
        StudyCount(study=study, datatype=datatype, events=events)
        for (study, datatype), events in told
        if events
    )


class RunReport(Struct, frozen=True, kw_only=True):
    """What one run did.

    `counts` adds up to `listed`, the number of listed objects, in every run.
    `total_events` is the number of rows in the checkpoint, `rejects` the number of objects in the
    rejects file; both as they would be after a dry run. `commit_id` is None when the checkpoint was
    not written. `awaiting_upgrade` is the number of objects, among the unchanged, whose rows may
    lack what the event format has added. `warnings` says what went wrong beside the data, which the
    next run makes good; `hints` what another setting would take in.
    `new_events_by_study` adds up to the new rows.
    """

    run_id: str
    source: str
    checkpoint: str | None
    started_at: datetime
    finished_at: datetime
    incremental: bool
    dry_run: bool
    counts: Counts
    listed: int
    total_events: int
    rejects: int
    size_bytes: int
    first_timestamp: datetime | None
    last_timestamp: datetime | None
    commit_id: str | None
    future_dated: int
    unknown_fields: dict[str, int]
    failed_files: tuple[FailedFile, ...]
    unrecognized_examples: tuple[str, ...]
    warnings: tuple[str, ...]
    hints: tuple[str, ...] = ()
    awaiting_upgrade: int = 0
    new_events_by_study: tuple[StudyCount, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing was left to the next run, except rows that await an upgrade."""
        return self.counts.deferred == 0

    @property
    def execution_time_ms(self) -> int:
        """How long the run took."""
        return round((self.finished_at - self.started_at).total_seconds() * 1000)
