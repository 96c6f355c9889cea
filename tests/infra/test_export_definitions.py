"""Exports are defined alike by a stack and for the function, although neither imports the other."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checkpoint_infra.compute.environment import function_variables
from checkpoint_infra.settings.paths import may_be, may_meet, path_problems
from checkpoint_queries.exports import InvalidExportsError, read_exports
from tests.infra.refusing import problems, read

GOOD: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "defaults": [{"name": "a", "path": "../x/all.parquet"}],
    "all": [
        {
            "name": "0-a",
            "kind": "latest-events",
            "path": "../x/{study}/{datatype}/{adcid}/year={year}/{month}/(a)!.parquet",
            "text_dates": True,
            "column_order": "scraper",
        },
        {"name": "z" * 63, "kind": "submissions", "path": "../y/{study}-{adcid}.parquet"},
    ],
    "beside": [{"name": "a", "path": "x/{study}.parquet"}, {"name": "b", "path": "b.parquet"}],
    "long": [{"name": "a", "path": f"../x/{'x' * 499}.parquet"}],
}
BAD: dict[str, list[Any]] = {
    "no table": ["a"],
    "no name": [{"path": "../x/a.parquet"}],
    "no path": [{"name": "a"}],
    "name": [{"name": "A", "path": "../x/a.parquet"}],
    "name's length": [{"name": "a" * 64, "path": "../x/a.parquet"}],
    "name's end": [{"name": "a\n", "path": "../x/a.parquet"}],
    "kind": [{"name": "a", "path": "../x/a.parquet", "kind": "latest"}],
    "text dates": [{"name": "a", "path": "../x/a.parquet", "text_dates": "perhaps"}],
    "order": [{"name": "a", "path": "../x/a.parquet", "column_order": "mine"}],
    "another field": [{"name": "a", "path": "../x/a.parquet", "colour": "red"}],
    "length": [{"name": "a", "path": f"../x/{'a' * 505}.parquet"}],
    "empty": [{"name": "a", "path": ""}],
    "month": [{"name": "a", "path": "../x/{month}.parquet", "kind": "submissions"}],
    "scraper": [
        {
            "name": "a",
            "path": "../x/a.parquet",
            "kind": "submissions",
            "column_order": "scraper",
        }
    ],
    "twice": [{"name": "a", "path": "../x/a.parquet"}, {"name": "a", "path": "../x/b.parquet"}],
    "meeting": [
        {"name": "a", "path": "../x/{study}.parquet"},
        {"name": "b", "path": "../x/b-{adcid}.parquet"},
    ],
    "the checkpoint": [{"name": "a", "path": "events.parquet"}],
}


def of_stack(definitions: list[Any]) -> list[Any]:
    """Return definitions of the function as a stack's file has them."""
    names = {"text_dates": "textDates", "column_order": "columnOrder"}
    return [
        {names.get(name, name): value for name, value in each.items()}
        if isinstance(each, dict)
        else each
        for each in definitions
    ]


@pytest.mark.parametrize("definitions", GOOD.values(), ids=GOOD)
def test_both_sides_take_the_same_definitions(definitions: list[dict[str, Any]]) -> None:
    """What a stack lets through reaches the function, as it was meant."""
    variables = function_variables(read({"exports": of_stack(definitions)}))
    meant = read_exports(definitions, checkpoint="events.parquet")

    told = json.loads(variables["EXPORTS"])
    assert read_exports(told, checkpoint="events.parquet") == meant


@pytest.mark.parametrize("definitions", BAD.values(), ids=BAD)
def test_both_sides_refuse_the_same_definitions(definitions: list[Any]) -> None:
    """What would stop the function is not deployed, and a stack's file says where it is."""
    with pytest.raises(InvalidExportsError):
        read_exports(definitions, checkpoint="events.parquet")

    told = problems({"exports": of_stack(definitions)})
    assert all(each.startswith("exports[") for each in told)


PIECES = ["a", "b-", "_", ".", "/", "../", "{study}", "{year}", "{x}", "{", "}", ".parquet"]
PATHS = st.builds(
    lambda folder, pieces, end: folder + "".join(pieces) + end,
    st.sampled_from(["", "../", "../x/", "x/", "events"]),
    st.lists(st.sampled_from(PIECES), max_size=4),
    st.sampled_from(["", "/", ".parquet", "a.parquet"]),
).filter(bool)


@given(PATHS, PATHS)
@example("../{study}/a.parquet", "x/a.parquet")
@example("../x-{study}/a.parquet", "x/a.parquet")
@example("a/{study}-x.parquet", "a/{study}-y.parquet")
@example("a/x-{study}.parquet", "a/x-y-{study}.parquet")
@example("{study}/x.parquet", "adrc/x.parquet")
@example("a/é.parquet", "x/a.parquet")
def test_both_sides_judge_paths_alike(one: str, other: str) -> None:
    """Each by itself, by what it may meet, and by the checkpoint's name."""
    definitions = [{"name": "a", "path": one}, {"name": "b", "path": other}]
    try:
        read_exports(definitions, checkpoint="events.parquet")
    except InvalidExportsError:
        is_refused = True
    else:
        is_refused = False

    assert is_refused == (
        any([*path_problems(one), *path_problems(other)])
        or may_meet(one, other)
        or any(may_be(path, "events.parquet") for path in (one, other))
    )
