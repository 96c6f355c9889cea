"""Runs whose objects real executors read, beside those of the usual reader."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec import structs

import checkpoint_core
from checkpoint_core import Request, RunReport, Settings
from checkpoint_core.errors import NoProgressError
from checkpoint_format.stores import QuietObserver
from checkpoint_spark import run
from checkpoint_spark._reader import SparkReader
from checkpoint_spark._staging import Staging
from checkpoint_storage.local import local_host
from checkpoint_storage.locations import open_checkpoint, open_source
from checkpoint_storage.settings import S3Settings
from tests.checkpoint_core.foreign import WITHOUT_SANDBOX, event, frames_of, name_of
from tests.checkpoint_core.scenarios import (
    SCENARIOS,
    Scenario,
    before_a_first_run,
    before_withholding,
)
from tests.checkpoint_core.world import (
    document,
    key,
    ledger_rows,
    parquet,
    read_json_metadata,
    scratch,
)
from tests.checkpoint_spark.conftest import Cluster
from tests.checkpoint_spark.folders import FolderWorld, of_its_own
from tests.checkpoint_spark.processes import EXECUTOR, WORKER, kill_one
from tests.checkpoint_spark.runs import CHECKPOINT, problems, run_here
from tests.fake_s3 import FakeS3, Fault

pytestmark = [
    pytest.mark.on_one_python,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]
# Nothing in a folder is archived; claims are tried in a bucket.
IN_FOLDERS = {name: each for name, each in SCENARIOS.items() if name != "claim"} | {
    "limited": Scenario(before_a_first_run, {}, Settings(max_events_per_run=2)),
    "withheld": Scenario(before_withholding),
}
OBJECTS = 300
TWIN = "s3://checkpoints/twin/events.parquet"


def quiet(_line: str) -> None:
    """Tell nobody."""


def test_nothing_depends_on_who_reads(
    cluster: Cluster, deltas: None, subtests: pytest.Subtests
) -> None:
    """Rows in their order, ledger, rejects and report are those of the usual reader."""
    for name, scenario in IN_FOLDERS.items():
        with subtests.test(name), scratch() as folder:
            world = FolderWorld(folder)
            scenario.prepare(world)
            twin = world.twin()

            expected = world.run(scenario.settings, **scenario.request)
            if name == "limited":
                world.run(scenario.settings)
            report = run(
                cluster.spark,
                str(world.source.root),
                twin.store.location,
                settings=scenario.settings,
                request=Request(**scenario.request),
                say=quiet,
            )

            if name != "limited":
                assert structs.replace(report, **of_its_own(expected)) == expected
            assert twin.state() == world.state()
            assert twin.problems(scenario.settings, source=True) == []
            assert not [name for name in twin.store.files if name.startswith("_work")]


def run_there(cluster: Cluster, **given: Any) -> RunReport:
    """Have executors read the bucket, each one object after the other."""
    return run(
        cluster.spark,
        "s3://events",
        CHECKPOINT,
        reading=S3Settings(read_concurrency=1),
        say=quiet,
        **given,
    )


def test_rows_that_were_adopted_unread_are_claimed(cluster: Cluster, s3: FakeS3) -> None:
    """As by the usual reader: two are adopted while their objects are archived, one is restored."""
    documents = [event(gear_name=f"gear-{number}", packet=" I ") for number in range(2)]
    for number, (data, rows) in enumerate(zip(documents, frames_of(documents), strict=True)):
        name = f"{number}/{name_of(data)}".replace("ingest", "renamed")
        s3.put_object("events", name, data, storage_class="GLACIER")
        s3.put_object("checkpoints", f"{number}.parquet", parquet(rows))
    files = [f"s3://checkpoints/{number}.parquet" for number in range(2)]
    adopting = {"request": Request(mode="adopt"), "adopt_from": files}
    claiming = {"request": Request(list_restores=True)}

    reports = []
    for given in (adopting, claiming):
        expected = run_here(TWIN, settings=WITHOUT_SANDBOX, **given)
        reports.append(run_there(cluster, settings=WITHOUT_SANDBOX, **given))
        assert structs.replace(reports[-1], **of_its_own(expected)) == expected
        s3.restore("events", s3.keys("events")[0], until=datetime.max.replace(tzinfo=UTC))

    counts = [each.counts for each in reports]
    assert [(each.archived, each.rejected_before) for each in counts] == [(2, 0), (0, 1)]
    assert [each.total_events for each in reports] == [2, 2]
    written = [
        pl.read_parquet(s3.get_object("checkpoints", f"{folder}/events.parquet").data)
        for folder in ("out", "twin")
    ]
    assert written[0].equals(written[1])
    assert problems(WITHOUT_SANDBOX) == []


def test_what_executors_had_no_time_for_is_left(
    cluster: Cluster, s3: FakeS3, tmp_path: Path
) -> None:
    """Also where their clocks are ahead of the driver's, which decides when the time is over."""
    for number in range(3):
        s3.put_object("events", key(number), document())
    reader = SparkReader(
        context=cluster.spark.sparkContext,
        source="s3://events",
        staging=Staging(checkpoint=CHECKPOINT, run="staged-1"),
        workdir=tmp_path,
        batch_objects=2,
        read_concurrency=1,
    )
    left_s = iter([60.0, 0.001, 0.1])
    host = structs.replace(
        local_host(tmp_path, QuietObserver()),
        remaining_s=lambda: Settings().reserve_s + next(left_s, 0.0),
    )

    with pytest.raises(NoProgressError) as raised:
        checkpoint_core.run(
            open_source("s3://events"),
            open_checkpoint(CHECKPOINT),
            settings=Settings(),
            request=Request(),
            host=host,
            reader=reader,
        )

    assert raised.value.unanswered == 3
    assert s3.keys("checkpoints") == []


@pytest.mark.parametrize("process", [WORKER, EXECUTOR])
def test_an_executor_that_is_killed_leaves_one_row_for_each_object(
    cluster: Cluster, s3: FakeS3, process: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its task is run again and may read another content; only one of both attempts counts."""
    monkeypatch.setattr("checkpoint_spark._dealing._SMALLEST_PART", 80)
    for number in range(OBJECTS):
        s3.put_object("events", key(number), document(gear_name=f"gear-{number}"))

    def strike(_request: object) -> None:
        kill_one(process)
        for number in range(OBJECTS):
            s3.put_object("events", key(number), document(gear_name=f"later-{number}"))

    s3.plan.on_request(strike, operation="GetObject", bucket="events", nth=OBJECTS // 3, times=1)
    s3.plan.add(Fault.THROTTLED, operation="GetObject", bucket="events", times=3)

    report = run_there(cluster)

    reads = [each for each in s3.log.requests if each[1:4:2] == ("events", "GetObject")]
    assert len(reads) > OBJECTS
    assert (report.counts.accepted, report.total_events) == (OBJECTS, OBJECTS)
    metadata = read_json_metadata(s3.get_object("checkpoints", "out/events.parquet").data)
    folder = "out/_ledger/events/"
    ledger = ledger_rows(metadata, lambda name: s3.get_object("checkpoints", folder + name).data)
    assert sorted(ledger["key"]) == sorted(map(key, range(OBJECTS)))
    assert [name for name in s3.keys("checkpoints") if "_work" in name] == []
    again = run_here()
    # Those that were read before the strike have another content now.
    assert again.counts.accepted + again.counts.unchanged == OBJECTS
    assert 0 < again.counts.accepted < OBJECTS
    assert problems() == []
    assert run_there(cluster).counts.unchanged == OBJECTS


def test_a_store_that_fails_fails_the_run_and_says_why(cluster: Cluster, s3: FakeS3) -> None:
    """By what an executor has found; Spark does not try for ever, and nothing is left."""
    s3.put_object("events", key(1), document())
    s3.plan.on_request(lambda _request: s3._buckets.pop("events"), operation="GetObject", times=1)

    with pytest.raises(checkpoint_core.CheckpointError, match="s3://events/"):
        run_there(cluster)

    assert s3.keys("checkpoints") == []
