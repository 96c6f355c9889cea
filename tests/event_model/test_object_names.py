"""Names of event objects, made and parsed; the same by Python and by polars."""

import itertools
import re
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacc_event_model import (
    Decoder,
    EventFormat,
    EventModelError,
    InvalidEvent,
    ObjectName,
    make_object_name,
    object_name_pattern,
    parse_object_name,
)
from tests.event_model.strategies import (
    ACTIONS,
    event_formats,
    example_event,
    example_event_v11,
    visit_events,
    visit_events_v11,
)

# What may stand in a part of a name, and what else somebody may write.
part_characters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/")
parts = st.text(part_characters | st.sampled_from("-.0a"), max_size=12)
nearly = st.lists(
    st.sampled_from(
        [
            *["log", "-", "-", "-", "submit", "pass-qc", "not-pass-qc", "duplicate-submit"],
            *["20240115", "100000", "20240115-100000", "42", "form", "110001", "2024-01-15", "01"],
            *[".json", "x", "/", "\n", "\x00", "\x7f", "\x85", "\u2028", "é", "\u0661", "²"],
        ]
    )
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    max_size=20,
).map("".join)
structured = st.builds(
    "{}-{}-{}-{}-{}-{}-{}{}".format,
    st.sampled_from(["log", "log", "log", "Log", " log", "prod/log"]),
    st.sampled_from([*ACTIONS[EventFormat.V1_1], "SUBMIT", "resubmit", "qc", ""]),
    st.sampled_from(
        ["20240115-100000"] * 3
        + ["2024-01-15-100000", "20240115-10000", "2024011\u0665-100000", "20240115100000", "None"]
    ),
    st.sampled_from(["42", "007", "-1", "None", "x", "", "4٢", "9" * 18, "9" * 19]),
    parts,
    parts,
    st.sampled_from(["01", "2024-01-15", "2024-13-99", ""]) | parts,
    st.sampled_from([".json"] * 4 + [".json\n", ".JSON", ".json.gz", "_json", ".json/", ".json/x"]),
)
names = structured | nearly


def name_of(visit: str | None, **told: Any) -> ObjectName:
    """Return what a usual name tells, but for this."""
    usual = ObjectName(
        action="submit",
        time="20240115-100000",
        adcid=42,
        project="ingest-form",
        ptid="110001",
        visit=visit,
    )
    return msgspec.structs.replace(usual, **told)


UNTOLD = name_of(None, project=None, ptid=None, adcid=None)


@pytest.mark.parametrize(
    "rest, expected",
    [
        ("42-ingest-form-110001-01", name_of("01")),
        (
            "042-ingest-dicom-leads-ABC-v.1",
            name_of("v.1", project="ingest-dicom-leads", ptid="ABC"),
        ),
        ("42-ingést-脑-110001-\u0627", name_of("\u0627", project="ingést-脑")),
        # A ptid with a hyphen loses its first part to the project.
        (
            "42-ingest-form-AB-1-2024-01-15",
            name_of("2024-01-15", project="ingest-form-AB", ptid="1"),
        ),
        # A date needs a project and a ptid before it.
        ("42-p-2024-01-15", name_of("15", project="p-2024", ptid="01")),
        # What is odd is read all the same: the content is the truth.
        ("42-ingest-form-110001-", name_of("")),
        ("42-ingest-form--2024-01-15", name_of("2024-01-15", ptid="")),
        ("42----", name_of("", project="-", ptid="")),
        ("42-ingest-form-110001-2024-99-99", name_of("2024-99-99")),
        ("42-ingest-form-110001-01.json", name_of("01.json")),
        ("42-ingest-form-11/0001-2024-01-15", name_of("2024-01-15", ptid="11/0001")),
        ("42-p-/1/-1/2", name_of("1/2", project="p", ptid="/1/")),
        ("42-p q-1#?%20 \\-01", name_of("01", project="p q", ptid="1#?%20 \\")),
        ("42-in\ngest-11\x00\x851-01", name_of("01", project="in\ngest", ptid="11\x00\x851")),
        ("None-ingest-form-110001-01", name_of("01", adcid=None)),
        ("-1-ingest-form-110001-01", name_of("01", adcid=-1)),
        # The last segment that begins like a name begins it.
        ("1-p-1-1.json/log-submit-20240115-100000-42-ingest-form-110001-01", name_of("01")),
        # Where a name tells nothing more, the object is read all the same.
        ("", UNTOLD),
        ("x-ingest-form-110001-01", UNTOLD),
        ("-ingest-form-110001-01", UNTOLD),
        ("٤٢-ingest-form-110001-01", UNTOLD),
        (f"{10**18}-ingest-form-110001-01", UNTOLD),
        ("42-110001-01", UNTOLD),
        ("42/notes/readme", UNTOLD),
    ],
)
def test_an_event_objects_name_tells_its_parts(rest: str, expected: ObjectName) -> None:
    """Hyphens in the project, visit number or date, any script."""
    key = f"prod/log-submit-20240115-100000-{rest}.json"

    assert parse_object_name(key, event_format=EventFormat.V1_0) == expected


def test_the_actions_are_the_formats() -> None:
    """An object of a newer action is no event object for the older format, nor for its decoder."""
    key = "log-duplicate-submit-20240115-100000-42-ingest-form-110001-2024-01-15.json"

    assert parse_object_name(key, event_format=EventFormat.V1_0) is None
    assert Decoder().parse_object_name(key) is None
    told = name_of("2024-01-15", action="duplicate-submit")
    assert parse_object_name(key, event_format=EventFormat.V1_1) == told
    assert Decoder(EventFormat.V1_1).parse_object_name(key) == told


def is_event_name(name: str, event_format: EventFormat) -> bool:
    """Tell whether a segment and all after it are an event object's; the rule in other words."""
    return name.endswith(".json") and any(
        re.sub("[0-9]", "0", name[: len(start)]) == start and len(name) >= len(start) + len(".json")
        for action in ACTIONS[event_format]
        for start in [f"log-{action}-00000000-000000-"]
    )


# Feature: event-log-scraper, Property 1: File pattern matching correctness
@given(names, event_formats)
def test_exactly_the_names_of_the_pattern_are_event_objects(
    name: str, event_format: EventFormat
) -> None:
    """And what is told of one spells its name again, from the last segment that begins like one."""
    key = f"prod/{name}"
    parsed = parse_object_name(key, event_format=event_format)
    segments = key.split("/")
    tails = ("/".join(segments[at:]) for at in reversed(range(len(segments))))
    found = next((tail for tail in tails if is_event_name(tail, event_format)), None)

    assert (parsed is not None) == (found is not None)
    if parsed is not None and found is not None:
        start = f"log-{parsed.action}-{parsed.time}-"
        assert found.startswith(start)
        if parsed.visit is not None:
            adcid = (
                "None"
                if parsed.adcid is None
                else f"{'-' * (parsed.adcid < 0)}0*{abs(parsed.adcid)}"
            )
            end = f"-{parsed.project}-{parsed.ptid}-{parsed.visit}.json"
            assert re.fullmatch(f"(-0+|{adcid})" + re.escape(end), found[len(start) :])


@given(names)
def test_a_later_format_recognizes_what_an_earlier_one_does(name: str) -> None:
    """And is told the same by it: no name of an archive becomes unrecognized."""
    for earlier, later in itertools.pairwise(EventFormat):
        told = parse_object_name(name, event_format=earlier)
        assert told is None or told == parse_object_name(name, event_format=later)


@given(st.lists(names, min_size=1, max_size=20), event_formats)
def test_python_and_polars_agree_on_every_name(many: list[str], event_format: EventFormat) -> None:
    """On whether it is an event object's, and on every part."""
    pattern = object_name_pattern(event_format)
    groups = list(re.compile(pattern).groupindex)
    python = [
        match.groupdict() if (match := re.fullmatch(pattern, name)) else dict.fromkeys(groups)
        for name in many
    ]

    names_column = pl.Series("name", many, dtype=pl.String)
    anchored = f"^(?:{pattern})$"

    assert names_column.str.contains(anchored).to_list() == [
        match["action"] is not None for match in python
    ]
    assert names_column.str.extract_groups(anchored).to_list() == python


@pytest.mark.parametrize("end", [".json", "\n.json", "x-y-z.json", ".jso"])
@pytest.mark.parametrize(
    "filler",
    ["-", "a-", "a", "2024-01-15-", "0-", "log-submit-", "/", "/log-submit-20240115-100000-42-"],
)
def test_matching_takes_linear_time(filler: str, end: str) -> None:
    """The longest of keys, and one a hundred times as long, are no burden."""
    key = "log-submit-20240115-100000-42-" + filler * 20_000 + end

    assert (parse_object_name(key, event_format=EventFormat.V1_1) is not None) == (end != ".jso")


plain = st.text(part_characters.filter(lambda character: character != "-"), min_size=1)
hyphenated = st.lists(st.sampled_from(["ingest", "form", "x"]) | plain, min_size=1).map("-".join)


@given(
    visit_events(project_label=hyphenated, visit_number=plain)
    | visit_events_v11(
        project_label=hyphenated,
        visit_number=plain,
        ptid=st.text("AZaz09_.~", min_size=1, max_size=10),
    ),
    st.sampled_from(["", "prod/", "a/b-c/"]),
)
def test_a_name_that_was_made_tells_what_went_into_it(event: Any, prefix: str) -> None:
    """All of it, where ptid and visit hold no hyphen and nothing before the visit looks like one."""
    key = make_object_name(event, prefix=prefix)
    parsed = parse_object_name(key, event_format=EventFormat.V1_1)

    assert key.startswith(f"{prefix}log-")
    assert parsed == ObjectName(
        action=event.action,
        time=event.timestamp.strftime("%Y%m%d-%H%M%S").zfill(15),
        adcid=event.pipeline_adcid,
        project=event.project_label,
        ptid=event.ptid,
        visit=event.visit_date.isoformat(),
    )
    numbered = make_object_name(event, visit="number")
    by_number = parse_object_name(numbered, event_format=EventFormat.V1_1)
    assert by_number is not None
    assert (by_number.time, by_number.adcid) == (parsed.time, parsed.adcid)
    if not re.search(r"-[0-9]{4}-[0-9]{2}-[0-9]{2}\.json$", numbered):
        assert by_number == msgspec.structs.replace(parsed, visit=event.visit_number)


def test_a_name_is_made_as_producers_make_it() -> None:
    """With the visit's date today, with its number in the original design; the time is UTC.

    Years have four digits, so that names sort by time.
    """
    event = example_event(timestamp=datetime(1, 2, 3, tzinfo=UTC), visit_date=date(1, 2, 3))
    start = "log-submit-00010203-000000-42-ingest-form-110001"

    assert make_object_name(event, prefix="prod/") == f"prod/{start}-0001-02-03.json"
    assert make_object_name(event, visit="number") == f"{start}-01.json"


@pytest.mark.parametrize(
    "field, value",
    [
        ("project_label", "ingest/form"),
        ("project_label", ""),
        ("project_label", "ingest\nform"),
        ("ptid", "11/0001"),
        ("ptid", "11\x7f"),
        ("visit_number", "1/2"),
        ("visit_number", None),
        ("action", "sub/mit"),
    ],
)
def test_what_cannot_stand_in_a_name_is_refused(field: str, value: str | None) -> None:
    """A slash would make it another name, an empty part an ambiguous one."""
    event = example_event_v11(**{field: value})

    with pytest.raises(InvalidEvent) as caught:
        make_object_name(event, visit="number")

    assert str(caught.value) == f"{field}: cannot be put into an object name"


@pytest.mark.parametrize("prefix", ["prod", "a/b", " "])
def test_a_prefix_that_is_no_folder_is_refused(prefix: str) -> None:
    """The name would begin with it instead of `log-`, and no consumer would recognize it."""
    with pytest.raises(EventModelError, match="prefix: must be empty or end with /"):
        make_object_name(example_event(), prefix=prefix)
