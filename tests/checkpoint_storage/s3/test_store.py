"""A checkpoint in S3: what a request costs, three outcomes of a write, every refusal said."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checkpoint_format.errors import ChangedWhileReadingError, OutcomeUnknownError, StorageError
from checkpoint_format.stores import Condition, PutOutcome, StoredFile
from checkpoint_storage.s3 import S3Store
from tests.checkpoint_storage.s3.serving import BUCKET, impatient
from tests.checkpoint_storage.stored import FIRST, NAME, present, written
from tests.fake_s3 import FakeS3, Fault

KEY = f"out/{NAME}"


@pytest.fixture
def store(s3: FakeS3) -> S3Store:
    """Return a checkpoint's store."""
    return S3Store(BUCKET, KEY)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """Return a file to write."""
    return written(tmp_path, b"data")


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

    def test_the_scratch_folder_is_where_temporary_files_are(
        self, store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And is removed afterwards."""
        monkeypatch.setattr("tempfile.tempdir", None)
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        with store.scratch() as folder:
            assert tmp_path == folder.parent

        assert not folder.exists()


class TestReading:
    """The end of a file, or all of it, of one version."""

    def test_the_last_bytes_come_by_one_request(self, s3: FakeS3, store: S3Store) -> None:
        """With the etag as S3 wants it back, in quotation marks."""
        etag = s3.put_object(BUCKET, KEY, b"0123456789").etag

        assert f'"{etag}"' == present(store).etag
        assert {"GetObject": 1} == s3.log.operations()

    def test_an_empty_file_that_is_filled_meanwhile_is_read(
        self, s3: FakeS3, store: S3Store
    ) -> None:
        """Between the two requests."""
        s3.put_object(BUCKET, KEY, b"")
        s3.plan.on_request(
            lambda request: s3.put_object(BUCKET, KEY, b"data"), operation="HeadObject"
        )

        assert b"data" == present(store).data

    def test_an_old_copy_is_not_taken_for_a_file_that_is_gone(
        self, store: S3Store, local: Path
    ) -> None:
        """Where nothing could be fetched nothing is."""
        assert not store.fetch(NAME, local)
        assert not local.exists()

    def test_a_version_that_changes_between_two_attempts_never_comes(
        self, s3: FakeS3, store: S3Store, tmp_path: Path
    ) -> None:
        """The second one asks for the same."""
        s3.put_object(BUCKET, KEY, b"old" * 1000)
        etag = present(store).etag
        s3.plan.add(Fault.CUT_SHORT, operation="GetObject")
        s3.plan.on_request(
            lambda request: s3.put_object(BUCKET, KEY, b"new" * 1000), operation="GetObject", nth=2
        )
        with pytest.raises(ChangedWhileReadingError, match="replaced or removed"):
            store.fetch(NAME, tmp_path / "copy", etag=etag)

    def test_a_full_disk_is_said(self, s3: FakeS3, store: S3Store, tmp_path: Path) -> None:
        """With what to do about it."""
        s3.put_object(BUCKET, KEY, b"data")
        with pytest.raises(StorageError, match=r"cannot be copied to .* set TMPDIR"):
            store.fetch(NAME, tmp_path / "no" / "folder")


class TestWriting:
    """Written, refused or unknown; where there is a condition, asked for once."""

    def test_the_file_is_written_by_one_request(
        self, s3: FakeS3, store: S3Store, local: Path
    ) -> None:
        """Over whatever is there."""
        for _ in range(2):
            store.put("_rejects/a.parquet", local)

        assert ["out/_rejects/a.parquet"] == s3.keys(BUCKET)
        assert {"PutObject": 2} == s3.log.operations()

    def test_what_is_written_is_encrypted_with_the_given_key(self, s3: FakeS3, local: Path) -> None:
        """Unconditionally or not; conditions on its etag work."""
        store = S3Store(BUCKET, KEY, "key-1")
        store.put("_rejects/a.parquet", local)

        assert PutOutcome.WRITTEN is store.put_if(NAME, local, FIRST)
        assert PutOutcome.WRITTEN is store.put_if(NAME, local, Condition(present(store).etag))
        for key in (KEY, "out/_rejects/a.parquet"):
            headers = s3.get_object(BUCKET, key).headers
            assert "aws:kms" == headers["x-amz-server-side-encryption"]
            assert "key-1" == headers["x-amz-server-side-encryption-aws-kms-key-id"]

    @pytest.mark.parametrize("condition", [FIRST, Condition('"etag"')])
    def test_a_missing_bucket_is_no_refusal(
        self, s3: FakeS3, local: Path, condition: Condition
    ) -> None:
        """But an error, whatever the condition."""
        with pytest.raises(StorageError, match="s3://lost/a: writing failed: there is no bucket"):
            S3Store("lost", "a").put_if("a", local, condition)

    def test_a_conflict_is_a_refusal(self, s3: FakeS3, store: S3Store, local: Path) -> None:
        """Another write was under way."""
        s3.plan.add(Fault.CONFLICT, operation="PutObject")

        assert PutOutcome.REFUSED is store.put_if(NAME, local, FIRST)
        assert [] == s3.keys(BUCKET)

    @pytest.mark.parametrize(
        "fault, stored",
        [
            (Fault.FAIL_BEFORE, []),
            (Fault.THROTTLED, []),
            (Fault.RESET, []),
            (Fault.FAIL_AFTER, [KEY]),
            (Fault.RESPONSE_LOST, [KEY]),
        ],
    )
    def test_a_failure_is_unknown(
        self, s3: FakeS3, store: S3Store, local: Path, fault: Fault, stored: list[str]
    ) -> None:
        """Whether it has happened or not, and is not repeated."""
        s3.plan.add(fault, operation="PutObject")
        with pytest.raises(OutcomeUnknownError, match="writing failed"):
            store.put_if(NAME, local, FIRST)

        assert 1 == s3.log.count("PutObject")
        assert stored == s3.keys(BUCKET)

    def test_silence_is_unknown_and_the_write_may_happen_later(
        self, s3: FakeS3, store: S3Store, local: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After the time limit, when we have stopped waiting."""
        s3.plan.add(Fault.LATE, operation="PutObject", delay_s=1.0)
        with impatient(monkeypatch), pytest.raises(OutcomeUnknownError, match="writing failed"):
            store.put_if(NAME, local, FIRST)
        assert [] == s3.keys(BUCKET)
        deadline = time.monotonic() + 30
        while not s3.keys(BUCKET) and time.monotonic() < deadline:
            time.sleep(0.05)

        assert [KEY] == s3.keys(BUCKET)

    def test_refusals_name_the_permission_that_is_needed(
        self, s3: FakeS3, store: S3Store, local: Path
    ) -> None:
        """Of each request."""
        s3.deny(BUCKET, KEY)
        with pytest.raises(StorageError, match=r"access was refused .*s3:PutObject, and s3:GetOb"):
            store.put_if(NAME, local, FIRST)
        with pytest.raises(StorageError, match="s3:DeleteObject"):
            store.delete(NAME)
        with pytest.raises(StorageError, match=r"s3:GetObject .*s3:ListBucket"):
            store.read_tail(NAME, 1)
        s3.bucket(BUCKET).may_list = False
        with pytest.raises(StorageError, match="s3:ListBucket"):
            store.list_files("x")


def test_a_folders_marker_is_no_file_in_it(s3: FakeS3, store: S3Store) -> None:
    """Consoles make it; the times are those of S3."""
    s3.clock = lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    s3.load(BUCKET, dict.fromkeys(("out/x/", "out/x/a"), b"1"))

    assert [
        StoredFile(name="x/a", last_modified=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    ] == store.list_files("x")
