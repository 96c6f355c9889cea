"""What the list knows: participants by their digests, and whose a name says that an object is."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from checkpoint_format.withholding.withheld import NOBODY, Participant, Withheld

ALONE = Withheld(revision="00000001-x", key=bytes(range(32)))


def a_list(*participants: Participant) -> Withheld:
    """Return a list with these participants."""
    return structs.replace(ALONE, participants=frozenset(map(ALONE.digest_of, participants)))


@given(
    adcid=st.integers(0, 50),
    ptid=st.text("0129aZ-", min_size=1, max_size=10),
    zeros=st.integers(0, 3),
    other=st.text("0129aZ-", min_size=1, max_size=10),
)
def test_a_participant_counts_without_leading_zeros(
    adcid: int, ptid: str, zeros: int, other: str
) -> None:
    """Of the same center, and of no other; capitals are told apart."""
    withheld = a_list((adcid, ptid))

    assert withheld.holds(adcid, "0" * zeros + ptid)
    assert not withheld.holds(adcid + 1, ptid)
    is_same = (other.lstrip("0") or "0") == (ptid.lstrip("0") or "0")
    assert withheld.holds(adcid, other) == is_same


@given(
    adcid=st.integers(0, 50),
    ptid=st.text("0129aZ-.#", min_size=1, max_size=10),
    project=st.sampled_from(["ingest-form", "sandbox", "ingest-form-dvcid"]),
    visit=st.sampled_from(["2024-01-15", "01", ""]),
)
def test_a_name_tells_of_its_participant(adcid: int, ptid: str, project: str, visit: str) -> None:
    """Also where the ptid has hyphens, and in a folder."""
    name = f"prod/log-submit-20240115-100000-{adcid}-{project}-{ptid}-{visit}.json"

    assert a_list((adcid, ptid)).is_named(name)
    assert not a_list((adcid + 1, ptid)).is_named(name)
    assert not NOBODY.is_named(name)


@pytest.mark.parametrize(
    "name",
    [
        "log-new-action-20240115-100000-42-ingest-form-110001-01.json",
        "x/20240115-100000-42-ingest-form-0110001-2024-01-15.json.bak",
        "copy-of-log-submit-20240115-100000-42-a-b-110001.txt",
        "log-submit-20240115-100000-42-110001.json",
    ],
)
def test_other_names_tell_by_every_word_after_the_center(name: str) -> None:
    """They are not event objects, and may be named beside the rejects."""
    assert a_list((42, "110001")).is_named(name)
    assert not a_list((42, "110002"), (43, "110001")).is_named(name)


def test_an_object_is_known_by_its_name_and_etag() -> None:
    """So one that was rewritten is looked at again."""
    objects = pl.DataFrame({"key": ["a", "a", "b", "c"], "etag": ["1", "2", "1", None]})
    known = structs.replace(ALONE, objects=frozenset([next(ALONE.digests_of(objects))]))

    assert known.knows(objects).to_list() == [True, False, False, False]
    assert ALONE.knows(objects).to_list() == [False] * 4


def test_digests_say_nothing_without_the_key() -> None:
    """Another key gives other digests; there is no id in it."""
    other = structs.replace(ALONE, key=bytes(32))

    assert ALONE.digest_of((42, "110001")) != other.digest_of((42, "110001"))
    assert ALONE.digest_of((42, "110001")) != ALONE.digest_of((4, "2110001"))
    assert "110001" not in repr(a_list((42, "110001")))
