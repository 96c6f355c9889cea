"""The rules about more than one section, each with the sections that it looks at."""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from checkpoint_infra.settings.rules.arns import arn_problems
from checkpoint_infra.settings.rules.exports import (
    export_problems,
    export_source_problems,
    export_table_problems,
    policy_problems,
)
from checkpoint_infra.settings.rules.function import (
    duration_problems,
    environment_problems,
    reserve_problems,
)
from checkpoint_infra.settings.rules.silence import silence_problems
from checkpoint_infra.settings.rules.storage import (
    artifact_problems,
    athena_problems,
    bucket_problems,
    layer_problems,
    retention_problems,
)
from checkpoint_infra.settings.rules.tags import tag_problems
from checkpoint_infra.settings.stack import Configuration

__all__ = ["contradictions"]


class _Rule(Struct, frozen=True):
    check: Callable[[Configuration], Iterator[str]]
    looks_at: frozenset[str]


def _rule(check: Callable[[Configuration], Iterator[str]], *looks_at: str) -> _Rule:
    return _Rule(check, frozenset(looks_at))


def _tags(config: Configuration) -> Iterator[str]:
    yield from tag_problems(config.tags, config.default_tags)


_STORAGE: Final = ("source", "checkpoint", "artifacts", "access_logs")
_ARNS: Final = (
    "account",
    "alarms",
    "athena",
    "checkpoint",
    "credentials",
    "function",
    "layers",
    "notification",
    "permissions_boundary_arn",
    "region",
    "source",
)
_FUNCTION: Final = ("source", "checkpoint", "service", "environment", "function", "exports")
_RULES: Final = (
    _rule(_tags, "tags", "service", "environment"),
    _rule(arn_problems, *_ARNS),
    _rule(bucket_problems, *_STORAGE),
    _rule(artifact_problems, "artifacts", "layers"),
    _rule(layer_problems, "layers", "service", "account", "region"),
    _rule(athena_problems, "athena", "source", "checkpoint"),
    _rule(retention_problems, "run", "checkpoint"),
    _rule(silence_problems, "schedule", "alarms", "function"),
    _rule(duration_problems, "alarms", "function"),
    _rule(reserve_problems, "run", "function"),
    _rule(environment_problems, "run", *_FUNCTION),
    _rule(export_problems, "exports", "checkpoint"),
    _rule(export_source_problems, "exports", "checkpoint", "source"),
    _rule(export_table_problems, "exports", "checkpoint", "athena"),
    _rule(policy_problems, "account", "region", "vpc", *_FUNCTION),
)


def contradictions(config: Configuration, wrong: frozenset[str]) -> Iterator[str]:
    """Say what contradicts; rules that look at anything `wrong` by itself are left out."""
    for rule in _RULES:
        if not rule.looks_at & wrong:
            yield from rule.check(config)
