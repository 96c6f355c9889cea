"""The settings of one invocation, read from its event and from the environment.

What may be set, within which bounds and what it means stands with each setting's type. Here is
only what people call it: the event's key is the field's name, and the variable is it in capitals.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Final

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from checkpoint_core import CheckpointError, Request, Settings
from checkpoint_core.descriptions import Description, described
from checkpoint_lambda._logging import LogLevel
from checkpoint_queries.exports import Export, InvalidExportsError, read_exports
from checkpoint_storage.settings import S3Settings

__all__ = [
    "Identity",
    "InvalidSettingsError",
    "LambdaSettings",
    "event_key",
    "read_identity",
    "read_settings",
    "settings",
    "variable",
]

_SCHEDULERS: Final = {"aws.events", "aws.scheduler"}
_SCHEDULED: Final = "Scheduled Event"
_ENVELOPE: Final = {
    "version",
    "id",
    "detail-type",
    "source",
    "account",
    "time",
    "region",
    "resources",
    "detail",
}
_NAME_LENGTH: Final = 40
_NAMES: Final = 20

_Bucket = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]\Z",
        title="a bucket's name, without s3:// and without a path",
    ),
]
# At most what S3 takes; no line breaks and the like, and no . or .. that a client would resolve.
_KEY: Final = r"^(?!/)(?!(?:.*/)?\.\.?(?:/|$))[^\x00-\x1f\x7f]{1,1024}"
_Label = Annotated[
    str, Meta(pattern=r"^[!-~][ -~]{0,253}\Z", title="at most 254 printable ASCII characters")
]


class InvalidSettingsError(CheckpointError):
    """Settings are missing or wrong; `problems` has all of them, one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keep every problem; none of them quotes a value."""
        self.problems = problems
        super().__init__(f"Wrong settings: {'; '.join(problems)}. Nothing was touched.")


class Identity(Struct, frozen=True, kw_only=True):
    """What log lines and metrics are told apart by, and how much is logged."""

    log_level: Annotated[
        LogLevel,
        Meta(description="The least important lines to log; those of libraries begin at WARNING."),
    ] = "INFO"
    service: Annotated[
        _Label,
        Meta(description="The service's name in log lines, and a dimension of every metric."),
    ] = "event-log-checkpoint"
    environment: Annotated[
        _Label,
        Meta(description="The environment's name in log lines, and a dimension of every metric."),
    ] = "default"


class LambdaSettings(Struct, frozen=True, kw_only=True):
    """Everything that one invocation is told."""

    source_bucket: Annotated[_Bucket, Meta(description="The bucket that holds the event objects.")]
    prefix: Annotated[
        str,
        Meta(
            pattern=rf"{_KEY}\Z",
            description="The folder of the bucket that holds the event objects, such as prod/.",
            title="a folder's name of at most 1024 characters that does not begin with a slash and has no part . or ..",
            extra={"missing": "the whole bucket"},
        ),
    ] = ""
    checkpoint_bucket: Annotated[
        _Bucket, Meta(description="The bucket that holds the checkpoint and the files beside it.")
    ]
    checkpoint_key: Annotated[
        str,
        Meta(
            pattern=rf"{_KEY}(?<=[^/]\.parquet)\Z",
            description="The checkpoint's key, such as checkpoints/events.parquet.",
            title="a key of at most 1024 characters that ends with a name and .parquet, does not begin with a slash and has no part . or ..",
        ),
    ]
    s3: S3Settings
    core: Settings
    request: Request
    exports: tuple[Export, ...] | None = None


class _Derived(Struct, frozen=True, kw_only=True):
    """What is derived from the checkpoint after a run, as the environment has it."""

    exports: Annotated[
        str,
        Meta(
            description="What is derived from the checkpoint after each run.",
            title="a JSON list of exports",
            extra={"missing": "nothing is derived, and what is there is left alone"},
        ),
    ] = ""


_STRUCTS: Final = (LambdaSettings, Request, Settings, S3Settings, _Derived, Identity)
_EVENT_KEYS: Final = {*described(LambdaSettings), "since", "dry_run"}
_VARIABLES: Final[Mapping[str, str | None]] = {
    # What is asked of one run is not for all runs.
    **dict.fromkeys(described(Request)),
    "prefix": "SOURCE_PREFIX",
    "reserve_s": "RESERVE_SECONDS",
    "future_tolerance_s": "FUTURE_TOLERANCE_SECONDS",
    "kms_key_id": "CHECKPOINT_KMS_KEY_ID",
    "service": "POWERTOOLS_SERVICE_NAME",
}


def settings() -> list[Description]:
    """Return everything that may be set, in the order in which it is told."""
    return [each for struct in _STRUCTS for each in described(struct).values()]


def event_key(name: str) -> str | None:
    """Return the key of the event that a setting has; None where it has none."""
    return name if name in _EVENT_KEYS else None


def variable(name: str) -> str | None:
    """Return the environment variable that a setting has; None where it has none."""
    return _VARIABLES.get(name, name.upper())


def read_identity(environ: Mapping[str, str]) -> Identity:
    """Return who is running; never fails, so that a failure to read the rest can be told.

    What is missing or wrong has its default here; `read_settings` reports what is wrong.
    """
    values = {}
    for each in described(Identity).values():
        _, raw = _find(each.name, {}, environ)
        if raw is not None:
            with suppress(ValueError):
                values[each.name] = each.read(raw)
    return Identity(**values)


def read_settings(event: object, environ: Mapping[str, str]) -> LambdaSettings:
    """Return what the event says, and for each key that it lacks what the environment says.

    Null and empty text count as missing. A scheduler's envelope is ignored.
    Raises InvalidSettingsError with everything that is wrong or missing.
    """
    given, problems = _own_keys(event)
    values: dict[str, Any] = {}
    for each in settings():
        label, raw = _find(each.name, given, environ)
        if raw is not None:
            try:
                values[each.name] = each.read(raw)
            except ValueError as error:
                problems.append(f"{label} {error}")
        elif each.default is NODEFAULT:
            problems.append(f"{label} is missing")
    exports, mistakes = _exports(values.pop("exports", ""), values.get("checkpoint_key", ""))
    problems += mistakes
    if problems:
        raise InvalidSettingsError(tuple(problems))
    return LambdaSettings(
        exports=exports,
        **_fields(LambdaSettings, values),
        s3=S3Settings(**_fields(S3Settings, values)),
        core=Settings(**_fields(Settings, values)),
        request=Request(**_fields(Request, values)),
    )


def _exports(text: str, checkpoint_key: str) -> tuple[tuple[Export, ...] | None, list[str]]:
    """Return the exports that a JSON text defines, and what is wrong with it."""
    if not text:
        return None, []
    try:
        definitions = msgspec.json.decode(text)
        return read_exports(definitions, checkpoint=checkpoint_key.rpartition("/")[2]), []
    except InvalidExportsError as error:
        return None, [f"EXPORTS: {mistake}" for mistake in error.mistakes]
    except msgspec.DecodeError:
        return None, ["EXPORTS must be a JSON list of exports"]


def _own_keys(event: object) -> tuple[dict[str, Any], list[str]]:
    """Return the keys of the event that are meant for us, and what is wrong with the others."""
    if event is None:
        return {}, []
    if not isinstance(event, dict):
        return {}, ["the event must be a JSON object"]
    ignored = _ENVELOPE if _is_scheduled(event) else set()
    given = {key: event[key] for key in event.keys() & _EVENT_KEYS - ignored}
    unknown = sorted(_shortened(key) for key in event.keys() - ignored - given.keys())
    problems = [f"the event's key {key} is not known" for key in unknown[:_NAMES]]
    if unknown[_NAMES:]:
        problems.append(f"{len(unknown) - _NAMES} more keys of the event are not known")
    return given, problems


def _is_scheduled(event: dict[str, Any]) -> bool:
    return event.get("detail-type") == _SCHEDULED and event.get("source") in _SCHEDULERS


def _shortened(key: object) -> str:
    shown = ascii(key)[1:-1] if isinstance(key, str) else type(key).__name__
    return shown if len(shown) <= _NAME_LENGTH else f"{shown[: _NAME_LENGTH - 3]}..."


def _find(
    name: str, given: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[str, object | None]:
    """Return what people call the setting where it was found, and its value, None without one."""
    places: list[tuple[str, object]] = []
    if key := event_key(name):
        places.append((f"the event's {key}", given.get(key)))
    if in_environment := variable(name):
        text = environ.get(in_environment, "")
        # A level may be written in small letters, too.
        places.append((in_environment, text.upper() if name == "log_level" else text))
    for label, raw in places:
        if (present := _present(raw)) is not None:
            return label, present
    return " or ".join(label for label, _ in reversed(places)), None


def _present(raw: object) -> object | None:
    """Return what was given without blanks around it, None for nothing."""
    return (raw.strip() or None) if isinstance(raw, str) else raw


def _fields(struct: type[Struct], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in struct.__struct_fields__ if name in values}
