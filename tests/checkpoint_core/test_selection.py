"""Which objects are read, in which order, and which are left alone."""

import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_core import LISTING_SCHEMA, REJECTS_SCHEMA, Settings
from checkpoint_core._files import ledger as _ledger
from checkpoint_core._files.layout import LAYOUT_VERSION, DamagedFileError, LedgerMetadata
from checkpoint_core._files.ledger import NO_LEDGER, Ledger, LedgerFile
from checkpoint_core._judging.selection import Rules, Selection, select
from nacc_event_model import RULES_VERSION, EventFormat, object_name_pattern, parse_object_name
from tests.checkpoint_core.world import SETTINGS, World, key

V11 = Settings(event_format=EventFormat.V1_1)
WRITTEN = datetime(2026, 10, 1, tzinfo=UTC)
NAME = "log-submit-20240115-100000-42-ingest-form-110001-01.json"


def listing(*objects: tuple[str, str, bool | None]) -> pl.DataFrame:
    """Return a listing of keys with etags and archive states."""
    return pl.DataFrame(
        [(name, etag, 10, WRITTEN, archived) for name, etag, archived in objects],
        schema=LISTING_SCHEMA,
        orient="row",
    )


def ledger(*objects: tuple[str, str | None]) -> pl.DataFrame:
    """Return what selection wants to know of a ledger."""
    return pl.DataFrame(objects, schema={"key": pl.String(), "etag": pl.String()}, orient="row")


def compared(
    objects: pl.DataFrame, known: pl.DataFrame, changed: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Compare a listing with a full ledger's columns, and a delta's."""
    with tempfile.TemporaryDirectory() as folder:
        full, delta = (
            None if rows is None else ledger_file(Path(folder, name), rows)
            for name, rows in (("full", known), ("delta", changed))
        )
        return Ledger(full, delta).compare(objects, narrower=())


def ledger_file(path: Path, rows: pl.DataFrame) -> LedgerFile:
    """Write some columns of a ledger."""
    rows.write_parquet(path, row_group_size=3)
    return LedgerFile(
        path,
        LedgerMetadata(layout=LAYOUT_VERSION, commit_id="1-x", source="here", objects=rows.height),
    )


def reject(name: str, etag: str | None, outcome: str, **rules: str | int) -> pl.DataFrame:
    """Return one row of the rejects, judged by the usual rules where not said otherwise."""
    values = {
        "key": name,
        "etag": etag,
        "outcome": outcome,
        "event_format": "1.0",
        "model_version": RULES_VERSION,
        "exclude_projects": Rules.of(SETTINGS).exclude_projects,
        "max_object_size_bytes": SETTINGS.max_object_size_bytes,
    } | rules
    row = {column: values.get(column) for column in REJECTS_SCHEMA}
    return pl.DataFrame([row], schema=REJECTS_SCHEMA)


def selected(
    objects: pl.DataFrame,
    known: pl.DataFrame | None = None,
    rejects: pl.DataFrame | None = None,
    settings: Settings = SETTINGS,
) -> Selection:
    """Select by the rules of some settings."""
    return select(
        compared(objects, ledger() if known is None else known),
        rejects=REJECTS_SCHEMA.to_frame() if rejects is None else rejects,
        rules=Rules.of(settings),
    )


def test_an_object_is_unchanged_when_the_ledger_has_its_etag() -> None:
    """Another etag, or none, means that it is read."""
    selection = selected(
        listing((key(1), "e1", None), (key(2), "new", None), (key(3), "e3", None)),
        ledger((key(1), "e1"), (key(2), "e2"), (key(3), None), (key(4), "e4")),
    )

    assert selection.unchanged == 1
    assert selection.to_read["key"].to_list() == [key(2), key(3)]


ETAGS = st.sampled_from(["e1", "e2"])


@given(
    listed=st.dictionaries(st.text("ab/é日", max_size=3), ETAGS),
    held=st.dictionaries(st.text("ab/é日", max_size=3), st.none() | ETAGS),
    changed=st.none() | st.dictionaries(st.text("ab/é日", max_size=3), st.none() | ETAGS),
    part_rows=st.integers(min_value=1, max_value=5),
)
def test_a_ledger_is_compared_with_a_listing_part_by_part(
    listed: dict[str, str],
    held: dict[str, str | None],
    changed: dict[str, str | None] | None,
    part_rows: int,
) -> None:
    """Wherever its parts end, each key is found that it has, and each etag; a delta's go before."""
    objects = listing(*((name, etag, None) for name, etag in listed.items()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_ledger, "_PART_ROWS", part_rows)
        delta = None if changed is None else ledger(*sorted(changed.items()))
        found = compared(objects, ledger(*sorted(held.items())), delta)
    held |= changed or {}

    assert found.drop("is_known", "is_unchanged", "awaits_upgrade").equals(objects.sort("key"))
    assert found["is_known"].to_list() == [name in held for name in sorted(listed)]
    assert found["is_unchanged"].to_list() == [
        held.get(name) == listed[name] for name in sorted(listed)
    ]


def test_without_a_ledger_nothing_is_known() -> None:
    """As in a first run, and when a checkpoint is rebuilt."""
    found = NO_LEDGER.compare(listing((key(2), "e2", None), (key(1), "e1", None)), narrower=["1.0"])

    assert found.select("key", "is_known", "is_unchanged").rows() == [
        (key(1), False, False),
        (key(2), False, False),
    ]


@pytest.mark.parametrize("part_rows", [1, 2, 3])
def test_a_ledger_that_is_not_sorted_is_damaged(
    monkeypatch: pytest.MonkeyPatch, part_rows: int
) -> None:
    """Objects of it would be overlooked, and their rows come twice."""
    monkeypatch.setattr(_ledger, "_PART_ROWS", part_rows)

    unsorted = ledger(("a", "e"), ("c", "e"), ("b", "e"))
    with pytest.raises(DamagedFileError, match="not sorted"):
        compared(listing(), unsorted)
    with pytest.raises(DamagedFileError, match="not sorted"):
        compared(listing(), ledger(), unsorted)


def test_rewritten_objects_are_told_from_new_ones() -> None:
    """Only of the former does the ledger have rows that matter."""
    selection = selected(
        listing((key(1), "new", None), (key(2), "e2", None)), ledger((key(1), "e1"))
    )

    assert selection.rewritten["key"].to_list() == [key(1)]
    assert selection.to_read.height == 2


def test_reading_is_in_chronological_order_of_names() -> None:
    """By the time in the name, whatever the folder or the action says; then by key."""
    names = [
        "b/log-submit-20240115-100000-42-p-1-01.json",
        "a/log-submit-20240115-100000-42-p-1-01.json",
        "a/log-submit-20231231-235959-42-p-1-01.json",
        "z/log-delete-20200101-000000-42-p-1-01.json",
        "log-pass-qc-20991231-000000-42-p-1-01.json",
    ]

    selection = selected(listing(*((name, "e", None) for name in names)))

    assert selection.to_read["key"].to_list() == [
        "z/log-delete-20200101-000000-42-p-1-01.json",
        "a/log-submit-20231231-235959-42-p-1-01.json",
        "a/log-submit-20240115-100000-42-p-1-01.json",
        "b/log-submit-20240115-100000-42-p-1-01.json",
        "log-pass-qc-20991231-000000-42-p-1-01.json",
    ]
    assert selection.to_read.schema == LISTING_SCHEMA


@pytest.mark.parametrize(
    "name",
    [
        NAME,
        f"prod/2024/{NAME}",
        f"{NAME}/{NAME}",
        f"odd\nfolder/{NAME}",
        f"with space/{NAME}",
        f"/{NAME}",
        NAME.replace("ingest", "in\ngest"),
        NAME.replace("ingest", "in\x85gest"),
        NAME.replace("110001", "11/0001"),
        NAME.replace("42", "None"),
        NAME.replace("42", "-1"),
        NAME.replace("42-ingest-form-110001-01", ""),
        NAME.replace("-01.json", "-01/notes.json"),
        f"//{NAME}",
        f"café/{NAME}",
        "log-submit-20240115-100000-42-日本-110001-2024-01-15.json",
        "log-submit-99999999-999999-42-p-1-.json",
    ],
)
def test_odd_keys_of_event_objects_are_recognized(name: str) -> None:
    """Folders may be called anything, and so may all that stands between the time and the end."""
    selection = selected(listing((name, "e", None)))

    assert selection.to_read["key"].to_list() == [name]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        f"{NAME}/",
        f"{NAME}\n",
        f"\n{NAME}",
        f"x{NAME}",
        f"{NAME}.bak",
        NAME.upper(),
        NAME.replace("submit", "duplicate-submit"),
        NAME.replace("20240115", "2024-01-15"),
        NAME.replace("20240115", "٢٠٢٤٠١١٥"),
    ],
)
def test_other_keys_are_unrecognized(name: str) -> None:
    """They are counted and never read."""
    selection = selected(listing((name, "e", None), (NAME, "e", None)))

    assert selection.unrecognized["key"].to_list() == [name]
    assert selection.to_read["key"].to_list() == [NAME]


def test_every_unrecognized_name_is_told_with_what_is_wrong_with_it() -> None:
    """All of them, sorted by name."""
    action = "its action is none of event format 1.0"
    reasons = {
        "0.txt": "its name does not end in .json",
        f"{NAME}.gz": "its name does not end in .json",
        f"x{NAME}": "its name does not begin with log-",
        "a/catalog-1.json": "its name does not begin with log-",
        "a/log-/readme.json": "its name has no -YYYYMMDD-HHMMSS- after the action",
        NAME.replace("-100000", ""): "its name has no -YYYYMMDD-HHMMSS- after the action",
        NAME.replace("submit", "amend"): action,
        NAME.replace("submit", "duplicate-submit"): f"{action}; event format 1.1 recognizes it",
    }

    selection = selected(listing(*((name, "e", None) for name in reversed(reasons))))

    assert selection.unrecognized.rows() == sorted(reasons.items())


def test_the_newest_format_has_no_newer_one_to_speak_of() -> None:
    """An action that nobody knows is just that."""
    name = NAME.replace("submit", "amend")

    selection = selected(listing((name, "e", None)), settings=V11)

    assert selection.unrecognized.rows() == [(name, "its action is none of event format 1.1")]


def test_each_format_has_its_own_actions() -> None:
    """An action of format 1.1 is none of format 1.0."""
    name = NAME.replace("submit", "duplicate-submit")

    assert selected(listing((name, "e", None))).unrecognized.height == 1
    assert selected(listing((name, "e", None)), settings=V11).to_read.height == 1


@pytest.mark.parametrize("outcome", ["invalid", "excluded"])
def test_a_reject_is_left_alone_while_it_is_the_same(outcome: str) -> None:
    """The same etag under the same rules: nothing could be different."""
    selection = selected(listing((key(1), "e1", None)), rejects=reject(key(1), "e1", outcome))

    assert selection.rejected_before["key"].to_list() == [key(1)]
    assert selection.to_read.is_empty()


@pytest.mark.parametrize("outcome", ["invalid", "excluded"])
@pytest.mark.parametrize(
    "etag, rules",
    [
        ("other", {}),
        (None, {}),
        ("e1", {"event_format": "1.1"}),
        ("e1", {"model_version": "0"}),
    ],
)
def test_a_reject_is_read_again_when_something_is_different(
    outcome: str, etag: str | None, rules: dict[str, str]
) -> None:
    """Another content, or other rules."""
    rejects = reject(key(1), etag, outcome, **rules)

    selection = selected(listing((key(1), "e1", None)), rejects=rejects)

    assert selection.to_read["key"].to_list() == [key(1)]


def test_an_excluded_object_is_read_again_when_the_patterns_change() -> None:
    """An invalid one is not: the patterns do not make it valid."""
    objects = listing((key(1), "e1", None), (key(2), "e2", None))
    rejects = pl.concat(
        [
            reject(key(1), "e1", "excluded", exclude_projects="sandbox-*"),
            reject(key(2), "e2", "invalid", exclude_projects="sandbox-*"),
        ]
    )

    selection = selected(objects, rejects=rejects)

    assert selection.to_read["key"].to_list() == [key(1)]
    assert selection.rejected_before["key"].to_list() == [key(2)]


def test_patterns_with_spaces_are_told_apart() -> None:
    """One pattern with a space in it is not two patterns."""
    one = Rules.of(Settings(exclude_projects=("a b",)))
    two = Rules.of(Settings(exclude_projects=("a", "b")))

    assert one.exclude_projects != two.exclude_projects


def test_the_order_of_patterns_makes_no_difference() -> None:
    """The same patterns in another order exclude the same."""
    one = Rules.of(Settings(exclude_projects=("a", "b")))
    two = Rules.of(Settings(exclude_projects=("b", "a")))

    assert one == two


@pytest.mark.parametrize("outcome", ["unreadable", "denied", "missing"])
def test_what_could_not_be_read_is_tried_again(outcome: str) -> None:
    """In every run."""
    selection = selected(listing((key(1), "e1", None)), rejects=reject(key(1), "e1", outcome))

    assert selection.to_read["key"].to_list() == [key(1)]


@pytest.mark.parametrize("archived, is_read", [(True, False), (False, True), (None, False)])
def test_an_archived_object_is_read_when_it_is_restored(
    archived: bool | None,  # noqa: FBT001 - a column's value
    is_read: bool,  # noqa: FBT001 - likewise
) -> None:
    """A listing that does not know the state changes nothing; nor do other rules."""
    rejects = reject(key(1), "e1", "archived", event_format="1.1")

    selection = selected(listing((key(1), "e1", archived)), rejects=rejects)

    assert selection.to_read.height == is_read
    assert selection.rejected_before.height == (not is_read)


def test_the_ledger_wins_over_the_rejects() -> None:
    """Of an object in both with the same etag, the ledger is right."""
    selection = selected(
        listing((key(1), "e1", None)), ledger((key(1), "e1")), reject(key(1), "e1", "invalid")
    )

    assert (selection.unchanged, selection.rejected_before.height) == (1, 0)


def test_every_listed_object_is_somewhere() -> None:
    """The four parts add up to the listing."""
    selection = selected(
        listing(("x", "e", None), *((key(number), "e", None) for number in range(5))),
        ledger((key(1), "e"), (key(2), "e")),
        reject(key(3), "e", "invalid"),
    )

    assert selection.unrecognized.height == 1
    assert selection.unchanged == 2
    assert selection.rejected_before.height == 1
    assert selection.to_read["key"].to_list() == [key(0), key(4)]


@given(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
        st.from_regex(object_name_pattern(EventFormat.V1_1)),
        st.builds(
            "{}/{}{}".format,
            st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
            st.from_regex(object_name_pattern(EventFormat.V1_0), fullmatch=True),
            st.sampled_from(["", "\n", " ", ".json"]),
        ),
    ),
    st.sampled_from(EventFormat),
)
def test_python_and_polars_recognize_the_same_names(name: str, event_format: EventFormat) -> None:
    """The pattern means the same to both engines, so to producers, readers and the core."""
    settings = Settings(event_format=event_format)
    parsed = parse_object_name(name, event_format=event_format)

    selection = selected(listing((name, "e", None)), settings=settings)

    assert (parsed is not None) == bool(selection.to_read.height)


def test_the_pattern_is_one_group_of_its_own() -> None:
    """Names of groups are what selection relies on."""
    assert "time" in re.compile(object_name_pattern(EventFormat.V1_0)).groupindex


def test_an_unchanged_source_is_not_read(world: World) -> None:
    """Neither what was taken nor what was refused."""
    world.write(1, 2)
    world.source.write(key(3), b"{}")
    world.run()
    world.source.answers.clear()

    report = world.run()

    assert world.source.reads == []
    assert (report.counts.unchanged, report.counts.rejected_before) == (2, 1)
