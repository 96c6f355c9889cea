"""Every query equals its twin: the same question in plain Python, written independently."""

from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from checkpoint_core.queries import IDENTITIES, PERIODS, QUERIES, Filters, ask
from nacc_event_model import EventFormat
from tests.checkpoint_core.queries.generated import (
    NEAR_PARTS,
    NEAR_PLACES,
    TIMES,
    any_checkpoint,
    checkpoints,
    filters,
    large_checkpoint,
    ledgers,
)
from tests.checkpoint_core.queries.twins import TWINS, twin

pytestmark = pytest.mark.on_one_python

Engine = Literal["in-memory", "streaming"]

identities = st.sampled_from(list(IDENTITIES))
engines = st.sampled_from(["in-memory", "streaming"])
fields = st.lists(
    st.sampled_from(
        ["center_label", "study", "ptid", "visit_number", "action", "module", "packet", *PERIODS]
    ),
    max_size=3,
    unique=True,
).map(tuple)
parameters_of = {
    "by": fields,
    "min_events": st.integers(1, 3),
    "as_of": st.sampled_from(TIMES),
    "identity": identities,
}


def assert_twins(
    name: str,
    frame: pl.DataFrame | pl.LazyFrame,
    wanted: Filters,
    engine: Engine,
    **parameters: Any,
) -> None:
    """Compare names, values and order."""
    answer = ask(name, frame.lazy(), wanted, **parameters).collect(engine=engine)

    expected = twin(name, frame.lazy().collect(), wanted, **parameters)
    if expected:
        assert list(expected[0]) == answer.columns
    assert [approximately(row) for row in expected] == list(answer.iter_rows(named=True))


def approximately(row: dict[str, Any]) -> dict[str, Any]:
    """Let the last digits of a fraction be others: sums may be put together in another order."""
    return {
        name: pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value
        for name, value in row.items()
    }


def test_every_query_has_a_twin() -> None:
    """The tests below leave none out."""
    assert set(TWINS) == set(QUERIES)


# Feature: event-log-scraper, Property 11: Query filtering correctness
@given(any_checkpoint, filters(), engines)
def test_a_filter_gives_exactly_what_matches_all_of_it(
    frame: pl.DataFrame, wanted: Filters, engine: Engine
) -> None:
    """Any combination of values, missing ones too, and of ranges of visit dates and times."""
    assert_twins("events", frame, wanted, engine)


# Feature: event-log-scraper, Property 13: Aggregation correctness
@given(any_checkpoint, filters(), engines, fields)
def test_counts_by_any_fields_are_right(
    frame: pl.DataFrame, wanted: Filters, engine: Engine, by: tuple[str, ...]
) -> None:
    """By any combination of columns and periods; missing values are a group of their own."""
    assert_twins("counts", frame, wanted, engine, by=by)


# Feature: event-log-scraper, Property 15: Event evolution preservation
@given(any_checkpoint, filters(), engines, identities)
def test_the_timeline_of_a_visit_has_all_its_events(
    frame: pl.DataFrame, wanted: Filters, engine: Engine, identity: str
) -> None:
    """Or of a submission; in their order, equal ones and deletes included."""
    assert_twins("timeline", frame, wanted, engine, identity=identity)


# Feature: event-log-scraper, Property 17: Event completeness analysis
@given(any_checkpoint, filters(), engines, identities)
def test_the_latest_event_of_each_visit_is_found(
    frame: pl.DataFrame, wanted: Filters, engine: Engine, identity: str
) -> None:
    """Or of each submission, with all of its fields; of its versions, the one that arrived last."""
    assert_twins("latest", frame, wanted, engine, identity=identity)


# Feature: event-log-scraper, Property 12: Temporal calculation support
@pytest.mark.parametrize("name", ["days-to-submission", "days-to-qc"])
@given(st.data(), any_checkpoint, filters(), engines)
def test_days_from_the_visit_are_right(
    name: str, data: st.DataObject, frame: pl.DataFrame, wanted: Filters, engine: Engine
) -> None:
    """With percentiles by any fields, and negative ones among them."""
    drawn = {each: data.draw(parameters_of[each]) for each in ("by", "identity")}

    assert_twins(name, frame, wanted, engine, **drawn)


@pytest.mark.parametrize(
    "name",
    [
        "submissions",
        "status",
        "changes",
        "completeness",
        "errors-by-center",
        "pass-rates",
        "waiting",
        "resubmitted",
    ],
)
@given(st.data(), any_checkpoint, filters(), engines)
def test_other_questions_equal_their_twins(
    name: str, data: st.DataObject, frame: pl.DataFrame, wanted: Filters, engine: Engine
) -> None:
    """Whatever the submissions went through."""
    parameters = {
        each.name: data.draw(parameters_of[each.name]) for each in QUERIES[name].parameters
    }

    assert_twins(name, frame, wanted, engine, **parameters)


near_checkpoints = st.sampled_from(EventFormat).flatmap(
    lambda each: checkpoints(each, place=NEAR_PLACES, module=NEAR_PARTS)
)


@given(near_checkpoints, filters(ptid=st.just(("A1",))), engines)
def test_near_misses_are_those_of_pairs_one_by_one(
    frame: pl.DataFrame, wanted: Filters, engine: Engine
) -> None:
    """Whatever differs between two submissions, and whichever of the two is asked for."""
    assert_twins("near-misses", frame, wanted, engine)


@given(
    ledgers(),
    st.builds(
        Filters,
        pipeline_adcid=st.sampled_from([(), (1,)]),
        ptid=st.sampled_from([(), ("A1",)]),
        timestamp_from=st.none() | st.sampled_from(TIMES),
        timestamp_to=st.none() | st.sampled_from(TIMES),
    ),
    engines,
    st.sampled_from([("pipeline_adcid",), ("pipeline_adcid", "month"), ()]),
)
def test_lateness_is_that_of_the_ledger(
    ledger: pl.DataFrame, wanted: Filters, engine: Engine, by: tuple[str, ...]
) -> None:
    """Rewritten and adopted objects are counted, and not timed."""
    assert_twins("lateness", ledger, wanted, engine, by=by)


@pytest.fixture(scope="module", params=list(EventFormat))
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a checkpoint of several row groups, of which every few rows are one submission's."""
    file = tmp_path_factory.mktemp("large") / "events.parquet"
    large_checkpoint(12_000, request.param).write_parquet(file, row_group_size=1_500)
    return file


@pytest.mark.parametrize("name", [name for name in QUERIES if not QUERIES[name].reads_ledger])
def test_a_streamed_file_gives_the_same(name: str, large: Path) -> None:
    """Where polars works on many parts of a file at a time, order and ties are kept."""
    parameters = {
        each.name: TIMES[-1] if each.default is UNSET else each.default
        for each in QUERIES[name].parameters
    }

    assert_twins(name, pl.scan_parquet(large), Filters(), "streaming", **parameters)
