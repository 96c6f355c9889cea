"""A listing is whole only when S3 has said so, and no answer is believed that lacks what it must say.

Every page of a listing times every answer with a good status that is none, through both clients.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checkpoint_format.errors import ChangedWhileReadingError, OutcomeUnknownError, StorageError
from checkpoint_format.stores import Condition
from checkpoint_storage.s3 import S3Source, S3Store
from tests.checkpoint_storage.s3.serving import BUCKET, FAILED, NO_OBJECT, emptied
from tests.checkpoint_storage.stored import NAME, present, written
from tests.fake_s3 import FakeS3, Fault, SyntheticEvents
from tests.fake_s3.faults import INSTEAD, OF_LISTINGS

pytestmark = pytest.mark.on_one_python

KEY = f"out/{NAME}"
KEYS = [f"p/log-submit-2024010{day}-0{hour}0000-1-f-1-1.json" for day in "123" for hour in "12345"]
PAGE = 3
PAGES = 5
OF_PAGES = sorted(INSTEAD | OF_LISTINGS, key=lambda fault: fault.name)
GOOD_BY_ITSELF = {Fault.EMPTY_TRUNCATED}
"""Nothing is wrong with it."""
ENDLESS = {Fault.LEADS_BACK}
"""obstore would follow it for ever; the first page is boto3's, which does not."""
OF_WRITES = [Fault.HTML_AFTER, Fault.NO_ETAG, *sorted(INSTEAD, key=lambda fault: fault.name)]
DAMAGED = [Fault.BAD_DIGEST, Fault.INCOMPLETE_BODY, Fault.SHA256_MISMATCH, Fault.TIME_SKEWED]
BOTH_CLIENTS = pytest.mark.parametrize("restore_states", [False, True])


@pytest.fixture
def s3(s3: FakeS3) -> FakeS3:
    """Return the store with some pages of objects."""
    s3.page_size = PAGE
    s3.load(BUCKET, {key: key.encode() for key in KEYS})
    return s3


@pytest.fixture
def store(s3: FakeS3) -> S3Store:
    """Return a checkpoint's store."""
    return S3Store(BUCKET, KEY)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """Return a file to write."""
    return written(tmp_path, b"data" * 50_000)


def source(*, threads: int = 1) -> S3Source:
    """Return a source whose listing takes some pages, one after the other."""
    return S3Source(BUCKET, "p", page_size=PAGE, listing_threads=threads, reading_threads=1)


def listed(*, restore_states: bool, threads: int = 1) -> list[str]:
    """List, and return the keys."""
    listing = source(threads=threads).list_objects(restore_states=restore_states)
    return listing["key"].sort().to_list()


class TestListing:
    """Every page, whatever is answered for it."""

    @BOTH_CLIENTS
    @pytest.mark.parametrize("fault", [*OF_PAGES, *FAILED, Fault.CUT_SHORT])
    def test_one_answer_that_is_none_does_no_harm(
        self, s3: FakeS3, fault: Fault, *, restore_states: bool
    ) -> None:
        """Whichever request it is the answer to, the one after the last page among them."""
        listed(restore_states=restore_states)
        requests = s3.log.count("ListObjectsV2")
        assert PAGES <= requests <= 2 * PAGES
        for nth in range(1, requests + 1):
            s3.plan.clear()
            planned = s3.plan.add(fault, operation="ListObjectsV2", nth=nth)

            assert listed(restore_states=restore_states) == KEYS, nth
            assert planned.fired == 1

    @BOTH_CLIENTS
    @pytest.mark.parametrize(
        "fault", [fault for fault in OF_PAGES if fault not in GOOD_BY_ITSELF | ENDLESS]
    )
    def test_an_answer_that_stays_none_fails_the_listing(
        self, s3: FakeS3, fault: Fault, *, restore_states: bool
    ) -> None:
        """After four requests for it at most, with the status and what it is or lacks."""
        listed(restore_states=restore_states)
        requests = s3.log.count("ListObjectsV2")
        for nth in range(1, requests + 1):
            s3.plan.clear()
            planned = s3.plan.add(fault, operation="ListObjectsV2", nth=nth, times=None)
            empty = nth == requests and not restore_states
            if empty and fault.name in {"NO_KEYS", "NO_SIZES", "NO_TIMES", "NO_ETAGS"}:
                # What follows the last key has nothing that could lack something.
                assert listed(restore_states=restore_states) == KEYS
                continue
            with pytest.raises(
                StorageError,
                match=r"s3://events/p/: listing failed: .* \(HTTP 200 with an? .*\)\. Check AWS_EN",
            ):
                listed(restore_states=restore_states)

            # Each by obstore and by boto3 where the first has taken it for a page, as it is.
            assert 4 <= planned.fired <= 8

    def test_the_end_costs_one_request_more_for_each_piece(self, s3: FakeS3) -> None:
        """One that asks what comes after its last key, and only where obstore came to an end."""
        assert listed(restore_states=True) == KEYS
        exact = s3.log.count("ListObjectsV2")
        s3.log.clear()
        assert listed(restore_states=False) == KEYS

        assert exact + 1 >= s3.log.count("ListObjectsV2")

    def test_a_large_listing_costs_hardly_more(self, s3: FakeS3) -> None:
        """Pieces that end before a key of the next one are shown to be whole by that."""
        s3.page_size = 1000
        s3.generate(BUCKET, SyntheticEvents(60_000, prefix="q/"))
        there = S3Source(BUCKET, "q")
        listing = there.list_objects(restore_states=False)

        assert listing["key"].n_unique() == 60_000
        assert s3.log.count("ListObjectsV2") <= 60 + 70
        assert there.proof is not None
        assert there.proof.endswith("or where S3 says that nothing follows")

    def test_how_a_listing_was_shown_to_be_whole_is_told(self, s3: FakeS3) -> None:
        """And nothing where there was none."""
        assert source().proof is None
        paged, empty = source(), source()
        paged.list_objects(restore_states=False)
        emptied(s3)
        empty.list_objects(restore_states=False)

        assert (paged.proof or "").startswith("5 pages: each part ends before a key that comes aft")
        assert empty.proof == "one page, of which S3 says that it is the last"

    @pytest.mark.parametrize("fault", [*OF_PAGES, *FAILED])
    def test_files_beside_the_checkpoint_are_listed_whole_or_not(
        self, s3: FakeS3, store: S3Store, fault: Fault
    ) -> None:
        """Each page of them, too."""
        s3.page_size = 2
        s3.load(BUCKET, {f"out/x/{number}": b"1" for number in range(5)})
        for nth in (1, 2, 3):
            s3.plan.clear()
            s3.plan.add(fault, operation="ListObjectsV2", nth=nth)

            assert [file.name for file in store.list_files("x")] == [f"x/{n}" for n in range(5)]
            if fault in GOOD_BY_ITSELF:
                continue
            s3.plan.add(fault, operation="ListObjectsV2", times=None)
            words = "" if fault in FAILED else "HTTP 20"
            with pytest.raises(
                StorageError, match=f"s3://events/out/x/: listing failed: .*{words}"
            ):
                store.list_files("x")


class TestObjects:
    """What is read of a stored file, times every answer that is no object."""

    @pytest.mark.parametrize("fault", [*NO_OBJECT, *FAILED, Fault.CUT_SHORT])
    def test_a_stored_file_is_read_as_it_is_or_not(
        self, s3: FakeS3, store: S3Store, tmp_path: Path, fault: Fault
    ) -> None:
        """Its end and all of it; nothing that could be taken for it is left of a fourth attempt."""
        data, words = os.urandom(2_500_000), "HTTP 20. with " if fault in NO_OBJECT else ""
        s3.put_object(BUCKET, KEY, data)
        s3.plan.add(fault, operation="GetObject", times=3)
        found = present(store)
        assert data == found.data
        s3.plan.add(fault, operation="GetObject", times=3)
        assert store.fetch(NAME, tmp_path / "copy", etag=found.etag)
        assert data == (tmp_path / "copy").read_bytes()
        s3.plan.add(fault, operation="GetObject", times=None)
        for ask in (
            lambda: store.read_tail(NAME, 100),
            lambda: store.fetch(NAME, tmp_path / "copy"),
        ):
            with pytest.raises(StorageError, match=f"s3://events/{KEY}: reading failed: .*{words}"):
                ask()
        assert [] == list(tmp_path.iterdir())

    def test_a_server_that_ignores_the_version_gives_none_of_another(
        self, s3: FakeS3, store: S3Store, tmp_path: Path
    ) -> None:
        """What comes says of which version it is."""
        s3.put_object(BUCKET, KEY, b"old")
        found = present(store)
        s3.put_object(BUCKET, KEY, b"new")
        s3.plan.on_request(lambda request: request.headers.pop("if-match", None))
        with pytest.raises(ChangedWhileReadingError, match="replaced or removed"):
            store.fetch(NAME, tmp_path / "copy", etag=found.etag)

        assert not (tmp_path / "copy").exists()


class TestWrites:
    """What is written, times every answer that does not say so."""

    @pytest.mark.parametrize("fault", [*OF_WRITES, *DAMAGED])
    def test_a_conditional_write_is_not_known_to_have_taken_place(
        self, s3: FakeS3, store: S3Store, local: Path, fault: Fault
    ) -> None:
        """Whoever asked for it reads back; it was sent once."""
        s3.plan.add(fault, operation="PutObject")
        with pytest.raises(OutcomeUnknownError, match=r"writing failed: .*\(HTTP (200 with|40\d )"):
            store.put_if(NAME, local, Condition(None))

        assert s3.log.count("PutObject") == 1

    @pytest.mark.parametrize("fault", [*OF_WRITES, *DAMAGED, *FAILED])
    def test_any_other_write_is_repeated(
        self, s3: FakeS3, store: S3Store, local: Path, fault: Fault
    ) -> None:
        """From the file's beginning; and fails where it goes on so."""
        s3.plan.add(fault, operation="PutObject", times=3)
        store.put(NAME, local)
        assert s3.get_object(BUCKET, KEY).data == local.read_bytes()
        s3.plan.add(fault, operation="PutObject", times=None)
        words = "" if fault in FAILED else r"\(HTTP (200 with|40\d )"
        with pytest.raises(StorageError, match=f"writing failed: .*{words}"):
            store.put(NAME, local)

    @pytest.mark.parametrize(
        "fault, words",
        [
            (Fault.BAD_DIGEST, "what arrived at S3 each time was not what was sent"),
            (Fault.TIME_SKEWED, "this machine's clock is wrong"),
            (Fault.HTML_AFTER, "something that is not S3's answer"),
        ],
    )
    def test_what_it_was_is_told(
        self, s3: FakeS3, store: S3Store, local: Path, fault: Fault, words: str
    ) -> None:
        """In the words of the thing to do about it."""
        s3.plan.add(fault, operation="PutObject", times=None)
        with pytest.raises(StorageError, match=words):
            store.put(NAME, local)

    def test_each_repetition_is_signed_anew(
        self, s3: FakeS3, store: S3Store, local: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With the time that it is then."""
        times = iter(datetime(2026, 1, 1, 0, minute, tzinfo=UTC) for minute in range(9))
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: next(times))
        signed: list[str] = []
        s3.plan.on_request(lambda request: signed.append(request.headers["x-amz-date"]))
        s3.plan.add(Fault.TIME_SKEWED, operation="PutObject")
        store.put(NAME, local)

        assert len(set(signed)) == 2

    @pytest.mark.parametrize("condition", [Condition(None), Condition('"etag"')])
    def test_a_server_without_conditional_writes_is_told_at_once(
        self, s3: FakeS3, store: S3Store, local: Path, condition: Condition
    ) -> None:
        """Nothing was written, and nothing is asked again."""
        s3.plan.add(Fault.UNSUPPORTED, operation="PutObject", times=None)
        with pytest.raises(
            StorageError, match=r"does not do conditional writes \(HTTP 501 NotImpl.*Keep the"
        ) as raised:
            store.put_if(NAME, local, condition)

        assert not isinstance(raised.value, OutcomeUnknownError)
        assert s3.log.count("PutObject") == 1

    @pytest.mark.parametrize("fault", [Fault.HTML_WITH_200, Fault.ERROR_WITH_200, *FAILED])
    def test_a_removal_that_did_not_take_place_is_repeated(
        self, s3: FakeS3, store: S3Store, fault: Fault
    ) -> None:
        """S3 says so with 204."""
        s3.put_object(BUCKET, KEY, b"data")
        s3.plan.add(fault, operation="DeleteObject")
        store.delete(NAME)

        assert KEY not in s3.keys(BUCKET)


class TestChecksums:
    """What comes with the checksum of something else is not what was stored."""

    @pytest.fixture(autouse=True)
    def validating(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the user have decided for checksums, which overrides our default."""
        monkeypatch.setenv("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_supported")

    def test_a_download_is_repeated_and_then_told(
        self, s3: FakeS3, store: S3Store, tmp_path: Path
    ) -> None:
        """Three times."""
        s3.put_object(BUCKET, KEY, b"data")
        s3.plan.add(Fault.WRONG_CHECKSUM, operation="GetObject", times=3)
        assert store.fetch(NAME, tmp_path / "copy")
        s3.plan.add(Fault.WRONG_CHECKSUM, operation="GetObject", times=None)
        with pytest.raises(StorageError, match=r"does not have the checksum .*FlexibleChecksum"):
            store.fetch(NAME, tmp_path / "copy")

        assert not (tmp_path / "copy").exists()
