"""A checkpoint in S3: whole versions only, one winner, three outcomes, every refusal said."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checkpoint_core.errors import (
    ChangedWhileReadingError,
    OutcomeUnknownError,
    StorageError,
)
from checkpoint_core.stores import CheckpointStore, Condition, PutOutcome, StoredFile, Tail
from checkpoint_storage.s3._store import S3Store
from tests.checkpoint_storage.s3.serving import BUCKET, emptied, impatient, serving
from tests.fake_s3 import FakeS3, Fault

# The type checker sees that it is one.
ADAPTER: type[CheckpointStore] = S3Store
NAME = "events.parquet"
KEY = f"out/{NAME}"
FIRST = Condition(None)
NOTHING_HAPPENED = [Fault.FAIL_BEFORE, Fault.THROTTLED, Fault.RESET]
IT_HAPPENED = [Fault.FAIL_AFTER, Fault.RESPONSE_LOST]
OF_ANSWERS = [Fault.FAIL_BEFORE, Fault.THROTTLED, Fault.RESET, Fault.RESPONSE_LOST, Fault.CUT_SHORT]


@pytest.fixture(scope="module")
def server() -> Iterator[FakeS3]:
    """Serve a store to all tests of this module."""
    with pytest.MonkeyPatch.context() as monkeypatch, serving(monkeypatch) as s3:
        yield s3


@pytest.fixture
def s3(server: FakeS3) -> FakeS3:
    """Return the store with an empty bucket."""
    return emptied(server, page_size=3)


@pytest.fixture
def store(s3: FakeS3) -> S3Store:
    """Return a store whose pauses are short."""
    return S3Store(BUCKET, KEY, first_pause_s=0.001)


def data_of(s3: FakeS3, key: str = KEY) -> bytes:
    """Return what is stored."""
    return s3.get_object(BUCKET, key).data


def tail_of(store: S3Store, name: str = NAME) -> Tail:
    """Return the whole of a stored file."""
    tail = store.read_tail(name, 10_000_000)
    assert tail is not None
    return tail


@pytest.fixture
def local(tmp_path: Path) -> Callable[[bytes], Path]:
    """Return what writes a local file."""

    def write(data: bytes) -> Path:
        file = tmp_path / "local"
        file.write_bytes(data)
        return file

    return write


class TestNames:
    """Where things are."""

    def test_the_checkpoint_is_named_by_its_key(self) -> None:
        """In a folder, or at the top."""
        assert ("s3://events/out/events.parquet", NAME) == (
            S3Store(BUCKET, KEY).location,
            S3Store(BUCKET, KEY).checkpoint_name,
        )
        assert "s3://events/events.parquet" == S3Store(BUCKET, NAME).location

    @pytest.mark.parametrize("key", ["", "out/"])
    def test_a_folder_is_no_checkpoint(self, key: str) -> None:
        """It would have no name."""
        with pytest.raises(ValueError, match="ends with a name"):
            S3Store(BUCKET, key)

    @pytest.mark.parametrize("name", ["/x", "../x", "a/../../x"])
    def test_names_stay_in_the_folder(self, store: S3Store, name: str) -> None:
        """Whatever is asked."""
        with pytest.raises(ValueError, match="relative to the checkpoint's folder"):
            store.read_tail(name, 1)

    def test_the_scratch_folder_is_where_temporary_files_are(
        self, store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And is removed afterwards."""
        monkeypatch.setattr("tempfile.tempdir", None)
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        with store.scratch() as folder:
            assert tmp_path == folder.parent

        assert not folder.exists()


class TestReadTail:
    """The last bytes, and which version they are of."""

    @pytest.mark.parametrize("length", [1, 4, 10, 11, 1000])
    def test_the_last_bytes_come_with_size_and_etag(
        self, s3: FakeS3, store: S3Store, length: int
    ) -> None:
        """By one request, also where fewer are there than asked for."""
        etag = s3.put_object(BUCKET, KEY, b"0123456789").etag

        assert Tail(
            data=b"0123456789"[-length:], etag=f'"{etag}"', size_bytes=10
        ) == store.read_tail(NAME, length)
        assert {"GetObject": 1} == s3.log.operations()

    @pytest.mark.parametrize("data, length", [(b"", 10), (b"", 0), (b"123", 0)])
    def test_no_bytes_come_with_size_and_etag_too(
        self, s3: FakeS3, store: S3Store, data: bytes, length: int
    ) -> None:
        """S3 calls such a range unsatisfiable."""
        etag = s3.put_object(BUCKET, KEY, data).etag

        assert Tail(data=b"", etag=f'"{etag}"', size_bytes=len(data)) == store.read_tail(
            NAME, length
        )

    def test_an_empty_file_that_is_filled_meanwhile_is_read(
        self, s3: FakeS3, store: S3Store
    ) -> None:
        """Between the two requests."""
        s3.put_object(BUCKET, KEY, b"")
        s3.plan.on_request(
            lambda request: s3.put_object(BUCKET, KEY, b"data"), operation="HeadObject"
        )

        assert b"data" == tail_of(store).data

    def test_no_file_is_none(self, store: S3Store) -> None:
        """Not an error."""
        assert store.read_tail(NAME, 10) is None

    @pytest.mark.parametrize("fault", OF_ANSWERS)
    def test_faults_are_made_good(self, s3: FakeS3, store: S3Store, fault: Fault) -> None:
        """Three of them, and not a fourth."""
        s3.put_object(BUCKET, KEY, b"0123456789" * 100)
        s3.plan.add(fault, operation="GetObject", times=3)

        assert b"0123456789" * 100 == tail_of(store).data
        s3.plan.add(fault, operation="GetObject", times=4)
        with pytest.raises(StorageError, match=rf"s3://events/{KEY}: reading failed"):
            store.read_tail(NAME, 1000)


class TestFetch:
    """A local copy of one version, or none."""

    def test_the_file_is_copied(self, s3: FakeS3, store: S3Store, tmp_path: Path) -> None:
        """Whole, with nothing beside it."""
        data = os.urandom(3_500_000)
        s3.put_object(BUCKET, KEY, data)

        assert store.fetch(NAME, tmp_path / "copy")
        assert {"copy": data} == {each.name: each.read_bytes() for each in tmp_path.iterdir()}

    def test_an_empty_file_is_copied(self, s3: FakeS3, store: S3Store, tmp_path: Path) -> None:
        """Too."""
        s3.put_object(BUCKET, KEY, b"")

        assert store.fetch(NAME, tmp_path / "copy")
        assert b"" == (tmp_path / "copy").read_bytes()

    def test_no_file_is_false(self, store: S3Store, tmp_path: Path) -> None:
        """And what was there before is not taken for it."""
        (tmp_path / "copy").write_bytes(b"old")

        assert not store.fetch(NAME, tmp_path / "copy")
        assert [] == list(tmp_path.iterdir())

    def test_the_version_that_was_asked_for_comes(
        self, s3: FakeS3, store: S3Store, tmp_path: Path
    ) -> None:
        """By the etag that its tail came with."""
        s3.put_object(BUCKET, KEY, b"data")

        assert store.fetch(NAME, tmp_path / "copy", etag=tail_of(store).etag)

    @pytest.mark.parametrize("after", ["replaced", "removed"])
    def test_another_version_never_comes(
        self, s3: FakeS3, store: S3Store, tmp_path: Path, after: str
    ) -> None:
        """It has changed; nothing is left of it."""
        s3.put_object(BUCKET, KEY, b"old")
        etag = tail_of(store).etag
        if after == "replaced":
            s3.put_object(BUCKET, KEY, b"newer")
        else:
            s3.delete_object(BUCKET, KEY)
        with pytest.raises(ChangedWhileReadingError, match="replaced or removed"):
            store.fetch(NAME, tmp_path / "copy", etag=etag)

        assert [] == list(tmp_path.iterdir())

    def test_a_version_that_changes_between_two_attempts_never_comes(
        self, s3: FakeS3, store: S3Store, tmp_path: Path
    ) -> None:
        """The second one asks for the same."""
        s3.put_object(BUCKET, KEY, b"old" * 1000)
        etag = tail_of(store).etag
        s3.plan.add(Fault.CUT_SHORT, operation="GetObject")
        s3.plan.on_request(
            lambda request: s3.put_object(BUCKET, KEY, b"new" * 1000), operation="GetObject", nth=2
        )
        with pytest.raises(ChangedWhileReadingError):
            store.fetch(NAME, tmp_path / "copy", etag=etag)

    @pytest.mark.parametrize("fault", OF_ANSWERS)
    def test_faults_are_made_good(
        self, s3: FakeS3, store: S3Store, tmp_path: Path, fault: Fault
    ) -> None:
        """Three of them; after a fourth nothing is left that could be taken for the file."""
        data = os.urandom(2_500_000)
        s3.put_object(BUCKET, KEY, data)
        s3.plan.add(fault, operation="GetObject", times=3)

        assert store.fetch(NAME, tmp_path / "copy")
        assert data == (tmp_path / "copy").read_bytes()
        s3.plan.add(fault, operation="GetObject", times=4)
        with pytest.raises(StorageError, match="reading failed"):
            store.fetch(NAME, tmp_path / "copy")
        assert [] == list(tmp_path.iterdir())

    def test_a_full_disk_is_said(self, s3: FakeS3, store: S3Store, tmp_path: Path) -> None:
        """With what to do about it."""
        s3.put_object(BUCKET, KEY, b"data")
        with pytest.raises(StorageError, match=r"cannot be copied to .* set TMPDIR"):
            store.fetch(NAME, tmp_path / "no" / "folder")


class TestPut:
    """Unconditional writes."""

    def test_the_file_is_written_over_whatever_is_there(
        self, s3: FakeS3, store: S3Store, local: Callable[[bytes], Path]
    ) -> None:
        """By one request each."""
        store.put("_rejects/a.parquet", local(b"one"))
        store.put("_rejects/a.parquet", local(b"two"))

        assert b"two" == data_of(s3, "out/_rejects/a.parquet")
        assert {"PutObject": 2} == s3.log.operations()

    @pytest.mark.parametrize("fault", [*NOTHING_HAPPENED, *IT_HAPPENED])
    def test_a_fault_is_made_good(
        self, s3: FakeS3, store: S3Store, local: Callable[[bytes], Path], fault: Fault
    ) -> None:
        """From the file's beginning."""
        s3.plan.add(fault, operation="PutObject", times=1)
        store.put(NAME, local(b"data" * 50_000))

        assert b"data" * 50_000 == data_of(s3)

    def test_what_is_written_is_encrypted_with_the_given_key(
        self, s3: FakeS3, local: Callable[[bytes], Path]
    ) -> None:
        """Unconditionally or not; conditions on its etag work."""
        store = S3Store(BUCKET, KEY, "key-1")
        store.put("_rejects/a.parquet", local(b"one"))

        assert PutOutcome.WRITTEN is store.put_if(NAME, local(b"one"), FIRST)
        again = Condition(tail_of(store).etag)
        assert PutOutcome.WRITTEN is store.put_if(NAME, local(b"two"), again)
        for key in (KEY, "out/_rejects/a.parquet"):
            headers = s3.get_object(BUCKET, key).headers
            assert "aws:kms" == headers["x-amz-server-side-encryption"]
            assert "key-1" == headers["x-amz-server-side-encryption-aws-kms-key-id"]


class TestPutIf:
    """Conditional writes: written, refused or unknown, and asked for once."""

    def test_the_first_write_needs_absence(
        self, s3: FakeS3, store: S3Store, local: Callable[[bytes], Path]
    ) -> None:
        """The second one finds something."""
        assert PutOutcome.WRITTEN is store.put_if(NAME, local(b"one"), FIRST)
        assert PutOutcome.REFUSED is store.put_if(NAME, local(b"two"), FIRST)
        assert b"one" == data_of(s3)

    def test_a_replacement_needs_the_version_that_was_read(
        self, s3: FakeS3, store: S3Store, local: Callable[[bytes], Path]
    ) -> None:
        """It works once."""
        s3.put_object(BUCKET, KEY, b"one")
        condition = Condition(tail_of(store).etag)

        assert PutOutcome.WRITTEN is store.put_if(NAME, local(b"two"), condition)
        assert PutOutcome.REFUSED is store.put_if(NAME, local(b"three"), condition)
        assert b"two" == data_of(s3)

    def test_a_replacement_of_nothing_is_refused(
        self, s3: FakeS3, store: S3Store, local: Callable[[bytes], Path]
    ) -> None:
        """The file was removed meanwhile."""
        assert PutOutcome.REFUSED is store.put_if(NAME, local(b"two"), Condition('"etag"'))

    @pytest.mark.parametrize("condition", [FIRST, Condition('"etag"')])
    def test_a_missing_bucket_is_no_refusal(
        self, s3: FakeS3, local: Callable[[bytes], Path], condition: Condition
    ) -> None:
        """But an error, whatever the condition."""
        with pytest.raises(StorageError, match="s3://lost/a: writing failed: there is no bucket"):
            S3Store("lost", "a").put_if("a", local(b"one"), condition)

    def test_a_conflict_is_a_refusal(
        self, s3: FakeS3, store: S3Store, local: Callable[[bytes], Path]
    ) -> None:
        """Another write was under way."""
        s3.plan.add(Fault.CONFLICT, operation="PutObject")

        assert PutOutcome.REFUSED is store.put_if(NAME, local(b"one"), FIRST)
        assert [] == s3.keys(BUCKET)

    @pytest.mark.parametrize("fault", NOTHING_HAPPENED)
    def test_a_failure_is_unknown(
        self, s3: FakeS3, store: S3Store, local: Callable[[bytes], Path], fault: Fault
    ) -> None:
        """Also where nothing has happened, and is not repeated."""
        s3.plan.add(fault, operation="PutObject")

        with pytest.raises(OutcomeUnknownError, match="writing failed"):
            store.put_if(NAME, local(b"one"), FIRST)
        assert 1 == s3.log.count("PutObject")
        assert [] == s3.keys(BUCKET)

    @pytest.mark.parametrize("fault", IT_HAPPENED)
    def test_a_lost_answer_is_unknown(
        self, s3: FakeS3, store: S3Store, local: Callable[[bytes], Path], fault: Fault
    ) -> None:
        """The file is there, and was sent once."""
        s3.plan.add(fault, operation="PutObject")

        with pytest.raises(OutcomeUnknownError, match="writing failed"):
            store.put_if(NAME, local(b"one"), FIRST)
        assert 1 == s3.log.count("PutObject")
        assert b"one" == data_of(s3)

    def test_silence_is_unknown(
        self,
        s3: FakeS3,
        store: S3Store,
        local: Callable[[bytes], Path],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """After the time limit."""
        s3.plan.add(Fault.TIMEOUT, operation="PutObject")
        with (
            impatient(monkeypatch),
            pytest.raises(OutcomeUnknownError, match="writing failed"),
        ):
            store.put_if(NAME, local(b"one"), FIRST)

    def test_what_is_unknown_may_happen_later(
        self,
        s3: FakeS3,
        store: S3Store,
        local: Callable[[bytes], Path],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """After we have stopped waiting."""
        s3.plan.add(Fault.LATE, operation="PutObject", delay_s=1.0)
        with (
            impatient(monkeypatch),
            pytest.raises(OutcomeUnknownError, match="writing failed"),
        ):
            store.put_if(NAME, local(b"one"), FIRST)
        assert [] == s3.keys(BUCKET)
        deadline = time.monotonic() + 30
        while not s3.keys(BUCKET) and time.monotonic() < deadline:
            time.sleep(0.05)

        assert b"one" == data_of(s3)

    def test_a_refused_permission_is_an_error(
        self, s3: FakeS3, store: S3Store, local: Callable[[bytes], Path]
    ) -> None:
        """Which names those that are needed."""
        s3.deny(BUCKET, KEY, "PutObject")
        with pytest.raises(StorageError, match=r"access was refused .*s3:PutObject, and s3:GetOb"):
            store.put_if(NAME, local(b"one"), FIRST)

    def test_of_many_at_once_one_wins(self, s3: FakeS3, store: S3Store, tmp_path: Path) -> None:
        """The others are refused."""
        files = [tmp_path / f"{number}" for number in range(16)]
        for file in files:
            file.write_text(file.name)
        with ThreadPoolExecutor(16) as executor:
            outcomes = list(executor.map(lambda file: store.put_if(NAME, file, FIRST), files))

        assert [PutOutcome.WRITTEN] == [each for each in outcomes if each != PutOutcome.REFUSED]
        assert data_of(s3) == files[outcomes.index(PutOutcome.WRITTEN)].name.encode()


class TestFolders:
    """Listing and removing what is beside the checkpoint."""

    def test_the_files_directly_in_a_folder_are_listed(self, s3: FakeS3, store: S3Store) -> None:
        """Over several pages, without markers, deeper folders and similar names."""
        s3.clock = lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        names = [f"_ledger/events.parquet/{number}.parquet" for number in range(10)]
        others = ["_ledger/events.parquet/", "_ledger/events.parquet/a/b", "_ledger/events.parq"]
        s3.load(BUCKET, dict.fromkeys((f"out/{name}" for name in [*names, *others]), b"1"))

        assert [
            StoredFile(name=name, last_modified=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
            for name in names
        ] == store.list_files("_ledger/events.parquet")

    def test_no_folder_is_empty(self, store: S3Store) -> None:
        """Not an error."""
        assert [] == store.list_files("_ledger/events.parquet")

    def test_a_file_is_removed(self, s3: FakeS3, store: S3Store) -> None:
        """And nothing else."""
        s3.load(BUCKET, {"out/a": b"1", "out/b": b"1"})
        store.delete("a")
        store.delete("a")

        assert ["out/b"] == s3.keys(BUCKET)

    @pytest.mark.parametrize("fault", [*NOTHING_HAPPENED, *IT_HAPPENED])
    def test_faults_are_made_good(self, s3: FakeS3, store: S3Store, fault: Fault) -> None:
        """Of both."""
        s3.load(BUCKET, {"out/x/a": b"1"})
        s3.plan.add(fault, operation="ListObjectsV2")
        s3.plan.add(fault, operation="DeleteObject")

        assert ["x/a"] == [file.name for file in store.list_files("x")]
        store.delete("x/a")
        assert [] == s3.keys(BUCKET)

    def test_refusals_name_the_permission(self, s3: FakeS3, store: S3Store) -> None:
        """That is needed."""
        s3.deny(BUCKET, "out/a")
        with pytest.raises(StorageError, match="s3:DeleteObject"):
            store.delete("a")
        with pytest.raises(StorageError, match=r"s3:GetObject .*s3:ListBucket"):
            store.read_tail("a", 1)
        s3.bucket(BUCKET).may_list = False
        with pytest.raises(StorageError, match="s3:ListBucket"):
            store.list_files("x")
