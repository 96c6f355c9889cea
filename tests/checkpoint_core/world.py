"""A small world for a run: a clock, a source, a store, and what tests ask of them.

Keys and documents are made so that every one differs where a test wants it to, and can be told
again from a row.
"""

import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import polars as pl
import pytest

from checkpoint_core import Host, Observer, Request, RunReport, Settings, Source, run
from checkpoint_core.readers import Reader
from checkpoint_core.removal import Participant, Removal, remove
from checkpoint_core.verifying import verify
from checkpoint_format.stores import QuietObserver, unlimited
from nacc_event_model import EventFormat, decode, make_object_name
from tests.checkpoint_core.memory import Clock, Fault, MemorySource, MemoryStore
from tests.event_model.strategies import example_document

Row = tuple[object, ...]
_Error = TypeVar("_Error", bound=Exception)
SETTINGS = Settings()
V11 = Settings(event_format=EventFormat.V1_1)
SANDBOX = Settings(exclude_projects=("sandbox-*",))
CHECKPOINT = "events.parquet"
LIST = "_withheld/events.json"
KEY = bytes(range(32))
REJECTS = "_rejects/events.parquet"
LEDGERS = "_ledger/events/"
UNRECOGNIZED = pl.col("outcome") == "unrecognized"

_memory = Path("/dev/shm")
"""Where there is such a folder, files cost no time; every run writes several."""


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(dir=_memory if _memory.is_dir() else None) as folder:
        yield Path(folder)


def key(number: int, *, prefix: str = "", action: str = "submit") -> str:
    """Return the name of an event object; a greater number is a later name."""
    day, second = divmod(number, 60)
    return (
        f"{prefix}log-{action}-202401{day + 1:02d}-1000{second:02d}-42-ingest-form-110001-01.json"
    )


def document(event_format: EventFormat = EventFormat.V1_0, /, **changed: Any) -> bytes:
    """Return the usual event as JSON, with some fields changed; `...` takes a field out."""
    return json.dumps(example_document(event_format, **changed)).encode()


def named(data: bytes, event_format: EventFormat = EventFormat.V1_0) -> str:
    """Return the name that producers give to the object of an event; `key` makes up its own."""
    return make_object_name(decode(data, event_format=event_format))


def row(data: bytes, event_format: EventFormat = EventFormat.V1_0) -> Row:
    """Return the row that an event object's content becomes."""
    return msgspec.structs.astuple(decode(data, event_format=event_format))


def without_nulls(values: Row) -> Row:
    """Return a row without the columns of format 1.1 in which it is null."""
    return values[:13] + tuple(value for value in values[13:] if value is not None)


def multiset(rows: pl.DataFrame) -> Counter[Row]:
    """Count equal rows; null columns of format 1.1 do not count."""
    return Counter(map(without_nulls, rows.iter_rows()))


class World:
    """A source, a store and a clock; `run` is one whole run on them, with the usual `reader` or
    another one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.source = MemorySource(self.clock)
        self.store = MemoryStore(self.clock)
        self.reader: Callable[[Source], Reader] | None = None
        self.pauses: list[float] = []
        self.runs = 0

    def host(
        self,
        remaining_s: Callable[[], float] = unlimited,
        observer: Observer | None = None,
    ) -> Host:
        """Return a host whose ids are numbers, and which never waits."""
        self.runs += 1
        number = self.runs
        return Host(
            now=self.clock.now,
            new_id=lambda: f"run{number:04d}",
            pause=self.pauses.append,
            jitter=lambda: 0.5,
            remaining_s=remaining_s,
            workdir=self.workdir(),
            observer=observer or QuietObserver(),
        )

    def copy(self) -> "World":
        """Return another world in the same state, which goes its own way from here."""
        copy = World(self.folder)
        copy.clock.current = self.clock.current
        copy.runs = self.runs
        copy.source.objects = dict(self.source.objects)
        copy.source.outcomes = dict(self.source.outcomes)
        copy.source.history = list(self.source.history)
        copy.source.answers = list(self.source.answers)
        copy.store.files = dict(self.store.files)
        copy.store.versions = dict(self.store.versions)
        copy.store.is_versioned = self.store.is_versioned
        return copy

    def workdir(self) -> Path:
        """Return a new empty folder."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def run(
        self, settings: Settings = SETTINGS, *, host: Host | None = None, **request: Any
    ) -> RunReport:
        """Run once, undisturbed as far as the store lets it."""
        return run(
            self.source,
            self.store,
            settings=settings,
            request=Request(**request),
            host=host or self.host(),
            reader=self.reader(self.source) if self.reader else None,
        )

    def remove(self, *participants: Participant, **more: Any) -> Removal:
        """Take participants out, undisturbed as far as the store lets it."""
        given: dict[str, Any] = {"source": None, "settings": SETTINGS, "host": self.host()} | more
        return remove(self.store, participants, new_key=KEY, **given)

    def write(self, *numbers: int, **changed: Any) -> None:
        """Write the usual event under these keys, told apart by gear_name."""
        for number in numbers:
            self.source.write(key(number), document(**({"gear_name": f"gear-{number}"} | changed)))

    def spoil(self, *numbers: int) -> None:
        """Write what is no event under these keys."""
        for number in numbers:
            self.source.write(key(number), b"{}")

    def commit_each(self, *numbers: int) -> None:
        """Write these events, and run after each of them."""
        for number in numbers:
            self.write(number)
            self.run()

    def before(self, call: str, act: Callable[[], object]) -> None:
        """Do something once, just before a call that begins like this takes effect."""

        def hook(each: str) -> None:
            if each.startswith(call):
                self.store.before_call = lambda _call: None
                act()

        self.store.before_call = hook

    def disturb(self, call: str, *faults: Fault) -> None:
        """Let the coming calls that begin like this go wrong, one after the other."""
        coming = iter(faults)

        def hook(each: str) -> None:
            if each.startswith(call) and (fault := next(coming, None)):
                self.store.faults[len(self.store.calls) - 1] = fault

        self.store.before_call = hook

    @contextmanager
    def untouched(
        self, error: type[_Error], match: str | None = None
    ) -> Iterator[pytest.ExceptionInfo[_Error]]:
        """Expect an error, and that no file is written, changed or deleted."""
        files, writes = dict(self.store.files), self.writes()
        with pytest.raises(error, match=match) as raised:
            yield raised
        assert self.store.files == files
        assert self.writes() == writes

    def rows(self) -> Counter[Row]:
        """Return the checkpoint's rows as a multiset."""
        return multiset(self.store.rows())

    def gears(self) -> list[str]:
        """Return the rows in their order, by the field that tells them apart."""
        rows = self.store.rows()
        return rows["gear_name"].to_list() if rows.width else []

    def metadata(self, name: str = CHECKPOINT) -> dict[str, Any]:
        """Return what one of our files says about itself."""
        return read_json_metadata(self.store.data(name))

    def ledger(self) -> pl.DataFrame:
        """Return the ledger in force."""
        return ledger_rows(self.metadata(), lambda name: self.store.data(f"{LEDGERS}{name}"))

    def ledger_name(self) -> str:
        """Return the name of the ledger in force, without folder: the delta's where there is one."""
        return ledger_name(self.metadata())

    def ledgers(self, ending: str = ".parquet") -> list[str]:
        """Return the names of all ledgers, without folder."""
        beside = (name.removeprefix(LEDGERS) for name in self.store.files if LEDGERS in name)
        return sorted(name for name in beside if name.endswith(ending))

    def digests(self) -> list[str]:
        """Return the names of all files of digests, without folder."""
        return self.ledgers(".json")

    def generations(self) -> list[int]:
        """Return the generations of the commits whose ledgers are there."""
        return [int(name.partition("-")[0]) for name in self.ledgers()]

    def lose_digests(self) -> None:
        """Take them away, as if every commit were an earlier version's."""
        for name in self.digests():
            del self.store.files[LEDGERS + name]

    def lose_ledgers(self) -> None:
        """Take all of them away, with what is beside them: the checkpoint has to be adopted."""
        for name in [name for name in self.store.files if name.startswith(LEDGERS)]:
            del self.store.files[name]

    def rewrite(
        self,
        name: str,
        change: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows,
        **said: object,
    ) -> None:
        """Give one of our Parquet files other rows by hand, or let it say something else."""
        data = self.store.data(name)
        text = msgspec.json.encode(read_json_metadata(data) | said).decode()
        self.store.write(name, parquet(change(pl.read_parquet(data)), text))

    def rejects(self) -> pl.DataFrame:
        """Return the rejects as the file has them."""
        return pl.read_parquet(self.store.data(REJECTS)).filter(~UNRECOGNIZED)

    def unrecognized(self) -> dict[str, str]:
        """Return the reason of every name that the file has beside the rejects."""
        if REJECTS not in self.store.files:
            return {}
        names = pl.read_parquet(self.store.data(REJECTS)).filter(UNRECOGNIZED)
        return dict(names.select("key", "reason").iter_rows())

    def reasons(self) -> dict[str, tuple[str, str]]:
        """Return outcome and reason of every reject, by key, in the order of which they are kept."""
        if REJECTS not in self.store.files:
            return {}
        columns = self.rejects().select("key", "outcome", "reason")
        assert columns["key"].is_sorted()
        return {name: (outcome, reason) for name, outcome, reason in columns.iter_rows()}

    def writes(self) -> list[str]:
        """Return the calls so far that would change something."""
        return [call for call in self.store.calls if call.startswith(("put", "delete"))]

    def revision(self) -> str | None:
        """Return the revision of the list in force."""
        if LIST not in self.store.files:
            return None
        revision: str = json.loads(self.store.data(LIST))["revision"]
        return revision

    def problems(self, settings: Settings = SETTINGS, *, source: bool = False) -> list[str]:
        """Return what `verify` finds wrong."""
        checks = verify(
            self.store, self.source if source else None, settings, workdir=self.workdir()
        )
        return [f"{check.name}: {check.detail}" for check in checks if not check.passed]


def parquet(rows: pl.DataFrame, metadata: str | None = None) -> bytes:
    """Return a Parquet file of these rows, which says this about itself."""
    target = io.BytesIO()
    rows.write_parquet(target, metadata={"nacc.checkpoint": metadata} if metadata else None)
    return target.getvalue()


def read_json_metadata(data: bytes) -> dict[str, Any]:
    """Return what one of our Parquet files says about itself."""
    text = pl.read_parquet_metadata(data)["nacc.checkpoint"]
    metadata: dict[str, Any] = json.loads(text)
    return metadata


def ledger_name(metadata: dict[str, Any]) -> str:
    """Return the name, without folder, of the ledger that a commit wrote."""
    full = metadata.get("full_ledger")
    return (
        f"{metadata['commit_id']}.upon.{full}.parquet"
        if full
        else f"{metadata['commit_id']}.parquet"
    )


def ledger_rows(metadata: dict[str, Any], read: Callable[[str], bytes]) -> pl.DataFrame:
    """Return the ledger of a checkpoint, a full one or a full one and a delta, sorted by key."""
    rows = pl.read_parquet(read(ledger_name(metadata)))
    assert rows["key"].is_sorted()
    if not metadata.get("full_ledger"):
        return rows
    full = pl.read_parquet(read(f"{metadata['full_ledger']}.parquet"))
    assert full["key"].is_sorted()
    kept = full.filter(~pl.col("key").is_in(rows["key"].implode()))
    return pl.concat([kept, rows]).sort("key")


def a_time(text: str) -> datetime:
    """Return a time from its ISO text."""
    return datetime.fromisoformat(text)
