"""Definitions of exports are taken as they are written, or refused with every mistake."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_queries.exports import Export, InvalidExportsError, read_exports
from checkpoint_queries.exports.paths import file_name, root, shape

CHECKPOINT = "events.parquet"


def mistakes(*definitions: Any) -> tuple[str, ...]:
    """Return what is wrong with definitions."""
    with pytest.raises(InvalidExportsError) as caught:
        read_exports(list(definitions), checkpoint=CHECKPOINT)
    assert str(caught.value) == "; ".join(caught.value.mistakes)
    return caught.value.mistakes


def test_a_definition_has_defaults() -> None:
    """A name and a path make an export of all events, as the checkpoint has them."""
    [export] = read_exports([{"name": "all", "path": "all.parquet"}], checkpoint=CHECKPOINT)

    assert export == Export(
        name="all", kind="events", path="all.parquet", text_dates=False, column_order="checkpoint"
    )


def test_every_mistake_is_told_at_once() -> None:
    """Of every definition, by its name where it has one."""
    told = mistakes(
        {"name": "a", "path": "/{nobody}/_x/{study.csv"},
        {"name": "Not so", "path": "b.parquet"},
        {
            "name": "c",
            "kind": "submissions",
            "path": "c/{year}/{month}.parquet",
            "column_order": "scraper",
        },
        {"name": "d", "path": "d.parquet", "colour": "red"},
        {"name": "e", "path": "{study}.parquet"},
        {"name": "f", "path": "é.parquet"},
    )

    assert [each.partition(":")[0] for each in told] == [
        *["export a"] * 5,
        "export number 2",
        *["export c"] * 3,
        "export number 4",
        "export e",
        "export f",
        "exports e and f",
    ]
    assert 1 == len(mistakes({"name": "a", "path": "{nobody}.parquet"}))
    assert any("{study}, {datatype}, {adcid}, {year}, {month}" in each for each in told)
    assert any("the checkpoint's own name" in each for each in told)


@pytest.mark.parametrize(
    "definitions", [None, {}, "a", 1, {"name": "a", "path": "a.parquet"}], ids=repr
)
def test_definitions_are_a_list(definitions: object) -> None:
    """What is none is refused as such."""
    with pytest.raises(InvalidExportsError, match="a list of tables"):
        read_exports(definitions, checkpoint=CHECKPOINT)


@pytest.mark.parametrize(
    "one, other, meet",
    [
        ("a/{study}.parquet", "a/{datatype}.parquet", True),
        ("{study}/x.parquet", "adrc/x.parquet", True),
        ("{study}/x.parquet", "adrc/y.parquet", False),
        ("a-{study}.parquet", "b-{study}.parquet", False),
        ("a-{study}.parquet", "a-{study}-{adcid}.parquet", True),
        ("{study}/x.parquet", "{study}/{adcid}/x.parquet", False),
    ],
)
def test_two_exports_may_not_write_the_same_files(one: str, other: str, *, meet: bool) -> None:
    """Whether they might is seen from the templates."""
    definitions = [{"name": "one", "path": one}, {"name": "other", "path": other}]

    if meet:
        assert mistakes(*definitions) == ("exports one and other: both may write the same files",)
    else:
        assert len(read_exports(definitions, checkpoint=CHECKPOINT)) == 2


def test_a_name_is_there_once() -> None:
    """It is what the export is known by."""
    told = mistakes({"name": "a", "path": "a.parquet"}, {"name": "a", "path": "b.parquet"})

    assert told == ("export a: the name is there twice",)


VALUES = st.one_of(
    st.none(), st.text(max_size=8), st.text(min_size=60, max_size=90), st.sampled_from("._~%/")
)


@given(st.tuples(VALUES, VALUES), st.tuples(VALUES, VALUES))
def test_different_groups_have_different_names(
    one: tuple[str | None, str | None], other: tuple[str | None, str | None]
) -> None:
    """Whatever the values are, a name stays where the template puts it, and gives nothing away."""
    template = "by/{study}/{datatype}.parquet"
    names = [
        file_name(template, dict(zip(("key_study", "key_datatype"), each, strict=True)))
        for each in (one, other)
    ]

    assert (names[0] == names[1]) == (one == other)
    for name in names:
        assert re.fullmatch(shape(template), name)
        assert len(name.split("/")) == 3
        assert re.fullmatch(r"[A-Za-z0-9%_.~/-]+", name)
        assert all(len(part) <= 100 for part in name.split("/"))
    assert root(template) == "by"


@pytest.mark.parametrize("path", ["../a/{study}.parquet", "../../a/{study}.parquet"])
def test_a_path_may_lead_out_of_the_checkpoints_folder(path: str) -> None:
    """Upwards at its beginning, and nowhere else."""
    assert read_exports([{"name": "a", "path": path}], checkpoint=CHECKPOINT)
    assert mistakes({"name": "a", "path": f"x/{path}"})


@pytest.mark.parametrize("path", ["../{study}/a.parquet", "../a.parquet", "../a-{study}/b.parquet"])
def test_a_path_that_leads_out_goes_on_into_a_folder_of_its_own(path: str) -> None:
    """All that is below that folder is listed, which must not be everything there is."""
    assert mistakes({"name": "a", "path": path}) == (
        "export a: path must go on into a folder after ../, such as ../exports/",
    )


@pytest.mark.parametrize(
    "value, part",
    [
        (None, "__none__"),
        ("__none__", "%5F_none__"),
        ("", "%"),
        ("..", "%2E."),
        ("a b/c", "a%20b%2Fc"),
        ("adrc", "adrc"),
    ],
)
def test_values_are_encoded(value: str | None, part: str) -> None:
    """As one part of a name, which readers do not pass over; a missing one is as Hive would do."""
    assert file_name("x/{study}.parquet", {"key_study": value}) == f"x/{part}.parquet"
