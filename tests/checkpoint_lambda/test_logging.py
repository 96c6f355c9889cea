"""Log lines: one way out for all of them, everything on them that they need, nothing more."""

import inspect
import io
import json
import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest
import structlog

from checkpoint_core import Settings, StorageError
from checkpoint_core.removal import remove
from checkpoint_format.stores import QuietObserver
from checkpoint_lambda import _invocation, _log_events, _logging
from checkpoint_lambda._log_events import LOG_EVENTS
from checkpoint_lambda._logging import (
    LogLevel,
    configure_logging,
    forget_invocation,
    get_logger,
)
from checkpoint_storage.local import local_host
from checkpoint_storage.locks import scratch_folder
from tests.checkpoint_core.memory import Clock, CrashError
from tests.checkpoint_lambda.invoking import (
    EVENT,
    Context,
    Function,
    document,
    function,
    object_key,
)

LEVELS: list[LogLevel] = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Give logging back to the tests of others."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    logging.getLogger("checkpoint_lambda").setLevel(logging.NOTSET)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


class Output(io.StringIO):
    """What was written, as lines of JSON."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def output() -> Iterator[Output]:
    """Give what is written to stdout; logging is configured, at DEBUG."""
    with redirect_stdout(Output()) as text:
        configure_logging(level="DEBUG", bound={"request_id": "r1"})
        yield text


def test_a_line_is_one_json_object(output: Output) -> None:
    """Whatever is in it, line breaks and unpaired surrogates too."""
    get_logger().info("something_happened", key="a\nb\ud800", number=5)

    [line] = output.lines
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    expected = {
        "event": "something_happened",
        "level": "INFO",
        "logger": "checkpoint_lambda",
        "request_id": "r1",
        "key": "a\nb\ud800",
        "number": 5,
    }
    assert expected == line


def test_what_is_not_plain_data_is_told_by_its_type_only(output: Output) -> None:
    """An object that got into a line by mistake does not show what it holds."""
    get_logger().info("x", error=ValueError("SECRET"), data=b"SECRET", items={"a": {b"SECRET"}})

    assert "SECRET" not in output.getvalue()
    assert "ValueError" == output.lines[0]["error"]


def test_lines_of_other_loggers_come_out_the_same_way(output: Output) -> None:
    """With everything that is on ours, also from a thread."""

    def log() -> None:
        logging.getLogger("urllib3.connectionpool").warning("pool of %s is full", "a-host")

    thread = threading.Thread(target=log)
    thread.start()
    thread.join()

    [line] = output.lines
    expected = {
        "event": "pool of a-host is full",
        "level": "WARNING",
        "logger": "urllib3.connectionpool",
        "request_id": "r1",
    }
    assert expected.items() <= line.items()


@pytest.mark.parametrize("name", ["botocore.parsers", "boto3", "urllib3", "s3transfer", "others"])
def test_libraries_say_nothing_below_warning(output: Output, name: str) -> None:
    """At DEBUG, botocore logs bodies of responses."""
    logging.getLogger(name).info("a body")
    logging.getLogger(name).debug("a body")

    assert [] == output.lines


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_respected(level: LogLevel) -> None:
    """For our own lines down to DEBUG, for others above WARNING."""
    with redirect_stdout(Output()) as output:
        configure_logging(level=level, bound={})
        for each in LEVELS:
            logging.getLogger("others").log(logging.getLevelNamesMapping()[each], "theirs")
            get_logger().log(logging.getLevelNamesMapping()[each], "ours")

    said = [(line["event"], line["level"]) for line in output.lines]
    ours, theirs = LEVELS.index(level), max(LEVELS.index(level), LEVELS.index("WARNING"))
    assert LEVELS[ours:] == [name for event, name in said if event == "ours"]
    assert LEVELS[theirs:] == [name for event, name in said if event == "theirs"]


def test_configuring_again_replaces_everything() -> None:
    """The runtime's handler goes, ours does not multiply, and what was bound before is gone."""
    root = logging.getLogger()
    runtime = logging.StreamHandler(io.StringIO())
    root.handlers = [runtime]
    with redirect_stdout(Output()) as output:
        configure_logging(level="INFO", bound={"request_id": "r1", "extra": 1})
        configure_logging(level="INFO", bound={"request_id": "r2"})
        get_logger().info("x")
        forget_invocation()

    assert 1 == len(root.handlers)
    assert runtime not in root.handlers
    [line] = output.lines
    assert "r2" == line["request_id"]
    assert "extra" not in line
    assert {} == structlog.contextvars.get_contextvars()


def test_a_traceback_has_frames_and_types_but_neither_variables_nor_texts(output: Output) -> None:
    """Texts only of errors that hold no values: ours."""

    def fail() -> None:
        local = "SECRET-1"
        cause = ValueError(local)
        cause.add_note("SECRET-2")
        raise StorageError("s3://b: what to do") from cause

    try:
        fail()
    except StorageError:
        get_logger().exception("x")
        logging.getLogger("others").exception("x")

    for line in output.lines:
        assert ["checkpoint_format.errors.StorageError", "builtins.ValueError"] == [
            each["type"] for each in line["exception"]
        ]
        assert ["s3://b: what to do", None] == [each["message"] for each in line["exception"]]
        assert "fail" == line["exception"][0]["frames"][-1]["function"]
    assert 2 == len(output.lines)
    assert "SECRET" not in output.getvalue()


def test_a_traceback_of_causes_in_a_circle_ends(output: Output) -> None:
    """Python allows it."""
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one

    get_logger().error("x", exc_info=one)

    assert 2 == len(output.lines[0]["exception"])


def test_a_line_that_cannot_be_made_does_not_show_its_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The standard library would print them."""
    with redirect_stdout(Output()) as output:
        configure_logging(level="INFO", bound={})
        logging.getLogger("others").warning("%d", "SECRET")

    assert [{"event": "log_line_lost", "level": "ERROR", "logger": "others"}] == output.lines
    assert "SECRET" not in capsys.readouterr().err


def test_a_python_warning_is_a_line_without_its_text() -> None:
    """Its text may be about a value."""
    with redirect_stdout(Output()) as output, warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging(level="INFO", bound={})
        warnings.warn("SECRET", DeprecationWarning, stacklevel=1)

    [line] = output.lines
    assert ("python_warning", "DeprecationWarning") == (line["event"], line["category"])
    assert "SECRET" not in output.getvalue()


def test_on_a_terminal_lines_are_for_people() -> None:
    """No JSON there, and tracebacks are as discreet."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:  # type: ignore[explicit-override]  # override is new in Python 3.12
            return True

    with redirect_stdout(Terminal()) as output:
        configure_logging(level="INFO", bound={})
        get_logger().info("something_happened", key="a")
        get_logger().info("object_rejected", key="\x1b[2J.json")
        get_logger().error("something_failed", exc_info=ValueError("SECRET"))

    text = output.getvalue()
    assert "something_happened" in text
    assert "\\x1b[2J.json" in text
    assert "\x1b[2J" not in text
    assert "ValueError: (text left out)" in text
    assert "SECRET" not in text
    assert not text.startswith("{")


def test_every_line_of_a_run_says_whose_it_is(lambda_: Function) -> None:
    """Request, cold start, version, run, service and environment."""
    lambda_.write(1)
    lambda_.source.write(object_key(2), b"")

    ended = lambda_.invoke()

    response = ended.response or {}
    expected = {
        "request_id": Context.aws_request_id,
        "function_version": "7",
        "cold_start": True,
        "run_id": response["run_id"],
        "service": "a-service",
        "environment": "test",
    }
    assert all(expected.items() <= line.items() for line in ended.logged)


def test_a_run_tells_its_milestones_in_order(lambda_: Function) -> None:
    """With numbers and times; one line at the end has everything."""
    lambda_.write(1, 2)
    lambda_.source.write(object_key(3), b"")

    ended = lambda_.invoke()

    expected: list[tuple[str, dict[str, object]]] = [
        ("run_started", {"source": "s3://events/prod/", "dry_run": False}),
        ("checkpoint_loaded", {}),
        ("source_listed", {"objects": 3}),
        ("objects_read", {"selected": 3, "objects": 3, "failures": 0}),
        ("objects_validated", {"accepted": 2, "touched": 0, "rejected": 1}),
        ("rows_merged", {}),
        ("commit_attempted", {"outcome": "written"}),
        ("object_rejected", {"key": object_key(3), "outcome": "invalid", "reason": "empty"}),
        ("checkpoint_committed", {"total_events": 2}),
        ("run_completed", {"listed": 3}),
    ]
    assert [event for event, _ in expected] == [line["event"] for line in ended.logged]
    for (_, facts), line in zip(expected, ended.logged, strict=True):
        assert facts.items() <= line.items()
    assert all("duration_ms" in line for line in ended.logged[1:7])
    assert all("checkpoint_bytes" in line for line in ended.logged[6:7])


def test_objects_have_their_own_lines_at_debug(lambda_: Function) -> None:
    """By key and size, and how the reading goes on."""
    lambda_.write(1)
    lambda_.source.outcomes[object_key(2)] = "unreadable"
    lambda_.source.write(object_key(2), b"")

    ended = lambda_.invoke(environ={"LOG_LEVEL": "DEBUG"})

    answered = {line["key"]: line for line in ended.named("object_answered")}
    assert {object_key(1), object_key(2)} == answered.keys()
    assert len(document(gear_name="gear-1")) == answered[object_key(1)]["size_bytes"]
    assert "unreadable" == answered[object_key(2)]["outcome"]
    assert {"done": 2, "selected": 2}.items() <= ended.named("read_progress")[-1].items()


def test_no_line_names_who_was_taken_out(lambda_: Function) -> None:
    """Whether content or name tells, and whatever the level; counts do tell."""
    lambda_.write(1, ptid="220002")
    lambda_.invoke()
    with scratch_folder(lambda_.folder) as workdir:
        remove(
            lambda_.store,
            ((42, "110001"),),
            source=None,
            settings=Settings(),
            host=local_host(workdir, QuietObserver()),
            new_key=bytes(32),
        )
    lambda_.write(2)
    lambda_.source.write(object_key(3), b"{")
    lambda_.source.write(object_key(4), b"")
    lambda_.source.outcomes[object_key(4)] = "denied"
    lambda_.source.write(object_key(5).replace("log-submit", "log-new"), b"")

    ended = lambda_.invoke(environ={"LOG_LEVEL": "DEBUG"})

    assert ended.error is None
    assert "110001" not in ended.stdout + ended.stderr
    assert 3 == ended.named("run_completed")[0]["counts"]["withheld"]
    assert 3 == ended.metrics[0]["ObjectsWithheld"]


def test_lines_for_single_objects_are_limited(lambda_: Function) -> None:
    """One bad day of a producer does not fill the log; the counts tell how many there were."""
    for number in range(30):
        lambda_.source.write(object_key(number), b"")

    ended = lambda_.invoke()

    assert 20 == len(ended.named("object_rejected"))
    assert 30 == ended.named("run_completed")[0]["counts"]["invalid"]


def test_what_went_wrong_beside_the_data_is_a_line_of_its_own(lambda_: Function) -> None:
    """Such as rejects that could not be written; the run succeeds nevertheless."""
    lambda_.source.write(object_key(1), b"")
    lambda_.store.files["_rejects/events.parquet"] = (b"no parquet", "v", Clock().now())

    ended = lambda_.invoke()

    assert "rejects file could not be read" in ended.named("run_warning")[0]["warning"]
    assert 1 == ended.metrics[0]["RunSucceeded"]


def test_every_line_is_of_a_kind_that_the_table_has(lambda_: Function) -> None:
    """The documents tell what each of them means; each kind has its level."""
    levels = {event.name: event.level for event in LOG_EVENTS}
    source = "".join(inspect.getsource(module) for module in (_log_events, _logging, _invocation))
    lambda_.write(1)
    lambda_.source.write(object_key(2), b"")

    ended = lambda_.invoke(environ={"LOG_LEVEL": "DEBUG"})
    failed = lambda_.invoke({"x": 1})

    for line in ended.logged + failed.logged:
        assert levels[line["event"]] == line["level"]
    assert [] == [name for name in levels if source.count(f'"{name}"') < 2]


MARK = "M4RK"
MARKED: dict[str, bytes] = {
    "valid": document(
        gear_name=f"{MARK}-gear", center_label=f"{MARK}-c", module=f"{MARK}", packet=f"{MARK}"
    ),
    "every field wrong": document(**{name: [MARK] for name in json.loads(document())}),
    "enum": document(action=MARK),
    "pattern": document(ptid=f"{MARK}-not"),
    "date": document(visit_date=MARK),
    "time": document(timestamp=f"{MARK}T00:00:00Z"),
    "number": document(pipeline_adcid=MARK),
    "path in a value": document(action=f"{MARK} - at `$.{MARK}`"),
    "excluded": document(project_label=f"sandbox-{MARK}"),
    "future": document(timestamp="2999-01-01T00:00:00Z", gear_name=MARK),
    "unknown field's value": document(colour=MARK, more={"deep": [MARK]}),
    "not json": f"{MARK} {{".encode(),
    "a string": f'"{MARK}"'.encode(),
    "an array": f'["{MARK}"]'.encode(),
    "cut short": document(gear_name=MARK)[:-5],
    "nested": b'{"a":' * 100_000 + f'"{MARK}"'.encode(),
    "nested arrays": b"[" * 100_000 + MARK.encode(),
    "nested unknown": document()[:-1] + b',"x":' + b"[" * 300 + b'"M4RK"' + b"]" * 300 + b"}",
    "bad utf-8": f'{{"ptid": "{MARK}'.encode() + b'\xff\xfe"}',
    "utf-16": document(gear_name=MARK).decode().encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + document(gear_name=MARK),
    "huge integer": b'{"pipeline_adcid": ' + b"987654321" * 1000 + b"}",
    "huge integer as text": document(pipeline_adcid="987654321" * 1000),
    "surrogate": b'{"ptid": "M4RK\\ud800", "action": "M4RK\\udfff"}',
    "nul": b'{"ptid": "M4RK\\u0000"}',
    "control": b'{"ptid": "M4RK\x1b[31m"}',
    "too large": document(gear_name=MARK * 300_000),
    "duplicate keys": b'{"action": "M4RK", "action": "M4RK2"}',
    "out of the calendar": document(timestamp="0001-01-01T00:00:00+14:00", gear_name=MARK),
}
NEVER = re.compile(r"M4RK|987654321987654321|sandbox-|0001-01-01T|2999-01-01T(?!00:00:00Z\")")


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_of_a_content_gets_out(level: LogLevel, lambda_: Function) -> None:
    """Not in stdout, stderr, response or error, whatever an object holds, at any level."""
    for number, data in enumerate(MARKED.values()):
        lambda_.source.write(object_key(number), data)
    denied = object_key(len(MARKED))
    lambda_.source.write(denied, document(gear_name=MARK))
    environ = {
        "LOG_LEVEL": level,
        "LISTED_FAILURES": "1000",
        "EXCLUDE_PROJECTS": "sandbox-*",
    }

    runs = [lambda_.invoke({**EVENT, "dry_run": True}, environ=environ)]
    runs.append(lambda_.invoke(environ=environ))
    for number in range(len(MARKED)):
        lambda_.source.touch(object_key(number))
    lambda_.source.outcomes[denied] = "denied"
    lambda_.source.touch(denied)
    runs.append(lambda_.invoke(environ=environ))

    for run in runs:
        for said in (run.stdout, run.stderr, json.dumps(run.response), repr(run.error)):
            assert not NEVER.search(said.replace("EXCLUDE_PROJECTS", "")), said[:2000]
    assert runs[1].response is not None
    counts = runs[1].response["counts"]
    taken = {"accepted": 4, "excluded": 1, "invalid": len(MARKED) - 4}
    assert taken == {name: counts[name] for name in taken}
    assert runs[2].error is not None


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "error",
    [
        ValueError(MARK),
        KeyError(MARK),
        UnicodeDecodeError("utf-8", MARK.encode(), 0, 1, MARK),
        RecursionError(MARK),
        MemoryError(MARK),
        CrashError(MARK),
        SystemExit(MARK),
        ExceptionGroup(MARK, [ValueError(MARK)]),
    ],
    ids=lambda each: type(each).__name__,
)
def test_nothing_of_a_content_gets_out_by_an_unexpected_exception(
    level: LogLevel, error: BaseException
) -> None:
    """Its text, its notes, its cause and the variables of its frames stay inside."""
    error.__cause__ = ValueError(MARK)
    error.__notes__ = [MARK]
    with function() as made:
        made.source.write(object_key(1), MARKED["valid"])

        def fail(_key: str) -> None:
            content = MARKED["valid"]
            assert content
            raise error

        made.source.before_reading = fail

        ended = made.invoke(environ={"LOG_LEVEL": level})

        for said in (ended.stdout, ended.stderr, str(ended.error), repr(ended.error)):
            assert not NEVER.search(said)
        assert type(error).__name__ == ended.document["error"]


def test_the_capture_sees_everything(lambda_: Function) -> None:
    """The tests above do not pass because nothing is looked at."""
    lambda_.write(1)

    def shout(_key: str) -> None:
        os.write(1, b'"a"\n')
        os.write(2, b"b\n")
        sys.stderr.write("c\n")

    lambda_.source.before_reading = shout

    ended = lambda_.invoke()

    assert '"a"\n' in ended.stdout
    assert "b\nc\n" == ended.stderr
