"""The manual's recipe for taking over from another system, from its first command to the last."""

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nacc_event_model import EventFormat
from tests.checkpoint_core.foreign import in_use
from tests.checkpoint_core.world import document, multiset, named, row
from tests.checkpoint_storage.s3.serving import emptied, serving
from tests.end_to_end.commands import call
from tests.fake_s3 import FakeS3

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "operating.md"
EVENTS, CHECKPOINTS = "nacc-events", "nacc-checkpoints"
CHECKPOINT = f"s3://{CHECKPOINTS}/checkpoints/events.parquet"


def event(number: int, **changed: Any) -> bytes:
    """Return an event at its own minute."""
    plain: dict[str, Any] = {"timestamp": f"2024-01-15T10:{number:02}:00Z", "packet": " I "}
    return document(EventFormat.V1_1, **plain | changed)


TAKEN = [
    *(event(number) for number in range(6)),
    *(event(number, datatype="dicom", module=None, modality="MR") for number in range(6, 9)),
]
MISSED = [
    event(10),
    event(11, action="duplicate-submit"),
    event(12, ptid="11.0001"),
    event(13, project_label="sandbox-form"),
]


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    """One bucket with events and another system's files, most of them archived, and a new one."""
    with pytest.MonkeyPatch.context() as patch, serving(patch) as store:
        emptied(store)
        for bucket in (EVENTS, CHECKPOINTS):
            store.create_bucket(bucket)
        store.load(
            EVENTS,
            {f"prod/{named(data, EventFormat.V1_1)}": data for data in (*TAKEN, *MISSED)},
        )
        for data in (*TAKEN[2:], MISSED[0]):
            store.archive(EVENTS, f"prod/{named(data, EventFormat.V1_1)}")
        yield store


def recipe() -> list[list[str]]:
    """Return the commands of the recipe."""
    section = MANUAL.read_text("utf-8").split("## Taking over checkpoints of another system")[1]
    [block] = re.findall(r"```sh\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    return [shlex.split(line) for line in block.splitlines()]


def rows_of(data: bytes, path: Path) -> pl.DataFrame:
    """Return the rows of a Parquet file."""
    path.write_bytes(data)
    return pl.read_parquet(path)


def test_the_recipe_for_taking_over_works(s3: FakeS3, tmp_path: Path) -> None:
    """Its rows, and what it had missed and can be read, are in the checkpoint; nothing is twice."""
    files = {}
    for (study, datatype), rows in in_use(TAKEN).items():
        rows.write_parquet(tmp_path / "file.parquet")
        files[f"prod/checkpoints/{study}/{datatype}/events.parquet"] = (
            tmp_path / "file.parquet"
        ).read_bytes()
    s3.load(EVENTS, files)
    commands = recipe()

    for program, *arguments in commands:
        ended = call(*arguments)
        assert (program, ended.status) == ("nacc-checkpoint", 0), ended

    assert [arguments[1] for arguments in commands] == [
        "doctor", "run", "run", "run", "show", "verify"
    ]  # fmt: skip
    written = s3.get_object(CHECKPOINTS, "checkpoints/events.parquet").data
    stripped = [row(data.replace(b" I ", b"I"), EventFormat.V1_1) for data in TAKEN]
    missed = [row(data, EventFormat.V1_1) for data in MISSED[1:3]]
    expected = Counter(
        values[:13] + tuple(each for each in values[13:] if each is not None)
        for values in (*stripped, *missed)
    )
    assert multiset(rows_of(written, tmp_path / "written.parquet")) == expected
    assert {key: s3.get_object(EVENTS, key).data for key in files} == files
    shown = json.loads(call("show", CHECKPOINT, "--json").stdout)
    assert shown["rejects"] == {"archived": 1, "excluded": 1}


def test_a_file_that_is_not_there_is_missed(s3: FakeS3) -> None:
    """Nothing is taken over without it; and no file is taken over twice."""
    missing = f"s3://{EVENTS}/prod/checkpoints/adrc/form/events.parquet"

    ended = call("run", f"s3://{EVENTS}/prod", CHECKPOINT, "--adopt-from", missing)
    twice = call(
        "run", f"s3://{EVENTS}/prod", CHECKPOINT, "--adopt-from", missing, "--adopt-from", missing
    )
    odd = call("run", f"s3://{EVENTS}/prod", CHECKPOINT, "--adopt-from", "file.csv")

    assert (ended.status, twice.status, odd.status) == (1, 2, 2)
    assert f"{missing}: there is no such file" in ended.stderr
    assert "named twice" in twice.stderr
    assert "--adopt-from" in odd.stderr
    assert s3.keys(CHECKPOINTS) == []
