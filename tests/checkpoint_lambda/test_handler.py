"""The function itself, against an S3 server over HTTP: the whole job, twice and more."""

import io
import itertools
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from checkpoint_lambda.handler import RunFailedError, lambda_handler
from tests.checkpoint_lambda.invoking import EVENT, Context, document, object_key
from tests.checkpoint_storage.s3.serving import emptied, serving
from tests.fake_s3 import FakeS3, Fault

KEY = "out/events.parquet"


class World(Struct):
    """A store behind a server, and the folder where the function keeps its files."""

    s3: FakeS3
    folder: Path

    def write(self, *numbers: int, **changed: Any) -> None:
        """Write the usual event under these keys, told apart by gear_name."""
        for number in numbers:
            data = document(**({"gear_name": f"gear-{number}"} | changed))
            self.s3.put_object("events", object_key(number), data)

    def invoke(self, event: object = EVENT) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Invoke the function; return its response, or the error document, and its lines."""
        with redirect_stdout(io.StringIO()) as output:
            try:
                response = lambda_handler(event, Context())
            except RunFailedError as error:
                response = json.loads(str(error))
        return response, [json.loads(line) for line in output.getvalue().splitlines()]

    def rows(self) -> pl.DataFrame:
        """Return the checkpoint's rows."""
        return pl.read_parquet(self.s3.get_object("checkpoints", KEY).data)

    def gears(self) -> list[str]:
        """Return the rows by the field that tells them apart."""
        return sorted(self.rows()["gear_name"])


@pytest.fixture(scope="module")
def server() -> Iterator[FakeS3]:
    """Give a server, and an environment that leads to it."""
    with pytest.MonkeyPatch.context() as patch, serving(patch) as s3:
        yield s3


@pytest.fixture
def world(server: FakeS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """Give two empty buckets."""
    emptied(server).create_bucket("checkpoints")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return World(server, tmp_path)


def test_the_function_does_the_whole_job_twice(world: World) -> None:
    """Incrementally; the response, every kind of line and the file are there."""
    world.write(1, 2)
    first, _ = world.invoke()
    world.write(3)
    world.s3.put_object("events", object_key(4), b"{}")

    second, lines = world.invoke()

    assert ["gear-1", "gear-2", "gear-3"] == world.gears()
    for response, new, total, incremental in ((first, 2, 2, False), (second, 1, 3, True)):
        assert "s3://checkpoints/out/events.parquet" == response["checkpoint_path"]
        assert (new, total, incremental) == (
            response["new_events_processed"],
            response["total_events"],
            response["incremental"],
        )
    metrics, by_study = [line for line in lines if "_aws" in line]
    [logged] = [line for line in lines if line.get("event") == "run_completed"]
    [rejected] = [line for line in lines if line.get("event") == "object_rejected"]
    assert second["counts"] == logged["counts"]
    assert ("adrc", 1) == (by_study["study"], by_study["NewEventsProcessed"])
    size = len(world.s3.get_object("checkpoints", KEY).data)
    assert size == metrics["CheckpointFileSize"] == logged["size_bytes"]
    assert object_key(4) == rejected["key"]


def test_settings_come_from_the_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the event says nothing; those of the storage reach it."""
    for name, value in {
        "SOURCE_BUCKET": "events",
        "SOURCE_PREFIX": "prod",
        "CHECKPOINT_BUCKET": "checkpoints",
        "CHECKPOINT_KEY": KEY,
        "READ_CONCURRENCY": "2",
        "EXCLUDE_PROJECTS": "sandbox-*",
        "CHECKPOINT_KMS_KEY_ID": "alias/checkpoint",
    }.items():
        monkeypatch.setenv(name, value)
    world.write(1)
    world.write(2, project_label="sandbox-x")

    response, _ = world.invoke({})

    assert (1, 1) == (response["total_events"], response["counts"]["excluded"])
    headers = world.s3.get_object("checkpoints", KEY).headers
    assert "alias/checkpoint" == headers["x-amz-server-side-encryption-aws-kms-key-id"]


def test_nothing_of_a_content_gets_out_on_the_way_from_s3(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """At DEBUG botocore and urllib3 would log requests, headers and bodies."""
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    world.write(1, gear_name="M4RK")
    world.s3.put_object("events", object_key(2), b"M4RK")
    world.s3.plan.add(Fault.CUT_SHORT, operation="GetObject", bucket="events", times=None)
    failed, first = world.invoke()
    world.s3.plan.clear()
    response, second = world.invoke()

    assert (2, 1) == (failed["counts"]["unreadable"], response["new_events_processed"])
    assert "M4RK" not in json.dumps([failed, first, response, second])
    assert "M4RK" not in "".join(capfd.readouterr())


def test_what_a_killed_invocation_left_is_removed(world: World) -> None:
    """The disk of a warm function is small, and nobody else clears it up."""
    left = world.folder / "nacc-checkpoint" / "left"
    left.mkdir(parents=True)
    (left / "previous-0.parquet").write_bytes(b"x")
    left.with_suffix(".lock").touch()
    world.write(1)

    world.invoke()

    assert [] == list((world.folder / "nacc-checkpoint").iterdir())


def test_only_the_first_invocation_of_a_process_is_cold(world: World) -> None:
    """The function counts its own; this process has invoked it before, or does so now."""
    world.write(1)

    colds = [world.invoke()[1][0]["cold_start"] for _ in range(3)]

    assert [False, False] == colds[1:]


names = st.from_regex(r"[a-z0-9][a-z0-9-]{1,20}[a-z0-9]", fullmatch=True)
segments = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"], exclude_characters="/"),
    min_size=1,
    max_size=20,
).filter(lambda text: text.strip() == text and text not in {".", ".."})
keys = st.lists(segments, min_size=1, max_size=4).map("/".join).map("{}.parquet".format)
numbers = itertools.count()


# Feature: event-log-scraper, Property 10: Output path correctness
@given(
    bucket=names,
    key=keys,
    place=st.sampled_from(["event", "environment"]),
)
def test_the_response_has_the_uri_of_the_checkpoint(
    server: FakeS3, bucket: str, key: str, place: str
) -> None:
    """Whatever bucket and key are, wherever they are set; and there the file is."""
    number = next(numbers)
    source, target = f"source-{number}", f"{bucket}-{number}"
    server.create_bucket(source)
    server.create_bucket(target)
    server.put_object(source, object_key(1), document())
    places = {"source_bucket": source, "checkpoint_bucket": target, "checkpoint_key": key}
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()):
        if place == "environment":
            for name, value in places.items():
                patch.setenv(name.upper(), value)
        event = places if place == "event" else {}

        response = lambda_handler(event, Context())

    assert f"s3://{target}/{key}" == response["checkpoint_path"]
    assert 1 == pl.read_parquet(server.get_object(target, key).data).height
