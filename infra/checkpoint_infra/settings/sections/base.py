"""What all sections have in common."""

from collections.abc import Iterator

from msgspec import Struct

__all__ = ["Section"]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A group of settings that belong together."""

    def problems(self) -> Iterator[str]:
        """Say what is wrong with settings that are each right by themselves."""
        yield from ()
