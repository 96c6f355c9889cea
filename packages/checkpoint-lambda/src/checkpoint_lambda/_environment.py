"""The settings of one invocation, read from its event and from the environment.

`SETTINGS` is the one table of everything that may be set: what is read here follows from it, and
so does the table in the documents.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from checkpoint_core import CheckpointError, Request, Settings
from checkpoint_core.settings_table import SETTINGS, LogLevel, Setting

__all__ = ["Identity", "InvalidSettingsError", "LambdaSettings", "read_identity", "read_settings"]

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


class InvalidSettingsError(CheckpointError):
    """Settings are missing or wrong; `problems` has all of them, one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keep every problem; none of them quotes a value."""
        self.problems = problems
        super().__init__(f"Wrong settings: {'; '.join(problems)}. Nothing was touched.")


class Identity(Struct, frozen=True, kw_only=True):
    """What log lines and metrics are told apart by, and how much is logged."""

    service: str
    environment: str
    log_level: LogLevel


class LambdaSettings(Struct, frozen=True, kw_only=True):
    """Everything that one invocation is told."""

    source_bucket: str
    prefix: str
    checkpoint_bucket: str
    checkpoint_key: str
    kms_key_id: str | None
    read_concurrency: int
    core: Settings
    request: Request


def read_identity(environ: Mapping[str, str]) -> Identity:
    """Return who is running; never fails, so that a failure to read the rest can be told.

    What is missing or wrong has its default here; `read_settings` reports what is wrong.
    """
    values = {}
    for setting in _of(Identity):
        text = environ.get(setting.variable or "", "").strip()
        try:
            values[setting.name] = setting.read(text) if text else setting.default
        except (ValueError, msgspec.MsgspecError):
            values[setting.name] = setting.default
    return Identity(**values)


def read_settings(event: object, environ: Mapping[str, str]) -> LambdaSettings:
    """Return what the event says, and for each key that it lacks what the environment says.

    Null and empty text count as missing. A scheduler's envelope is ignored.
    Raises InvalidSettingsError with everything that is wrong or missing.
    """
    given, problems = _own_keys(event)
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        label, raw = _find(setting, given, environ)
        if raw is None:
            values[setting.name] = setting.default
            if setting.is_required:
                problems.append(f"{label} is missing")
            continue
        try:
            values[setting.name] = setting.read(raw)
        except (ValueError, msgspec.MsgspecError):
            problems.append(f"{label} must be {setting.expected}")
    if problems:
        raise InvalidSettingsError(tuple(problems))
    return LambdaSettings(
        **_fields(LambdaSettings, values, besides={"core", "request"}),
        core=Settings(**_fields(Settings, values)),
        request=Request(**_fields(Request, values)),
    )


def _own_keys(event: object) -> tuple[dict[str, Any], list[str]]:
    """Return the keys of the event that are meant for us, and what is wrong with the others."""
    if event is None:
        return {}, []
    if not isinstance(event, dict):
        return {}, ["the event must be a JSON object"]
    ignored = _ENVELOPE if _is_scheduled(event) else set()
    known = {setting.event_key for setting in SETTINGS}
    given = {key: value for key, value in event.items() if key in known and key not in ignored}
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
    setting: Setting, given: dict[str, Any], environ: Mapping[str, str]
) -> tuple[str, object | None]:
    """Return what people call the setting where it was found, and its value, None without one."""
    if setting.event_key is not None:
        raw = _present(given.get(setting.event_key))
        if raw is not None:
            return f"the event's {setting.event_key}", raw
    if setting.variable is not None:
        raw = _present(environ.get(setting.variable))
        if raw is not None:
            return setting.variable, raw
    names = (setting.variable, setting.event_key and f"the event's {setting.event_key}")
    return " or ".join(name for name in names if name), None


def _present(raw: object) -> object | None:
    """Return what was given without blanks around it, None for nothing."""
    return (raw.strip() or None) if isinstance(raw, str) else raw


def _of(struct: type[Struct]) -> Iterator[Setting]:
    return (setting for setting in SETTINGS if setting.name in struct.__struct_fields__)


def _fields(
    struct: type[Struct],
    values: dict[str, Any],
    *,
    besides: frozenset[str] | set[str] = frozenset(),
) -> dict[str, Any]:
    names = set(struct.__struct_fields__) - besides
    return {name: value for name, value in values.items() if name in names}
