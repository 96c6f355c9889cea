"""Running until nothing is left, and telling of several passes as if they had been one."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import structs

from checkpoint_core import Counts, RunReport, add_up
from checkpoint_core.errors import StalledError

__all__ = ["fold", "run_until_complete"]

# What a pass settles, the next one counts as known before.
_TAKEN: Final = ("accepted", "touched", "upgraded")
_REJECTED: Final = ("invalid", "excluded", "archived")
_LEFT_OUT: Final = (*_REJECTED, "withheld")
_UNKNOWN_NAMES: Final = 20
_STUCK_PASSES: Final = 5
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 10.0


def run_until_complete(
    one_pass: Callable[[], RunReport],
    *,
    listed_failures: int,
    pause: Callable[[float], None],
    jitter: Callable[[], float],
) -> RunReport:
    """Run pass after pass until one leaves nothing, and return all of them folded into one.

    Rows that await an upgrade are waited for as long as each pass leaves fewer of them: objects that
    cannot be read keep theirs waiting. A dry run is one pass, because the next would do the same.
    After a pass that took nothing, because other runs were first, it waits, each time longer.
    Raises StalledError after five passes in a row in which nothing moved: none settled an object,
    left fewer than any before, or found more objects or more rows in the checkpoint than any
    before. So it goes on while other runs do, and ends when nobody does.

    Args:
        one_pass: makes a pass.
        listed_failures: how many failed objects the report lists.
        pause: waits for some seconds.
        jitter: returns a random number from 0 to 1.
    """
    report = one_pass()
    reports = [report]
    furthest = _reach(report)
    empty_handed = 0 if report.complete or _settled(report) else 1
    stuck = 0
    awaiting: float = float("inf")
    while not report.dry_run and not (report.complete and _has_waited(report, awaiting)):
        if stuck == _STUCK_PASSES:
            raise StalledError(report.source, report.counts.deferred, stuck)
        if empty_handed:
            longest_s = min(_FIRST_PAUSE_S * 2 ** (empty_handed - 1), _LONGEST_PAUSE_S)
            pause(longest_s * (1 + jitter()) / 2)
        awaiting = report.awaiting_upgrade
        report = one_pass()
        reports.append(report)
        got_on = report.awaiting_upgrade < awaiting or _settled(report)
        empty_handed = 0 if got_on else empty_handed + 1
        reach = _reach(report)
        has_moved = any(now > before for now, before in zip(reach, furthest, strict=True))
        stuck = 0 if _settled(report) or has_moved else stuck + 1
        furthest = tuple(map(max, reach, furthest))
    return fold(reports, listed_failures=listed_failures)


def _has_waited(report: RunReport, before: float) -> bool:
    return not 0 < report.awaiting_upgrade < before


def fold(reports: Sequence[RunReport], *, listed_failures: int) -> RunReport:
    """Return the report of one run that did what these passes did, one after the other.

    Guarantee: the counts add up to exactly what the last pass's add up to, the number of objects
    that it listed, whatever happened between the passes. They are the last pass's, except that
    what earlier passes settled is moved to where it belongs: as many objects as they took from
    `unchanged` to `accepted`, `touched` and `upgraded`, and as many as they rejected from
    `rejected_before` to `invalid`, `excluded`, `archived` and `withheld`. No more is ever moved than the last
    pass counts there, of `rejected_before` no more than came in since the first pass; so an object
    that was rewritten or removed between the passes has one end or none, even where two passes took
    a version of it.
    `total_events` has every row.
    """
    first, last = reports[0], reports[-1]
    unknown = Counter[str]()
    for report in reports:
        unknown.update(report.unknown_fields)
    # An object that could not be read is met again by the next pass, and the last word counts.
    failed = {
        file.key: file
        for report in reports
        for file in report.failed_files
        if file.outcome == "invalid" or report is last
    }
    return structs.replace(
        last,
        run_id=first.run_id,
        started_at=first.started_at,
        incremental=first.incremental,
        counts=_fold_counts([report.counts for report in reports]),
        commit_id=next((each.commit_id for each in reversed(reports) if each.commit_id), None),
        future_dated=sum(each.future_dated for each in reports),
        unknown_fields=dict(unknown.most_common(_UNKNOWN_NAMES)),
        failed_files=tuple(failed[key] for key in sorted(failed)[:listed_failures]),
        new_events_by_study=add_up(each for one in reports for each in one.new_events_by_study),
        warnings=tuple(dict.fromkeys(text for each in reports for text in each.warnings)),
    )


def _fold_counts(passes: Sequence[Counts]) -> Counts:
    first, last = passes[0], passes[-1]
    earlier = passes[:-1]
    taken = _moved(earlier, last, _TAKEN, at_most=last.unchanged)
    new_rejects = max(0, last.rejected_before - first.rejected_before)
    rejected = _moved(earlier, last, _LEFT_OUT, at_most=new_rejects)
    return structs.replace(
        last,
        unchanged=last.unchanged - sum(taken.values()),
        rejected_before=last.rejected_before - sum(rejected.values()),
        **{name: getattr(last, name) + n for name, n in (taken | rejected).items()},
    )


def _moved(
    earlier: Sequence[Counts], last: Counts, names: Sequence[str], *, at_most: int
) -> dict[str, int]:
    """Return how many objects the earlier passes settled so, shortened to what there is."""
    moved = {name: sum(getattr(counts, name) for counts in earlier) for name in names}
    # What the last pass settled so may be the same objects, met again: those first.
    for limits in ({name: getattr(last, name) for name in names}, dict(moved)):
        for name in names:
            moved[name] -= max(0, min(sum(moved.values()) - at_most, moved[name], limits[name]))
    return moved


def _reach(report: RunReport) -> tuple[int, ...]:
    """Return what grows while anybody gets on."""
    return (
        -report.counts.deferred,
        -report.awaiting_upgrade,
        report.counts.unchanged,
        report.total_events,
    )


def _settled(report: RunReport) -> int:
    return sum(getattr(report.counts, name) for name in (*_TAKEN, *_REJECTED))
