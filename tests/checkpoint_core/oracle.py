"""What a checkpoint must hold, worked out in plain Python from what was written and read.

The oracle sees every checkpoint just before it is put in force, and compares it with the one that
it replaces, row by row and in order: end-state checks would not see what the next run heals.
"""

import base64
import hashlib
import io
import json
from collections import Counter
from contextlib import suppress
from copy import deepcopy
from datetime import datetime
from typing import Any

import polars as pl

from checkpoint_core import Content, ReadFailure
from nacc_event_model import EventFormat, InvalidEvent
from tests.checkpoint_core.world import (
    LEDGERS,
    LIST,
    Row,
    World,
    ledger_rows,
    multiset,
    read_json_metadata,
    row,
    without_nulls,
)

Entry = dict[str, Any]


def digest_of(data: bytes) -> bytes:
    """Return the digest that tells versions apart, as the design has it."""
    return hashlib.blake2b(data, digest_size=16).digest()


def keyed(text: str, secret: bytes) -> str:
    """Return the digest that stands for a participant on the list."""
    return hashlib.blake2b(
        text.encode(), digest_size=16, key=secret, person=b"participant"
    ).hexdigest()


def narrow(rows: Counter[Row]) -> Counter[Row]:
    """Return the rows with the thirteen columns that all formats have."""
    result: Counter[Row] = Counter()
    for values, count in rows.items():
        result[values[:13]] += count
    return result


class Oracle:
    """Watches a world's store.

    `at_adoption` has the keys that were there when it was last adopted.
    `taken` has the versions that entered the checkpoint, by key, in the order in which they did,
    without those of participants who were taken out since. `states` has both as of each commit.
    """

    def __init__(self, world: World, *, foreign: bool = False) -> None:
        """Begin with what is in force; a foreign checkpoint has no ledger, and is to be adopted."""
        self.world = world
        self.rewriting = foreign
        self.taken: dict[str, list[bytes]] = {}
        self.at_adoption: set[str] = set()
        self._following: dict[str, Any] = {}
        self.states: dict[str, tuple[dict[str, list[bytes]], set[str]]] = {}
        self._valid: dict[bytes, Row] = {}
        self._looked_at = 0
        if not foreign:
            ledger = self._ledger(None)
            self.taken = {
                key: [entry["digest"]]
                for key, entry in ledger.items()
                if entry["state"] == "accepted"
            }
        world.store.on_commit = self._look

    def row(self, digest: bytes) -> Row:
        """Return the row that a version becomes."""
        return self.valid()[digest]

    def check(self) -> None:
        """Check what must hold at any time."""
        ledger = self._ledger(None)
        assert {key: versions[-1] for key, versions in self.taken.items()} == {
            key: entry["digest"] for key, entry in ledger.items() if entry["state"] == "accepted"
        }

    def listed(self, revision: str | None = None) -> set[str]:
        """Return which of the ids that were ever written are on the list, that in force or another.

        Worked out by the list's own digests, from its file or an earlier version of it.
        """
        store = self.world.store
        contents = [data for (name, _), data in store.versions.items() if name == LIST]
        contents += [store.data(LIST)] if LIST in store.files else []
        lists = {each["revision"]: each for each in map(json.loads, contents)}
        if not lists or (revision is None and LIST not in store.files):
            return set()
        found = lists[revision or json.loads(store.data(LIST))["revision"]]
        secret = base64.b64decode(found["key"])
        return {
            ptid
            for ptid in {"110001", *(str(values[6]) for values in self.valid().values())}
            if keyed(f"42-{ptid.lstrip('0')}", secret) in found["participants"]
        }

    def is_withheld(self, key: str, digest: bytes) -> bool:
        """Return whether an object is one that may not even be named in the rejects."""
        listed = self.listed()
        ours = self.row(digest)[6] in listed if digest in self.valid() else False
        return ours or ("110001" in listed and "-110001-" in key)

    def restored(self) -> None:
        """Go by the checkpoint that somebody put there, which was in force before."""
        self.taken, self.at_adoption = deepcopy(self.states[self.world.metadata()["commit_id"]])

    def check_complete(self, *, excluded: frozenset[str] = frozenset()) -> None:
        """Check that the newest version of each valid object is in the checkpoint.

        After an undisturbed, unlimited run with every object readable. `excluded` has the project
        labels that are not wanted.
        """
        self.check()
        rows = self.valid()
        adopted = self.adopted()
        for key, content in self.world.source.objects.items():
            digest = digest_of(content.data)
            is_wanted = digest in rows and rows[digest][3] not in excluded
            is_wanted = is_wanted and rows[digest][6] not in self.listed()
            is_event = key.rpartition("/")[2].startswith("log-")
            if is_wanted and is_event and key not in adopted:
                assert self.taken[key][-1] == digest, f"{key}: its newest version is not in"

    def adopted(self) -> set[str]:
        """Return the keys that the ledger has as adopted, unread."""
        ledger = self._ledger(None)
        return {key for key, entry in ledger.items() if entry["state"] == "adopted"}

    def check_filled(self) -> None:
        """Check that what the newer format adds is in the row of every object that is readable.

        After an undisturbed run under it that leaves nothing waiting. Objects that were archived or
        missing once may have been settled without it.
        """
        settled = {
            answer.key
            for answer in self.world.source.answers
            if isinstance(answer, ReadFailure) and answer.outcome in {"archived", "missing"}
        }
        wanted: Counter[Row] = Counter()
        for key, content in self.world.source.objects.items():
            versions = self.taken.get(key, [b""])
            if key not in settled and versions[-1] == digest_of(content.data):
                wanted[row(content.data, EventFormat.V1_1)] += 1
        assert wanted <= Counter(self.world.store.rows().iter_rows())

    def valid(self) -> dict[bytes, Row]:
        """Return the row of every valid version that was ever written, by its digest."""
        history = self.world.source.history
        for content in history[self._looked_at :]:
            with suppress(InvalidEvent):
                self._valid[digest_of(content.data)] = row(content.data)
        self._looked_at = len(history)
        return self._valid

    def _ledger(self, checkpoint: bytes | None) -> dict[str, Entry]:
        store = self.world.store
        if checkpoint is None and store.checkpoint_name not in store.files:
            return {}
        data = store.data(store.checkpoint_name) if checkpoint is None else checkpoint
        rows = ledger_rows(read_json_metadata(data), lambda name: store.data(f"{LEDGERS}{name}"))
        entries = {entry["key"]: entry for entry in rows.to_dicts()}
        assert len(entries) == rows.height, "an object has two rows in the ledger"
        return entries

    def _look(self, previous: bytes | None, following: bytes) -> None:
        metadata = self._following = read_json_metadata(following)
        self._gone = self.listed(metadata["withheld"]) if metadata.get("withheld") else set()
        ledger = self._ledger(following)
        rows = pl.read_parquet(io.BytesIO(following))
        assert metadata["rows"] == rows.height
        times = rows["timestamp"].to_list()
        assert times == sorted(times)
        assert self._gone.isdisjoint(rows["ptid"]), "it has rows of who was taken out"
        assert self._gone.isdisjoint(
            entry["ptid"] for entry in ledger.values() if entry["ptid"] is not None
        )
        if self.rewriting:
            self._look_at_rewriting(previous, rows, ledger)
        else:
            self._look_at_increment(previous, rows, ledger)
        in_ledger = sum(entry["versions"] for entry in ledger.values())
        balance = metadata.get("balance", 0)
        assert in_ledger + metadata["adopted_rows"] + balance == rows.height
        self.states[metadata["commit_id"]] = deepcopy((self.taken, self.at_adoption))

    def _look_at_rewriting(
        self, previous: bytes | None, rows: pl.DataFrame, ledger: dict[str, Entry]
    ) -> None:
        """Adopted: the existing rows, and as a multiset what the source yields beyond them."""
        assert previous is not None
        present = Counter(
            {
                values: count
                for values, count in multiset(pl.read_parquet(io.BytesIO(previous))).items()
                if values[6] not in self._gone
            }
        )
        read = {key: entry for key, entry in ledger.items() if entry["state"] == "accepted"}
        yielded = Counter(self.row(entry["digest"]) for entry in read.values())
        assert narrow(multiset(rows)) == narrow(present) | yielded
        self.taken = {key: [entry["digest"]] for key, entry in read.items()}
        self.at_adoption = set(self.world.source.objects)

    def _look_at_increment(
        self, previous: bytes | None, rows: pl.DataFrame, ledger: dict[str, Entry]
    ) -> None:
        before = self._left(self._ledger(previous)) if previous is not None else {}
        old_rows = self._old_rows(previous)
        self.taken = {
            key: [digest for digest in versions if self.row(digest)[6] not in self._gone]
            for key, versions in self.taken.items()
            if key in before
        }
        assert before.keys() <= ledger.keys(), "objects left the ledger"
        read = {
            (answer.key, digest_of(answer.data))
            for answer in self.world.source.answers
            if isinstance(answer, Content)
        }
        arrived: list[tuple[datetime, str, Row]] = []
        for key, entry in ledger.items():
            old = before.get(key, {"versions": 0, "digest": None})
            if entry["versions"] == old["versions"]:
                assert entry["digest"] == old["digest"], f"{key}: other content, and no new version"
                continue
            assert entry["versions"] == old["versions"] + 1, f"{key}: more than one version at once"
            assert entry["digest"] != old["digest"], f"{key}: the same content twice"
            assert (key, entry["digest"]) in read, f"{key}: taken without being read"
            arrived.append((entry["last_modified"], key, self.row(entry["digest"])))
            self.taken.setdefault(key, []).append(entry["digest"])
            self._check_succession(key)
        new_rows = [values for _, _, values in sorted(arrived, key=lambda each: each[:2])]
        claimed = self._claimed(previous, rows, arrived)
        if not claimed:
            plain: list[Any] = [values[:13] for values in old_rows]
            expected = sorted([*plain, *new_rows], key=lambda values: values[12])
            found = [values[:13] for values in rows.iter_rows()]
            assert found == expected, "not the stable merge of old and new rows"
        full = Counter(rows.iter_rows())
        kept = Counter(each for each in old_rows if any(value is not None for value in each[13:]))
        assert kept <= full, "values that were filled in are lost"
        versions = Counter(self.row(digest) for taken in self.taken.values() for digest in taken)
        assert versions <= narrow(full), "two versions answer for one row"

    def _claimed(
        self, previous: bytes | None, rows: pl.DataFrame, arrived: list[tuple[datetime, str, Row]]
    ) -> bool:
        """Check that what gave no row had one already, and was there at the adoption."""
        before = self._adopted_before(previous) if previous is not None else 0
        old = Counter(map(without_nulls, self._old_rows(previous)))
        new = narrow(multiset(rows)) - narrow(old)
        without_row = Counter(values for _, _, values in arrived) - new
        assert without_row.total() == before - self._following["adopted_rows"]
        for values in without_row:
            keys = {key for _, key, each in arrived if each == values}
            assert keys & self.at_adoption, "an event that was not there at the adoption has no row"
        return bool(without_row)

    def _old_rows(self, previous: bytes | None) -> list[Row]:
        """Return the rows that were there, of those who were not taken out."""
        rows = pl.read_parquet(io.BytesIO(previous)).iter_rows() if previous is not None else ()
        return [values for values in rows if values[6] not in self._gone]

    def _left(self, ledger: dict[str, Entry]) -> dict[str, Entry]:
        """Return what is left of a ledger; of what was adopted unread, the name says whose it is."""
        named = "110001" in self._gone
        return {
            key: entry
            for key, entry in ledger.items()
            if entry["ptid"] not in self._gone
            and not (named and entry["state"] == "adopted" and "-110001-" in key)
        }

    def _adopted_before(self, previous: bytes) -> int:
        """Return how many adopted rows there were, of those who were not taken out."""
        metadata = read_json_metadata(previous)
        if not metadata.get("unclaimed"):
            return int(metadata["adopted_rows"])
        name = f"{LEDGERS}unclaimed-{metadata['unclaimed']}.parquet"
        rows = pl.read_parquet(io.BytesIO(self.world.store.data(name)))
        return sum(ptid not in self._gone for ptid in rows["ptid"].drop_nulls())

    def _check_succession(self, key: str) -> None:
        """An older version must not follow a newer one, or the newer would be taken again."""
        written = (digest_of(each.data) for each in self.world.source.history if each.key == key)
        for digest in self.taken[key]:
            assert digest in written, f"{key}: an older version was taken after a newer one"
