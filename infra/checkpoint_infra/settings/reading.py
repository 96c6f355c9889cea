"""Reading a stack's configuration: every mistake is reported, and all of them at once."""

from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, structs
from pulumi.runtime.config import CONFIG, get_config_env

from checkpoint_infra.settings.rules.whole import contradictions
from checkpoint_infra.settings.sections.base import Section
from checkpoint_infra.settings.stack import Configuration

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
    read, wrong = _fields(Configuration, raw, "", problems)
    # Without types: a rule about sections that are right must not wait for the others.
    given: dict[str, Any] = {**dict.fromkeys(wrong), **read}
    configuration = Configuration(**given)
    problems.extend(contradictions(configuration, frozenset(wrong)))
    if problems:
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
    values, _ = _fields(kind, raw, path, problems)
    if len(problems) > before:
        return None
    section = kind(**values)
    problems.extend(_below(path, problem) for problem in section.problems())
    return section


def _fields(
    kind: type[Section], raw: Mapping[str, object], path: str, problems: list[str]
) -> tuple[dict[str, Any], set[str]]:
    """Return the values of the fields that are given and right, and the names of the wrong ones."""
    fields = {field.encode_name: field for field in structs.fields(kind)}
    problems.extend(f"{_at(path, key)}: is not a setting" for key in sorted(raw.keys() - fields))
    values: dict[str, Any] = {}
    wrong: set[str] = set()
    for key, field in fields.items():
        before = len(problems)
        if key in raw:
            values[field.name] = _value(field.type, raw[key], _at(path, key), problems)
        elif field.required:
            problems.append(f"{_at(path, key)}: is missing")
        if len(problems) > before or raw.get(key) is UNSET:
            values.pop(field.name, None)
            wrong.add(field.name)
    return values, wrong


def _value(kind: Any, raw: object, path: str, problems: list[str]) -> Any:
    if raw is UNSET:
        return None
    for each in (kind, *get_args(kind)):
        if raw is not None and (section := _section_kind(each)):
            return _section(section, raw, path, problems)
        if isinstance(raw, list) and get_origin(each) is list and _section_kind(*get_args(each)):
            [item] = get_args(each)
            return [
                _section(item, value, f"{path}[{number}]", problems)
                for number, value in enumerate(raw)
            ]
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        expected = _description(kind) if "regex" in message else None
        said = f"must be {expected}" if expected else message
        problems.append(f"{path}{where.removesuffix('`')}: {said}")
        return None


def _section_kind(kind: Any) -> type[Section] | None:
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _description(kind: Any) -> str | None:
    """Return what the type, or that of a list's items, says that its text must be."""
    if isinstance(kind, Meta):
        return kind.description
    return next(filter(None, map(_description, get_args(kind))), None)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _below(path: str, problem: str) -> str:
    """Put the section before a problem that names one of its settings, or none."""
    setting, colon, _ = problem.partition(": ")
    separator = "." if colon and setting.isalnum() else ": "
    return f"{path}{separator}{problem}"
