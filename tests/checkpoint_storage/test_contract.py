"""What the core is promised of every store and every source, whatever is behind it.

The memory of the core's tests is among them: what those show on it holds on the others.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import polars as pl
import pytest
from msgspec import Struct

from checkpoint_format.errors import ChangedWhileReadingError, StorageError
from checkpoint_format.stores import (
    LISTING_SCHEMA,
    UNSETTLED,
    CheckpointStore,
    Condition,
    Content,
    PutOutcome,
    ReadFailure,
    Source,
)
from checkpoint_storage.directory import DirectorySource, DirectoryStore
from checkpoint_storage.s3 import S3Source, S3Store
from tests.checkpoint_core.memory import Clock, MemorySource, MemoryStore
from tests.checkpoint_storage.s3.serving import BUCKET
from tests.checkpoint_storage.stored import FIRST, NAME, present, written
from tests.fake_s3 import FakeS3

EVERYWHERE = pytest.mark.parametrize("kind", ["directory", "s3", "memory"])
ON_DISK_AND_S3 = pytest.mark.parametrize("kind", ["directory", "s3"])
LIMIT = 1_000


@pytest.fixture
def store(kind: str, s3: FakeS3, tmp_path: Path) -> CheckpointStore:
    """Return an empty store of this kind; S3 lists by pages of three."""
    s3.page_size = 3
    match kind:
        case "directory":
            return DirectoryStore(tmp_path / "out" / NAME)
        case "s3":
            return S3Store(BUCKET, f"out/{NAME}")
        case _:
            return MemoryStore(Clock(datetime.now(UTC)))


class Place(Struct, frozen=True):
    """A source, and how somebody else writes and removes objects there."""

    source: Source
    write: Callable[[str, bytes], object]
    remove: Callable[[str], object]

    def listed(self) -> dict[str, dict[str, object]]:
        """Return the rows of a listing by their keys, each of which comes once."""
        listing = self.source.list_objects(restore_states=False)
        assert listing.schema == LISTING_SCHEMA
        assert listing["key"].is_unique().all()
        return {row["key"]: row for row in listing.rows(named=True)}

    def read(self, *keys: str, limit: int = LIMIT) -> dict[str, Content | ReadFailure]:
        """Return the answers by their keys, each of which has exactly one."""
        answers = list(self.source.read(keys, max_size_bytes=limit))
        assert sorted(keys) == sorted(answer.key for answer in answers)
        return {answer.key: answer for answer in answers}

    def content(self, key: str, *, limit: int = LIMIT) -> Content:
        """Return what a key holds."""
        answer = self.read(key, limit=limit)[key]
        assert isinstance(answer, Content)
        return answer


@pytest.fixture
def place(kind: str, s3: FakeS3, tmp_path: Path) -> Place:
    """Return an empty source of this kind."""
    if kind == "directory":
        root = tmp_path / "source"
        root.mkdir()

        def write(key: str, data: bytes) -> None:
            (root / key).parent.mkdir(exist_ok=True)
            (root / key).write_bytes(data)

        return Place(DirectorySource(root), write, lambda key: (root / key).unlink())
    if kind == "s3":
        return Place(
            S3Source(BUCKET, page_size=3),
            lambda key, data: s3.put_object(BUCKET, key, data),
            lambda key: s3.delete_object(BUCKET, key),
        )
    memory = MemorySource(Clock())
    return Place(memory, memory.write, memory.delete)


@EVERYWHERE
class TestStores:
    """Whole versions, one winner, and nothing that is not there."""

    def test_where_nothing_is_nothing_is_found(
        self, store: CheckpointStore, tmp_path: Path
    ) -> None:
        """It is no error, and no file is made."""
        assert store.read_tail(NAME, 10) is None
        assert store.fetch(NAME, tmp_path / "to") is False
        assert store.list_files("_ledger/events") == []
        assert store.list_tree("exports") == store.list_tree("../exports") == {}
        store.delete("_ledger/events/a.parquet")

        assert not (tmp_path / "to").exists()

    @pytest.mark.parametrize(
        "data, length",
        [*((b"0123456789", length) for length in (0, 1, 4, 10, 11, 1000)), (b"", 0), (b"", 10)],
    )
    def test_the_tail_is_the_end_and_says_the_whole_size(
        self, store: CheckpointStore, tmp_path: Path, data: bytes, length: int
    ) -> None:
        """Asking for more than there is gives everything."""
        store.put(NAME, written(tmp_path, data))
        tail = store.read_tail(NAME, length)

        assert tail is not None
        assert (data[len(data) - min(length, len(data)) :], len(data)) == (
            tail.data,
            tail.size_bytes,
        )
        assert present(store).etag == tail.etag

    @pytest.mark.parametrize("size", [0, 3_500_000])
    def test_a_file_is_fetched_whole_and_stays_as_it_was(
        self, store: CheckpointStore, tmp_path: Path, size: int
    ) -> None:
        """With nothing beside it, by the version that its tail came with; then the next one."""
        copies = tmp_path / "copies"
        copies.mkdir()
        for data in (os.urandom(size), b"next"):
            store.put(NAME, written(tmp_path, data))
            assert store.fetch(NAME, copies / "to", etag=present(store).etag)
            store.put(NAME, written(tmp_path, b"a later one"))

            assert {"to": data} == {each.name: each.read_bytes() for each in copies.iterdir()}

    def test_a_version_that_was_replaced_cannot_be_fetched(
        self, store: CheckpointStore, tmp_path: Path
    ) -> None:
        """Whoever pinned it must look again; nothing is left of it."""
        store.put(NAME, written(tmp_path, b"old"))
        old = present(store).etag
        store.put(NAME, written(tmp_path, b"new"))
        with pytest.raises(ChangedWhileReadingError):
            store.fetch(NAME, tmp_path / "to", etag=old)

        assert not (tmp_path / "to").exists()

    def test_what_was_put_does_not_change_with_the_local_file(
        self, store: CheckpointStore, tmp_path: Path
    ) -> None:
        """The caller may use its file again."""
        file = written(tmp_path, b"published")
        store.put(NAME, file)
        assert store.put_if("other", file, FIRST) is PutOutcome.WRITTEN
        file.write_bytes(b"something else")

        assert b"published" == present(store).data == present(store, "other").data

    def test_a_write_succeeds_only_on_its_condition(
        self, store: CheckpointStore, tmp_path: Path
    ) -> None:
        """None means that there is no such file; an etag means that very version, once."""

        def put_if(data: bytes, condition: Condition) -> PutOutcome:
            return store.put_if(NAME, written(tmp_path, data), condition)

        assert put_if(b"first", Condition('"1-2-3"')) is PutOutcome.REFUSED
        assert put_if(b"first", FIRST) is PutOutcome.WRITTEN
        old = Condition(present(store).etag)
        assert put_if(b"second", FIRST) is PutOutcome.REFUSED
        assert b"first" == present(store).data
        assert put_if(b"second", old) is PutOutcome.WRITTEN
        assert put_if(b"third", old) is PutOutcome.REFUSED
        assert b"second" == present(store).data

    def test_the_files_directly_in_a_folder_are_listed_and_removed_one_by_one(
        self, store: CheckpointStore, tmp_path: Path
    ) -> None:
        """By their names in the store, without deeper folders and similar names."""
        before = datetime.now(UTC)
        names = [f"_ledger/events/{number}.parquet" for number in range(7)]
        for name in (*names, "_ledger/events/deeper/a", "_ledger/events-2/a", "_ledger/event"):
            store.put(name, written(tmp_path, b"x"))
        files = store.list_files("_ledger/events")
        assert all(abs((file.last_modified - before).total_seconds()) < 60 for file in files)
        store.delete(names[3])

        assert names == sorted(file.name for file in files)
        assert {*names} - {names[3]} == {file.name for file in store.list_files("_ledger/events")}
        assert b"x" == present(store, "_ledger/events-2/a").data

    @pytest.mark.parametrize("folder", ["exports", "../exports", "exports/by study"])
    def test_a_tree_is_listed_with_the_etags_that_reading_gives(
        self, store: CheckpointStore, tmp_path: Path, folder: str
    ) -> None:
        """All files below a folder, also one beside the checkpoint's, and nothing beside it."""
        inside = [f"{folder}/{name}" for name in ("a.parquet", "b/c.parquet", "_d/e%2F.parquet")]
        for name in (*inside, f"{folder}-2/a.parquet", "other/a.parquet", "../other/a.parquet"):
            assert (
                store.put_if(name, written(tmp_path, b"x"), Condition(None)) is PutOutcome.WRITTEN
            )
        tree = store.list_tree(folder)

        assert sorted(inside) == sorted(tree)
        for name, etag in tree.items():
            assert present(store, name).etag == etag
            rewritten = written(tmp_path, b"y")
            assert store.put_if(name, rewritten, Condition("other")) is PutOutcome.REFUSED
            assert store.put_if(name, rewritten, Condition(etag)) is PutOutcome.WRITTEN
        assert not set(tree.values()) & set(store.list_tree(folder).values())

    def test_the_checkpoints_folder_is_listed_without_what_belongs_to_it(
        self, store: CheckpointStore, tmp_path: Path
    ) -> None:
        """Names that begin with an underscore or a dot are the checkpoint's own, or hidden."""
        for name in (NAME, "a/b/c.parquet", "_ledger/events/1.parquet", ".hidden", "../beside"):
            store.put(name, written(tmp_path, b"x"))

        assert {NAME, "a/b/c.parquet"} == {*store.list_tree("")}


@ON_DISK_AND_S3
def test_a_version_that_was_removed_cannot_be_fetched(
    store: CheckpointStore, tmp_path: Path
) -> None:
    """It is an error and not the absence of a file, as somebody has pinned it."""
    store.put(NAME, written(tmp_path, b"old"))
    old = present(store).etag
    store.delete(NAME)
    with pytest.raises(ChangedWhileReadingError, match="replaced or removed"):
        store.fetch(NAME, tmp_path / "to", etag=old)

    assert not (tmp_path / "to").exists()


@ON_DISK_AND_S3
@pytest.mark.parametrize("name", ["/etc/passwd", "..", "..//x", "_ledger/../../x"])
def test_names_stay_in_the_folder(store: CheckpointStore, name: str) -> None:
    """No name leads out of the checkpoint's folder, except by ../ at its beginning."""
    with pytest.raises(ValueError, match="relative to the checkpoint's folder"):
        store.read_tail(name, 1)


@pytest.mark.parametrize("kind", ["s3"])
def test_no_name_leads_out_of_the_bucket(store: CheckpointStore) -> None:
    """It is said of the store."""
    with pytest.raises(StorageError, match="leads out of the bucket"):
        store.list_tree("../../exports")


@ON_DISK_AND_S3
def test_of_many_at_once_one_wins(store: CheckpointStore, tmp_path: Path) -> None:
    """The others are refused."""
    files = [tmp_path / f"{number}" for number in range(16)]
    for file in files:
        file.write_text(file.name)
    with ThreadPoolExecutor(16) as executor:
        outcomes = list(executor.map(lambda file: store.put_if(NAME, file, FIRST), files))

    assert [PutOutcome.WRITTEN] == [each for each in outcomes if each != PutOutcome.REFUSED]
    assert files[outcomes.index(PutOutcome.WRITTEN)].name.encode() == present(store).data


@EVERYWHERE
class TestSources:
    """Every object once, and what was read of it, not what was listed."""

    def test_an_empty_source_is_an_empty_listing(self, place: Place) -> None:
        """Nothing is still a listing, with its columns."""
        listing = place.source.list_objects(restore_states=False)

        assert pl.DataFrame(schema=LISTING_SCHEMA).equals(listing)
        assert {} == place.read()

    def test_every_object_is_listed_and_read_once(self, place: Place) -> None:
        """Etag, size and time are those of the content, so what is unchanged is not read again."""
        objects = {f"{number % 3}/{number}.json": b"x" * number for number in range(20)}
        for key, data in objects.items():
            place.write(key, data)
        rows = place.listed()

        assert objects == {key: place.content(key).data for key in rows}
        for key, row in rows.items():
            answer = place.content(key)
            assert (row["size"], row["last_modified"]) == (len(answer.data), answer.last_modified)
            assert row["etag"] == answer.etag.removesuffix(UNSETTLED)
            assert row["archived"] is None

    @pytest.mark.parametrize("size", [0, 9, 10, 11, 12, 5_000_000])
    def test_at_most_one_byte_too_many_is_kept(self, place: Place, size: int) -> None:
        """Enough to see that it is too large."""
        place.write("a", b"x" * size)

        assert b"x" * min(size, 11) == place.content("a", limit=10).data

    def test_a_rewritten_object_is_what_was_read(self, place: Place) -> None:
        """Content, etag and time of the newer version, not those that were listed."""
        place.write("a", b"old")
        before = place.listed()["a"]
        place.write("a", b"newer")
        answer, after = place.content("a"), place.listed()["a"]

        assert (b"newer", after["last_modified"]) == (answer.data, answer.last_modified)
        assert before["etag"] != after["etag"] == answer.etag.removesuffix(UNSETTLED)

    def test_what_has_vanished_is_missing_and_the_others_are_read(self, place: Place) -> None:
        """Nothing else is said of it."""
        for key in ("a", "b"):
            place.write(key, b"data")
        keys = place.listed()
        place.remove("a")
        answers = place.read(*keys)

        assert isinstance(answers["a"], ReadFailure)
        assert "missing" == answers["a"].outcome
        assert isinstance(answers["b"], Content)

    def test_whoever_stops_taking_answers_leaves_no_thread(self, place: Place) -> None:
        """As after Ctrl-C in the middle of a large batch."""
        place.write("a", b"data")
        answers = place.source.read(["a"] * 3000, max_size_bytes=LIMIT)
        assert 5 == len(list(islice(answers, 5)))
        answers.close()  # type: ignore[attr-defined] # a generator

        assert not [each for each in threading.enumerate() if each.name.startswith("reading-")]
