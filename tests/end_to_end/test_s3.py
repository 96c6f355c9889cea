"""The command line on S3: the same commands, the same scenarios, the same rows as on a directory."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.checkpoint_storage.s3.serving import serving
from tests.end_to_end.commands import call
from tests.fake_s3 import FakeS3

SOURCE = "s3://events/prod"
CHECKPOINT = "s3://checkpoints/all/events.parquet"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    """A server with two empty buckets that the usual variables lead to."""
    with serving(monkeypatch) as fake:
        fake.create_bucket("checkpoints")
        yield fake


def upload(s3: FakeS3, folder: Path) -> None:
    """Put what is new or changed in the folder into the bucket."""
    for path in sorted(folder.iterdir()):
        key, data = f"prod/{path.name}", path.read_bytes()
        if key not in s3.keys("events") or content(s3, "events", key) != data:
            s3.put_object("events", key, data)


def content(s3: FakeS3, bucket: str, key: str) -> bytes:
    """What an object holds."""
    return bytes(s3.get_object(bucket, key).data)


def rows(data: bytes) -> Counter[tuple[object, ...]]:
    """Count equal rows of a Parquet file."""
    return Counter(pl.read_parquet(data).iter_rows())


def test_a_checkpoint_in_s3_has_the_rows_of_one_in_a_directory(s3: FakeS3, tmp_path: Path) -> None:
    """New, late, rewritten and broken objects, in two rounds, and a third with nothing new."""
    folder = tmp_path / "events"
    local = tmp_path / "out" / "events.parquet"
    taken = []
    for arguments in (
        "--count 300 --seed 1 --invalid 0.1 --late 0.1",
        "--count 40 --seed 2 --start 2026-10-01 --late 0.3 --rewritten 0.5 --invalid 0.2",
        "--count 0 --seed 3",
    ):
        assert 0 == call("sample", folder, *arguments.split()).status
        upload(s3, folder)
        here = json.loads(call("run", folder, local, "--json").stdout)
        there = json.loads(call("run", SOURCE, CHECKPOINT, "--json").stdout)
        taken.append(there["new_events_processed"])

        assert here["counts"] == there["counts"]
        assert here["total_events"] == there["total_events"]
        assert CHECKPOINT == there["checkpoint_path"]
        assert rows(local.read_bytes()) == rows(content(s3, "checkpoints", "all/events.parquet"))
    assert [True, True, False] == [count > 0 for count in taken]


def test_all_commands_that_read_a_checkpoint_read_it_from_s3(s3: FakeS3, tmp_path: Path) -> None:
    """Show, rejects and verify."""
    call("sample", tmp_path, "--count", "50", "--invalid", "0.1")
    upload(s3, tmp_path)
    call("run", SOURCE, CHECKPOINT)

    shown = json.loads(call("show", CHECKPOINT, "--json").stdout)
    assert f"{SOURCE}/" == shown["source"]
    assert shown["rejects"] == {
        "invalid": len(json.loads(call("rejects", CHECKPOINT, "--json").stdout))
    }
    s3.log.clear()
    assert 0 == call("verify", CHECKPOINT, SOURCE).status
    assert {"PutObject", "DeleteObject"}.isdisjoint(s3.log.operations())


def test_exports_in_s3_have_the_rows_of_those_in_a_directory(s3: FakeS3, tmp_path: Path) -> None:
    """Beside the checkpoint's folder, kept up to date by the next run, which asks for little else."""
    folder, local = tmp_path / "events", tmp_path / "out" / "events.parquet"
    path = "../exports/{study}/{datatype}/events.parquet"
    call("sample", folder, "--count", "80", "--event-format", "1.1")
    upload(s3, folder)
    for source, checkpoint in ((folder, local), (SOURCE, CHECKPOINT)):
        assert 0 == call("run", source, checkpoint, "--event-format", "1.1").status
        assert 0 == call("export", checkpoint, "--path", path, "--kind", "latest-events").status
    for seed in ("9", "10"):
        call("sample", folder, "--count", "20", "--seed", seed, "--event-format", "1.1")
        upload(s3, folder)
        for source, checkpoint in ((folder, local), (SOURCE, CHECKPOINT)):
            assert 0 == call("run", source, checkpoint, "--event-format", "1.1").status
    files = {
        f"exports/{file.relative_to(tmp_path / 'exports')}": rows(file.read_bytes())
        for file in (tmp_path / "exports").rglob("*.parquet")
    }

    assert len(files) > 1
    assert files == {
        key: rows(content(s3, "checkpoints", key)) for key in s3.keys("checkpoints", "exports/")
    }
    s3.log.clear()
    states = {
        each["state"] for each in json.loads(call("export", CHECKPOINT, "--json").stdout)["exports"]
    }
    assert states == {"current"}
    assert {"PutObject", "DeleteObject"}.isdisjoint(s3.log.operations())
