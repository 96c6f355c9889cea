"""Options that go together: a struct whose fields are options stands for all of them."""

import functools
import inspect
from collections.abc import Callable, Iterator
from inspect import Parameter
from typing import Any

from msgspec import Struct

__all__ = ["OptionGroup", "with_groups"]


class OptionGroup(Struct, frozen=True, kw_only=True):
    """Options that several commands have, or that are one thing: each field is one, as typer's."""


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Have typer take each parameter that is a group of options for the options in it.

    Typer knows single options only, and finds them in the signature of a function; so the function
    that this returns has a signature in which the options of a group stand where the group stood.
    """
    signature = inspect.signature(command)
    groups = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if isinstance(parameter.annotation, type) and issubclass(parameter.annotation, OptionGroup)
    }

    @functools.wraps(command)
    def grouped(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field: given.pop(field) for field in group.__struct_fields__})
        command(**given)

    def options() -> Iterator[Parameter]:
        for name, parameter in signature.parameters.items():
            if name in groups:
                yield from inspect.signature(groups[name]).parameters.values()
            else:
                yield parameter

    grouped.__signature__ = signature.replace(parameters=list(options()))  # type: ignore[attr-defined] # what inspect goes by
    return grouped
