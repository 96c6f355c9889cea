"""Running until nothing is left, and telling of several passes as if they had been one."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import structs

from checkpoint_core import Counts, RunReport
from checkpoint_lambda.errors import StalledError

__all__ = ["fold", "run_until_complete"]

# What a pass settles, the next one counts as known before.
_TAKEN: Final = ("accepted", "touched")
_REJECTED: Final = ("invalid", "excluded", "archived")
_UNKNOWN_NAMES: Final = 20


def run_until_complete(one_pass: Callable[[], RunReport], *, listed_failures: int) -> RunReport:
    """Run pass after pass until one leaves nothing, and return all of them folded into one.

    A dry run is one pass, because the next would do the same.
    Raises StalledError when two passes in a row settle nothing.
    """
    reports = [one_pass()]
    while not reports[-1].complete and not reports[-1].dry_run:
        if len(reports) > 1 and not any(map(_settled, reports[-2:])):
            raise StalledError(reports[-1].source, reports[-1].counts.deferred)
        reports.append(one_pass())
    return fold(reports, listed_failures=listed_failures)


def fold(reports: Sequence[RunReport], *, listed_failures: int) -> RunReport:
    """Return the report of one run that did what these passes did, one after the other.

    Guarantee: the counts are those that a single pass would have had, and their sum is the number
    of objects that the last pass listed. Only where an object was rewritten between the passes and
    each took a version, it is counted once for each row.
    """
    first, last = reports[0], reports[-1]
    counts = _fold_counts([report.counts for report in reports])
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
        counts=counts,
        listed=counts.listed,
        commit_id=next((each.commit_id for each in reversed(reports) if each.commit_id), None),
        future_dated=sum(each.future_dated for each in reports),
        unknown_fields=dict(unknown.most_common(_UNKNOWN_NAMES)),
        failed_files=tuple(failed[key] for key in sorted(failed)[:listed_failures]),
        warnings=tuple(dict.fromkeys(text for each in reports for text in each.warnings)),
    )


def _fold_counts(passes: Sequence[Counts]) -> Counts:
    *earlier, last = passes
    sums = {name: _sum(passes, name) for name in (*_TAKEN, *_REJECTED)}
    unchanged = last.unchanged - _sum(earlier, *_TAKEN)
    rejected_before = last.rejected_before - _sum(earlier, *_REJECTED)
    # Another process's rejects may have replaced ours, so that the last pass met some once more.
    again = max(0, -rejected_before)
    for name in _REJECTED:
        met = min(again, getattr(last, name))
        sums[name] -= met
        again -= met
    return structs.replace(
        last, unchanged=max(0, unchanged), rejected_before=max(0, rejected_before), **sums
    )


def _settled(report: RunReport) -> int:
    return _sum([report.counts], *_TAKEN, *_REJECTED)


def _sum(passes: Sequence[Counts], *names: str) -> int:
    return sum(getattr(counts, name) for counts in passes for name in names)
