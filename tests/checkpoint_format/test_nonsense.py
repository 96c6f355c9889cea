"""Every field of every file of ours replaced by nonsense: an error of ours, or nothing is lost.

What a commit's digests would notice at once must be noticed without them too: older layouts have
none, and they may be lost.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_core import CheckpointError
from tests.checkpoint_core.scenarios import before_a_run_over_files_of_each_kind
from tests.checkpoint_core.world import (
    CHECKPOINT,
    LEDGERS,
    REJECTS,
    World,
    key,
    parquet,
    read_json_metadata,
    scratch,
)

pytestmark = pytest.mark.on_one_python

_DEEP: Final = "[" * 10_000 + "]" * 10_000
_TEXTS: Final = [
    "null",
    "true",
    "-1",
    "0",
    "1.5",
    "1e400",
    "9" * 30,
    "9" * 5_000,
    '""',
    '"' + "x" * 5_000 + '"',
    '"../../../x"',
    '"00000002-/../x"',
    '"\\u001b[2J\\u0000"',
    '"2024-01-15T10:00:00"',
    '"0001-01-01T00:00:00+23:59"',
    '"9999-12-31T23:59:59.999999-23:59"',
    "[]",
    "[null]",
    '["00000001-other"]',
    "{}",
    '{"a": null}',
    _DEEP,
    '{"a": ' + _DEEP + "}",
]
"""JSON of every type, and of every way in which something has gone wrong before."""

TEXTS: Final = st.sampled_from(_TEXTS) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
).map(json.dumps)

_MOMENT: Final = pl.Datetime("us", "UTC")
VALUES: Final[dict[pl.DataType, list[Any]]] = {
    pl.String(): [None, "", "x" * 5_000, "\x1b[2J\0", "2024-01-15", "/"],
    pl.Binary(): [None, b"", b"\0" * 5_000],
    pl.Int32(): [None, -1, 0, 2**31 - 1, -(2**31)],
    pl.Int64(): [None, -1, 0, 2**63 - 1, -(2**63)],
    _MOMENT: [None, 0, 2**63 - 1, -(2**63)],
}
"""For each type of a column, values of it that nobody has written."""
OTHER_TYPES: Final = [pl.Null(), pl.Int8(), pl.String(), pl.Boolean(), pl.List(pl.String())]


@pytest.fixture(scope="module")
def small(deltas: None) -> Iterator[World]:
    """Give a world with files of each kind, a delta among them; other objects wait."""
    with scratch() as folder:
        world = World(folder)
        before_a_run_over_files_of_each_kind(world)
        world.lose_digests()
        world.source.touch(key(1))
        world.source.touch(key(2))
        yield world


def the_next_run_is_right(world: World, name: str, undisturbed: World) -> None:
    """It ends as if nothing had been, or with an error of ours that leaves everything as it is.

    Damaged rejects cost nothing but reading again.
    """
    files = dict(world.store.files)
    try:
        report = world.run()
    except CheckpointError as error:
        refusal = error
    else:
        assert report.counts.listed == 4
        assert world.rows() == undisturbed.rows()
        assert world.reasons() == undisturbed.reasons()
        return
    assert name != REJECTS
    assert str(refusal).startswith(world.store.location)
    assert world.store.files == files


@pytest.fixture(scope="module")
def undisturbed(small: World) -> World:
    """The same world after its next run."""
    world = small.copy()
    world.run()
    return world


@given(data=st.data())
def test_no_nonsense_in_what_a_file_says_about_itself_does_harm(
    small: World, undisturbed: World, data: st.DataObject
) -> None:
    """Whatever stands in the place of a field, is missing, or is there twice."""
    world = small.copy()
    name = data.draw(st.sampled_from(sorted(world.store.files)))
    content = world.store.data(name)
    metadata = read_json_metadata(content)
    field = data.draw(st.sampled_from(sorted(metadata)))
    text = data.draw(TEXTS)
    before = "".join(f'"{each}": {json.dumps(value)}, ' for each, value in metadata.items())
    replaced = f'{{{before} "{field}": {text}}}'
    rows = pl.read_parquet(content)
    world.store.write(name, parquet(rows, replaced))

    the_next_run_is_right(world, name, undisturbed)


@given(data=st.data())
def test_no_nonsense_in_a_column_does_harm(
    small: World, undisturbed: World, data: st.DataObject
) -> None:
    """In every row or in some, of the column's type or of another, rows doubled, columns gone."""
    world = small.copy()
    name = data.draw(st.sampled_from(sorted(world.store.files)))
    content = world.store.data(name)
    rows = pl.read_parquet(content)
    column = data.draw(st.sampled_from(rows.columns))
    changed = data.draw(st.sampled_from(list(nonsense(rows, column))))
    world.store.write(name, parquet(changed, pl.read_parquet_metadata(content)["nacc.checkpoint"]))
    is_plausible = changed.schema == rows.schema and changed.height == rows.height
    if is_plausible and (name == CHECKPOINT or (column == "key" and name != REJECTS)):
        return  # Another event, or another object's row: only a digest can tell.

    the_next_run_is_right(world, name, undisturbed)


def nonsense(rows: pl.DataFrame, column: str) -> Iterator[pl.DataFrame]:
    """Yield the rows with nonsense in one column."""
    first = pl.int_range(pl.len()) == 0
    kind = rows[column].dtype
    for value in VALUES.get(kind, []):
        literal = pl.lit(value, pl.Int64()).cast(kind) if kind == _MOMENT else pl.lit(value, kind)
        yield rows.with_columns(literal.alias(column))
        yield rows.with_columns(pl.when(first).then(literal).otherwise(column).alias(column))
    for other in OTHER_TYPES:
        yield rows.with_columns(pl.lit(None, other).alias(column))
    yield rows.drop(column)
    yield rows.rename({column: f"{column}_"})
    yield rows.with_columns(pl.lit("").alias("more"))
    yield pl.concat([rows.head(1), rows.head(1), rows])
    yield pl.concat([rows, rows]).sort(rows.columns[0])
    yield rows.clear()


@pytest.mark.parametrize("text", _TEXTS)
def test_no_nonsense_in_a_file_of_digests_does_harm(
    small: World, undisturbed: World, text: str
) -> None:
    """It is as if it were lost, which the run says."""
    world = small.copy()
    name = f"{LEDGERS}{world.metadata()['commit_id']}.json"
    world.store.write(name, text.encode())

    report = world.run()

    [warning] = report.warnings
    assert warning.startswith(f"the file of digests, {name}, is gone or damaged")
    assert world.rows() == undisturbed.rows()
