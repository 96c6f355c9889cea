"""The seed's correctness properties, as they concern the rows of a checkpoint.

Each is held against plain Python over the events themselves.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, astuple

from checkpoint_core import Content, Settings, event_schema
from nacc_event_model import AnyVisitEvent, EventFormat, VisitEvent, encode
from tests.checkpoint_core.batches import judge, merged
from tests.checkpoint_core.memory import START
from tests.checkpoint_core.world import SETTINGS, Row, World, key, multiset, scratch
from tests.event_model.strategies import events_of, visit_events

short = st.sampled_from(["x", "é\n", "0"])
few = st.sampled_from(["a", "b"])
times = st.sampled_from(
    [datetime(2024, 1, day, hour, tzinfo=UTC) for day in (15, 16) for hour in (0, 23)]
) | st.datetimes(timezones=st.just(UTC))
dates = st.dates().filter(lambda day: day.year > 1)
plain_events = visit_events(
    timestamp=times, study=short, gear_name=short, datatype=short, packet=st.none()
)
similar_events = visit_events(
    action=st.sampled_from(["submit", "pass-qc"]),
    center_label=few,
    ptid=st.sampled_from(["110001", "110002"]),
    visit_number=st.sampled_from(["01", "02"]),
    visit_date=st.sampled_from([datetime(2024, 1, day, tzinfo=UTC).date() for day in (14, 15)]),
    module=st.none() | few,
    packet=st.none() | st.sampled_from(["I", "F"]),
    timestamp=times,
    study=short,
    project_label=short,
    gear_name=short,
    datatype=short,
)
collections = st.lists(plain_events, max_size=5)
similar_collections = st.lists(similar_events, min_size=1, max_size=12)


def contents(events: Iterable[AnyVisitEvent], first: int = 0) -> list[Content]:
    """Return the objects of these events as they were read."""
    return [
        Content(
            key=key(number),
            data=encode(event),
            etag="e",
            last_modified=START + timedelta(seconds=number),
        )
        for number, event in enumerate(events, first)
    ]


def checkpoint(*batches: Iterable[AnyVisitEvent], settings: Settings = SETTINGS) -> pl.DataFrame:
    """Return the rows of a checkpoint of these events, of which each batch is one commit's."""
    objects = [contents(batch, 100 * number) for number, batch in enumerate(batches)]
    with scratch() as folder:
        return pl.read_parquet(merged(objects, folder, settings), memory_map=False)


def rows_of(events: Iterable[AnyVisitEvent]) -> Counter[Row]:
    """Count the rows that these events are."""
    return Counter(astuple(event) for event in events)


# Feature: event-log-scraper, Property 0: Incremental checkpoint correctness
@given(st.lists(collections, min_size=2, max_size=2), st.data())
def test_a_checkpoint_has_all_that_it_had_and_all_that_is_new(
    batches: list[list[VisitEvent]], data: st.DataObject
) -> None:
    """No duplicates removed, no data lost; equal events, and ones that were there, count too."""
    if batches[0]:
        batches[1] += data.draw(st.lists(st.sampled_from(batches[0]), max_size=3))

    with scratch() as folder:
        world = World(folder)
        number = 0
        for batch in batches:
            for event in batch:
                number += 1
                world.source.write(key(number), encode(event))
            report = world.run()
            assert (report.counts.accepted, report.counts.failed) == (len(batch), 0)

        assert world.rows() == sum(map(rows_of, batches), Counter())


@given(st.lists(plain_events, max_size=8), times, st.data())
def test_only_events_after_the_cutoff_are_taken(
    events: list[VisitEvent], cutoff: datetime, data: st.DataObject
) -> None:
    """Strictly after; the others are no rejects, so that a later run without it takes them."""
    cutoff = data.draw(st.sampled_from([cutoff, *(event.timestamp for event in events)]))
    later = [event for event in events if event.timestamp > cutoff]

    judgement = judge(contents(events), since=cutoff)

    columns = event_schema(EventFormat.V1_0).names()
    assert multiset(judgement.accepted.select(*columns)) == rows_of(later)
    assert judgement.before_cutoff == len(events) - len(later)
    assert judgement.rejected.is_empty()


# Feature: event-log-scraper, Property 9: Parquet round-trip
@given(st.sampled_from(EventFormat), st.data())
def test_parquet_gives_back_every_field_with_its_type(
    event_format: EventFormat, data: st.DataObject
) -> None:
    """Strings, integers, dates, times to the microsecond, nulls; whatever they hold."""
    events = data.draw(st.lists(events_of(event_format), min_size=1, max_size=8))

    rows = checkpoint(events, settings=Settings(event_format=event_format, row_group_rows=3))

    assert rows.schema == event_schema(event_format)
    assert Counter(rows.iter_rows()) == rows_of(events)


# Feature: event-log-scraper, Property 11: Query filtering correctness
@given(
    similar_collections,
    st.fixed_dictionaries(
        {},
        optional={
            "center_label": few,
            "action": st.sampled_from(["submit", "pass-qc", "delete"]),
            "packet": st.sampled_from(["I", "F", "T"]),
        },
    ),
    st.tuples(dates, dates).map(sorted),
)
def test_a_filter_gives_exactly_what_matches(
    events: list[VisitEvent], criteria: dict[str, str], span: list[Any]
) -> None:
    """Center, action, packet and a range of visit dates, in any combination."""
    rows = checkpoint(events)

    for is_ranged in (False, True):
        ranged = [pl.col("visit_date").is_between(*span)] if is_ranged else []
        found = rows.filter(pl.lit(value=True), *ranged, **criteria)

        assert multiset(found) == rows_of(
            event
            for event in events
            if all(getattr(event, name) == value for name, value in criteria.items())
            and (not is_ranged or span[0] <= event.visit_date <= span[1])
        )


# Feature: event-log-scraper, Property 12: Temporal calculation support
@given(
    st.lists(
        visit_events(
            action=st.sampled_from(["submit", "pass-qc"]),
            study=short,
            project_label=short,
            center_label=short,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_days_from_visit_to_event_can_be_computed(events: list[VisitEvent]) -> None:
    """For every submit and pass-qc, over the whole calendar."""
    rows = checkpoint(events)

    days = rows.select(
        "gear_name", days=(pl.col("timestamp").dt.date() - pl.col("visit_date")).dt.total_days()
    )

    assert Counter(days.iter_rows()) == Counter(
        (event.gear_name, (event.timestamp.date() - event.visit_date).days) for event in events
    )


# Feature: event-log-scraper, Property 13: Aggregation correctness
@given(
    similar_collections,
    st.lists(
        st.sampled_from(["module", "packet", "action", "center_label"]), min_size=1, unique=True
    ),
)
def test_counts_by_any_fields_are_right(events: list[VisitEvent], fields: list[str]) -> None:
    """Null is a group of its own."""
    rows = checkpoint(events)

    counts = rows.group_by(fields).len()

    assert dict(zip(counts.select(fields).rows(), counts["len"], strict=True)) == Counter(
        tuple(asdict(event)[name] for name in fields) for event in events
    )


# Feature: event-log-scraper, Property 14: Partial failure handling
@given(
    st.lists(
        plain_events.map(encode)
        | st.binary(max_size=20)
        | st.sampled_from([b"", b"{", b"[]", b"null", b'{"action":"submit"}', b"{}" * 2]),
        max_size=10,
    )
)
def test_bad_objects_do_not_keep_good_ones_out(contents: list[bytes]) -> None:
    """Every valid event is a row, and every other object is recorded with a reason."""
    with scratch() as folder:
        world = World(folder)
        for number, data in enumerate(contents):
            world.source.write(key(number), data)
        valid = {key(number) for number, data in enumerate(contents) if b'"timestamp"' in data}

        report = world.run()

        assert report.counts.accepted == len(valid) == world.rows().total()
        assert report.counts.invalid == len(contents) - len(valid)
        assert {name: outcome for name, (outcome, _) in world.reasons().items()} == {
            name: "invalid" for name in world.source.objects if name not in valid
        }
        assert all(reason for _, reason in world.reasons().values())


# Feature: event-log-scraper, Property 15: Event evolution preservation
@given(
    st.lists(st.tuples(similar_events, st.lists(st.booleans(), max_size=2)), min_size=1, max_size=3)
)
def test_every_stage_of_an_event_is_kept(histories: list[tuple[VisitEvent, list[bool]]]) -> None:
    """Rewritten in place with more fields and the same timestamp, or in an object of its own."""
    with scratch() as folder:
        world = World(folder)
        expected: Counter[Row] = Counter()
        stages = max(len(in_place) for _, in_place in histories) + 1
        numbers = list(range(len(histories)))
        for stage in range(stages):
            for index, (event, in_place) in enumerate(histories):
                if stage > len(in_place):
                    continue
                if stage and not in_place[stage - 1]:
                    numbers[index] = 100 * stage + index
                document = VisitEvent(**(asdict(event) | {"packet": f"stage {stage}"}))
                world.source.write(key(numbers[index]), encode(document))
                expected[astuple(document)] += 1
            # What the next stage does not overwrite needs no run of its own.
            if any(stage < len(in_place) and in_place[stage] for _, in_place in histories):
                world.run()
        world.run()

        assert world.rows() == expected


# Feature: event-log-scraper, Property 16: Timestamp ordering
@given(st.lists(st.lists(similar_events, max_size=8), min_size=1, max_size=3))
def test_rows_are_in_the_order_of_their_timestamps(batches: list[list[VisitEvent]]) -> None:
    """Late events are put where they belong."""
    events = [event for batch in batches for event in batch]

    rows = checkpoint(*batches)

    assert rows["timestamp"].to_list() == sorted(event.timestamp for event in events)


# Feature: event-log-scraper, Property 17: Event completeness analysis
@given(similar_collections)
def test_the_latest_event_of_each_visit_can_be_found(events: list[VisitEvent]) -> None:
    """With all of its fields; of several at the same time, the last that arrived."""
    rows = checkpoint(events)

    latest = rows.unique(["ptid", "visit_date", "visit_number"], keep="last")

    expected: dict[Any, Row] = {}
    for event in sorted(events, key=lambda event: event.timestamp):
        expected[event.ptid, event.visit_date, event.visit_number] = astuple(event)
    assert Counter(latest.iter_rows()) == Counter(expected.values())
