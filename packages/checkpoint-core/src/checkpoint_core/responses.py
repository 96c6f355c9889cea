"""The two documents that a run ends with, whoever started it: the response, or the error."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from msgspec import Struct, field

from checkpoint_core import Counts, FailedFile, RunReport, StudyCount
from checkpoint_core.errors import DeniedObjectsError
from checkpoint_queries.exports import ExportResult

__all__ = ["ErrorDetails", "ErrorDocument", "Response", "warnings_of"]


class Response(Struct, frozen=True, kw_only=True):
    """What a run did.

    `counts` has one number for each end that a listed object can come to, and nothing else;
    `failed_files` and `unrecognized_examples` are capped. `checkpoint_path` is null when there is no checkpoint.
    """

    status_code: int = field(default=200, name="statusCode")
    checkpoint_path: str | None
    new_events_processed: int
    total_events: int
    events_failed: int
    last_processed_timestamp: datetime | None
    execution_time_ms: int
    run_id: str
    incremental: bool
    complete: bool
    counts: Counts
    awaiting_upgrade: int
    future_dated: int
    unknown_fields: dict[str, int]
    failed_files: tuple[FailedFile, ...]
    unrecognized_examples: tuple[str, ...]
    warnings: tuple[str, ...]
    hints: tuple[str, ...]
    new_events_by_study: tuple[StudyCount, ...]
    exports: tuple[ExportResult, ...] = ()

    @classmethod
    def of(cls, report: RunReport, exports: Sequence[ExportResult] = ()) -> Self:
        """Return the response to a run, after which exports were updated; those that failed warn.

        What has another name than in the report is said here.
        """
        same = {
            name: getattr(report, name)
            for name in cls.__struct_fields__
            if name != "warnings" and hasattr(report, name)
        }
        return cls(
            checkpoint_path=report.checkpoint,
            new_events_processed=report.counts.accepted,
            events_failed=report.counts.failed,
            last_processed_timestamp=report.last_timestamp,
            warnings=(*report.warnings, *warnings_of(exports)),
            exports=tuple(exports),
            **same,
        )


def warnings_of(exports: Sequence[ExportResult]) -> tuple[str, ...]:
    """Return what is wrong with exports, for people."""
    return tuple(
        f"export {each.name}: {each.problem}" for each in exports if each.state == "failed"
    )


class ErrorDetails(Struct, frozen=True, kw_only=True):
    """Which objects failed, as full locations and capped, and how many."""

    failed_files: tuple[str, ...] = ()
    error_count: int = 0


class ErrorDocument(Struct, frozen=True, kw_only=True):
    """Why a run failed: the kind of error, and what it means and what to do."""

    status_code: int = field(default=500, name="statusCode")
    error: str
    message: str
    details: ErrorDetails

    @classmethod
    def of(cls, error: BaseException, message: str) -> Self:
        """Return the document for an error, with the message that people get."""
        details = ErrorDetails()
        if isinstance(error, DeniedObjectsError):
            report = error.report
            # A source in S3 is a folder, and keys are whole: they begin with the folder's name.
            bucket = re.match(r"s3://[^/]+", report.source)
            folder = bucket[0] if bucket else report.source.rstrip("/")
            details = ErrorDetails(
                failed_files=tuple(f"{folder}/{file.key}" for file in report.failed_files),
                error_count=report.counts.failed,
            )
        return cls(error=type(error).__name__, message=message, details=details)
