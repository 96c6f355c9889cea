"""Taking over from the system in use: its rows, what it has missed, and nothing twice."""

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec import structs

from checkpoint_core._adopting.archived_names import named_by
from checkpoint_core.errors import NothingToAdoptError
from checkpoint_format.errors import CorruptCheckpointError
from nacc_event_model import EventFormat
from tests.checkpoint_core.foreign import (
    WITHOUT_SANDBOX,
    adopt,
    event,
    frame,
    frames_of,
    in_use,
    name_of,
    put,
)
from tests.checkpoint_core.world import Row, World, multiset, row, scratch, without_nulls


def trimmed(rows: Counter[Row]) -> Counter[Row]:
    """Return the rows with their texts trimmed, which is how the other system has them."""
    result: Counter[Row] = Counter()
    for values, count in rows.items():
        plain = tuple(each.strip() if isinstance(each, str) else each for each in values)
        result[plain] += count
    return result


def rows_of(frames: Sequence[pl.DataFrame]) -> Counter[Row]:
    """Return the rows of the other system's files, in our order and types."""
    parts = [each.with_columns(pl.col("visit_date").str.to_date()) for each in frames]
    columns = [*frame().columns, "naccid", "modality"]
    return sum((multiset(each.select(columns)) for each in parts), Counter[Row]())


def wanted_rows(documents: Sequence[bytes]) -> Counter[Row]:
    """Return the rows that these objects become, apart from those of excluded projects."""
    rows = (without_nulls(row(data, EventFormat.V1_1)) for data in documents)
    return Counter(values for values in rows if not str(values[3]).startswith("sandbox-"))


def united(theirs: Counter[Row], ours: Counter[Row]) -> Counter[Row]:
    """Return the union of both, in which a row that lacks only what an event adds is that event's.

    Unless the row is equal to another event: then it is that one's.
    """
    lacking = Counter(values[:13] for values in (ours - theirs).elements() if len(values) > 13)
    return (theirs | ours) - (lacking & (theirs - ours))


EVENTS = st.builds(
    event,
    action=st.sampled_from(["submit", "pass-qc", "duplicate-submit"]),
    project_label=st.sampled_from(["ingest-form", "sandbox-form"]),
    ptid=st.sampled_from(["110001", "11.0001"]),
    packet=st.sampled_from([None, "I", " I", "F"]),
    module=st.sampled_from(["UDS", "FTLD"]),
    naccid=st.sampled_from([None, "NACC1"]),
    study=st.sampled_from(["adrc", "leads"]),
    timestamp=st.sampled_from(["2024-01-15T10:00:00Z", "2024-01-15T11:00:00.5Z"]),
)


@pytest.mark.on_one_python
@hypothesis_settings(max_examples=hypothesis_settings().max_examples // 2, deadline=None)
@given(
    objects=st.lists(
        st.tuples(EVENTS, st.sampled_from(["", "-05:00"]), st.booleans(), st.booleans()),
        max_size=7,
    ),
    late=st.sets(st.integers(0, 6)),
    portion=st.integers(1, 7),
)
@example(
    objects=[(event(naccid="NACC1"), "", False, False), (event(naccid=None), "", True, False)],
    late=set(),
    portion=1,
)
def test_a_takeover_ends_with_their_rows_and_what_they_had_missed(
    objects: list[tuple[bytes, str, bool, bool]], late: set[int], portion: int
) -> None:
    """However much is archived, in any number of files, and whatever becomes of it afterwards.

    `late` are those that the other system never saw; objects are archived or not, and when they are
    restored, left as they are or copied in place.
    """
    with scratch() as folder:
        world = World(folder)
        contents = [data for data, *_ in objects]
        for number, (data, offset, is_archived, _) in enumerate(objects):
            # The name has the time in the event's own offset.
            name = name_of(data)
            if offset:
                name = name.replace("-100000-", "-050000-").replace("-110000-", "-060000-")
            world.source.write(f"{number}/{name}", data)
            if is_archived:
                world.source.outcomes[f"{number}/{name}"] = "archived"
        files = list(in_use(each for n, each in enumerate(contents) if n not in late).values())
        theirs = rows_of(files)

        first = adopt(world, files)

        readable = [data for data, _, is_archived, _ in objects if not is_archived]
        assert trimmed(world.rows()) == united(theirs, trimmed(wanted_rows(readable)))
        assert first.listed == first.counts.listed == len(objects)
        if world.rows():
            assert world.problems(WITHOUT_SANDBOX, source=True) == []

        world.source.outcomes.clear()
        for (_, _, is_archived, is_copied), name in zip(
            objects, list(world.source.objects), strict=True
        ):
            if is_archived and is_copied:
                world.source.touch(name)
        limited = structs.replace(WITHOUT_SANDBOX, max_events_per_run=portion)
        while True:
            report = world.run(limited, list_restores=True)
            assert report.listed == report.counts.listed
            if report.complete:
                break

        assert trimmed(world.rows()) == theirs | trimmed(wanted_rows(contents))
        if world.rows():
            assert world.problems(WITHOUT_SANDBOX, source=True) == []
        assert world.run(WITHOUT_SANDBOX).commit_id is None


def test_a_known_reject_is_never_adopted(world: World) -> None:
    """It was judged, and then archived: it is not what the row that its name speaks of is of."""
    data = event()
    world.source.write(name_of(data), b"{}")
    world.run(WITHOUT_SANDBOX)
    world.source.outcomes[name_of(data)] = "archived"

    adopt(world, frames_of([data]))

    assert world.ledger().is_empty()
    assert world.reasons()[name_of(data)][0] == "archived"


def test_files_are_adopted_besides_a_checkpoint(world: World) -> None:
    """The rows of all of them, as a sum; the replaced file is kept, the others are not touched."""
    data = [event(gear_name=f"gear-{number}") for number in range(3)]
    put(world, in_use(data[:1])["adrc", "form"])
    world.source.write(name_of(data[2]), data[2])

    report = adopt(world, frames_of(data[1:2]))

    assert world.rows() == wanted_rows(data)
    assert (report.counts.accepted, world.metadata()["adopted_rows"]) == (1, 2)
    assert any(name.startswith("_previous/") for name in world.store.files)


def test_a_checkpoint_of_ours_takes_no_files(world: World) -> None:
    """Its rows and theirs may be of the same objects; that can only be told from the beginning.

    One that lost its ledger may be of an adoption of the same files: alone it can be adopted.
    """
    data = event()
    world.source.write(name_of(data), data)
    files = frames_of([data])
    adopt(world, files)
    with pytest.raises(NothingToAdoptError, match="give a new checkpoint to adopt files into"):
        adopt(world, files)
    world.lose_ledgers()
    with pytest.raises(NothingToAdoptError, match="Run with --adopt alone to keep its rows"):
        adopt(world, files)

    assert world.run(WITHOUT_SANDBOX, mode="adopt").total_events == 1


def test_a_copy_of_a_file_is_refused(world: World) -> None:
    """Under whatever name; of files without rows there may be several."""
    rows = frames_of([event(), event(gear_name="another")])

    copied = r"^/other/2.parquet: it is a copy of /other/0.parquet, .* out"
    with world.untouched(CorruptCheckpointError, copied):
        adopt(world, [*rows, rows[0]])

    adopt(world, [*rows, rows[0].clear(), rows[0].clear()])
    assert world.rows().total() == 2


def test_the_file_that_cannot_be_adopted_is_named(world: World) -> None:
    """With its columns, their types, and what is expected; never with a value."""
    good, bad = frames_of([event(), event(ptid="SECRET")])
    bad = bad.with_columns(visit_number=1, visit_date=pl.lit("SECRET"))

    with world.untouched(CorruptCheckpointError) as caught:
        adopt(world, [good, bad])

    assert str(caught.value).startswith("/other/1.parquet: its rows cannot be read as events: ")
    assert "visit_number is Int32, or has values, that cannot be taken as text" in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert str(caught.value).endswith("Give another version of this file, or leave it out.")


@pytest.mark.parametrize(
    "time, is_found",
    [
        ("100000", True),
        ("050000", True),  # the same moment, in the offset of its center
        ("113000", True),
        ("100700", False),  # no place on earth has such an offset
        ("235900", False),
    ],
)
def test_a_name_speaks_of_a_row_in_any_offset(time: str, *, is_found: bool) -> None:
    """Names have the local time of their event; minutes later it is another one."""
    names = pl.DataFrame({"key": [name_of(event()).replace("-100000-", f"-{time}-")]})

    assert named_by(names, frame(event()), EventFormat.V1_1).height == is_found


def test_of_names_that_may_mean_the_same_rows_all_find_one_or_none_counts() -> None:
    """Two folders hold a name; whose the only row is, is not known."""
    names = pl.DataFrame({"key": [f"{folder}/{name_of(event())}" for folder in ("a", "b")]})
    one = frame(event())

    assert named_by(names, one, EventFormat.V1_1).is_empty()
    assert named_by(names, pl.concat([one, one]), EventFormat.V1_1).equals(names)


_MANY = """
import resource
import polars as pl
from checkpoint_core._adopting.archived_names import named_by
from nacc_event_model import EventFormat

rows = pl.select(number=pl.int_range(20_000)).with_columns(
    action=pl.lit("submit"),
    pipeline_adcid=pl.lit(42, pl.Int32),
    project_label=pl.lit("ingest-form"),
    ptid=pl.col("number").cast(pl.String),
    visit_date=pl.date(2024, 1, 15),
    visit_number=pl.lit("1"),
    timestamp=pl.datetime(2024, 1, 15, 10, time_unit="us", time_zone="UTC"),
)
names = rows.select(key="log-submit-20240115-100000-42-ingest-form-" + pl.col("ptid") + "-1.json")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert named_by(names, rows, EventFormat.V1_0).height == 20_000
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.on_one_python
def test_as_many_archived_objects_as_there_are_fit_memory() -> None:
    """What they need grows as their number does: 20,000 of them need tens of MiB."""
    ended = subprocess.run(
        [sys.executable, "-c", _MANY], capture_output=True, text=True, check=True
    )

    assert int(ended.stdout) < 250
