"""The questions by name, and what is refused."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from inspect import Parameter, signature
from typing import Any

import polars as pl
import pytest
from msgspec import UNSET

import checkpoint_queries
from checkpoint_core import LEDGER_SCHEMA, event_schema
from checkpoint_queries import QUERIES, Filters, ask, counts, filter_events
from nacc_event_model import EventFormat

NOTHING = pl.LazyFrame(schema=event_schema(EventFormat.V1_0))
NO_OBJECTS = pl.LazyFrame(schema=LEDGER_SCHEMA)
NOON = datetime(2024, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", QUERIES)
def test_every_question_says_what_it_is(name: str) -> None:
    """In one line for a list, and exactly; with a word on deletes where visits are deleted."""
    query = QUERIES[name]

    assert query.name == name == name.lower()
    assert "\n" not in query.summary
    assert len(query.summary) <= 60
    assert query.summary.endswith(".")
    assert "delete" in query.definition


@pytest.mark.parametrize("name", QUERIES)
def test_every_question_takes_what_its_answer_takes(name: str) -> None:
    """With the defaults of the function, which are told where it is not loaded."""
    answer = signature(QUERIES[name].answer).parameters.values()
    taken = {each.name: each.default for each in answer if each.kind is each.KEYWORD_ONLY}
    told = {each.name: each.default for each in QUERIES[name].parameters}

    assert taken == {name: Parameter.empty if it is UNSET else it for name, it in told.items()}


@pytest.mark.parametrize("name", QUERIES)
def test_without_rows_there_is_an_empty_answer(name: str) -> None:
    """Not an error."""
    query = QUERIES[name]
    needed: Any = {each.name: NOON for each in query.parameters if each.default is UNSET}

    answer = ask(name, NO_OBJECTS if query.reads_ledger else NOTHING, **needed)

    assert answer.collect().height == 0


@pytest.mark.parametrize(
    "name",
    [name for name, query in QUERIES.items() if "by" in {each.name for each in query.parameters}],
)
def test_without_groups_there_is_one_total(name: str) -> None:
    """Of nothing, too."""
    answer = ask(name, NO_OBJECTS if QUERIES[name].reads_ledger else NOTHING, by=())

    expected = 0 if name == "status" else 1
    assert answer.collect().height == expected


def test_an_unknown_question_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(ValueError, match="no such query; there are events, submissions, latest"):
        ask("errors", NOTHING)


@pytest.mark.parametrize(
    "name, parameters, message",
    [
        ("events", {"by": ()}, "events: its parameters are: none; those it needs: none"),
        ("waiting", {}, "waiting: its parameters are: as_of, identity; those it needs: as_of"),
        ("counts", {"group": ()}, "counts: its parameters are: by; those it needs: none"),
    ],
)
def test_wrong_parameters_are_refused(name: str, parameters: dict[str, Any], message: str) -> None:
    """Too many, too few, or others."""
    with pytest.raises(ValueError, match=message):
        ask(name, NOTHING, **parameters)


@pytest.mark.parametrize("by", [("center",), "action", ("naccid",), ("action", "")])
def test_unknown_fields_to_group_by_are_refused(by: Any) -> None:
    """With those that there are: format 1.0 has no naccid."""
    with pytest.raises(ValueError, match=r"by: .* these: action, study, .* day, week, month"):
        counts(NOTHING, by=by)


def test_an_unknown_identity_is_refused() -> None:
    """With those that there are."""
    with pytest.raises(ValueError, match="identity: give one of these: submission, visit"):
        ask("latest", NOTHING, identity="form")


def test_fields_given_twice_count_once() -> None:
    """As a set would."""
    assert counts(NOTHING, by=("action", "action")).collect_schema().names() == ["action", "events"]


def test_a_text_is_no_tuple_of_values() -> None:
    """It would be taken for its letters."""
    with pytest.raises(TypeError, match="center_label: give a tuple of values"):
        Filters(center_label="alpha")  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize("name", ["visit_date_from", "visit_date_to"])
def test_a_visit_date_has_no_time(name: str) -> None:
    """It would be later than the day itself."""
    ends: Any = {name: NOON}

    with pytest.raises(TypeError, match="visit_date_from, visit_date_to: give dates"):
        Filters(**ends)


@pytest.mark.parametrize("name", ["timestamp_from", "timestamp_to"])
def test_a_time_without_an_offset_is_refused(name: str) -> None:
    """Nobody knows which moment it is."""
    ends: Any = {name: NOON.replace(tzinfo=None)}

    with pytest.raises(ValueError, match=f"{name}: give a time with its offset from UTC"):
        Filters(**ends)
    with pytest.raises(ValueError, match="as_of: give a time with its offset from UTC"):
        ask("waiting", NOTHING, as_of=NOON.replace(tzinfo=None))


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    """The checkpoint's are in UTC."""
    events = NOTHING.collect().extend(
        pl.DataFrame({"timestamp": [NOON]}).select(
            pl.lit(None, kind).alias(name) if name != "timestamp" else pl.col(name).cast(kind)
            for name, kind in NOTHING.collect_schema().items()
        )
    )
    there = timezone(timedelta(hours=-5))

    def found(**ends: Any) -> int:
        return filter_events(events.lazy(), Filters(**ends)).collect().height

    assert found(timestamp_from=NOON.astimezone(there)) == 1
    assert found(timestamp_to=NOON.astimezone(there)) == 0


@pytest.mark.parametrize(
    "filters", [Filters(action=("submit",)), Filters(visit_date_to=NOON.date())]
)
def test_the_ledger_is_not_asked_for_what_it_does_not_have(filters: Filters) -> None:
    """It knows center, participant and time."""
    with pytest.raises(ValueError, match="the ledger has no such fields to filter by: "):
        ask("lateness", NO_OBJECTS, filters)


def test_questions_are_told_without_what_answers_them() -> None:
    """Names are loaded when they are asked for, so that nobody waits for polars who asks nothing."""
    program = (
        "import sys, checkpoint_queries.questions as told; print('polars' in sys.modules)\n"
        "from checkpoint_queries import QUERIES; print('polars' in sys.modules)"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert printed.stdout.split() == ["False", "True"]


def test_a_name_that_there_is_not_is_told_as_usual() -> None:
    """Although names are loaded when they are asked for."""
    with pytest.raises(AttributeError, match="module 'checkpoint_queries' has no attribute 'no'"):
        checkpoint_queries.no  # type: ignore[attr-defined]  # noqa: B018 - that is the test
