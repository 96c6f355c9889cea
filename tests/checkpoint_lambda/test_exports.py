"""What is derived from the checkpoint is made after each run, and never concerns the run."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.checkpoint_core.memory import Fault
from tests.checkpoint_lambda.invoking import ENVIRON, EVENT, Context, Ended, Function, function

DEFINITIONS = [
    {"name": "by-study", "path": "../exports/{study}/{datatype}/events.parquet"},
    {"name": "submissions", "kind": "submissions", "path": "../exports/submissions.parquet"},
]
FILES = ["../exports/adrc/form/events.parquet", "../exports/submissions.parquet"]


@pytest.fixture
def app() -> Iterator[Function]:
    """Give a function."""
    with function() as made:
        yield made


def invoke(app: Function, definitions: object = DEFINITIONS, **options: Any) -> Ended:
    """Invoke once with exports."""
    return app.invoke(environ={**ENVIRON, "EXPORTS": json.dumps(definitions)}, **options)


def exports_of(ended: Ended) -> dict[str, str]:
    """Return the state of each export in the response."""
    assert ended.response
    return {each["name"]: each["state"] for each in ended.response["exports"]}


def test_exports_are_made_after_the_commit(app: Function) -> None:
    """The response and one line of the log tell of them; where nothing is new they are current."""
    app.write(1, 2)

    first, second = invoke(app), invoke(app)

    assert exports_of(first) == {"by-study": "made", "submissions": "made"}
    assert exports_of(second) == {"by-study": "current", "submissions": "current"}
    assert [name for name in app.store.files if name.startswith("../")] == FILES
    [told] = first.named("exports_updated")
    assert (told["exports"], told["files_written"], told["exports_failed"]) == (2, 2, 0)
    assert first.metrics[0]["ExportsFailed"] == 0


def test_without_the_setting_nothing_is_derived_and_nothing_removed(app: Function) -> None:
    """An empty list removes what was there."""
    app.write(1)
    invoke(app)

    without = app.invoke()
    assert [name for name in app.store.files if name.startswith("../")] == FILES
    empty = invoke(app, [])

    assert exports_of(without) == {}
    assert exports_of(empty) == {"by-study": "removed", "submissions": "removed"}
    assert not [name for name in app.store.files if name.startswith("../")]


def test_an_export_that_fails_does_not_fail_the_run(app: Function) -> None:
    """It is a warning, a metric, and made by the next run."""
    app.write(1)
    app.store.write(FILES[0], b"somebody's")

    ended = invoke(app)

    assert exports_of(ended) == {"by-study": "failed", "submissions": "made"}
    assert ended.metrics[0]["ExportsFailed"] == 1
    assert ended.metrics[0]["RunSucceeded"] == 1
    assert ended.response
    [warning] = ended.response["warnings"]
    assert warning.startswith("export by-study: ")
    assert [line["warning"] for line in ended.named("run_warning")] == [warning]
    del app.store.files[FILES[0]]
    assert exports_of(invoke(app)) == {"by-study": "made", "submissions": "current"}


def test_a_store_that_fails_after_the_commit_fails_no_run(app: Function) -> None:
    """Whichever call it is that goes wrong."""
    app.write(1)
    invoke(app)
    app.write(2)
    committed = False

    def fail_afterwards(call: str) -> None:
        nonlocal committed
        if committed:
            app.store.faults[len(app.store.calls) - 1] = Fault.BEFORE
        committed = committed or call == "put_if events.parquet"

    app.store.before_call = fail_afterwards
    ended = invoke(app)

    assert ended.error is None
    assert ended.metrics[0]["RunSucceeded"] == 1


def test_time_that_is_over_leaves_exports_to_the_next_run(app: Function) -> None:
    """The commit comes first."""
    app.write(1)
    left_ms = [900_000]

    def committing(call: str) -> None:
        if call == "put_if events.parquet":
            left_ms[0] = 14_000

    app.store.before_call = committing
    ended = invoke(app, context=Context(lambda: left_ms[0]))

    assert set(exports_of(ended).values()) == {"partly made"}
    assert ended.response
    assert ended.response["new_events_processed"] == 1
    assert set(exports_of(invoke(app)).values()) == {"made"}


def test_a_dry_run_makes_no_exports(app: Function) -> None:
    """It writes nothing."""
    app.write(1)
    invoke(app)
    app.write(2)
    files = dict(app.store.files)

    invoke(app, event={**EVENT, "dry_run": True})

    assert files == app.store.files


@pytest.mark.parametrize("text", ["nonsense", "{}", '[{"name":"a"}]', '[{"name":"a","path":"x"}]'])
def test_wrong_definitions_are_wrong_settings(app: Function, text: str) -> None:
    """All mistakes are told, before anything is touched."""
    ended = app.invoke(environ={**ENVIRON, "EXPORTS": text})

    assert "EXPORTS" in ended.document["message"]
    assert app.store.calls == []
