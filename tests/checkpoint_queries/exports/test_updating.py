"""Exports equal their definition applied to the checkpoint, whatever happened before."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoint_core import CheckpointError
from checkpoint_format.errors import MissingLedgerError, NewerLayoutError
from checkpoint_queries import Filters, submissions
from checkpoint_queries.exports import Export, ExportResult, read_exports, update_exports
from nacc_event_model import EventFormat
from tests.checkpoint_core.memory import CrashError, Fault
from tests.checkpoint_core.world import SETTINGS, World, document, key, scratch

MANIFEST = "_exports/events.json"
STUDIES = {"name": "by-study", "path": "by/{study}/{datatype}/events.parquet"}
LATEST = {
    "name": "latest",
    "kind": "latest-events",
    "path": "latest/{adcid}.parquet",
    "text_dates": True,
    "column_order": "scraper",
}
MONTHS = {"name": "by-study", "path": "year={year}/month={month}/events.parquet"}
SUBMISSIONS = {"name": "submissions", "kind": "submissions", "path": "../all/submissions.parquet"}


@pytest.fixture
def world() -> Iterator[World]:
    """Give a world with nothing in it."""
    with scratch() as folder:
        yield World(folder)


def exports(*definitions: dict[str, Any]) -> tuple[Export, ...]:
    """Return definitions as they are read."""
    return read_exports(list(definitions), checkpoint="events.parquet")


def update(
    world: World, *definitions: dict[str, Any], only_these: bool = True, **options: Any
) -> dict[str, ExportResult]:
    """Update once and return the results by name."""
    results = update_exports(
        world.store,
        exports(*definitions),
        settings=SETTINGS,
        host=world.host(**options),
        only_these=only_these,
    )
    return {result.name: result for result in results}


def calls(world: World, act: Callable[[], object]) -> list[str]:
    """Return what was asked of the store meanwhile."""
    before = len(world.store.calls)
    act()
    return world.store.calls[before:]


def expected_rows(world: World, definition: dict[str, Any]) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of each file, by plain Python; submissions as the queries have them."""
    events = world.store.rows()
    rows = list(events.iter_rows(named=True))
    if definition.get("kind") == "latest-events":
        last: dict[tuple[object, ...], dict[str, object]] = {}
        for row in rows:
            same = ("action", "ptid", "visit_date", "timestamp", "datatype", "module")
            identity = (*(row[name] for name in same), row["pipeline_adcid"])
            last.pop(identity, None)
            last[identity] = row
        rows = list(last.values())
    elif definition.get("kind") == "submissions":
        found = submissions(events.lazy(), Filters(include_test_center=True)).collect()
        rows = list(found.iter_rows(named=True))
    files: dict[str, list[tuple[object, ...]]] = {}
    for row in rows:
        moment = row.get("timestamp")
        name = definition["path"].format(
            study=row["study"],
            datatype=row["datatype"],
            adcid=row["pipeline_adcid"],
            year=moment and f"{moment:%Y}",
            month=moment and f"{moment:%m}",
        )
        if definition.get("text_dates"):
            row["visit_date"] = row["visit_date"].isoformat()
        if definition.get("column_order") == "scraper":
            values = tuple(row.get(column) for column in SCRAPER_ORDER)
        else:
            values = tuple(row.values())
        files.setdefault(name, []).append(values)
    return files


SCRAPER_ORDER = [
    "action",
    "study",
    "pipeline_adcid",
    "project_label",
    "center_label",
    "gear_name",
    "ptid",
    "naccid",
    "visit_date",
    "visit_number",
    "datatype",
    "module",
    "packet",
    "modality",
    "timestamp",
]


def exported(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of every file that is neither the checkpoint nor one of its own."""
    return {
        name: pl.read_parquet(data).rows()
        for name, (data, *_) in world.store.files.items()
        if not name.startswith("_") and name != world.store.checkpoint_name
    }


def expected(world: World, *definitions: dict[str, Any]) -> dict[str, list[tuple[object, ...]]]:
    """Return the same of all definitions."""
    return {
        name: rows
        for definition in definitions
        for name, rows in expected_rows(world, definition).items()
    }


def write(
    world: World, number: int, *, study: str = "adrc", adcid: int = 42, month: int = 1
) -> None:
    """Write an event that differs from others by its number."""
    data = document(
        EventFormat.V1_0,
        study=study,
        pipeline_adcid=adcid,
        ptid=str(number % 3 + 1),
        packet=f"I{number}",
        timestamp=f"2024-{month:02d}-15T10:00:00Z",
    )
    world.source.write(key(number), data)


@pytest.mark.parametrize("definition", [STUDIES, LATEST, MONTHS, SUBMISSIONS])
def test_an_export_is_its_definition_applied(world: World, definition: dict[str, Any]) -> None:
    """Every row is in the file of its group, in order, with the columns that are asked for."""
    for number in range(12):
        write(
            world,
            number,
            study=("adrc", "dvcid")[number % 2],
            adcid=number % 4,
            month=number % 5 + 1,
        )
    world.run()

    result = update(world, definition)[definition["name"]]

    assert exported(world) == expected(world, definition)
    assert (result.state, result.files, result.written) == (
        "made",
        len(exported(world)),
        len(exported(world)),
    )


def test_a_file_says_what_it_is(world: World) -> None:
    """Of which checkpoint and export, and by which commit it was last changed."""
    write(world, 1)
    first = world.run()
    update(world, STUDIES)
    write(world, 2, study="dvcid")
    world.run()
    update(world, STUDIES)

    data = world.store.data("by/adrc/form/events.parquet")
    said = json.loads(pl.read_parquet_metadata(data)["nacc.export"])
    assert {**said, "digest": "..."} == {
        "checkpoint": "events.parquet",
        "export": "by-study",
        "commit_id": first.commit_id,
        "digest": "...",
    }


def test_where_nothing_changed_nothing_is_written_and_no_file_is_read(world: World) -> None:
    """The cost is the checkpoint's footer, the manifest, and one listing of each folder."""
    write(world, 1)
    world.run()
    update(world, STUDIES, LATEST)

    asked = calls(world, lambda: update(world, STUDIES, LATEST))

    assert asked == [
        "read_tail events.parquet",
        f"read_tail {MANIFEST}",
        "list_tree by",
        "list_tree latest",
    ]


def test_only_groups_whose_rows_changed_are_written(world: World) -> None:
    """Of three, one."""
    for number, study in enumerate(("adrc", "dvcid", "leads")):
        write(world, number, study=study)
    world.run()
    update(world, STUDIES)
    write(world, 5, study="leads")
    world.run()

    asked = calls(world, lambda: update(world, STUDIES))

    assert [call for call in asked if call.startswith("put")] == [
        "put_if by/leads/form/events.parquet",
        f"put_if {MANIFEST}",
    ]
    assert exported(world) == expected(world, STUDIES)


def test_there_is_nothing_to_export_without_a_checkpoint(world: World) -> None:
    """And nothing is written."""
    assert update(world, STUDIES) == {}
    assert world.store.files == {}


@pytest.mark.parametrize("name", ["by/adrc/form/events.parquet", "by/dvcid/form/events.parquet"])
@pytest.mark.parametrize("by", ["nobody", "another checkpoint"])
def test_what_is_not_an_export_of_this_checkpoint_is_left_alone(
    world: World, name: str, by: str
) -> None:
    """The export fails and says so, where it would have to write there; others are made."""
    write(world, 1)
    world.run()
    other = World(world.folder)
    write(other, 1)
    other.run()
    other.store.checkpoint_name = "other.parquet"
    other.store.files["other.parquet"] = other.store.files.pop("events.parquet")
    theirs = b"not Parquet"
    if by != "nobody":
        theirs = pl_file(
            world, '{"checkpoint":"o.parquet","export":"by-study","commit_id":"1","digest":""}'
        )
    world.store.write(name, theirs)

    results = update(world, STUDIES, LATEST)

    assert world.store.data(name) == theirs
    if "adrc" in name:
        assert results["by-study"].state == "failed"
        assert "not of this export" in str(results["by-study"].problem)
    else:
        assert results["by-study"].state == "made"
    assert results["latest"].state == "made"


def test_a_file_of_somebody_elses_beside_those_of_an_export_makes_no_work(world: World) -> None:
    """It is looked at, and nothing is derived because of it."""
    write(world, 1)
    world.run()
    update(world, STUDIES)
    world.store.write("by/other/form/events.parquet", b"somebody's")

    asked = calls(world, lambda: update(world, STUDIES))

    assert asked == [
        "read_tail events.parquet",
        f"read_tail {MANIFEST}",
        "list_tree by",
        "read_tail by/other/form/events.parquet",
    ]


def test_what_is_put_in_the_place_of_a_file_that_goes_stays(world: World) -> None:
    """Also when it comes after the folder was listed."""
    write(world, 1)
    world.run()
    update(world, STUDIES)
    name = "by/adrc/form/events.parquet"

    listed = world.store.list_tree

    def list_tree(folder: str) -> dict[str, str]:
        found = listed(folder)
        world.store.write(name, b"somebody's")
        return found

    world.store.list_tree = list_tree  # type: ignore[method-assign]
    results = update(world)

    assert (results["by-study"].state, results["by-study"].removed) == ("removed", 0)
    assert world.store.data(name) == b"somebody's"


def test_exports_may_be_renamed_and_change_places(world: World) -> None:
    """One update makes it so: a file of an export that has left that place may be replaced."""
    for number, study in enumerate(("adrc", "dvcid")):
        write(world, number, study=study)
    world.run()
    one = {"name": "one", "path": "one/{study}.parquet"}
    other = {"name": "other", "kind": "submissions", "path": "other/{study}.parquet"}
    update(world, one, other)
    swapped = ({**one, "path": other["path"]}, {**other, "path": one["path"]})
    renamed = [{**each, "name": f"{each['name']}-again"} for each in swapped]

    for definitions in (swapped, renamed):
        results = update(world, *definitions)
        assert {results[each["name"]].state for each in definitions} == {"made"}
        assert exported(world) == expected(world, *definitions)
        assert {each.state for each in update(world, *definitions).values()} == {"current"}


def test_two_exports_of_one_name_do_not_replace_each_other(world: World) -> None:
    """The one that comes later fails, as long as the other is defined."""
    write(world, 1)
    world.run()
    update(world, STUDIES)

    results = update(world, {**STUDIES, "name": "other"}, only_these=False)

    assert {name: each.state for name, each in results.items()} == {
        "by-study": "current",
        "other": "failed",
    }


def test_groups_that_would_share_a_file_fail_the_export(world: World) -> None:
    """No row is lost silently where a template does not tell two groups apart."""
    write(world, 1, study="a1", adcid=2)
    write(world, 2, study="a", adcid=12)
    world.run()

    result = update(world, {"name": "joined", "path": "all/{study}{adcid}.parquet"})["joined"]

    assert (result.state, exported(world)) == ("failed", {})
    assert "all/{study}{adcid}.parquet: different groups" in str(result.problem)


@pytest.mark.parametrize("knows", ["nothing", "as a copy what the other knows"])
def test_checkpoints_of_one_name_in_two_folders_do_not_replace_each_others_exports(
    world: World, knows: str
) -> None:
    """In a folder that both lead to, the second one's export fails, and removes nothing either."""
    write(world, 1)
    world.run()
    world.store.location = "memory://here/events.parquet"
    update(world, SUBMISSIONS)
    before = exported(world)
    write(world, 2)
    world.run()
    if knows == "nothing":
        del world.store.files[MANIFEST]
    world.store.location = "memory://there/events.parquet"

    states = [update(world, *each)["submissions"].state for each in ((SUBMISSIONS,), ())]

    assert states == ["failed", "removed"]
    assert exported(world) == before


def pl_file(world: World, said: str) -> bytes:
    """Return a Parquet file that says something about itself."""
    path = world.workdir() / "file.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path, metadata={"nacc.export": said})
    return path.read_bytes()


def test_an_export_that_nobody_defines_any_more_is_removed(world: World) -> None:
    """With all its files, and nothing else."""
    write(world, 1)
    world.run()
    update(world, STUDIES, LATEST)

    results = update(world, LATEST)

    assert results["by-study"].state == "removed"
    assert exported(world) == expected(world, LATEST)


def test_a_file_of_an_export_that_has_no_such_group_is_removed(world: World) -> None:
    """An update that was interrupted may have left it; the manifest need not know of it."""
    write(world, 1)
    world.run()
    update(world, STUDIES)
    world.store.write(
        "by/other/form/events.parquet", world.store.data("by/adrc/form/events.parquet")
    )

    result = update(world, STUDIES)["by-study"]

    assert (result.written, result.removed) == (0, 1)
    assert exported(world) == expected(world, STUDIES)


def test_a_folder_of_several_exports_is_listed_once(world: World) -> None:
    """One listing, whatever is derived into it."""
    other = {"name": "other", "path": "by/{adcid}.parquet"}
    write(world, 1)
    world.run()
    update(world, STUDIES, other)

    asked = calls(world, lambda: update(world, STUDIES, other))

    assert [call for call in asked if call.startswith("list")] == ["list_tree by"]


def test_what_a_rival_has_removed_first_is_removed(world: World) -> None:
    """Two updates at once that both take exports out end alike."""
    write(world, 1)
    world.run()
    update(world, STUDIES, LATEST)

    def rival(call: str) -> None:
        if call.startswith("delete by"):
            world.store.before_call = lambda _call: None
            update(world)

    world.store.before_call = rival
    results = update(world)

    assert {each.state for each in results.values()} == {"removed"}
    assert exported(world) == {}


def test_exports_of_other_names_are_kept_up_to_date_where_not_all_are_given(world: World) -> None:
    """By the definitions in the manifest."""
    write(world, 1)
    world.run()
    update(world, STUDIES)
    write(world, 2)
    world.run()

    results = update(world, LATEST, only_these=False)

    assert {name: each.state for name, each in results.items()} == {
        "by-study": "made",
        "latest": "made",
    }
    assert exported(world) == expected(world, STUDIES, LATEST)


def test_time_that_ends_leaves_the_rest_to_the_next_update(world: World) -> None:
    """What was written counts, and is not written again."""
    for number, study in enumerate(("adrc", "dvcid", "leads")):
        write(world, number, study=study)
    world.run()
    left = iter([100.0, 100.0, 100.0, 5.0, 5.0, 5.0])

    first = update(world, STUDIES, LATEST, remaining_s=lambda: next(left))
    written = set(exported(world))
    second = calls(world, lambda: update(world, STUDIES, LATEST))

    assert (first["by-study"].state, first["by-study"].written) == ("partly made", 1)
    assert (first["latest"].state, first["latest"].written) == ("partly made", 0)
    assert not {f"put_if {name}" for name in written} & set(second)
    assert exported(world) == expected(world, STUDIES, LATEST)


def test_where_no_time_is_left_nothing_is_asked(world: World) -> None:
    """So that a run that has committed late still ends in time."""
    write(world, 1)
    world.run()

    asked = calls(world, lambda: update(world, STUDIES, remaining_s=lambda: 2.0))

    assert asked == []


def test_an_update_gives_way_to_a_later_commit(world: World) -> None:
    """Where another run has committed and exported meanwhile, nothing of it is written over."""
    write(world, 1)
    world.run()
    update(world, STUDIES)
    write(world, 2)
    world.run()

    def rival(call: str) -> None:
        if call == "put_if by/adrc/form/events.parquet":
            world.store.before_call = lambda _call: None
            write(world, 3)
            world.run()
            update(world, STUDIES, LATEST)

    world.store.before_call = rival
    results = update(world, STUDIES, LATEST)

    assert results["by-study"].state == "given way"
    assert exported(world) == expected(world, STUDIES, LATEST)


@pytest.mark.parametrize("kept", [[STUDIES], []])
def test_what_was_written_after_another_commit_took_it_out_is_taken_back(
    world: World, kept: list[dict[str, Any]]
) -> None:
    """Nobody would look there again."""
    write(world, 1)
    world.run()

    def rival(call: str) -> None:
        if call == "put_if latest/42.parquet":
            world.store.before_call = lambda _call: None
            write(world, 2)
            world.run()
            update(world, *kept)

    world.store.before_call = rival
    results = update(world, STUDIES, LATEST)

    assert results["latest"].state == "given way"
    assert exported(world) == expected(world, *kept)


def test_a_checkpoint_that_is_replaced_before_it_is_fetched_is_left_to_the_other(
    world: World,
) -> None:
    """Nothing of two commits is mixed."""
    write(world, 1)
    world.run()

    def rival(call: str) -> None:
        if call == "list_tree by":
            world.store.before_call = lambda _call: None
            write(world, 2)
            world.run()

    world.store.before_call = rival

    assert update(world, STUDIES)["by-study"].state == "given way"
    assert exported(world) == {}


@pytest.mark.on_one_python
@pytest.mark.parametrize("number", range(18))
def test_rivals_that_define_one_export_differently_leave_nothing_behind(
    world: World, number: int
) -> None:
    """Whoever ends last, the manifest tells where files of both may lie."""
    one = {"name": "one", "path": "one/{study}.parquet"}
    other = {**one, "path": "other/{study}.parquet"}
    write(world, 1)
    world.run()
    update(world, other)
    write(world, 2, study="dvcid")
    world.run()
    begin_at = len(world.store.calls) + number

    def rival(_call: str) -> None:
        if len(world.store.calls) > begin_at:
            world.store.before_call = lambda _call: None
            update(world, other)

    world.store.before_call = rival
    update(world, one)
    world.store.before_call = lambda _call: None
    update(world)

    assert exported(world) == {}


def test_files_that_keep_being_replaced_are_left_to_a_later_update(world: World) -> None:
    """It is tried a bounded number of times."""
    write(world, 1)
    world.run()
    update(world, STUDIES)

    for name in ("by/adrc/form/events.parquet", MANIFEST):
        write(world, len(world.store.calls))
        world.run()

        def replace(call: str, name: str = name) -> None:
            if call == f"put_if {name}":
                world.store.write(name, world.store.data(name))

        world.store.before_call = replace
        result = update(world, STUDIES)["by-study"]

        assert (result.state, "keeps being replaced" in str(result.problem)) == ("failed", True)
        world.store.before_call = lambda _call: None
    update(world, STUDIES)
    assert exported(world) == expected(world, STUDIES)


def test_a_damaged_checkpoint_fails_the_export(world: World) -> None:
    """Its rows are not exported."""
    write(world, 1)
    world.run()
    data = bytearray(world.store.data("events.parquet"))
    data[8] ^= 1
    world.store.write("events.parquet", bytes(data))

    result = update(world, STUDIES)["by-study"]

    assert result.state == "failed"
    assert exported(world) == {}


@pytest.mark.parametrize("said", [b"{", b'{"layout":1,"exports":{"a":1}}'])
def test_a_manifest_that_is_damaged_is_made_again(world: World, said: bytes) -> None:
    """From what the files say of themselves; no file is written again."""
    write(world, 1)
    world.run()
    update(world, STUDIES)
    world.store.write(MANIFEST, said)

    asked = calls(world, lambda: update(world, STUDIES))

    assert {call for call in asked if call.startswith("put")} == {f"put_if {MANIFEST}"}
    assert update(world, STUDIES)["by-study"].state == "current"


def test_a_manifest_of_newer_software_is_left_alone(world: World) -> None:
    """What it knows would be lost."""
    write(world, 1)
    world.run()
    world.store.write(MANIFEST, b'{"layout":2,"exports":[]}')

    with pytest.raises(NewerLayoutError, match="exports"):
        update(world, STUDIES)
    assert world.store.data(MANIFEST) == b'{"layout":2,"exports":[]}'


def test_a_file_that_is_no_checkpoint_is_told(world: World) -> None:
    """Not taken for one that has nothing to export."""
    world.store.write("events.parquet", pl_file(world, "{}"))

    with pytest.raises(MissingLedgerError):
        update(world, STUDIES)


def test_an_export_that_fails_leaves_its_room_to_the_others(world: World) -> None:
    """Its local files are gone before the next is made."""
    write(world, 1)
    world.run()
    world.store.write("by/adrc/form/events.parquet", b"somebody's")
    host = world.host()
    left: list[str] = []

    def look(call: str) -> None:
        if call == "put_if latest/42.parquet":
            left.extend(each.name for each in host.workdir.glob("export-*"))

    world.store.before_call = look
    results = update_exports(
        world.store, exports(STUDIES, LATEST), settings=SETTINGS, host=host, only_these=True
    )

    assert [each.state for each in results] == ["failed", "made"]
    assert left == ["export-latest"]


def test_an_export_in_the_way_of_another_is_not_defined(world: World) -> None:
    """Whoever was first keeps its files; the other fails, and is not remembered."""
    write(world, 1)
    world.run()
    update(world, STUDIES)
    other = {"name": "other", "path": "by/{study}/{adcid}.parquet"}
    same = {"name": "same", "path": "by/adrc/{study}/events.parquet"}

    results = update(world, other, same, only_these=False)

    assert {name: each.state for name, each in results.items()} == {
        "by-study": "current",
        "other": "made",
        "same": "failed",
    }
    assert set(json.loads(world.store.data(MANIFEST))["exports"]) == {"by-study", "other"}
    assert "export by-study" in str(results["same"].problem)


ALL: list[dict[str, Any]] = [STUDIES, LATEST, MONTHS, SUBMISSIONS]
DEFINITIONS = st.lists(st.sampled_from(ALL), unique_by=lambda each: str(each["name"]))
STEPS = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 9), st.sampled_from(["adrc", "dvcid"])),
    st.tuples(st.just("run")),
    st.tuples(st.just("update"), DEFINITIONS, st.none() | st.integers(0, 6)),
    st.tuples(st.just("fault"), DEFINITIONS, st.integers(0, 30), st.sampled_from(list(Fault))),
    st.tuples(st.just("rival"), DEFINITIONS, st.integers(0, 30)),
    st.tuples(st.just("forget")),
    st.tuples(st.just("lose"), st.integers(0, 5)),
    st.tuples(st.just("restore")),
    st.tuples(st.just("rebuild")),
)


@given(steps=st.lists(STEPS, max_size=12), definitions=DEFINITIONS)
@settings(deadline=None)
def test_after_an_undisturbed_update_every_export_is_right(
    steps: list[tuple[Any, ...]], definitions: list[dict[str, Any]]
) -> None:
    """Whatever the order of writes, runs, faults, rivals, lost files, restores and definitions was.

    Every export equals its definition applied to the checkpoint, and no other file is left (but
    for those of earlier definitions, where the manifest was lost).
    """
    with scratch() as folder:
        world = World(folder)
        write(world, 0)
        world.run()
        earlier = world.store.files["events.parquet"]
        for step in steps:
            earlier = act(world, step, earlier)
        update(world, *definitions)

        known = json.loads(world.store.data(MANIFEST))["exports"] if definitions else {}
        found, right = exported(world), expected(world, *definitions)
        if ("forget",) in steps:
            # What was defined before, nobody knows any more.
            found = {name: rows for name, rows in found.items() if name in right}
        assert found == right
        assert {each["commit_id"] for each in known.values()} <= {world.metadata()["commit_id"]}
        assert {each.state for each in update(world, *definitions).values()} <= {"current"}


def act(world: World, step: tuple[Any, ...], earlier: Any) -> Any:
    """Do one step, and return an earlier checkpoint."""
    store = world.store
    match step:
        case ("write", number, study):
            write(world, number, study=study)
        case ("run",):
            earlier = store.files["events.parquet"]
            world.run()
        case ("update", definitions, seconds):
            left = iter([100.0] * (1000 if seconds is None else seconds))
            update(world, *definitions, remaining_s=lambda: next(left, 0.0))
        case ("fault", definitions, number, fault):
            store.faults = {len(store.calls) + number: fault}
            with suppress(CrashError, CheckpointError):
                update(world, *definitions)
            store.faults = {}
        case ("rival", definitions, number):
            begin_at = len(store.calls) + number

            def rival(_call: str) -> None:
                if len(store.calls) > begin_at:
                    store.before_call = lambda _call: None
                    write(world, number, study="leads")
                    world.run()
                    update(world, *definitions[:1])

            store.before_call = rival
            update(world, *definitions)
            store.before_call = lambda _call: None
        case ("forget",):
            store.files.pop(MANIFEST, None)
        case ("lose", number):
            names = sorted(name for name in exported(world))
            for name in names[number : number + 1]:
                del store.files[name]
        case ("restore",):
            store.write("events.parquet", earlier[0])
        case ("rebuild",):
            world.run(mode="rebuild", allow_loss=True)
    return earlier
