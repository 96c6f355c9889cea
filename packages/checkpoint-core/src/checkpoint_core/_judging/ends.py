"""What became of the objects that were read: each has come to one end."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl
from msgspec import Struct, structs

from checkpoint_core._judging.accepted import AcceptedRows

_UNKNOWN_NAMES_COUNTED: Final = 1_000


class Judgement(Struct, frozen=True, kw_only=True):
    """What became of the objects that were read.

    `touched`: key, digest, etag, size, last_modified. `reread`: like `accepted`, of objects with
    the content that was taken, under a narrower format, and with values for the columns that were
    added since. `rejected`: REJECTS_SCHEMA. `withheld`: like `touched`, of participants who were
    taken out; only what is known by its content has an etag. Each key is in at most one of them.
    `unknown_fields` counts the accepted events with each field name that the model does not know.
    """

    accepted: AcceptedRows
    touched: pl.DataFrame
    reread: pl.DataFrame
    rejected: pl.DataFrame
    withheld: pl.DataFrame
    before_cutoff: int
    unknown_fields: Counter[str]

    def without(self, keys: pl.DataFrame) -> "Judgement":
        """Return what is left when the given keys are left to the next run."""
        parts = {
            name: getattr(self, name).join(keys, on="key", how="anti", maintain_order="left")
            for name in ("touched", "reread", "rejected", "withheld")
        }
        return structs.replace(self, accepted=self.accepted.without(keys), **parts)

    @property
    def ends(self) -> int:
        """The number of objects that were judged."""
        return sum(part.height for part in self._parts) + self.before_cutoff

    def keys(self) -> pl.DataFrame:
        """Return the keys of all objects in it."""
        return pl.concat([part.select("key") for part in self._parts])

    @property
    def _parts(self) -> tuple[AcceptedRows | pl.DataFrame, ...]:
        return (self.accepted, self.touched, self.reread, self.rejected, self.withheld)


def joined(parts: Sequence[Judgement]) -> Judgement:
    """Return the judgement of all the objects together."""
    unknown = Counter[str]()
    for part in parts:
        count_names(unknown, part.unknown_fields.items())
    return Judgement(
        accepted=AcceptedRows.together([part.accepted for part in parts]),
        touched=pl.concat([part.touched for part in parts]),
        reread=pl.concat([part.reread for part in parts]),
        rejected=pl.concat([part.rejected for part in parts]),
        withheld=pl.concat([part.withheld for part in parts]),
        before_cutoff=sum(part.before_cutoff for part in parts),
        unknown_fields=unknown,
    )


def count_names(unknown: Counter[str], names: Iterable[tuple[str, int]]) -> None:
    """Add to the counts of names, which are input like everything else: of so many at most."""
    for name, count in names:
        if name in unknown or len(unknown) < _UNKNOWN_NAMES_COUNTED:
            unknown[name] += count
