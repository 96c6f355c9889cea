"""What the configuration refuses, tried on the stack dev with its schedule on."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from checkpoint_infra.settings.reading import WrongConfigurationError, read_configuration
from checkpoint_infra.settings.stack import Configuration
from tests.infra.deploying import as_texts, merged, nested, stack_values

__all__ = ["only", "problems", "read", "refusal"]


def read(changes: Mapping[str, Any]) -> Configuration:
    """Read the configuration with changes, by names such as `source.prefix`."""
    return read_configuration(_texts(changes))


def problems(changes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is said about it."""
    return refusal(_texts(changes))


def refusal(texts: Mapping[str, str]) -> tuple[str, ...]:
    """Return what is wrong with values as Pulumi hands them over; people are told all of it."""
    with pytest.raises(WrongConfigurationError) as caught:
        read_configuration(texts)
    assert all(f"\n  - {problem}" in str(caught.value) for problem in caught.value.problems)
    return caught.value.problems


def only(found: Iterator[str]) -> str:
    """Return the one problem that there must be."""
    [problem] = found
    return problem


def _texts(changes: Mapping[str, Any]) -> dict[str, str]:
    on = merged(stack_values("dev"), {"schedule": {"enabled": True}})
    return as_texts(merged(on, nested(changes)))
