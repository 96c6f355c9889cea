"""A run's report, in words."""

import shlex
from collections.abc import Iterator
from datetime import datetime

from msgspec import structs
from rich.console import RenderableType
from rich.text import Text

from checkpoint_cli._printing.output import table
from checkpoint_cli._printing.text import one_line
from checkpoint_core import RunReport

__all__ = ["instant", "span", "summarize"]

_MEANINGS = {
    "accepted": "new rows",
    "touched": "written again with the same content",
    "upgraded": "their rows were given what this event format has added",
    "unchanged": "in the checkpoint already",
    "rejected_before": "left out by an earlier run, unchanged since",
    "before_cutoff": "not later than --since; a later run takes them",
    "invalid": "not an event of this format",
    "excluded": "of an excluded project",
    "withheld": "of a participant who was taken out",
    "unreadable": "could not be read; the next run tries again",
    "denied": "access was refused; the next run tries again",
    "archived": "in an archive, to be restored first",
    "missing": "gone before they were read",
    "unrecognized": "not named like an event object",
    "deferred": "left to the next run",
}
_EXAMPLES = 3


def summarize(report: RunReport, *, source: str, checkpoint: str) -> Iterator[RenderableType]:
    """Tell what came in, what did not and how to see why, and what the checkpoint is now.

    `source` and `checkpoint` are what the user calls them.
    """
    counts = report.counts
    objects = f"{report.listed:,} objects in {one_line(source)}"
    if report.dry_run:
        yield Text(f"{objects}: {counts.accepted:,} new events. Nothing was written.", "bold")
    else:
        yield Text(f"{objects}: {counts.accepted:,} new events taken.", "bold")
    ends = structs.asdict(counts)
    if report.listed:
        yield table(
            ("objects", "outcome", "meaning"),
            [(ends[name], name, meaning) for name, meaning in _MEANINGS.items() if ends[name]],
        )
    yield _state(report, checkpoint)
    yield from _rejects(report, checkpoint)
    yield from _oddities(report, checkpoint)


def instant(moment: datetime) -> str:
    """Return a moment in UTC as people read it."""
    return moment.isoformat().replace("+00:00", "Z")


def span(rows: int, first: datetime | None, last: datetime | None) -> str:
    """Return a number of rows and their time span in words."""
    times = f", from {instant(first)} to {instant(last)}" if first and last else ""
    return f"{rows:,} rows{times}"


def _state(report: RunReport, checkpoint: str) -> str:
    if report.dry_run:
        return f"{one_line(checkpoint)} would have {report.total_events:,} rows."
    if report.checkpoint is None:
        return "There is no checkpoint."
    rows = span(report.total_events, report.first_timestamp, report.last_timestamp)
    unchanged = "" if report.commit_id else " (unchanged)"
    return f"{one_line(checkpoint)}{unchanged}: {rows}, {report.size_bytes:,} bytes"


def _rejects(report: RunReport, checkpoint: str) -> Iterator[RenderableType]:
    if report.rejects and not report.dry_run:
        command = shlex.join(["nacc-checkpoint", "rejects", checkpoint])
        yield f"{report.rejects:,} objects are in the rejects; see why: {one_line(command)}"
    if report.failed_files and report.dry_run:
        yield "Not taken, for example:"
        for file in report.failed_files[:_EXAMPLES]:
            yield f"  {one_line(file.key)}: {one_line(file.reason)}"


def _oddities(report: RunReport, checkpoint: str) -> Iterator[RenderableType]:
    if report.unrecognized_examples:
        yield "Not named like event objects, for example:"
        for name in report.unrecognized_examples[:_EXAMPLES]:
            yield f"  {one_line(name)}"
        if not report.dry_run:
            command = shlex.join(["nacc-checkpoint", "rejects", checkpoint, "--unrecognized"])
            yield f"All of them, and why: {one_line(command)}"
    yield from (Text(one_line(hint), "yellow") for hint in report.hints)
    if report.unknown_fields:
        fields = (f"{one_line(name)} ({n:,})" for name, n in report.unknown_fields.items())
        yield f"Fields that this event format does not know: {', '.join(fields)}"
    if report.future_dated:
        yield Text(
            f"Warning: {report.future_dated:,} of the new events are in the future", "yellow"
        )
    for warning in report.warnings:
        yield Text(f"Warning: {one_line(warning)}", "yellow")
    if report.awaiting_upgrade:
        waiting = f"{report.awaiting_upgrade:,} rows may lack what this event format has added"
        yield Text(f"{waiting}; their objects are read again by a later run", "yellow")
    if not report.complete:
        yield Text(f"{report.counts.deferred:,} objects are left; run again", "yellow")
