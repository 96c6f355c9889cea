"""The line of metrics: right by CloudWatch's own rules, and right about the run."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from checkpoint_core import Counts, RunReport, StudyCount
from checkpoint_lambda._metrics import BY_STUDY, DIMENSIONS, METRICS, NAMESPACE, metrics_lines
from tests.checkpoint_lambda.invoking import EVENT, Function, object_key

NAME = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^(.*)$"}
UNITS = (
    "^(Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|"
    "Kilobits|Megabits|Gigabits|Terabits|Percent|Count|None|"
    "(Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|Terabits|"
    "Count)/Second)$"
)


def closed(required: str, **properties: Any) -> dict[str, Any]:
    """Return the schema of an object with no further members; blanks separate the required ones."""
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": properties,
    }


def several(items: Any, **limits: int) -> dict[str, Any]:
    """Return the schema of an array."""
    return {"type": "array", "items": items, **limits}


# From the specification: its schema, and what its text requires beyond that (at most 100 metrics,
# no further members). https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/
# CloudWatch_Embedded_Metric_Format_Specification.html
METRIC = closed(
    "Name",
    Name=NAME,
    Unit={"type": "string", "pattern": UNITS},
    StorageResolution={"enum": [1, 60]},
)
DIRECTIVE = closed(
    "Namespace Dimensions Metrics",
    Namespace=NAME,
    Dimensions=several(several(NAME, maxItems=9), minItems=1),
    Metrics=several(METRIC, maxItems=100),
)
METADATA = closed(
    "Timestamp CloudWatchMetrics",
    Timestamp={"type": "integer"},
    CloudWatchMetrics=several(DIRECTIVE),
)
SPECIFICATION = {"type": "object", "required": ["_aws"], "properties": {"_aws": METADATA}}
NOW = datetime(2026, 10, 1, 12, 0, 0, 123_000, tzinfo=UTC)
WHERE = {"service": "a-service", "environment": "test"}


def a_report(**changed: Any) -> RunReport:
    """Return a report, with some fields changed."""
    report = RunReport(
        run_id="r",
        source="s3://events/",
        checkpoint="s3://checkpoints/events.parquet",
        started_at=NOW - timedelta(seconds=2),
        finished_at=NOW,
        incremental=True,
        dry_run=False,
        counts=Counts(),
        listed=0,
        total_events=0,
        rejects=0,
        size_bytes=0,
        first_timestamp=None,
        last_timestamp=None,
        commit_id=None,
        future_dated=0,
        unknown_fields={},
        failed_files=(),
        unrecognized_examples=(),
        warnings=(),
    )
    return structs.replace(report, **changed)


def lines_of(report: RunReport | None, *, succeeded: bool = True) -> list[dict[str, Any]]:
    """Return the lines for a report, read again and held against the specification."""
    texts = list(
        metrics_lines(
            report,
            exports_failed=0,
            succeeded=succeeded,
            duration_ms=77,
            now=NOW,
            dimensions=WHERE,
            properties={},
        )
    )
    lines: list[dict[str, Any]] = list(map(json.loads, texts))
    for text, line in zip(texts, lines, strict=True):
        refuse_violations(line)
        assert "\n" not in text
    return lines


def line_of(report: RunReport | None, *, succeeded: bool = True) -> dict[str, Any]:
    """Return the line of a report without studies."""
    [line] = lines_of(report, succeeded=succeeded)
    return line


def refuse_violations(line: dict[str, Any]) -> None:
    """Raise if CloudWatch would not make the metrics that the line means."""
    jsonschema.validate(line, SPECIFICATION)
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            for name in names:
                # Of a dimension's value CloudWatch takes printable ASCII, and not blanks alone.
                assert isinstance(line[name], str)
                assert re.fullmatch(r"[ -~]{1,1024}", line[name])
                assert line[name].strip()
        for metric in directive["Metrics"]:
            value = line[metric["Name"]]
            assert isinstance(value, int | float)
            assert not isinstance(value, bool)


def test_a_line_has_every_number_of_the_run() -> None:
    """Under the names and units that alarms and dashboards are made with."""
    counts = Counts(
        accepted=10,
        invalid=1,
        unreadable=2,
        denied=3,
        missing=4,
        deferred=5,
        unrecognized=6,
        upgraded=8,
    )
    report = a_report(
        counts=counts,
        total_events=100,
        rejects=20,
        size_bytes=3000,
        last_timestamp=NOW - timedelta(hours=1),
        future_dated=7,
        awaiting_upgrade=9,
    )

    line = line_of(report)

    expected = {
        "NewEventsProcessed": (10, "Count"),
        "TotalEvents": (100, "Count"),
        "EventsFailed": (10, "Count"),
        "EventsProcessed": (20, "Count"),
        "ExecutionTime": (2000, "Milliseconds"),
        "CheckpointFileSize": (3000, "Bytes"),
        "IncrementalRun": (1, "None"),
        "RunSucceeded": (1, "None"),
        "RowsUpgraded": (8, "Count"),
        "RowsAwaitingUpgrade": (9, "Count"),
        "LastEventAge": (3600, "Seconds"),
        "RejectsTotal": (20, "Count"),
        "ObjectsDenied": (3, "Count"),
        "ObjectsDeferred": (5, "Count"),
        "ObjectsUnrecognized": (6, "Count"),
        "ObjectsWithheld": (0, "Count"),
        "FutureDatedEvents": (7, "Count"),
        "ExportsFailed": (0, "Count"),
    }
    [directive] = line["_aws"]["CloudWatchMetrics"]
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert expected == {name: (line[name], unit) for name, unit in units.items()}
    assert ("NACC/EventCheckpoint", [["service", "environment"]]) == (
        directive["Namespace"],
        directive["Dimensions"],
    )
    assert 1_790_856_000_123 == line["_aws"]["Timestamp"]


def test_a_failed_run_did_nothing_and_says_nothing_of_the_state() -> None:
    """A checkpoint of which nothing is known has not shrunk to nothing."""
    line = line_of(None, succeeded=False)

    named = {metric["Name"]: line[metric["Name"]] for metric in metrics_of(line)}
    expected = {metric.name: 0 for metric in METRICS if not metric.is_state}
    assert expected | {"ExecutionTime": 77} == named


def test_without_events_their_age_is_left_out() -> None:
    """0 would say that everything is up to date."""
    line = line_of(a_report())

    assert "LastEventAge" not in line
    assert "LastEventAge" not in {metric["Name"] for metric in metrics_of(line)}


def metrics_of(line: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the definitions in a line."""
    [directive] = line["_aws"]["CloudWatchMetrics"]
    found: list[dict[str, Any]] = directive["Metrics"]
    return found


def test_each_study_and_datatype_has_a_line_of_its_own() -> None:
    """Its number is the same metric under two dimensions more, and no other metric is among it."""
    studies = [("adrc", "form", 3), (" ", "dicom", 2)]
    report = a_report(
        counts=Counts(accepted=5),
        new_events_by_study=tuple(
            StudyCount(study=study, datatype=datatype, events=events)
            for study, datatype, events in studies
        ),
    )

    run, *lines = lines_of(report)

    assert 5 == run["NewEventsProcessed"]
    assert [("adrc", "form", 3), ("' '", "dicom", 2)] == [
        (line["study"], line["datatype"], line["NewEventsProcessed"]) for line in lines
    ]
    for line in lines:
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert [["service", "environment", "study", "datatype"]] == directive["Dimensions"]
        assert [{"Name": "NewEventsProcessed", "Unit": "Count"}] == directive["Metrics"]
        assert {"_aws", "NewEventsProcessed", *BY_STUDY} == line.keys()


@given(
    numbers=st.lists(st.integers(0, 2**53), min_size=15, max_size=15),
    last=st.none() | st.datetimes(timezones=st.just(UTC)),
    outcome=st.sampled_from([0, 1]),
)
def test_every_line_keeps_to_the_specification(
    numbers: list[int], last: datetime | None, outcome: int
) -> None:
    """Whatever the numbers are."""
    counts = Counts(**dict(zip(Counts.__struct_fields__, numbers, strict=True)))

    line_of(
        a_report(counts=counts, last_timestamp=last, rejects=numbers[0]), succeeded=outcome == 1
    )


def test_the_table_has_each_metric_once() -> None:
    """The documents are held against it."""
    names = [metric.name for metric in METRICS]

    assert len(names) == len(set(names))
    assert not {*names} & {*DIMENSIONS, "run_id", "request_id"}
    assert NAMESPACE
    assert all(metric.meaning.endswith(".") for metric in METRICS)


@pytest.mark.parametrize("event, succeeded", [(EVENT, 1), ({"x": 1}, 0)])
def test_every_run_writes_one_line_however_it_ends(
    event: object, succeeded: int, lambda_: Function
) -> None:
    """Zeros included: an alarm cannot tell nothing from nothing said."""
    lambda_.source.write(object_key(1), b"")

    ended = lambda_.invoke(event)

    [line] = ended.metrics
    refuse_violations(line)
    expected = (succeeded, succeeded, 0)
    assert expected == (line["RunSucceeded"], line["EventsFailed"], line["NewEventsProcessed"])
    assert ("a-service", "test") == (line["service"], line["environment"])


def test_a_run_that_found_nothing_new_succeeded(lambda_: Function) -> None:
    """Otherwise a quiet week would raise the alarm."""
    lambda_.write(1)

    runs = [lambda_.invoke() for _ in range(3)]

    assert [1, 1, 1] == [run.metrics[0]["RunSucceeded"] for run in runs]
    assert [1, 0, 0] == [len(run.studies) for run in runs]
    assert [0, 1, 1] == [run.metrics[0]["IncrementalRun"] for run in runs]
    assert {1} == {run.metrics[0]["TotalEvents"] for run in runs}
