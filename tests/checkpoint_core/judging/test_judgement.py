"""From the bytes of objects to accepted rows and reasons."""

import hashlib
import subprocess
from datetime import datetime
from typing import Any

import msgspec
import polars as pl
import pytest

from checkpoint_core import LISTING_SCHEMA, REJECTS_SCHEMA, Content, ReadFailure, Request, Settings
from checkpoint_core._judging.ends import Judgement, joined
from checkpoint_core._judging.judgement import Judge
from checkpoint_core._judging.rules import JudgingRules
from checkpoint_format.digests import content_digest
from nacc_event_model import RULES_VERSION, EventFormat
from tests.checkpoint_core.memory import START
from tests.checkpoint_core.world import SETTINGS, World, a_time, document, key, row

SANDBOX = Settings(exclude_projects=("sandbox-*", "?test"))
CUTOFF = a_time("2024-01-15T10:00:00Z")


def content(number: int, data: bytes) -> Content:
    """Return an object as it was read."""
    return Content(key=key(number), data=data, etag=f"read-{number}", last_modified=START)


def listed(*numbers: int) -> pl.DataFrame:
    """Return the listing of these objects."""
    return pl.DataFrame(
        [(key(number), f"listed-{number}", 99, START, None) for number in numbers],
        schema=LISTING_SCHEMA,
        orient="row",
    )


def judge(
    *answers: Content | ReadFailure,
    known: dict[str, bytes] | None = None,
    settings: Settings = SETTINGS,
    since: datetime | None = None,
) -> Judgement:
    """Judge one batch by the rules of one run."""
    rules = Judge(JudgingRules.of(settings, Request(since=since), started_at=START))
    return rules.judge(answers, known=known or {}, listed=listed(1, 2, 3))


def outcomes(judgement: Judgement) -> list[tuple[str, str]]:
    """Return what became of the rejected."""
    return list(judgement.rejected.select("outcome", "reason").iter_rows())


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_content_that_was_cut_on_the_way_is_read_again(world: World, share: float) -> None:
    """A proxy's answer may have the right etag and less than the object; that refuses nothing."""
    world.write(1, 2)
    whole = world.source.objects[key(1)]
    cut = whole.data[: int(len(whole.data) * share)]

    def deliver(_name: str) -> None:
        world.source.objects[key(1)] = msgspec.structs.replace(whole, data=cut)

    world.source.before_reading = deliver
    first = world.run()
    world.source.before_reading = lambda _name: None
    world.source.objects[key(1)] = whole

    assert (first.counts.unreadable, first.counts.accepted, first.counts.failed) == (1, 1, 1)
    [(outcome, reason)] = world.reasons().values()
    assert (outcome, "another size" in reason) == ("unreadable", True)
    assert world.rejects()["digest"].to_list() == [None]
    assert world.run().counts.accepted == 1
    assert world.gears() == ["gear-2", "gear-1"]
    assert world.problems(source=True) == []


def test_an_accepted_event_is_a_row_with_its_object() -> None:
    """The thirteen columns, and which version of which object it is."""
    data = document(timestamp="2024-01-15T12:00:00.123456+02:00", packet=None)

    judgement = judge(content(1, data))

    assert judgement.accepted.collect().row(0) == (
        *row(data),
        key(1),
        content_digest(data),
        "read-1",
        len(data),
        START,
    )
    assert (judgement.touched.height, judgement.rejected.height) == (0, 0)


def test_the_digest_can_be_computed_with_common_tools() -> None:
    """BLAKE2b of 128 bits: `b2sum -l 128` prints the same."""
    printed = subprocess.run(
        ["b2sum", "-l", "128"], input=b"visit", capture_output=True, check=True
    ).stdout

    assert content_digest(b"visit") == hashlib.blake2b(b"visit", digest_size=16).digest()
    assert content_digest(b"visit").hex() == printed.split()[0].decode()


def test_the_same_content_is_touched_whatever_else_holds() -> None:
    """Before the event is looked at: it may be before the cutoff, unwanted, or invalid by now.

    The same content in another object is another event, and an adopted object has no digest yet.
    """
    for data in (document(), document(project_label="sandbox-form"), b"{}"):
        judgement = judge(
            content(1, data), known={key(1): content_digest(data)}, settings=SANDBOX, since=CUTOFF
        )

        found = (key(1), content_digest(data), "read-1", len(data), START)
        assert judgement.touched.rows() == [found]
        assert (judgement.accepted.height, judgement.rejected.height) == (0, 0)
        assert judgement.before_cutoff == 0

    known: dict[str, Any] = {key(2): None, key(3): content_digest(document())}
    assert judge(content(1, document()), content(2, document()), known=known).accepted.height == 2


def test_validity_counts_before_the_cutoff_and_that_before_the_project() -> None:
    """Timestamp and project of an invalid one cannot be relied on; what is too early is not recorded.

    What was read is recorded as it was read: it may have been replaced since it was listed.
    """
    invalid = document(project_label="sandbox-form", ptid="no good")
    early = document(project_label="sandbox-form")

    judgement = judge(content(1, invalid), content(2, early), settings=SANDBOX, since=CUTOFF)

    reason = "ptid: must be a string of 1 to 10 characters of A to Z and 0 to 9"
    assert outcomes(judgement) == [("invalid", reason)]
    assert judgement.before_cutoff == 1
    entry = judgement.rejected.row(0, named=True)
    read = ("read-1", len(invalid), content_digest(invalid))
    assert (entry["etag"], entry["size"], entry["digest"]) == read


@pytest.mark.parametrize(
    "project, is_excluded",
    [
        ("sandbox-form", True),
        ("sandbox-", True),
        ("sandbox", False),
        ("my-sandbox-form", False),
        ("Sandbox-form", False),
        ("atest", True),
        ("test", False),
        ("atest\n", False),
        ("sandbox-\nform", True),
    ],
)
def test_projects_are_excluded_by_pattern(project: str, *, is_excluded: bool) -> None:
    """The whole label has to match, case included."""
    judgement = judge(content(1, document(project_label=project)), settings=SANDBOX)

    expected = [("excluded", "project_label: matches an excluded pattern")] if is_excluded else []
    assert outcomes(judgement) == expected
    assert judgement.accepted.height == (not is_excluded)


def test_an_unread_object_is_recorded_as_it_was_listed() -> None:
    """Its content is not known, so there is no digest."""
    judgement = judge(ReadFailure(key=key(2), outcome="denied", reason="access denied"))

    assert judgement.rejected.schema == REJECTS_SCHEMA
    assert judgement.rejected.row(0, named=True) == {
        "key": key(2),
        "etag": "listed-2",
        "digest": None,
        "size": 99,
        "last_modified": START,
        "outcome": "denied",
        "reason": "access denied",
        "event_format": "1.0",
        "model_version": RULES_VERSION,
        "exclude_projects": "[]",
        "first_seen": START,
        "max_object_size_bytes": SETTINGS.max_object_size_bytes,
    }


def test_an_oversized_object_is_not_read(world: World) -> None:
    """The listing says enough; the limit itself is allowed."""
    data = document()
    world.source.write(key(1), data)
    world.source.write(key(2), data + b" ")

    report = world.run(Settings(max_object_size_bytes=len(data)))

    assert world.source.reads == [key(1)]
    assert (report.counts.accepted, report.counts.invalid) == (1, 1)
    assert world.reasons() == {key(2): ("invalid", f"larger than {len(data)} bytes")}
    assert world.rejects()["size"].to_list() == [len(data) + 1]


def test_an_object_that_grew_after_the_listing_is_refused_too(world: World) -> None:
    """No more than one byte over the limit is read, and it is not parsed."""
    data = document()
    world.source.write(key(1), data)

    def grow(name: str) -> None:
        world.source.write(name, data + b" " * 100)

    world.source.before_reading = grow

    world.run(Settings(max_object_size_bytes=len(data)))

    assert world.reasons() == {key(1): ("invalid", f"larger than {len(data)} bytes")}
    assert [len(answer.data) for answer in world.source.answers if isinstance(answer, Content)] == [
        len(data) + 1
    ]


def test_unknown_fields_are_counted_and_their_names_are_input_like_everything_else() -> None:
    """Those of valid events; names are shortened and escaped, and no more than twenty are told."""
    rules = Judge(JudgingRules.of(SETTINGS, Request(), started_at=START))
    names = {f"field-{number:02d}": number for number in range(30)}
    odd = {"new\nline": 1, "\u202eflipped\x1b[31m": 1, "x" * 500: 1}
    answers = [
        content(1, document(**odd)),
        content(2, document(**odd, **names)),
        content(3, document(ptid="-", **odd)),
    ]

    judgement = rules.judge(answers, known={}, listed=listed(1, 2, 3))
    told = dict(judgement.unknown_fields.most_common(20))

    assert judgement.accepted.height == 2
    assert len(told) == 20
    assert list(told.items())[:3] == [
        ("new\\nline", 2),
        ("\\u202eflipped\\x1b[31m", 2),
        ("x" * 37 + "...", 2),
    ]
    assert all(name.isascii() and name.isprintable() for name in told)


def test_a_flood_of_unknown_field_names_is_bounded() -> None:
    """A producer that writes ever new names must not fill the memory; known ones go on counting."""
    rules = Judge(JudgingRules.of(SETTINGS, Request(), started_at=START))
    flood = {f"field-{number}": 1 for number in range(3000)}

    documents = [document(common=1), document(**flood, common=1)]
    batches = [
        rules.judge([content(number, data)], known={}, listed=listed(1, 2, 3))
        for number, data in enumerate(documents)
    ]
    unknown = joined(batches).unknown_fields

    assert len(batches[1].unknown_fields) == len(unknown) == 1000
    assert unknown["common"] == 1 + ("common" in batches[1].unknown_fields)


HINT = "; event format 1.1 would take it"


@pytest.mark.parametrize(
    "changed, is_hinted",
    [
        ({"visit_number": None}, True),
        ({"ptid": "ab-1"}, True),
        ({"pipeline_adcid": 0}, True),
        ({"action": "duplicate-submit", "naccid": 7}, True),
        ({"ptid": "ab-1", "visit_date": "soon"}, False),
        ({"visit_number": None, "project_label": "sandbox-form"}, False),
        (dict.fromkeys(("action", "ptid", "timestamp"), ...), False),
    ],
)
def test_a_refusal_says_when_a_newer_format_would_take_the_event(
    changed: dict[str, Any], *, is_hinted: bool
) -> None:
    """After the rule that is broken; not of an event that would be excluded."""
    data = document(**changed)

    [(outcome, reason)] = outcomes(judge(content(1, data), settings=SANDBOX))
    by_newest = judge(content(1, data), settings=Settings(event_format=EventFormat.V1_1))

    assert outcome == "invalid"
    assert reason.endswith(HINT) == is_hinted
    assert all(not reason.endswith(HINT) for _, reason in outcomes(by_newest))
