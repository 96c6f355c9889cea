"""Listing S3: whole, each key once and exactly as it is, whatever the keys look like."""

import itertools
import time
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checkpoint_format.errors import StorageError
from checkpoint_format.stores import LISTING_SCHEMA
from checkpoint_storage.s3 import S3Source, _pages
from checkpoint_storage.s3._key_ranges import first_ranges, split_points
from checkpoint_storage.s3._list_document import read_page
from tests.checkpoint_storage.s3.serving import BUCKET, impatient
from tests.fake_s3 import FakeS3, Fault

EVENT = "log-submit-20240115-100000-42-ingest-form-110001-01.json"


def source(
    prefix: str = "", *, page_size: int = 1000, threads: int = 8, bucket: str = BUCKET
) -> S3Source:
    """Return a source that is listed by such pages and so many threads."""
    return S3Source(bucket, prefix, page_size=page_size, listing_threads=threads)


def listed_keys(source: S3Source, *, restore_states: bool = False) -> list[str]:
    """List, and return the keys in their order."""
    listing = source.list_objects(restore_states=restore_states)
    assert listing.schema == LISTING_SCHEMA
    return listing["key"].sort().to_list()


def event_keys(count: int, *, days: float = 700, prefix: str = "") -> list[str]:
    """Return names of event objects of all actions, spread over some days."""
    start = datetime(2023, 1, 1, tzinfo=UTC)
    step = timedelta(days=days) / count
    actions = itertools.cycle(("submit", "pass-qc", "submit", "not-pass-qc", "delete"))
    return [
        f"{prefix}log-{action}-{start + step * n:%Y%m%d-%H%M%S}-1-form-{n}-01.json"
        for n, action in zip(range(count), actions, strict=False)
    ]


NUMBERS = itertools.count()


class TestLocation:
    """The prefix is a folder."""

    @pytest.mark.parametrize(
        "prefix, location",
        [
            ("", "s3://events/"),
            ("prod", "s3://events/prod/"),
            ("prod/", "s3://events/prod/"),
            ("a/b", "s3://events/a/b/"),
        ],
    )
    def test_it_ends_with_a_slash(self, prefix: str, location: str) -> None:
        """However the prefix is given."""
        assert location == S3Source(BUCKET, prefix).location

    def test_what_only_begins_like_the_folder_is_not_in_it(self, s3: FakeS3) -> None:
        """Neither a longer name nor the name itself."""
        s3.load(BUCKET, {"prod/a": b"1", "prod2/a": b"1", "prod": b"1", "dev/a": b"1"})

        assert ["prod/a"] == listed_keys(source("prod"))


class TestContent:
    """What a row says."""

    def test_a_row_has_what_s3_says(self, s3: FakeS3) -> None:
        """The etag without quotation marks, the time in UTC, the state unknown."""
        stored = s3.put_object(BUCKET, EVENT, b"12345")

        assert [(EVENT, stored.etag, 5, stored.last_modified, None)] == source().list_objects(
            restore_states=False
        ).rows()

    def test_fast_and_exact_pages_say_the_same(self, s3: FakeS3) -> None:
        """In every column but the one that only exact pages know."""
        s3.load(BUCKET, {key: key.encode() for key in event_keys(50)})
        fast = source(page_size=5).list_objects(restore_states=False)
        exact = source(page_size=5).list_objects(restore_states=True)

        assert fast.drop("archived").sort("key").equals(exact.drop("archived").sort("key"))

    def test_restore_states_tell_what_cannot_be_read(self, s3: FakeS3) -> None:
        """Archived and not restored, or being restored; not what is instantly readable."""
        now = datetime.now(UTC)
        s3.load(BUCKET, dict.fromkeys(("a", "b", "c", "d", "e", "f"), b"1"))
        s3.archive(BUCKET, "a", "GLACIER")
        s3.archive(BUCKET, "b", "DEEP_ARCHIVE")
        s3.archive(BUCKET, "c", "GLACIER_IR")
        s3.archive(BUCKET, "d", "GLACIER")
        s3.restore(BUCKET, "d", until=now + timedelta(days=1))
        s3.archive(BUCKET, "e", "GLACIER")
        s3.restore(BUCKET, "e", until=None)
        listing = source(page_size=2).list_objects(restore_states=True)

        assert {"a": True, "b": True, "c": False, "d": False, "e": True, "f": False} == dict(
            listing.select("key", "archived").rows()
        )


class TestPages:
    """More than one page."""

    @pytest.mark.parametrize("restore_states", [False, True])
    @pytest.mark.parametrize("asked_for, answered", [(3, 1000), (1000, 7)])
    def test_tiny_pages_make_a_whole_listing(
        self, s3: FakeS3, asked_for: int, answered: int, *, restore_states: bool
    ) -> None:
        """Each key once; a server may have smaller pages than were asked for."""
        s3.page_size = answered
        keys = sorted(event_keys(300, prefix="prod/"))
        s3.load(BUCKET, dict.fromkeys(keys, b"1"))
        there = source("prod", page_size=asked_for)

        assert keys == listed_keys(there, restore_states=restore_states)

    def test_up_to_a_page_is_one_request(self, s3: FakeS3) -> None:
        """Nothing is looked for beyond it."""
        s3.load(BUCKET, dict.fromkeys(event_keys(1000), b"1"))

        assert 1000 == len(listed_keys(source()))
        assert {"ListObjectsV2": 1} == s3.log.operations()

    def test_threads_share_what_has_no_dates(self, s3: FakeS3) -> None:
        """More than one thread lists names that are not those of events."""
        keys = [f"{number * 7919 % 100_000:05}" for number in range(2000)]
        s3.load(BUCKET, dict.fromkeys(keys, b"1"))

        assert sorted(keys) == listed_keys(source(page_size=20))
        assert s3.log.count("ListObjectsV2") <= 300

    @pytest.mark.parametrize("page_size", [3, 10, 50])
    @pytest.mark.parametrize("number", [0, 1, 20, 49])
    def test_an_object_in_the_place_of_a_folder_does_not_end_the_listing(
        self, s3: FakeS3, page_size: int, number: int
    ) -> None:
        """Its key is another one than that of the folder."""
        keys = event_keys(50)
        stem = keys[number].removesuffix("-01.json")
        keys += [f"{stem}/", f"{stem}-x", f"{stem}.y", f"{stem}0", f"{keys[number]}/"]
        s3.load(BUCKET, dict.fromkeys(keys, b"1"))

        assert sorted(keys) == listed_keys(source(page_size=page_size))

    def test_an_unordered_listing_is_refused(
        self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Directory buckets list so; parts of it could be lost."""
        s3.load(BUCKET, dict.fromkeys(event_keys(50), b"1"))
        read = read_page

        def reversed_page(document: bytes) -> tuple[pl.DataFrame, bool] | None:
            objects, truncated = read(document) or pytest.fail("not as S3 writes it")
            return objects.reverse(), truncated

        monkeypatch.setattr(_pages, "read_page", reversed_page)
        with pytest.raises(StorageError, match="do not come in order"):
            source(page_size=10).list_objects(restore_states=False)


SEGMENT = st.sampled_from(
    ["", ".", "..", "a", "b", "zz", "%", "%2F", "a b", "ü", "\U0001f600", "a\tb", "\x7f", "~", "+"]
) | st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n/\x01\x02\x03"), max_size=3)
EVENT_LIKE = st.builds(
    "log-{}-{}{}".format,
    st.sampled_from(["submit", "delete", "duplicate-submit", "other", ""]),
    st.datetimes().map(lambda time: f"{time.year:04}{time:%m%d-%H%M%S}")
    | st.sampled_from(["99999999-999999", "20240230-000000", "x"]),
    st.sampled_from(["", "-1-form-1-01.json"]),
)
KEY = (
    st.lists(SEGMENT | EVENT_LIKE, min_size=1, max_size=3)
    .map("/".join)
    .filter(lambda key: key and len(key.encode()) <= 1024)
)


class TestEveryKey:
    """No key is lost, invented, doubled or changed."""

    @given(
        keys=st.sets(KEY, min_size=0, max_size=60),
        page_size=st.integers(1, 5),
        prefix=st.sampled_from(["", "a", "a/b", ".", "a//b", "%", "log-submit-x"]),
        threads=st.integers(1, 6),
        exact=st.booleans(),
    )
    @example(keys={"/a", "a", "/", "0", "//", "b/"}, page_size=1, prefix="", threads=2, exact=False)
    @example(
        keys={"a/" + EVENT, "a/", "a//x", "a/./x"}, page_size=1, prefix="a", threads=2, exact=False
    )
    def test_any_set_of_keys_is_listed_as_it_is(
        self,
        server: FakeS3,
        keys: set[str],
        page_size: int,
        prefix: str,
        threads: int,
        *,
        exact: bool,
    ) -> None:
        """Empty segments, dots, control characters, percent signs, slashes at either end."""
        bucket = f"bucket-{next(NUMBERS)}"
        server.create_bucket(bucket)
        server.load(bucket, dict.fromkeys(keys, b"1"))
        there = source(prefix, page_size=page_size, threads=threads, bucket=bucket)
        start = there.location.removeprefix(f"s3://{bucket}/")

        assert sorted(key for key in keys if key.startswith(start)) == listed_keys(
            there, restore_states=exact
        )

    @given(
        keys=st.lists(KEY | EVENT_LIKE, min_size=2, unique=True),
        until=KEY | EVENT_LIKE | st.none(),
        parts=st.integers(2, 8),
    )
    @example(keys=["a", "b"], until="b", parts=2)
    @example(keys=[f"log-submit-{year}0101-000000" for year in (1900, 2024)], until=None, parts=4)
    @example(keys=[f"log-submit-00010101-0{hour}0000" for hour in (1, 2)], until=None, parts=8)
    def test_split_points_are_inside_and_in_order(
        self, keys: list[str], until: str | None, parts: int
    ) -> None:
        """So that the pieces on both sides of them are all there is."""
        first, last = sorted(keys)[:2]
        latest = datetime(2025, 1, 1)  # noqa: DTZ001 - the names' own time
        found = split_points(first, last, until, prefix="", parts=parts, latest=latest)

        assert sorted(set(found)) == found
        assert all(last < key and (until is None or key < until) for key in found)

    def test_split_points_are_in_years_of_four_digits(self) -> None:
        """Before the year 1000 too, which is what some programs write for no time."""
        first, last = (f"log-submit-{time}-000000-x" for time in ("00010101", "00030101"))

        latest = datetime(2025, 1, 1)  # noqa: DTZ001 - the names' own time
        found = split_points(first, last, None, prefix="", parts=4, latest=latest)

        assert [cut.removeprefix("log-submit-")[:4] for cut in found] == [
            "0010", "0034", "0130", "0514"
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "until, latest, expected",
        [
            # Four, sixteen and 64 days after the last name.
            ("log-submit/", "20240601", ["20240106", "20240118", "20240306"]),
            (None, "20240118", ["20240106"]),
            (None, "20240106", []),
            # Eight days are left, and eight pages; then three.
            ("log-submit-20240110-000000", "20250101", ["20240104", "20240106", "20240108"]),
            ("log-submit-20240105-000000", "20250101", ["20240103", "20240104"]),
            ("log-submit-20240110-000000", "20240105", ["20240103", "20240104"]),
        ],
    )
    def test_split_points_grow_where_the_end_is_not_known(
        self, until: str | None, latest: str, expected: list[str]
    ) -> None:
        """After a page of one day; otherwise they are equal, and not more than there are pages."""
        first, last = "log-submit-20240101-000000-x", "log-submit-20240102-000000-x"
        time = datetime.strptime(latest, "%Y%m%d")  # noqa: DTZ007 - the names' own time

        found = split_points(first, last, until, prefix="", parts=4, latest=time)

        assert found == [f"log-submit-{day}-000000" for day in expected]

    @given(prefix=st.sampled_from(["", "a/"]), after=KEY)
    def test_the_first_ranges_follow_one_another(self, prefix: str, after: str) -> None:
        """From the key on, to the end."""
        pieces = first_ranges(prefix, after)

        assert after == pieces[0].after
        assert pieces[-1].until is None
        assert [piece.until for piece in pieces[:-1]] == [piece.after for piece in pieces[1:]]

    def test_strange_keys_cost_no_more_than_others(self, s3: FakeS3) -> None:
        """A request for each page, and one for each range."""
        keys = [f"p/{number:04}//./ \t%+&<\r\n" for number in range(640)]
        s3.load(BUCKET, dict.fromkeys(keys, b"1"))

        assert sorted(keys) == listed_keys(source("p", page_size=10, threads=1))
        assert s3.log.count("ListObjectsV2") <= 64 + len(first_ranges("p/", ""))


OBJECT = (
    "<Contents><Key>a</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
    "<ETag>&quot;e&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>"
)
PAGE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/>'
    f"<KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>{OBJECT}</ListBucketResult>"
)


class TestDocuments:
    """The form of a page that is read without boto3."""

    def test_a_page_of_s3_is_read(self) -> None:
        """As it is written."""
        time = datetime(2024, 1, 1, tzinfo=UTC)
        objects, truncated = read_page(PAGE.encode()) or pytest.fail("not read")

        assert [("a", "e", 1, time, None)] == objects.rows()
        assert objects.schema == LISTING_SCHEMA
        assert not truncated

    @pytest.mark.parametrize(
        "before, after, key",
        [
            ("<Size>", "<ChecksumType>FULL_OBJECT</ChecksumType><Owner/><Size>", "a"),
            ("&quot;", '"', "a"),
            ("00.000Z", "00Z", "a"),
            (
                f"false</IsTruncated>{OBJECT}",
                f"false</IsTruncated>{OBJECT}<MaxKeys>1</MaxKeys>",
                "a",
            ),
            ("<Key>a", "<Key>a%20%2B", "a%20%2B"),
            ("<Prefix/>", "<EncodingType>url</EncodingType>", "a"),
            ("<Prefix/><KeyCount>1</KeyCount>", "<EncodingType>url</EncodingType>", "a"),
        ],
    )
    def test_what_other_servers_write_is_read_too(self, before: str, after: str, key: str) -> None:
        """Further elements, and other ways to write the same."""
        assert before in PAGE
        objects, _ = read_page(PAGE.replace(before, after).encode()) or pytest.fail("not read")

        assert [key] == objects["key"].to_list()

    @pytest.mark.parametrize(
        "before, after",
        [
            ("false</IsTruncated>", "</IsTruncated>"),
            ("<IsTruncated>false</IsTruncated>", ""),
            ("false</IsTruncated>", "FALSE</IsTruncated>"),
            ("false</IsTruncated>", "true</IsTruncated>"),
            ("<Key>a</Key>", ""),
            ("<Key>a</Key>", "<Key></Key>"),
            ("<Key>a</Key>", "<Key>a&amp;b</Key>"),
            ("<Key>a</Key>", "<Key>a\r</Key>"),
            ("<Key>a</Key>", "<Key><!-- -->a</Key>"),
            ("<Key>a</Key>", "<Key><![CDATA[a]]></Key>"),
            ("<Size>1</Size>", ""),
            ("<Size>1</Size>", "<Size>-1</Size>"),
            ("<Size>1</Size>", "<Size>1</Size><Size>2</Size>"),
            ("<Size>1</Size>", "<Size>1234567890123456789</Size>"),
            ("&quot;e&quot;", "&quot;&quot;"),
            ("<ETag>&quot;e&quot;</ETag>", ""),
            ("2024-01-01", "2024-13-01"),
            ("2024-01-01", "-2024-01-01"),
            ("2024-01-01T00:00:00.000Z", "yesterday"),
            ("</Contents>", ""),
            ("<Contents>", '<Contents id="1">'),
            ("</ListBucketResult>", ""),
            ("</ListBucketResult>", "</ListBucketResult><html></html>"),
            ("ListBucketResult", "Error"),
            ("<Name>b</Name>", "<Name>b"),
        ],
    )
    def test_no_other_form_is_read(self, before: str, after: str) -> None:
        """Rather than half of it."""
        assert before in PAGE
        assert read_page(PAGE.replace(before, after).encode()) is None

    @pytest.mark.parametrize("key", ["a&amp;b", "a\rb"])
    def test_what_xml_means_otherwise_is_not_read_where_keys_are_encoded(self, key: str) -> None:
        """Not every server encodes all that S3 does."""
        encoded = PAGE.replace("<Prefix/>", "<EncodingType>url</EncodingType>")
        assert read_page(encoded.encode())
        assert read_page(encoded.replace("<Key>a", f"<Key>{key}").encode()) is None

    @pytest.mark.parametrize(
        "before, unit",
        [
            ("", " "),
            ("<ListBucketResult>", "<a/> "),
            ("<ListBucketResult>", "<Contents><Key>"),
            (f"<ListBucketResult>{OBJECT[:-40]}", "<a/>"),
        ],
    )
    def test_no_document_takes_long(self, before: str, unit: str) -> None:
        """Of a megabyte, in a form that makes patterns go back and forth."""
        start = time.process_time()
        assert read_page((before + unit * (1_000_000 // len(unit))).encode()) is None
        assert time.process_time() - start < 5

    @pytest.mark.parametrize(
        "document", [b"", b"\xff", PAGE.replace("<Key>a", "<Key>\xe9").encode("latin-1")]
    )
    def test_nothing_is_read_that_is_no_text(self, document: bytes) -> None:
        """Of the encoding that it must have."""
        assert read_page(document) is None

    def test_a_page_with_more_to_come_says_how(self) -> None:
        """And has something on it."""
        more = PAGE.replace("false<", "true<")
        token = more.replace("<Prefix/>", "<NextContinuationToken>x</NextContinuationToken>")
        _, truncated = read_page(token.encode()) or pytest.fail("not read")

        assert truncated
        assert read_page(token.replace(OBJECT, "").encode()) is None


class TestFaults:
    """What goes wrong for a moment does no harm; what stays wrong fails the whole listing."""

    @pytest.mark.parametrize("nth", [1, 4])
    def test_a_page_that_fails_four_times_fails_the_listing(self, s3: FakeS3, nth: int) -> None:
        """Asked for four times, and nothing is returned."""
        s3.load(BUCKET, dict.fromkeys(event_keys(60), b"1"))
        s3.plan.add(Fault.FAIL_BEFORE, operation="ListObjectsV2", nth=nth, times=None)
        with pytest.raises(StorageError, match=r"s3://events/: listing failed: .*Run again later"):
            source(page_size=5, threads=1).list_objects(restore_states=False)

        assert nth - 1 + 4 == s3.log.count("ListObjectsV2")

    def test_a_stalled_page_is_asked_for_again(
        self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After the time limit."""
        keys = sorted(event_keys(60))
        s3.load(BUCKET, dict.fromkeys(keys, b"1"))
        s3.plan.add(Fault.STALLED, operation="ListObjectsV2", nth=2)
        s3.plan.add(Fault.TIMEOUT, operation="ListObjectsV2", nth=1)
        with impatient(monkeypatch):
            assert keys == listed_keys(source(page_size=30))
