"""Every query equals its twin: the same question in plain Python, written independently."""

from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from msgspec import UNSET

from checkpoint_queries import IDENTITIES, PERIODS, QUERIES, Filters, ask
from nacc_event_model import EventFormat
from tests.checkpoint_queries.generated import (
    DAYS,
    NEAR_PARTS,
    NEAR_PLACES,
    TIMES,
    any_checkpoint,
    checkpoints,
    every_history,
    filters,
    large_checkpoint,
    ledgers,
)
from tests.checkpoint_queries.twins import TWINS, twin

pytestmark = pytest.mark.on_one_python

Engine = Literal["in-memory", "streaming"]

# Streaming takes three times as long where there is little to stream.
engines = st.sampled_from(["in-memory"] * 4 + ["streaming"])
OF_OTHERS = {"near-misses", "lateness"}
"""Questions that are asked of other rows."""
fields = st.lists(
    st.sampled_from(
        ["center_label", "study", "ptid", "visit_number", "action", "module", "packet", *PERIODS]
    ),
    max_size=3,
    unique=True,
).map(tuple)
parameters = {
    "by": fields,
    "min_events": st.integers(1, 3),
    "as_of": st.sampled_from(TIMES),
    "identity": st.sampled_from(list(IDENTITIES)),
}


def assert_twins(
    name: str,
    frame: pl.DataFrame | pl.LazyFrame,
    wanted: Filters,
    /,
    engine: Engine = "in-memory",
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


@pytest.mark.parametrize(
    "wanted",
    [
        Filters(visit_date_from=DAYS[1]),
        Filters(visit_date_to=DAYS[0]),
        Filters(timestamp_from=TIMES[1]),
        Filters(timestamp_to=TIMES[1]),
        Filters(not_action=("submit", "delete")),
        Filters(action=("submit", "pass-qc"), not_action=("submit",)),
    ],
    ids=range(6),
)
@pytest.mark.parametrize("name", ["events", "latest", "submissions"])
def test_a_range_or_an_exception_lets_through_what_it_says(name: str, wanted: Filters) -> None:
    """Alone, and of some."""
    frame = large_checkpoint(300, EventFormat.V1_1, TIMES)

    assert_twins(name, frame, wanted)


# Feature: event-log-scraper, Property 11: Query filtering correctness
# Feature: event-log-scraper, Property 12: Temporal calculation support
# Feature: event-log-scraper, Property 13: Aggregation correctness
# Feature: event-log-scraper, Property 15: Event evolution preservation
# Feature: event-log-scraper, Property 17: Event completeness analysis
@given(any_checkpoint, filters(), engines, st.fixed_dictionaries(parameters))
def test_every_question_gives_exactly_what_its_twin_does(
    frame: pl.DataFrame, wanted: Filters, engine: Engine, drawn: dict[str, Any]
) -> None:
    """By any filters, grouped by any fields and periods, whatever the submissions went through.

    All questions are asked of each checkpoint: to draw one takes longer than to ask.
    """
    for name in sorted(QUERIES.keys() - OF_OTHERS):
        note(name)
        taken = {each.name: drawn[each.name] for each in QUERIES[name].parameters}
        assert_twins(name, frame, wanted, engine, **taken)


near_checkpoints = st.sampled_from(EventFormat).flatmap(
    lambda each: checkpoints(each, place=NEAR_PLACES, module=NEAR_PARTS)
)


@given(near_checkpoints, filters(ptid=st.just(("A1",))))
def test_near_misses_are_those_of_pairs_one_by_one(frame: pl.DataFrame, wanted: Filters) -> None:
    """Whatever differs between two submissions, and whichever of the two is asked for."""
    assert_twins("near-misses", frame, wanted)


@given(
    ledgers(),
    st.builds(
        Filters,
        pipeline_adcid=st.sampled_from([(), (1,)]),
        ptid=st.sampled_from([(), ("A1",)]),
        timestamp_from=st.none() | st.sampled_from(TIMES),
        timestamp_to=st.none() | st.sampled_from(TIMES),
    ),
    st.sampled_from([("pipeline_adcid",), ("pipeline_adcid", "month"), ()]),
)
def test_lateness_is_that_of_the_ledger(
    ledger: pl.DataFrame, wanted: Filters, by: tuple[str, ...]
) -> None:
    """Rewritten and adopted objects are counted, and not timed."""
    assert_twins("lateness", ledger, wanted, by=by)


def test_every_history_of_five_actions_is_read_right() -> None:
    """In whatever order submits, duplicates, outcomes and deletes come."""
    assert_twins("submissions", every_history(5), Filters(), "streaming")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a checkpoint of several row groups, of which every few rows are one submission's."""
    file = tmp_path_factory.mktemp("large") / "events.parquet"
    large_checkpoint(4_000, EventFormat.V1_1).write_parquet(file, row_group_size=500)
    return file


@pytest.mark.parametrize("name", [name for name in QUERIES if not QUERIES[name].reads_ledger])
def test_a_streamed_file_gives_the_same(name: str, large: Path) -> None:
    """Where polars works on many parts of a file at a time, order and ties are kept."""
    taken = {
        each.name: TIMES[-1] if each.default is UNSET else each.default
        for each in QUERIES[name].parameters
    }

    assert_twins(name, pl.scan_parquet(large), Filters(), "streaming", **taken)
