"""Everything about a run that may be set, with its default and its meaning."""

from datetime import datetime
from fnmatch import translate
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from checkpoint_core._files.parquet import Compression
from nacc_event_model import EventFormat

__all__ = ["ForeignFile", "Mode", "Request", "Settings"]

_LONGEST_DAYS: Final = 36_500
_LONGEST_S: Final = _LONGEST_DAYS * 86_400

Mode = Literal["incremental", "adopt", "rebuild"]


class Settings(Struct, frozen=True, kw_only=True):
    """What holds for every run on a checkpoint; each limit is named here."""

    event_format: EventFormat = EventFormat.V1_0
    """The version of the event contract that objects are judged by."""
    exclude_projects: tuple[str, ...] = ()
    """Patterns (`*`, `?`, `[...]`) of project labels whose events are not taken."""
    compression: Compression = "snappy"
    """The codec of the checkpoint."""
    row_group_rows: int = 32_768
    """The most rows in one row group of the checkpoint."""
    max_object_size_bytes: int = 1_048_576
    """A larger object is refused without being read whole."""
    max_events_per_run: int = 2_000_000
    """A run that has taken so many events commits them and leaves the rest to the next."""
    batch_objects: int = 10_000
    """How many objects, and at most 64 MiB of them, are read before they are made into columns."""
    commit_attempts: int = 5
    """How often a run merges again after another run replaced the checkpoint first."""
    reserve_s: float = 60.0
    """A run stops reading when no more than this is left, so that it can still commit."""
    future_tolerance_s: float = 3_600.0
    """Events dated later than the start plus this are counted as future-dated (and taken)."""
    ledger_retention_days: float = 30.0
    """Ledgers that no longer count are deleted when they are older than this."""
    listed_failures: int = 20
    """How many rejected objects and unrecognized names a report lists."""

    def __post_init__(self) -> None:
        """Refuse limits with which no run could make progress; raises ValueError with them all."""
        wrong = [
            f"{name} must be at least 1"
            for name in (
                "row_group_rows",
                "max_object_size_bytes",
                "max_events_per_run",
                "batch_objects",
                "commit_attempts",
            )
            if getattr(self, name) < 1
        ]
        wrong += [
            f"{name} must not be negative, and at most {most}"
            for name, most in (
                ("reserve_s", _LONGEST_S),
                ("future_tolerance_s", _LONGEST_S),
                ("ledger_retention_days", _LONGEST_DAYS),
                ("listed_failures", 1_000),
            )
            if not 0 <= getattr(self, name) <= most
        ]
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def exclusion(self) -> str | None:
        """One regular expression for all the excluded projects, None without any."""
        return "|".join(translate(pattern) for pattern in self.exclude_projects) or None


class ForeignFile(Struct, frozen=True, kw_only=True):
    """A Parquet file that another tool wrote: as people know it, and where it can be read.

    It is not changed.
    """

    location: str
    path: Path


class Request(Struct, frozen=True, kw_only=True):
    """What is asked of one run."""

    mode: Mode = "incremental"
    """`adopt` takes over a checkpoint without a ledger; `rebuild` makes it anew."""
    adopt_from: tuple[ForeignFile, ...] = ()
    """Further files whose rows are adopted, besides those of the checkpoint if there is one."""
    since: datetime | None = None
    """The cutoff: only events with a strictly greater timestamp are taken. Aware."""
    dry_run: bool = False
    """Decide everything, write nothing."""
    accept_source_change: bool = False
    """Go on although the checkpoint was made from another source."""
    accept_empty_source: bool = False
    """Go on although the listing is empty and the ledger is not."""
    allow_loss: bool = False
    """Rebuild although rows will be lost."""
    list_restores: bool = False
    """Ask the listing for restore states, even if that was done less than a day ago."""

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
