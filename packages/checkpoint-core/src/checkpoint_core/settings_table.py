"""The table of everything that may be set: where, by default to what, and what it means."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

from checkpoint_core import Request, Settings

__all__ = ["BY_NAME", "SETTINGS", "LogLevel", "Setting"]

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

_DEFAULTS: Final = Settings()
_REQUEST: Final = Request()
_TYPES: Final = get_type_hints(Settings)


class Setting(Struct, frozen=True, kw_only=True):
    """One thing that may be set.

    `event_key`, `variable` and `option` say where: in the Lambda event, in the environment, on the
    command line; None: not there. In this order the first that is given counts. `expected` says
    what `read` accepts, `bounds` the least and the greatest number, and `when_missing` what null,
    empty text or nothing at all means.
    """

    name: str
    meaning: str
    expected: str
    when_missing: str
    read: Callable[[Any], Any]
    default: Any = None
    bounds: tuple[float, float] | None = None
    is_required: bool = False
    event_key: str | None = None
    variable: str | None = None
    option: str | None = None


def _as(wanted: Any) -> Callable[[Any], Any]:
    return lambda raw: msgspec.convert(raw, wanted, strict=False)


def _matching(pattern: str) -> Callable[[Any], Any]:
    whole = re.compile(pattern)

    def read(raw: Any) -> str:
        text = msgspec.convert(raw, str)
        if whole.fullmatch(text) is None:
            raise ValueError
        return text

    return read


def _patterns(raw: Any) -> tuple[str, ...]:
    return tuple(msgspec.convert(raw, str).replace(",", " ").split())


def _moment(raw: Any) -> datetime:
    """Read an ISO 8601 time; without an offset it is UTC."""
    moment = datetime.fromisoformat(msgspec.convert(raw, str))
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError from error


def _upper(wanted: Any) -> Callable[[Any], Any]:
    return lambda raw: msgspec.convert(msgspec.convert(raw, str).upper(), wanted)


def _limit(
    name: str,
    meaning: str,
    *,
    bounds: tuple[float, float],
    default: float | None = None,
    variable: str | None = None,
    has_option: bool = True,
) -> Setting:
    """Describe a number within bounds; type and default are the core's own where it has it."""
    default = getattr(_DEFAULTS, name) if default is None else default
    least, most = bounds
    return Setting(
        name=name,
        meaning=meaning,
        expected=f"a {'whole ' if isinstance(default, int) else ''}number from {least} to {most}",
        when_missing="the default",
        read=_as(Annotated[type(default), Meta(ge=least, le=most)]),
        default=default,
        bounds=bounds,
        variable=variable or name.upper(),
        option=f"--{name.replace('_', '-')}" if has_option else None,
    )


def _switch(name: str, meaning: str, *, event_key: str | None = None) -> Setting:
    return Setting(
        name=name,
        meaning=meaning,
        expected="true or false",
        when_missing="false",
        read=_as(bool),
        default=getattr(_REQUEST, name),
        event_key=event_key,
        option=f"--{name.replace('_', '-')}",
    )


_BUCKET: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]"
_A_BUCKET: Final = "a bucket's name, without s3:// and without a path"
# At most what S3 takes; no line breaks and the like, and no . or .. that a client would resolve.
_KEY: Final = r"(?!/)(?!(?:.*/)?\.\.?(?:/|$))[^\x00-\x1f\x7f]{1,1024}"
_LABEL: Final = r"[!-~][ -~]{0,253}"

_LOCATIONS: Final = (
    Setting(
        name="source_bucket",
        meaning="The bucket that holds the event objects.",
        expected=_A_BUCKET,
        when_missing="the run fails before it starts",
        read=_matching(_BUCKET),
        is_required=True,
        event_key="source_bucket",
        variable="SOURCE_BUCKET",
        option="SOURCE",
    ),
    Setting(
        name="prefix",
        meaning="The folder of the bucket that holds the event objects, such as prod/.",
        expected="a folder's name of at most 1024 characters that does not begin with a slash and "
        "has no part . or ..",
        when_missing="the whole bucket",
        read=_matching(_KEY),
        default="",
        event_key="prefix",
        variable="SOURCE_PREFIX",
        option="SOURCE",
    ),
    Setting(
        name="checkpoint_bucket",
        meaning="The bucket that holds the checkpoint and the files beside it.",
        expected=_A_BUCKET,
        when_missing="the run fails before it starts",
        read=_matching(_BUCKET),
        is_required=True,
        event_key="checkpoint_bucket",
        variable="CHECKPOINT_BUCKET",
        option="CHECKPOINT",
    ),
    Setting(
        name="checkpoint_key",
        meaning="The checkpoint's key, such as checkpoints/events.parquet.",
        expected="a key of at most 1024 characters that ends with a name and .parquet, does not "
        "begin with a slash and has no part . or ..",
        when_missing="the run fails before it starts",
        read=_matching(rf"{_KEY}(?<=[^/]\.parquet)"),
        is_required=True,
        event_key="checkpoint_key",
        variable="CHECKPOINT_KEY",
        option="CHECKPOINT",
    ),
    Setting(
        name="kms_key_id",
        meaning="The KMS key, by id, ARN or alias, that everything written is encrypted with.",
        expected="the id, the ARN or the alias of a KMS key",
        when_missing="the bucket's own default encryption",
        read=_matching(r"[A-Za-z0-9:/_-]{1,2048}"),
        variable="CHECKPOINT_KMS_KEY_ID",
    ),
)

_ONE_RUN: Final = (
    Setting(
        name="since",
        meaning="The cutoff of this one run: only events with a later timestamp are taken; the "
        "others are left to a run without it.",
        expected="an ISO 8601 time, such as 2026-09-30T12:00:00Z; without an offset it is UTC",
        when_missing="no cutoff",
        read=_moment,
        event_key="since",
        option="--since",
    ),
    _switch("dry_run", "Say what would be done, and write nothing.", event_key="dry_run"),
    Setting(
        name="mode",
        meaning="Take over a checkpoint without a ledger, or files of another system; or make the "
        "checkpoint anew.",
        expected="incremental, adopt or rebuild",
        when_missing="an incremental run",
        read=_as(get_type_hints(Request)["mode"]),
        default=_REQUEST.mode,
        option="--adopt, --adopt-from, --rebuild",
    ),
    _switch("allow_loss", "Rebuild although rows will be lost."),
    _switch("accept_source_change", "Go on although the checkpoint belongs to another source."),
    _switch("accept_empty_source", "Go on although there are no objects any more."),
    _switch(
        "list_restores",
        "Ask for restore states of archived objects even if that was done less than a day ago.",
    ),
)

_RULES: Final = (
    Setting(
        name="event_format",
        meaning="The version of the event contract that objects are judged by.",
        expected="1.0 or 1.1",
        when_missing="the default",
        read=_as(_TYPES["event_format"]),
        default=_DEFAULTS.event_format,
        variable="EVENT_FORMAT",
        option="--event-format",
    ),
    Setting(
        name="exclude_projects",
        meaning="Patterns (*, ?, [...]) of the project labels whose events are left out.",
        expected="patterns, separated by commas or spaces",
        when_missing="no project is left out",
        read=_patterns,
        default=_DEFAULTS.exclude_projects,
        variable="EXCLUDE_PROJECTS",
        option="--exclude-project",
    ),
    Setting(
        name="compression",
        meaning="The codec of the checkpoint.",
        expected="snappy, zstd, lz4 or uncompressed",
        when_missing="the default",
        read=_as(_TYPES["compression"]),
        default=_DEFAULTS.compression,
        variable="COMPRESSION",
        option="--compression",
    ),
)

_LIMITS: Final = (
    _limit(
        "max_object_size_bytes",
        "A larger object is refused without being read whole.",
        bounds=(1, 1_073_741_824),
    ),
    _limit(
        "max_events_per_run",
        "A run that has taken so many events commits them and leaves the rest to the next.",
        bounds=(1, 100_000_000),
    ),
    _limit(
        "batch_objects",
        "How many objects, and at most 64 MiB of them, are read before they are made into columns.",
        bounds=(1, 1_000_000),
    ),
    _limit("row_group_rows", "The most rows in one row group.", bounds=(1, 100_000_000)),
    _limit(
        "commit_attempts",
        "How often a run merges again after another run replaced the checkpoint first.",
        bounds=(1, 100),
    ),
    _limit(
        "listed_failures",
        "How many rejected objects are listed in the response and get a log line.",
        bounds=(0, 1_000),
    ),
    _limit(
        "reserve_s",
        "A run stops reading when no more seconds than this are left, so that it can commit.",
        bounds=(0, 900),
        variable="RESERVE_SECONDS",
        has_option=False,
    ),
    _limit(
        "future_tolerance_s",
        "Events dated more seconds than this after the start are counted as future-dated.",
        bounds=(0, 315_360_000),
        variable="FUTURE_TOLERANCE_SECONDS",
    ),
    _limit(
        "ledger_retention_days",
        "Ledgers that no longer count are deleted when they are older than this.",
        bounds=(0, 36_500),
    ),
    _limit(
        "read_concurrency",
        "How many objects are read from S3 at once; fewer where this machine's limits of open "
        "files and threads demand it.",
        bounds=(1, 1_024),
        default=256,
    ),
)

_OPERATION: Final = (
    Setting(
        name="log_level",
        meaning="The least important lines to log; those of libraries begin at WARNING.",
        expected="DEBUG, INFO, WARNING, ERROR or CRITICAL",
        when_missing="the default",
        read=_upper(LogLevel),
        default="INFO",
        variable="LOG_LEVEL",
    ),
    Setting(
        name="service",
        meaning="The service's name in log lines, and a dimension of every metric.",
        expected="at most 254 printable ASCII characters",
        when_missing="the default",
        read=_matching(_LABEL),
        default="event-log-checkpoint",
        variable="POWERTOOLS_SERVICE_NAME",
    ),
    Setting(
        name="environment",
        meaning="The environment's name in log lines, and a dimension of every metric.",
        expected="at most 254 printable ASCII characters",
        when_missing="the default",
        read=_matching(_LABEL),
        default="default",
        variable="ENVIRONMENT",
    ),
)

SETTINGS: Final = (*_LOCATIONS, *_ONE_RUN, *_RULES, *_LIMITS, *_OPERATION)
"""Everything that may be set, each thing once."""

BY_NAME: Final = {setting.name: setting for setting in SETTINGS}
"""The same, to look one up."""
