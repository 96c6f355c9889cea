"""The command: its options and exit statuses, and a driver that is killed."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from checkpoint_core import Request, Settings
from checkpoint_spark._arguments import Arguments, read_arguments
from checkpoint_spark._command import main
from checkpoint_storage.settings import S3Settings
from nacc_event_model import EventFormat
from tests.checkpoint_core.world import document, key
from tests.checkpoint_spark.runs import CHECKPOINT, problems, run_here
from tests.checkpoint_storage.s3.serving import serving


def test_options_are_those_of_the_settings() -> None:
    """Read as every front reads them; what is not given has its default, a pass takes all."""
    plain = read_arguments(["run", "events", "out/events.parquet"])
    full = read_arguments(
        [
            "run",
            "s3://b/p",
            "s3://b/e.parquet",
            "--json",
            "--event-format",
            "1.1",
            "--exclude-project",
            "sandbox-*,x",
            "--max-events-per-run",
            "7",
            "--since",
            "2026-09-30",
            "--read-concurrency",
            "9",
            "--dry-run",
        ]
    )

    assert plain == Arguments(
        source="events",
        checkpoint="out/events.parquet",
        settings=Settings(max_events_per_run=100_000_000),
        request=Request(),
        reading=S3Settings(),
        adopt_from=(),
        as_json=False,
    )
    assert full.settings == Settings(
        event_format=EventFormat.V1_1,
        exclude_projects=("sandbox-*", "x"),
        max_events_per_run=7,
    )
    assert full.request == Request(since=datetime(2026, 9, 30, tzinfo=UTC), dry_run=True)
    assert (full.reading.read_concurrency, full.as_json) == (9, True)


def test_event_format_and_projects_come_from_the_environment_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As those of every other front; what is typed comes first, and both are read alike."""
    monkeypatch.setenv("EVENT_FORMAT", "1.1")
    monkeypatch.setenv("EXCLUDE_PROJECTS", "sandbox-*, x")
    line = ["run", "events", "e.parquet"]
    found = read_arguments(line).settings
    typed = read_arguments([*line, "--event-format", "1.0"]).settings
    monkeypatch.setenv("EVENT_FORMAT", "2")
    with pytest.raises(SystemExit):
        read_arguments(line)

    assert (EventFormat.V1_1, ("sandbox-*", "x")) == (found.event_format, found.exclude_projects)
    assert EventFormat.V1_0 == typed.event_format
    assert "must be 1.0 or 1.1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line, said",
    [
        ("run events", "CHECKPOINT"),
        ("run events e.parquet --since soon", "ISO 8601"),
        ("run events e.parquet --batch-objects 0", "from 1 to"),
        ("run events e.parquet --adopt --rebuild", "choose one"),
        ("run events e.parquet --rebuild --since 2026-09-30", "cannot be combined"),
        ("run events e.parquet --mode adopt", "--mode"),
        ("run events e", "must end with a name and .parquet"),
        ("run gs://events e.parquet", "gs:// is not supported"),
        ("run events e.parquet --adopt-from e.parquet", "is named twice"),
    ],
)
def test_wrong_usage_is_said_before_spark_starts(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, and few lines."""
    with pytest.raises(SystemExit) as ended:
        main(line.split())

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in told
    assert told.count("\n") <= 2


@pytest.mark.on_one_python
@pytest.mark.parametrize("at", ["_ledger", "events.parquet"])
def test_a_driver_that_is_killed_leaves_the_old_pair_or_the_new_one(
    monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Before the commit nothing is in force, after it all is; a run anywhere goes on from there."""
    with serving(monkeypatch) as s3:
        s3.create_bucket("checkpoints")
        for number in range(50):
            s3.put_object("events", key(number), document(gear_name=f"gear-{number}"))
        command = [sys.executable, "-m", "checkpoint_spark", "run", "s3://events", CHECKPOINT]
        environ = {
            **os.environ,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_SUBMIT_ARGS": "--master local[1] --conf spark.ui.enabled=false pyspark-shell",
        }
        with subprocess.Popen(
            command, env=environ, stderr=subprocess.DEVNULL, start_new_session=True
        ) as driver:
            s3.plan.on_request(
                lambda _request: os.killpg(driver.pid, signal.SIGKILL),
                operation="PutObject",
                where=lambda request: at in request.key and "_work" not in request.key,
                times=1,
            )
            driver.wait()

        has_committed = "out/events.parquet" in s3.keys("checkpoints")
        report = run_here()

        assert driver.returncode == -signal.SIGKILL
        assert has_committed == (at == "events.parquet")
        assert report.counts.accepted == (0 if has_committed else 50)
        assert report.total_events == 50
        assert problems() == []
