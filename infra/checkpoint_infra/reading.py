"""Reading a stack's configuration: every mistake is reported, and all of them at once."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import UNSET, Meta, structs
from pulumi.runtime.config import CONFIG, get_config_env

from checkpoint_infra.config import Artifacts, Checkpoint, Configuration, Section, Source

__all__ = ["WrongConfigurationError", "configured", "read_configuration"]

_Section = TypeVar("_Section", bound=Section)


class WrongConfigurationError(Exception):
    """Settings are missing, wrong or unknown; `problems` has all of them, one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keep every problem."""
        self.problems = problems
        lines = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"Wrong configuration, nothing was deployed:{lines}")


def configured(project: str) -> dict[str, str]:
    """Return what the stack's file says below the project's name, by key, as Pulumi hands it over.

    Pulumi's own `Config` answers for single keys only, and so could not find unknown ones.
    """
    everything = {**get_config_env(), **CONFIG.get()}
    prefix = f"{project}:"
    return {
        key.removeprefix(prefix): value
        for key, value in everything.items()
        if key.startswith(prefix)
    }


def read_configuration(values: Mapping[str, str]) -> Configuration:
    """Return the configuration; scalars are given as text, sections as JSON.

    Raises WrongConfigurationError with everything that is wrong, missing or unknown.
    """
    problems: list[str] = []
    raw = {key: _parsed(key, text, problems) for key, text in values.items()}
    configuration = _section(Configuration, raw, "", problems)
    if configuration is not None and not problems:
        problems.extend(_contradictions(configuration))
    if configuration is None or problems:
        raise WrongConfigurationError(tuple(problems))
    return configuration


def _parsed(key: str, text: str, problems: list[str]) -> Any:
    """Return a section's content, or a scalar's text; UNSET after a problem."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        problems.append(f"{key}: is not JSON ({error})")
        return UNSET


def _section(kind: type[_Section], raw: object, path: str, problems: list[str]) -> _Section | None:
    """Read one section and those inside it; None where anything in them is wrong."""
    if not isinstance(raw, dict):
        problems.append(f"{path}: must be an object")
        return None
    before = len(problems)
    fields = {field.encode_name: field for field in structs.fields(kind)}
    problems.extend(f"{_at(path, key)}: is not a setting" for key in sorted(raw.keys() - fields))
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in raw:
            values[field.name] = _value(field.type, raw[key], _at(path, key), problems)
        elif field.required:
            problems.append(f"{_at(path, key)}: is missing")
    if len(problems) > before:
        return None
    section = kind(**values)
    problems.extend(f"{path}: {problem}" for problem in section.problems())
    return section


def _value(kind: Any, raw: object, path: str, problems: list[str]) -> Any:
    if raw is UNSET:
        return None
    for section in (kind, *get_args(kind)):
        if isinstance(section, type) and issubclass(section, Section) and raw is not None:
            return _section(section, raw, path, problems)
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        expected = _description(kind) if "regex" in message else None
        said = f"must be {expected}" if expected else message
        problems.append(f"{path}{where.removesuffix('`')}: {said}")
        return None


def _description(kind: Any) -> str | None:
    """Return what the type says that its text must be."""
    if get_origin(kind) is Annotated:
        descriptions = [each.description for each in get_args(kind) if isinstance(each, Meta)]
        return descriptions[0] if descriptions else None
    return next(filter(None, map(_description, get_args(kind))), None)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _contradictions(config: Configuration) -> Iterator[str]:
    """Say which sections contradict one another."""
    yield from _layer_contradictions(config)
    yield from _storage_contradictions(config)
    if _is_unknown_zone(config.schedule.time_zone):
        yield "schedule.timeZone: must be a name such as America/New_York"
    if config.run.ledger_retention_days < config.checkpoint.noncurrent_days:
        yield (
            "run.ledgerRetentionDays: must not be shorter than checkpoint.noncurrentDays, or a "
            "restored version of the checkpoint would lack its ledger"
        )
    if config.alarms.duration_minutes * 60 >= config.function.timeout_s:
        yield "alarms.durationMinutes: must be less than function.timeoutS, or it never rises"
    if config.athena and not config.checkpoint.folder:
        yield "athena: needs checkpoint.key to be in a folder, which becomes the table's location"


def _layer_contradictions(config: Configuration) -> Iterator[str]:
    layers = config.layers.by_name()
    if any(layer.mode == "build" for layer in layers.values()) and not config.artifacts.bucket:
        yield "artifacts.bucket: is missing; layers in mode build are published through it"
    arns = {f"layers.{name}": layer.arn for name, layer in layers.items()}
    arns["function.telemetryLayerArn"] = config.function.telemetry_layer_arn
    for where, arn in arns.items():
        if arn and arn.split(":")[3] != config.region:
            yield f"{where}: a layer must be in the function's region, {config.region}"


def _storage_contradictions(config: Configuration) -> Iterator[str]:
    source, checkpoint, artifacts = config.source, config.checkpoint, config.artifacts
    sections: dict[str, Source | Checkpoint | Artifacts] = {
        "source": source,
        "checkpoint": checkpoint,
        "artifacts": artifacts,
    }
    changed = [
        name
        for name, section in sections.items()
        if section.create or getattr(section, "owns_lifecycle", False)
    ]
    for name in changed:
        if [section.bucket for section in sections.values()].count(sections[name].bucket) > 1:
            yield (
                f"{name}: a bucket that is created here, or whose lifecycle is, "
                "must have one purpose only"
            )
    if (
        config.athena
        and source.bucket == checkpoint.bucket
        and (source.prefix.startswith(checkpoint.folder))
    ):
        yield "athena: the event objects must not be below the checkpoint's folder"


def _is_unknown_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return True
    return False
