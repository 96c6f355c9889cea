"""One invocation, on storage in memory: what it returns or raises, and what it leaves behind."""

import json
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import botocore.parsers
import msgspec
import polars as pl
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from checkpoint_core import CheckpointError, Counts, StorageError
from checkpoint_core.responses import Response
from tests.checkpoint_core.memory import CrashError, Fault
from tests.checkpoint_lambda.invoking import (
    EVENT,
    Context,
    Ended,
    Function,
    document,
    function,
    object_key,
)

NONE_OF_ANY = dict.fromkeys(Counts.__struct_fields__, 0)


def some_context(remaining_s: float) -> Context:
    """Return a context with so much time left, whenever it is asked."""
    return Context(lambda: round(remaining_s * 1000))


def succeeded(ended: Ended) -> dict[str, Any]:
    """Return the response of an invocation that must have one."""
    assert ended.error is None, ended.stdout
    assert ended.response is not None
    return ended.response


def test_the_response_says_what_was_done(lambda_: Function) -> None:
    """The keys are the design's, in its order, and everything in it is plain JSON."""
    lambda_.write(1, 2, colour="red")
    lambda_.source.write(object_key(3), b"no json")
    lambda_.source.write("prod/readme.txt", b"")

    response = succeeded(lambda_.invoke())

    expected = {
        "statusCode": 200,
        "checkpoint_path": "s3://checkpoints/out/events.parquet",
        "new_events_processed": 2,
        "total_events": 2,
        "events_failed": 1,
        "last_processed_timestamp": "2024-01-15T10:00:00Z",
        "execution_time_ms": response["execution_time_ms"],
        "run_id": response["run_id"],
        "incremental": False,
        "complete": True,
        "counts": NONE_OF_ANY | {"accepted": 2, "invalid": 1, "unrecognized": 1},
        "awaiting_upgrade": 0,
        "future_dated": 0,
        "unknown_fields": {"colour": 2},
        "failed_files": [
            {"key": object_key(3), "outcome": "invalid", "reason": "not valid JSON at byte 4"}
        ],
        "unrecognized_examples": ["prod/readme.txt"],
        "warnings": [],
        "hints": [],
        "new_events_by_study": [{"study": "adrc", "datatype": "form", "events": 2}],
        "exports": [],
    }
    assert list(expected) == list(response)
    assert expected == response
    assert response == json.loads(json.dumps(response))
    assert list(Response.__struct_encode_fields__) == list(response)


def test_without_anything_to_take_there_is_no_checkpoint(lambda_: Function) -> None:
    """The response says so with null."""
    response = succeeded(lambda_.invoke())

    assert (None, None) == (response["checkpoint_path"], response["last_processed_timestamp"])


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_a_run_out_of_time_commits_what_it_has(lambda_: Function, batches: int) -> None:
    """Time may run out before any batch but the first; the next invocation takes the rest."""
    lambda_.write(*range(8))
    environ = {"BATCH_OBJECTS": "2", "RESERVE_SECONDS": "30"}

    def remaining_ms() -> int:
        return 100_000 if len(lambda_.source.reads) < 2 * batches else 30_000

    first = lambda_.invoke(context=Context(remaining_ms), environ=environ)
    rows = lambda_.rows().height
    second = succeeded(lambda_.invoke(environ=environ))

    assert (False, 2 * batches) == (
        succeeded(first)["complete"],
        succeeded(first)["new_events_processed"],
    )
    assert (2 * batches, 8) == (rows, second["total_events"])
    assert 1 == first.metrics[0]["RunSucceeded"]
    assert 8 - 2 * batches == first.metrics[0]["ObjectsDeferred"]


def test_a_run_without_time_for_anything_fails(lambda_: Function) -> None:
    """It would end the same for ever; nothing is changed."""
    lambda_.write(1, 2)

    ended = lambda_.invoke(context=some_context(59.9))

    assert "NoProgressError" == ended.document["error"]
    assert "2 objects are left" in ended.document["message"]
    assert {} == lambda_.store.files


def test_denied_objects_fail_the_run_after_the_others_are_committed(lambda_: Function) -> None:
    """The error document names them by their whole location, and counts all failures."""
    lambda_.write(1, 2)
    lambda_.source.write(object_key(3), b"[]")
    lambda_.source.outcomes[object_key(2)] = "denied"

    ended = lambda_.invoke()

    assert 1 == lambda_.rows().height
    expected = {
        "statusCode": 500,
        "error": "DeniedObjectsError",
        "message": "s3://events/prod/: access to 1 objects was denied, for example to "
        f"{object_key(2)}. All others were taken. Grant permission to read them, and run again.",
        "details": {
            "failed_files": [f"s3://events/{object_key(2)}", f"s3://events/{object_key(3)}"],
            "error_count": 2,
        },
    }
    assert expected == ended.document
    assert (0, 1, 1) == tuple(
        ended.metrics[0][name] for name in ("RunSucceeded", "ObjectsDenied", "TotalEvents")
    )
    failed = ended.named("run_failed")[0]
    assert (1, 1) == (failed["counts"]["accepted"], failed["counts"]["denied"])


def test_wrong_settings_fail_before_anything_is_touched(lambda_: Function) -> None:
    """All of them are in the document; neither source nor store is even opened."""
    ended = lambda_.invoke({"colour": "red"}, environ={"LOG_LEVEL": "LOUD"})

    document = ended.document
    assert (500, "InvalidSettingsError") == (document["statusCode"], document["error"])
    for problem in ("SOURCE_BUCKET", "CHECKPOINT_BUCKET", "CHECKPOINT_KEY", "LOG_LEVEL", "colour"):
        assert problem in document["message"]
    assert ([], []) == (lambda_.opened, lambda_.store.calls)
    assert ["run_failed"] == [line["event"] for line in ended.logged]
    assert 0 == ended.metrics[0]["RunSucceeded"]


UNCHANGED = "The checkpoint is as it was before or complete."
BUG = f"this is a bug. {UNCHANGED} Please report it, with the exception in the log."
FAILURES: list[tuple[BaseException, str]] = [
    (StorageError("s3://events/prod/: listing failed"), "s3://events/prod/: listing failed"),
    (CheckpointError("what, where, what to do"), "what, where, what to do"),
    (
        botocore.exceptions.ClientError(
            {"Error": {"Code": "SlowDown", "Message": "Please reduce"}}, "GetObject"
        ),
        f"An error occurred (SlowDown) when calling the GetObject operation: Please reduce. {UNCHANGED} Run again.",
    ),
    (
        OSError(28, "No space left on device", "/tmp/x"),
        f"/tmp/x: no space left. {UNCHANGED} Give the function more ephemeral storage, and run again.",
    ),
    (
        PermissionError(13, "Permission denied", "/tmp/x"),
        f"/tmp/x: Permission denied. {UNCHANGED} Run again; if it fails again, look at the log for where it came from.",
    ),
    (
        MemoryError("SECRET"),
        f"out of memory. {UNCHANGED} Give the function more memory, or lower MAX_EVENTS_PER_RUN and BATCH_OBJECTS, and run again.",
    ),
    (ValueError("SECRET"), f"ValueError: {BUG}"),
    (botocore.parsers.ResponseParserError("SECRET"), f"ResponseParserError: {BUG}"),
    (CrashError("SECRET"), f"CrashError: {BUG}"),
]


@pytest.mark.parametrize("error, message", FAILURES, ids=lambda each: type(each).__name__)
def test_a_failure_is_raised_as_the_error_document(
    lambda_: Function, error: BaseException, message: str
) -> None:
    """Its text gets out only where it is known to hold no value; the log says where it arose.

    Nothing is behind it: whoever prints it prints the document and where it was raised.
    """
    lambda_.write(1)

    def fail(_key: str) -> None:
        secret = "SECRET"
        raise error from KeyError(secret)

    lambda_.source.before_reading = fail
    ended = lambda_.invoke()

    expected = {
        "statusCode": 500,
        "error": type(error).__name__,
        "message": message,
        "details": {"failed_files": [], "error_count": 0},
    }
    assert expected == ended.document
    assert ended.error is not None
    assert (None, None) == (ended.error.__cause__, ended.error.__context__)
    failed = ended.named("run_failed")[0]
    assert "read" == failed["stage"]
    assert "fail" == failed["exception"][0]["frames"][-1]["function"]
    assert "SECRET" not in ended.stdout + ended.stderr
    assert 1 == len(ended.metrics)


def test_a_store_that_cannot_be_opened_is_a_failure_like_others(lambda_: Function) -> None:
    """There is a line for it, and metrics."""

    def fail(_settings: object) -> Any:
        raise botocore.exceptions.NoRegionError

    storage = structs.replace(lambda_.storage(), open_store=fail)

    ended = lambda_.invoke(storage=storage)

    assert "NoRegionError" == ended.document["error"]
    assert 1 == len(ended.named("run_failed")) == len(ended.metrics)


def test_a_run_that_does_not_fit_changes_nothing(lambda_: Function) -> None:
    """It fails like any other, before an object is read."""
    lambda_.source.write(object_key(1), b"")

    ended = lambda_.invoke(context=Context(memory_limit_in_mb=128))

    assert "TooSmallError" == ended.document["error"]
    assert ({}, []) == (lambda_.store.files, lambda_.source.reads)
    assert "list" == ended.named("run_failed")[0]["stage"]


def test_the_error_document_stays_small(lambda_: Function) -> None:
    """However many objects were denied and however long their names are."""
    keys = [f"prod/{'ü' * 900}{number:03d}/{object_key(1)[5:]}" for number in range(300)]
    for key in keys:
        lambda_.source.write(key, document())
        lambda_.source.outcomes[key] = "denied"

    ended = lambda_.invoke(environ={"LISTED_FAILURES": "300"})

    files = ended.document["details"]["failed_files"]
    assert 200_000 >= len(json.dumps(str(ended.error)))
    assert [f"s3://events/{key}" for key in keys[: len(files)]] == files
    assert len(files) > 10
    assert 300 == ended.document["details"]["error_count"]


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.CONFLICT])
def test_an_invocation_after_a_failed_one_makes_good(fault: Fault) -> None:
    """Whichever call of the first goes wrong; what it says agrees with what is there."""
    with function() as undisturbed:
        undisturbed.write(1, 2)
        undisturbed.invoke()
        calls = len(undisturbed.store.calls)
    for call in range(calls):
        with function() as made:
            made.write(1, 2)
            made.store.faults = {call: fault}

            ended = made.invoke()
            again = succeeded(made.invoke())

            assert (ended.response is None) == (ended.metrics[0]["RunSucceeded"] == 0)
            assert (2, 2) == (again["total_events"], made.rows().height)


def test_a_warm_invocation_is_clean(lambda_: Function) -> None:
    """Nothing of the one before is on its lines, in its response, or on the disk."""
    lambda_.write(1, colour="red")
    lambda_.source.write(object_key(2), b"")
    first = lambda_.invoke({**EVENT, "dry_run": True}, environ={"ENVIRONMENT": "one"})
    lambda_.source.delete(object_key(2))
    second = lambda_.invoke(environ={"ENVIRONMENT": "two"})

    assert {True} == {line["cold_start"] for line in first.logged}
    assert {False} == {line["cold_start"] for line in second.logged}
    assert {"two"} == {line["environment"] for line in second.logged}
    run_ids = [{line["run_id"] for line in each.logged} for each in (first, second)]
    assert [1, 1] == [len(each) for each in run_ids]
    assert run_ids[0] != run_ids[1]
    assert [] == succeeded(second)["failed_files"]
    assert {} == structlog.contextvars.get_contextvars()
    assert ["stderr", "stdout"] == sorted(path.name for path in lambda_.folder.iterdir())


def test_a_dry_run_writes_nothing_and_makes_no_metrics(lambda_: Function) -> None:
    """It must not silence the alarm for runs that do not take place."""
    lambda_.write(1)

    ended = lambda_.invoke({**EVENT, "dry_run": True})

    assert 1 == succeeded(ended)["new_events_processed"]
    assert ({}, []) == (lambda_.store.files, ended.metrics)
    assert ended.named("run_completed")[0]["dry_run"]


def test_a_context_that_says_nothing_limits_nothing(lambda_: Function) -> None:
    """As in a test, or when the function is called by hand."""
    lambda_.write(1)

    assert 1 == succeeded(lambda_.invoke(context=object()))["total_events"]


def test_response_log_metrics_and_file_agree(lambda_: Function) -> None:
    """The same numbers, wherever one looks."""
    lambda_.write(1, 2, 3, colour="red")
    lambda_.write(4, timestamp="2999-01-01T00:00:00Z")
    lambda_.write(5, project_label="sandbox-x")
    lambda_.source.write(object_key(6), b"{}")
    lambda_.source.outcomes[object_key(3)] = "archived"
    environ = {"EXCLUDE_PROJECTS": "sandbox-*"}
    for expected in ((3, 3, False), (0, 3, True)):
        ended = lambda_.invoke(environ=environ)
        response, logged, metrics = (
            succeeded(ended),
            ended.named("run_completed")[0],
            ended.metrics[0],
        )
        rows = lambda_.rows()

        assert expected == (
            response["new_events_processed"],
            response["total_events"],
            response["incremental"],
        )
        assert rows.height == response["total_events"]
        assert len(lambda_.store.data("events.parquet")) == metrics["CheckpointFileSize"]
        last = msgspec.to_builtins(rows["timestamp"].max())
        assert last == response["last_processed_timestamp"]
        for name in logged.keys() & response.keys():
            assert response[name] == logged[name], name
        # These have lines of their own.
        assert {
            "statusCode",
            "failed_files",
            "warnings",
            "exports",
        } == response.keys() - logged.keys()
        assert sum(response["counts"].values()) == logged["listed"]
        assert {
            "NewEventsProcessed": response["new_events_processed"],
            "TotalEvents": response["total_events"],
            "EventsFailed": response["events_failed"],
            "EventsProcessed": response["new_events_processed"] + response["events_failed"],
            "ExecutionTime": response["execution_time_ms"],
            "IncrementalRun": int(response["incremental"]),
            "FutureDatedEvents": response["future_dated"],
            "RejectsTotal": logged["rejects"],
            "run_id": response["run_id"],
        }.items() <= metrics.items()


BREAKS: list[Callable[[dict[str, Any]], bytes]] = [
    lambda whole: json.dumps(whole).encode()[:-1],
    lambda whole: json.dumps(whole).encode() + b"\xff",
    lambda whole: b"",
    lambda whole: json.dumps([whole]).encode(),
    lambda whole: json.dumps({**whole, "ptid": "a b"}).encode(),
    lambda whole: json.dumps({**whole, "action": "other"}).encode(),
    lambda whole: json.dumps({**whole, "timestamp": "2024-02-30T00:00:00Z"}).encode(),
    lambda whole: json.dumps({**whole, "pipeline_adcid": 0}).encode(),
    lambda whole: json.dumps({k: v for k, v in whole.items() if k != "visit_date"}).encode(),
    lambda whole: b'{"a":' * 5000,
]
some_objects = st.lists(st.none() | st.sampled_from(range(len(BREAKS))), max_size=12)


def make(made: Function, breaks: list[int | None]) -> tuple[list[str], list[str]]:
    """Write one object for each, valid or broken in its way; return the keys of both kinds."""
    kinds: tuple[list[str], list[str]] = ([], [])
    for number, which in enumerate(breaks):
        data = document(gear_name=f"gear-{number}")
        if which is not None:
            data = BREAKS[which](json.loads(data))
        made.source.write(object_key(number), data)
        kinds[which is not None].append(object_key(number))
    return kinds


# Feature: event-log-scraper, Property 14: Partial failure handling
@given(breaks=some_objects)
def test_valid_events_get_in_and_failed_ones_are_logged(breaks: list[int | None]) -> None:
    """All valid events are in the file whatever else is there, and each failure has its line."""
    with function() as made:
        valid, broken = make(made, breaks)

        ended = made.invoke()

        response = succeeded(ended)
        gears = made.rows()["gear_name"].to_list() if valid else []
        expected = sorted(f"gear-{number}" for number, each in enumerate(breaks) if each is None)
        assert expected == sorted(gears)
        assert (len(valid), len(broken)) == (
            response["new_events_processed"],
            response["events_failed"],
        )
        assert broken == [line["key"] for line in ended.named("object_rejected")]
        assert {"WARNING"} >= {line["level"] for line in ended.named("object_rejected")}


# Feature: event-log-scraper, Property 18: Logging completeness
@given(breaks=some_objects, before=some_objects, denied=st.none() | st.just(object_key(100)))
def test_the_log_has_the_counts_and_every_error_with_its_file(
    breaks: list[int | None], before: list[int | None], denied: str | None
) -> None:
    """However a run ends, its last line has the counts; every reason is the one in the rejects."""
    with function() as made:
        make(made, before)
        made.invoke()
        make(made, breaks)
        if denied:
            made.source.write(denied, b"")
            made.source.outcomes[denied] = "denied"

        ended = made.invoke()

        last = ended.logged[-1]
        assert ("run_failed" if denied else "run_completed") == last["event"]
        assert len(made.source.objects) == last["listed"] == sum(last["counts"].values())
        lines = ended.named("object_rejected")
        reasons = {}
        if "_rejects/events.parquet" in made.store.files:
            table = pl.read_parquet(made.store.data("_rejects/events.parquet"))
            reasons = dict(table.select("key", "reason").iter_rows())
        assert {line["key"]: line["reason"] for line in lines}.items() <= reasons.items()
        assert last["events_failed"] == len(lines)
        assert {"key", "outcome", "reason"} <= {
            name for line in lines for name in line
        } or not lines
