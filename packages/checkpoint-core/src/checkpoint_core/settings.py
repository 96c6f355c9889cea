"""Everything about a run that may be set, with its default and its meaning."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from checkpoint_core.descriptions import beyond_bounds
from checkpoint_format.writing import Compression
from nacc_event_model import EventFormat

__all__ = ["ForeignFile", "Mode", "Request", "Settings"]

Mode = Literal["incremental", "adopt", "rebuild"]


class Settings(Struct, frozen=True, kw_only=True):
    """What holds for every run on a checkpoint; each limit is named here."""

    event_format: Annotated[
        EventFormat,
        Meta(description="The version of the event contract that objects are judged by."),
    ] = EventFormat.V1_0
    exclude_projects: Annotated[
        tuple[str, ...],
        Meta(
            description="Patterns (*, ?, [...]) of the project labels whose events are left out.",
            title="patterns, separated by commas or spaces",
            extra={"missing": "no project is left out"},
        ),
    ] = ()
    compression: Annotated[Compression, Meta(description="The codec of the checkpoint.")] = "snappy"
    max_object_size_bytes: Annotated[
        int,
        Meta(
            ge=1,
            le=1_073_741_824,
            description="A larger object is refused without being read whole.",
        ),
    ] = 1_048_576
    max_events_per_run: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000_000,
            description="A run that has taken so many events commits them and leaves the rest to the next.",
        ),
    ] = 2_000_000
    batch_objects: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="How many objects, and at most 64 MiB of them, are read before they are made into columns.",
        ),
    ] = 10_000
    row_group_rows: Annotated[
        int, Meta(ge=1, le=100_000_000, description="The most rows in one row group.")
    ] = 32_768
    commit_attempts: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            description="How often a run merges again after another run replaced the checkpoint first.",
        ),
    ] = 5
    listed_failures: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000,
            description="How many rejected objects are listed in the response and get a log line.",
        ),
    ] = 20
    reserve_s: Annotated[
        float,
        Meta(
            ge=0,
            le=900,
            description="A run stops reading when no more seconds than this are left, so that it can commit.",
        ),
    ] = 60.0
    future_tolerance_s: Annotated[
        float,
        Meta(
            ge=0,
            le=315_360_000,
            description="Events dated more seconds than this after the start are counted as future-dated.",
        ),
    ] = 3_600.0
    ledger_retention_days: Annotated[
        float,
        Meta(
            ge=0,
            le=36_500,
            description="Ledgers that no longer count are deleted when they are older than this.",
        ),
    ] = 30.0

    def __post_init__(self) -> None:
        """Refuse limits with which no run could make progress; raises ValueError with them all."""
        if wrong := beyond_bounds(self):
            raise ValueError("; ".join(wrong))


class ForeignFile(Struct, frozen=True, kw_only=True):
    """A Parquet file that another tool wrote: as people know it, and where it can be read.

    It is not changed.
    """

    location: str
    path: Path


class Request(Struct, frozen=True, kw_only=True):
    """What is asked of one run."""

    since: Annotated[
        datetime | None,
        Meta(
            description="The cutoff of this one run: only events with a later timestamp are taken; the others are left to a run without it.",
            title="an ISO 8601 time, such as 2026-09-30T12:00:00Z; without an offset it is UTC",
            extra={"missing": "no cutoff"},
        ),
    ] = None
    dry_run: Annotated[bool, Meta(description="Say what would be done, and write nothing.")] = False
    mode: Annotated[
        Mode,
        Meta(
            description="Take over a checkpoint without a ledger, or files of another system; or make the checkpoint anew.",
            extra={"missing": "an incremental run"},
        ),
    ] = "incremental"
    adopt_from: tuple[ForeignFile, ...] = ()
    """Further files whose rows are adopted, besides those of the checkpoint if there is one."""
    allow_loss: Annotated[bool, Meta(description="Rebuild although rows will be lost.")] = False
    accept_source_change: Annotated[
        bool, Meta(description="Go on although the checkpoint belongs to another source.")
    ] = False
    accept_empty_source: Annotated[
        bool, Meta(description="Go on although there are no objects any more.")
    ] = False
    list_restores: Annotated[
        bool,
        Meta(
            description="Ask for restore states of archived objects even if that was done less than a day ago."
        ),
    ] = False

    def __post_init__(self) -> None:
        """Refuse combinations that make no sense; raises ValueError."""
        if self.since is not None and self.since.tzinfo is None:
            message = "since needs a time zone"
            raise ValueError(message)
        if self.since is not None and self.mode != "incremental":
            message = f"--since cannot be combined with --{self.mode}: every event counts there"
            raise ValueError(message)
        if self.adopt_from and self.mode != "adopt":
            message = "files to adopt from belong to adoption"
            raise ValueError(message)
        if self.allow_loss and self.mode != "rebuild":
            message = "--allow-loss belongs to --rebuild"
            raise ValueError(message)
