"""What the annotations of a struct say of its settings: for its own check, and for every front."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct, structs

__all__ = ["Description", "beyond_bounds", "described"]

_SAID: Final = ("description", "title", "ge", "le", "extra")


class Description(Struct, frozen=True, kw_only=True):
    """One setting: a field of a struct, as its type and the `Meta` beside it describe it.

    `expected` says what `read` takes, `when_missing` what it means to give nothing, and `bounds`
    are the least and the greatest number. A default of NODEFAULT means that it must be given.
    """

    name: str
    type: Any
    meaning: str
    expected: str
    when_missing: str
    default: Any
    bounds: tuple[float, float] | None

    def read(self, raw: object) -> Any:
        """Return the value that a text, or a value of JSON, stands for.

        Raises ValueError, which says what is expected and quotes nothing.
        """
        try:
            return msgspec.convert(_plain(raw, self.type), self.type, strict=False)
        except (ValueError, OverflowError, msgspec.MsgspecError):
            raise ValueError(f"must be {self.expected}") from None


@cache
def described(struct: type[Struct]) -> Mapping[str, Description]:
    """Return the fields that are settings by their names: those whose type has a `Meta`.

    Its `description` is the meaning and `title`, where the type does not tell it, what is expected;
    `extra` may say under `missing` what it means to give nothing.
    """
    return {
        field.name: _described(field)
        for field in structs.fields(struct)
        if get_origin(field.type) is Annotated
    }


def beyond_bounds(settings: Struct) -> list[str]:
    """Return a sentence for each number that is not within its bounds."""
    return [
        f"{each.name} must be {each.expected}"
        for each in described(type(settings)).values()
        if each.bounds and not each.bounds[0] <= getattr(settings, each.name) <= each.bounds[1]
    ]


def _described(field: structs.FieldInfo) -> Description:
    kind, *metas = get_args(field.type)
    said = {
        name: value
        for meta in metas
        for name in _SAID
        if (value := getattr(meta, name)) is not None
    }
    bounds = (said["ge"], said["le"]) if "ge" in said else None
    return Description(
        name=field.name,
        type=field.type,
        meaning=said["description"],
        expected=said.get("title") or _expected(kind, bounds),
        when_missing=said.get("extra", {}).get("missing") or _when_missing(field.default),
        default=field.default,
        bounds=bounds,
    )


def _expected(kind: Any, bounds: tuple[float, float] | None) -> str:
    if bounds:
        return f"a {'whole ' if kind is int else ''}number from {bounds[0]} to {bounds[1]}"
    *others, last = ("true", "false") if kind is bool else get_args(kind) or tuple(kind)
    return f"{', '.join(others)} or {last}"


def _when_missing(default: object) -> str:
    if default is NODEFAULT:
        return "the run fails before it starts"
    return "false" if default is False else "the default"


def _plain(raw: object, kind: Any) -> object:
    """Read what people write in their own way, lists and times; all else is as msgspec takes it."""
    parts = get_args(get_args(kind)[0])
    if datetime in parts:
        # Without an offset it is UTC.
        moment = datetime.fromisoformat(msgspec.convert(raw, str))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    if Ellipsis in parts:
        return msgspec.convert(raw, str).replace(",", " ").split()
    return raw
