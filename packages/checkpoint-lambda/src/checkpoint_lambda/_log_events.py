"""Every log event of a run: when it is logged and with what, and the table that documents them."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct, structs
from structlog.stdlib import BoundLogger

from checkpoint_core import Content, ReadFailure, RunReport
from checkpoint_core.responses import ErrorDocument
from checkpoint_format.stores import Stage

_EXAMPLES: Final = 20


class LogEvent(Struct, frozen=True, kw_only=True):
    """One kind of line."""

    name: str
    level: str
    meaning: str


LOG_EVENTS: Final = (
    LogEvent(name="run_started", level="INFO", meaning="The settings are right; what is asked."),
    LogEvent(
        name="checkpoint_loaded",
        level="INFO",
        meaning="The checkpoint in force and its ledger were found; without sizes: there is none.",
    ),
    LogEvent(name="source_listed", level="INFO", meaning="How many objects there are."),
    LogEvent(
        name="objects_read",
        level="INFO",
        meaning="How many objects were selected, and how many of them were read.",
    ),
    LogEvent(
        name="objects_validated",
        level="INFO",
        meaning="How many of them were accepted, touched (no new content) and rejected.",
    ),
    LogEvent(name="rows_merged", level="INFO", meaning="The next checkpoint is on the disk."),
    LogEvent(
        name="commit_attempted",
        level="INFO",
        meaning="It was written, and its `outcome`: written, refused (another run was first) or "
        "unknown (read back before deciding).",
    ),
    LogEvent(name="checkpoint_committed", level="INFO", meaning="The new checkpoint is in force."),
    LogEvent(
        name="object_rejected",
        level="WARNING",
        meaning="One object that was not taken, and why; at most LISTED_FAILURES lines.",
    ),
    LogEvent(
        name="run_warning",
        level="WARNING",
        meaning="Something beside the data went wrong, which the next run makes good; or a setting "
        "was lowered, because this machine does not allow as much.",
    ),
    LogEvent(
        name="exports_updated",
        level="INFO",
        meaning="What is derived from the checkpoint was brought up to date, as far as time allowed.",
    ),
    LogEvent(name="run_completed", level="INFO", meaning="The run is over; every number of it."),
    LogEvent(
        name="run_failed",
        level="ERROR",
        meaning="The run is over; why, and what it did nevertheless.",
    ),
    LogEvent(name="read_progress", level="DEBUG", meaning="How many objects are done."),
    LogEvent(name="object_answered", level="DEBUG", meaning="One object was read, or was not."),
    LogEvent(
        name="python_warning",
        level="WARNING",
        meaning="A library warned of something, for instance of what it will no longer support.",
    ),
    LogEvent(name="log_line_lost", level="ERROR", meaning="A line could not be made."),
)
_MILESTONES: Final[dict[Stage, str]] = {
    "load": "checkpoint_loaded",
    "list": "source_listed",
    "validate": "objects_validated",
    "read": "objects_read",
    "merge": "rows_merged",
    "commit": "commit_attempted",
    "export": "exports_updated",
}


class LoggingObserver:
    """An observer that logs each stage when it is over, with its numbers."""

    def __init__(self, logger: BoundLogger) -> None:
        self._logger = logger
        self._numbers: dict[str, int | str] = {}
        self.stage_in_progress: str | None = None
        """The stage that the run is in, or in which it failed."""
        self.last_stage: str | None = None
        """The stage that was entered last; it may be over."""

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Log the milestone when the stage ends well."""
        started = time.monotonic()
        around = self.stage_in_progress
        self.stage_in_progress = self.last_stage = name
        self._numbers = {}
        yield
        duration_ms = round((time.monotonic() - started) * 1000)
        self._logger.info(_MILESTONES[name], **self._numbers, duration_ms=duration_ms)
        self.stage_in_progress = around
        self._numbers = {}

    def progress(self, done: int, total: int) -> None:
        """Remember how many objects were selected; log how far it has come at DEBUG."""
        self.note(selected=total)
        self._logger.debug("read_progress", done=done, selected=total)

    def note(self, **numbers: int | str) -> None:
        """Remember numbers for the stage's line."""
        self._numbers |= numbers

    def answered(
        self, answer: Content | ReadFailure, *, is_withheld: Callable[[str], bool]
    ) -> None:
        """Log one object at DEBUG, by its key; not one that may not be named."""
        if is_withheld(answer.key):
            return
        if isinstance(answer, Content):
            self._logger.debug("object_answered", key=answer.key, size_bytes=len(answer.data))
        else:
            self._logger.debug("object_answered", key=answer.key, outcome=answer.outcome)

    @property
    def wants_objects(self) -> bool:
        """Whether lines for single objects come out."""
        return bool(self._logger.isEnabledFor(logging.DEBUG))


def log_completed(logger: BoundLogger, report: RunReport) -> None:
    """Log that a run has come to its end, with every number: the line to look for."""
    logger.info("run_completed", **_everything(report))


def log_objects(logger: BoundLogger, report: RunReport) -> None:
    """Log what became of single objects, what was committed, and what went wrong beside it."""
    for file in report.failed_files:
        logger.warning("object_rejected", key=file.key, outcome=file.outcome, reason=file.reason)
    for warning in report.warnings:
        logger.warning("run_warning", warning=warning)
    if report.commit_id is not None:
        logger.info(
            "checkpoint_committed",
            commit_id=report.commit_id,
            total_events=report.total_events,
            size_bytes=report.size_bytes,
        )


def log_failed(
    logger: BoundLogger,
    document: ErrorDocument,
    report: RunReport | None,
    *,
    stage: str | None,
    duration_ms: int,
    exception: BaseException | None,
) -> None:
    """Log that a run has failed: why, in which stage, and every number if it has some."""
    facts = _everything(report) if report else {"execution_time_ms": duration_ms}
    logger.error(
        "run_failed",
        error=document.error,
        message=document.message,
        error_count=document.details.error_count,
        stage=stage,
        **facts,
        exc_info=exception,
    )


def _everything(report: RunReport) -> dict[str, object]:
    return {
        "source": report.source,
        "checkpoint_path": report.checkpoint,
        "new_events_processed": report.counts.accepted,
        "total_events": report.total_events,
        "events_failed": report.counts.failed,
        "last_processed_timestamp": report.last_timestamp,
        "execution_time_ms": report.execution_time_ms,
        "incremental": report.incremental,
        "complete": report.complete,
        "dry_run": report.dry_run,
        "listed": report.listed,
        "counts": structs.asdict(report.counts),
        "rejects": report.rejects,
        "size_bytes": report.size_bytes,
        "commit_id": report.commit_id,
        "awaiting_upgrade": report.awaiting_upgrade,
        "future_dated": report.future_dated,
        "unknown_fields": report.unknown_fields,
        "unrecognized_examples": report.unrecognized_examples[:_EXAMPLES],
        "hints": report.hints,
        "new_events_by_study": [structs.asdict(each) for each in report.new_events_by_study],
    }
