"""Reading from S3: one answer for each object, what was read and not what was listed."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from checkpoint_format.errors import StorageError
from checkpoint_format.stores import Content, ReadFailure
from checkpoint_storage import threaded_reading
from checkpoint_storage.s3 import S3Source
from tests.checkpoint_storage.s3.serving import BUCKET, FAILED, NO_OBJECT, impatient
from tests.fake_s3 import FakeS3, Fault, Request

LIMIT = 1_000_000
TRANSIENT = [*FAILED, Fault.CUT_SHORT]


@pytest.fixture
def s3(s3: FakeS3) -> Iterator[FakeS3]:
    """Return the store with an empty bucket; no thread of a reader is left afterwards."""
    yield s3
    assert not reading_threads()


def reading_threads() -> list[str]:
    """Return the names of the readers' threads that are alive."""
    return [each.name for each in threading.enumerate() if each.name.startswith("reading-")]


def source(threads: int = 8) -> S3Source:
    """Return a source that is read by so many threads."""
    return S3Source(BUCKET, reading_threads=threads)


def read(
    *keys: str, max_size_bytes: int = LIMIT, threads: int = 8
) -> dict[str, Content | ReadFailure]:
    """Read, and return the answers by their keys, of which each has exactly one."""
    answers = list(source(threads).read(keys, max_size_bytes=max_size_bytes))
    assert sorted(keys) == sorted(answer.key for answer in answers)
    return {answer.key: answer for answer in answers}


def content(answer: Content | ReadFailure) -> Content:
    """Return the answer, which is a content."""
    assert isinstance(answer, Content)
    return answer


def outcome(answer: Content | ReadFailure) -> str:
    """Return the outcome of a failure, whose reason says nothing of the content."""
    assert isinstance(answer, ReadFailure)
    assert "SECRET" not in answer.reason
    return answer.outcome


class TestContent:
    """What is read."""

    @pytest.mark.parametrize("count", [0, 1, 7, 2000])
    def test_each_object_is_read_by_one_request(self, s3: FakeS3, count: int) -> None:
        """However many there are; nothing else is asked for."""
        contents = {f"p/{number}": b"%d" % number for number in range(count)}
        s3.load(BUCKET, contents)
        answers = read(*contents)

        assert contents == {key: content(answer).data for key, answer in answers.items()}
        assert ({"GetObject": count} if count else {}) == s3.log.operations()

    def test_both_ways_of_reading_say_the_same(self, s3: FakeS3) -> None:
        """The fast way, and boto3 after a failure of it."""
        s3.put_object(BUCKET, "a", b"data")
        fast = read("a")["a"]
        s3.plan.add(Fault.FAIL_BEFORE, operation="GetObject")

        assert fast == read("a")["a"]
        assert UTC is content(fast).last_modified.tzinfo or (
            content(fast).last_modified.utcoffset() == timedelta()
        )

    def test_a_rewrite_between_two_attempts_is_never_a_mixture(self, s3: FakeS3) -> None:
        """A body that was cut short is read anew, not continued."""
        s3.put_object(BUCKET, "a", b"a" * 5000)
        s3.plan.add(Fault.CUT_SHORT, operation="GetObject")
        newer: list[str] = []
        s3.plan.on_request(
            lambda request: newer.append(s3.put_object(BUCKET, "a", b"b" * 5000).etag),
            operation="GetObject",
            nth=2,
            times=1,
        )
        answer = content(read("a")["a"])

        assert (b"b" * 5000, newer) == (answer.data, [answer.etag])

    @pytest.mark.parametrize(
        "key", ["a//b", "a/./b", "../x", "/a", "a/", "a b%20+&?#ü", "a\tb", "\U0001f600"]
    )
    def test_strange_keys_are_read_too(self, s3: FakeS3, key: str) -> None:
        """And not those that obstore takes for the same."""
        s3.load(BUCKET, {key.strip("/"): b"another", key: b"data"})

        assert b"data" == content(read(key)[key]).data

    @pytest.mark.parametrize("size", [0, 11, 5_000_000])
    def test_at_most_one_byte_too_many_is_kept_after_a_failure_too(
        self, s3: FakeS3, size: int
    ) -> None:
        """Of an object that has grown since it was listed."""
        s3.put_object(BUCKET, "a", b"x" * size)
        s3.plan.add(Fault.THROTTLED, operation="GetObject")

        assert b"x" * min(size, 11) == content(read("a", max_size_bytes=10)["a"]).data

    def test_large_objects_wait_for_one_another(
        self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When there is room for one of them only, all of them are read nevertheless."""
        monkeypatch.setattr(threaded_reading, "_RESERVABLE_BYTES", 100_000)
        keys = [f"{number}" for number in range(40)]
        s3.load(BUCKET, dict.fromkeys(keys, b"x" * 90_000))

        assert {90_000} == {len(content(answer).data) for answer in read(*keys).values()}


class TestOutcomes:
    """Why there is no content."""

    @pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
    @pytest.mark.parametrize("is_being_restored", [False, True])
    def test_an_archived_object_costs_one_failing_request(
        self, s3: FakeS3, storage_class: str, *, is_being_restored: bool
    ) -> None:
        """HEAD tells why without failing; until it is there."""
        s3.put_object(BUCKET, "a", b"SECRET", storage_class=storage_class)
        if is_being_restored:
            s3.restore(BUCKET, "a", until=None)

        assert "archived" == outcome(read("a")["a"])
        assert {"GetObject": 1, "HeadObject": 1} == s3.log.operations()
        assert 1 == s3.log.count(status=403)

    def test_one_whose_refusal_is_cut_short_is_archived_still(self, s3: FakeS3) -> None:
        """Without its code it could be any refusal."""
        s3.put_object(BUCKET, "a", b"SECRET", storage_class="GLACIER")
        s3.plan.add(Fault.CUT_SHORT, operation="GetObject", times=2)

        assert "archived" == outcome(read("a")["a"])

    @pytest.mark.parametrize("storage_class", ["GLACIER_IR", "STANDARD_IA", "GLACIER"])
    def test_what_can_be_read_is_read(self, s3: FakeS3, storage_class: str) -> None:
        """Whatever its class, by one request."""
        s3.put_object(BUCKET, "a", b"data", storage_class=storage_class)
        s3.restore(BUCKET, "a", until=datetime.now(UTC) + timedelta(days=1))

        assert b"data" == content(read("a")["a"]).data
        assert {"GetObject": 1} == s3.log.operations()

    def test_a_vanished_object_is_missing(self, s3: FakeS3) -> None:
        """It takes two requests, the second of which tells it from a vanished bucket."""
        assert "missing" == outcome(read("a")["a"])
        assert {"GetObject": 2} == s3.log.operations()

    def test_a_refused_object_is_denied(self, s3: FakeS3) -> None:
        """And the others are read."""
        s3.load(BUCKET, {"a": b"SECRET", "b": b"data"})
        s3.deny(BUCKET, "a", "GetObject")
        answers = read("a", "b")

        assert "denied" == outcome(answers["a"])
        assert b"data" == content(answers["b"]).data

    def test_a_missing_object_without_permission_to_list_is_denied(self, s3: FakeS3) -> None:
        """S3 does not tell such a reader what exists."""
        s3.bucket(BUCKET).may_list = False

        assert "denied" == outcome(read("a")["a"])


class TestFaults:
    """What goes wrong for a moment does no harm."""

    @pytest.mark.parametrize("fault", [*TRANSIENT, *NO_OBJECT])
    def test_three_faults_are_made_good(self, s3: FakeS3, fault: Fault) -> None:
        """By as many further requests."""
        s3.load(BUCKET, {"a": b"data" * 100, "b": b"data"})
        planned = s3.plan.add(fault, operation="GetObject", key="a", times=3)
        answers = read("a", "b")

        assert b"data" * 100 == content(answers["a"]).data
        assert 3 == planned.fired
        assert 4 == s3.log.count("GetObject", key="a")
        assert 1 == s3.log.count("GetObject", key="b")

    @pytest.mark.parametrize("fault", [*TRANSIENT, *NO_OBJECT])
    def test_four_faults_make_an_object_unreadable(self, s3: FakeS3, fault: Fault) -> None:
        """Not invalid, whatever came instead, which the reason says; the others are read."""
        s3.load(BUCKET, {"a": b"SECRET" * 100, "b": b"data"})
        s3.plan.add(fault, operation="GetObject", key="a", times=None)
        answers = read("a", "b")

        assert "unreadable" == outcome(answers["a"])
        assert ("could not be read: HTTP 200 with " in str(answers["a"])) or fault in TRANSIENT
        assert b"data" == content(answers["b"]).data
        assert 4 == s3.log.count("GetObject", key="a")
        assert 0 == s3.log.count("HeadObject")

    def test_an_object_that_begins_like_a_page_is_read(self, s3: FakeS3) -> None:
        """It is what it is."""
        s3.put_object(BUCKET, "a", b"<html>")

        assert b"<html>" == content(read("a")["a"]).data

    @pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.STALLED])
    def test_silence_is_waited_for_only_so_long(
        self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch, fault: Fault
    ) -> None:
        """Then the object is asked for again."""
        s3.put_object(BUCKET, "a", b"data" * 100)
        s3.plan.add(fault, operation="GetObject")
        with impatient(monkeypatch):
            assert b"data" * 100 == content(read("a")["a"]).data

    @pytest.mark.parametrize("fault", TRANSIENT)
    def test_a_fault_of_asking_why_is_made_good(self, s3: FakeS3, fault: Fault) -> None:
        """The reason comes out all the same."""
        s3.put_object(BUCKET, "a", b"SECRET", storage_class="GLACIER")
        s3.plan.add(fault, operation="HeadObject", times=None)

        assert "archived" == outcome(read("a")["a"])

    def test_a_store_that_keeps_failing_fails_the_reading(self, s3: FakeS3) -> None:
        """Rather than making every object unreadable."""
        keys = [f"{number}" for number in range(500)]
        s3.load(BUCKET, dict.fromkeys(keys, b"1"))
        s3.plan.add(Fault.FAIL_BEFORE, operation="GetObject", times=None)
        with pytest.raises(StorageError, match="100 objects in a row could not be read"):
            list(source().read(keys, max_size_bytes=LIMIT))

        assert s3.log.count("GetObject") <= (100 + 8) * 4


class TestEnding:
    """Whoever stops taking answers leaves nothing behind."""

    @pytest.fixture
    def keys(self, s3: FakeS3) -> list[str]:
        """Return the keys of many objects."""
        keys = [f"{number}" for number in range(3000)]
        s3.load(BUCKET, dict.fromkeys(keys, b"1"))
        return keys

    def test_an_interrupted_taker_has_no_threads(self, s3: FakeS3, keys: list[str]) -> None:
        """As by Ctrl-C."""

        def take() -> None:
            for _ in source().read(keys, max_size_bytes=LIMIT):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            take()

        assert not reading_threads()

    def test_an_unexpected_error_is_raised(
        self, s3: FakeS3, keys: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not lost in a thread."""

        def broken(*given: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("obstore.get", broken)
        with pytest.raises(ZeroDivisionError):
            list(source().read(keys, max_size_bytes=LIMIT))

    def test_nothing_is_asked_for_before_the_first_answer_is_taken(self, s3: FakeS3) -> None:
        """An iterator that nobody uses costs nothing."""
        seen: list[Request] = []
        s3.plan.on_request(seen.append)
        source().read(["a"], max_size_bytes=LIMIT)

        assert not seen
