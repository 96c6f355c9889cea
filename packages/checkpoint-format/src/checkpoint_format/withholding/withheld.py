"""The list of withheld participants: who is on it, and which objects were found to be theirs.

It holds keyed digests, no ids. A participant is a center and a ptid, which counts without leading
zeros. A content says whose it is; where it cannot be judged, the object's name does.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Annotated, Final, TypeAlias

import polars as pl
from msgspec import Meta, Struct

from nacc_event_model import EventFormat, parse_object_name

Participant: TypeAlias = tuple[int, str]
"""The center's adcid, and the ptid as it is written in one place or another."""
PAIR: Final = ("pipeline_adcid", "ptid")
"""The columns that say whose a row is."""

_NEWEST: Final = max(EventFormat)
_LOOSE_NAME: Final = re.compile(r"[0-9]{8}-[0-9]{6}-([0-9]{1,10})-((?s:.+))")
_LONGEST_RUN: Final = 4
_Hex: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]


class Withheld(Struct, frozen=True, kw_only=True):
    """Plain data, which may be sent to wherever objects are judged.

    `revision` changes with the participants, and sorts by when; None: there is no list. `objects`
    are those whose content, as it was then, was a participant's.
    """

    revision: str | None = None
    key: bytes = b""
    participants: frozenset[_Hex] = frozenset()
    objects: frozenset[_Hex] = frozenset()

    def digest_of(self, participant: Participant) -> str:
        """Return what stands for a participant on the list."""
        adcid, ptid = participant
        return self._digest(b"participant", f"{adcid}-{ptid.strip().lstrip('0') or '0'}")

    def holds(self, adcid: int | None, ptid: str | None) -> bool:
        """Whether this participant is on the list."""
        if not self.participants or adcid is None or ptid is None:
            return False
        return self.digest_of((adcid, ptid)) in self.participants

    def is_named(self, key: str) -> bool:
        """Whether an object's name tells of one of the participants.

        That of an event object does not show where a ptid with hyphens begins: each place where it
        may counts. Of other names, each run of words counts that follows a time and a center.
        """
        name = parse_object_name(key, event_format=_NEWEST)
        if name is None or name.ptid is None:
            found = _LOOSE_NAME.search(key)
            return found is not None and any(
                self.holds(int(found[1]), words) for words in _runs(found[2])
            )
        words = f"{name.project}-{name.ptid}".split("-")
        return any(
            self.holds(name.adcid, "-".join(words[begin:])) for begin in range(1, len(words))
        )

    def pairs_in(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return those of the rows' participants that are on the list, as they are written there."""
        pairs = rows.select(PAIR).unique()
        return pairs.filter(_mask(self.holds(*pair) for pair in pairs.iter_rows()))

    def without_named(self, objects: pl.DataFrame) -> pl.DataFrame:
        """Return the objects, by `key`, whose names tell nothing of the participants."""
        if not self.participants:
            return objects
        return objects.filter(~_mask(map(self.is_named, objects["key"])))

    def knows(self, objects: pl.DataFrame) -> pl.Series:
        """Return of each object, by `key` and `etag`, whether it was found to be a participant's."""
        if not self.objects:
            return pl.repeat(value=False, n=objects.height, dtype=pl.Boolean, eager=True)
        digests = self.digests_of(objects)
        return _mask(digest in self.objects for digest in digests)

    def digests_of(self, objects: pl.DataFrame) -> Iterator[str]:
        """Yield what stands for each object, by `key` and `etag`, on the list."""
        for key, etag in objects.select("key", "etag").iter_rows():
            yield self._digest(b"object", f"{etag}\n{key}")

    def _digest(self, kind: bytes, text: str) -> str:
        data = text.encode("utf-8", "surrogatepass")
        return blake2b(data, digest_size=16, key=self.key, person=kind).hexdigest()


NOBODY: Final = Withheld()


def _mask(values: Iterator[bool]) -> pl.Series:
    return pl.Series(list(values), dtype=pl.Boolean)


def _runs(text: str) -> Iterator[str]:
    """Yield the words between hyphens, one and several together, with and without an ending."""
    words = text.split("-")
    for begin in range(len(words)):
        for end in range(begin + 1, min(begin + _LONGEST_RUN, len(words)) + 1):
            run = "-".join(words[begin:end])
            yield run
            yield run.partition(".")[0]
