"""Which objects are read, in which order, and which are left alone."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_core import LISTING_SCHEMA, REJECTS_SCHEMA, Settings
from checkpoint_core._judging.selection import Rules, Selection, select
from checkpoint_format import ledger as _ledger
from checkpoint_format.layout import LAYOUT_VERSION, DamagedFileError, LedgerMetadata
from checkpoint_format.ledger import Ledger, LedgerFile
from nacc_event_model import RULES_VERSION
from tests.checkpoint_core.world import SETTINGS, V11, key

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


def reject(name: str, **changed: str | int | None) -> pl.DataFrame:
    """Return one row of the rejects, judged by the usual rules where not said otherwise."""
    values: dict[str, Any] = {
        "key": name,
        "etag": "e1",
        "outcome": "invalid",
        "event_format": "1.0",
        "model_version": RULES_VERSION,
        "exclude_projects": Rules.of(SETTINGS).exclude_projects,
        "max_object_size_bytes": SETTINGS.max_object_size_bytes,
    } | changed
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


ODD = [
    NAME,
    f"prod/2024/{NAME}",
    f"odd\nfolder/{NAME}",
    NAME.replace("110001", "11/0001"),
    NAME.replace("42-ingest-form-110001-01", ""),
    "log-submit-20240115-100000-42-日本-110001-2024-01-15.json",
]
"""Names of event objects; the pattern itself is held by the event model."""
ACTION = "its action is none of event format 1.0"
BEGINNING = "its name does not begin with log-"
ENDING = "its name does not end in .json"
TIME = "its name has no -YYYYMMDD-HHMMSS- after the action"
OTHERS = {
    "": ENDING,
    "/": ENDING,
    f"{NAME}/": ENDING,
    f"{NAME}\n": ENDING,
    f"{NAME}.bak": ENDING,
    NAME.upper(): ENDING,
    f"\n{NAME}": BEGINNING,
    f"x{NAME}": BEGINNING,
    "a/catalog-1.json": BEGINNING,
    "a/log-/readme.json": TIME,
    NAME.replace("-100000", ""): TIME,
    NAME.replace("20240115", "2024-01-15"): TIME,
    NAME.replace("20240115", "٢٠٢٤٠١١٥"): TIME,
    NAME.replace("submit", "amend"): ACTION,
    NAME.replace("submit", "duplicate-submit"): f"{ACTION}; event format 1.1 recognizes it",
}
"""Names of other objects, and what is wrong with them."""


def test_event_objects_are_told_by_their_names_alone() -> None:
    """Folders may be called anything, and so may all that stands between the time and the end.

    The others are never read, and told with what is wrong with them, sorted by name.
    """
    selection = selected(listing(*((name, "e", None) for name in [*OTHERS, *ODD])))

    assert sorted(selection.to_read["key"]) == sorted(ODD)
    assert selection.unrecognized.rows() == sorted(OTHERS.items())


def test_each_format_has_its_own_actions() -> None:
    """The newest has no newer one to speak of."""
    unknown, newer = (NAME.replace("submit", action) for action in ("amend", "duplicate-submit"))

    selection = selected(listing((unknown, "e", None), (newer, "e", None)), settings=V11)

    assert selection.to_read["key"].to_list() == [newer]
    assert selection.unrecognized.rows() == [(unknown, "its action is none of event format 1.1")]


def test_what_the_ledger_has_is_unchanged_whatever_its_name() -> None:
    """Its row is in the checkpoint, and a name is only looked at where there is something to read."""
    selection = selected(listing(("x", "e", None), ("y", "e", None)), ledger(("x", "e")))

    assert selection.unchanged == 1
    assert selection.unrecognized["key"].to_list() == ["y"]


@pytest.mark.parametrize(
    "outcome, rules, archived, is_read",
    [
        ("invalid", {}, None, False),
        ("excluded", {}, None, False),
        ("invalid", {"etag": "other"}, None, True),
        ("excluded", {"etag": None}, None, True),
        ("invalid", {"event_format": "1.1"}, None, True),
        ("excluded", {"event_format": "1.1"}, None, True),
        ("invalid", {"model_version": "0"}, None, True),
        ("excluded", {"model_version": "0"}, None, True),
        # The patterns do not make an invalid one valid.
        ("excluded", {"exclude_projects": "sandbox-*"}, None, True),
        ("invalid", {"exclude_projects": "sandbox-*"}, None, False),
        ("unreadable", {}, None, True),
        ("denied", {}, None, True),
        ("missing", {}, None, True),
        # An archived one waits until a listing says that it is restored, whatever the rules are.
        ("archived", {"event_format": "1.1"}, True, False),
        ("archived", {"event_format": "1.1"}, False, True),
        ("archived", {"event_format": "1.1"}, None, False),
    ],
)
def test_a_reject_is_read_again_when_its_end_could_be_different(
    outcome: str, rules: dict[str, Any], *, archived: bool | None, is_read: bool
) -> None:
    """Another content, other rules, another try; the same etag under the same rules is left alone."""
    rejects = reject(key(1), outcome=outcome, **rules)

    selection = selected(listing((key(1), "e1", archived)), rejects=rejects)

    assert selection.to_read["key"].to_list() == [key(1)] * is_read
    assert selection.rejected_before["key"].to_list() == [key(1)] * (not is_read)


def test_the_same_patterns_are_the_same_rules() -> None:
    """In whatever order; and one pattern with a space in it is not two patterns."""
    one, two, other = (
        Rules.of(Settings(exclude_projects=patterns))
        for patterns in (("a", "b"), ("b", "a"), ("a b",))
    )

    assert one == two
    assert one.exclude_projects != other.exclude_projects


def test_every_listed_object_is_somewhere() -> None:
    """The four parts add up to the listing; of an object in both, the ledger is right."""
    selection = selected(
        listing(("x", "e", None), *((key(number), "e", None) for number in range(6))),
        ledger((key(1), "e"), (key(2), "e"), (key(5), "other")),
        pl.concat([reject(key(number), etag="e") for number in (2, 3)]),
    )

    assert selection.unrecognized.height == 1
    assert selection.unchanged == 2
    assert selection.rejected_before["key"].to_list() == [key(3)]
    assert selection.to_read["key"].to_list() == [key(0), key(4), key(5)]
    assert selection.rewritten["key"].to_list() == [key(5)]
