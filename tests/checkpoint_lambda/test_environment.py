"""Settings from the event and the environment: each in its place, every mistake at once."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_cli._app import app
from checkpoint_core import Request, Settings
from checkpoint_core.settings_table import BY_NAME, SETTINGS
from checkpoint_lambda._environment import (
    InvalidSettingsError,
    LambdaSettings,
    read_identity,
    read_settings,
)
from nacc_event_model import EventFormat

PLACES = {
    "SOURCE_BUCKET": "events",
    "SOURCE_PREFIX": "prod/",
    "CHECKPOINT_BUCKET": "checkpoints",
    "CHECKPOINT_KEY": "out/events.parquet",
}
WRONG = {
    "SOURCE_BUCKET": "s3://events",
    "SOURCE_PREFIX": "/prod",
    "CHECKPOINT_BUCKET": "checkpoints/out",
    "CHECKPOINT_KEY": "out/",
    "CHECKPOINT_KMS_KEY_ID": "a key",
    "EVENT_FORMAT": "2.0",
    "COMPRESSION": "gzip",
    "MAX_OBJECT_SIZE_BYTES": "0",
    "MAX_EVENTS_PER_RUN": "many",
    "BATCH_OBJECTS": "1.5",
    "ROW_GROUP_ROWS": "-1",
    "COMMIT_ATTEMPTS": "0",
    "LISTED_FAILURES": "1001",
    "RESERVE_SECONDS": "nan",
    "FUTURE_TOLERANCE_SECONDS": "inf",
    "LEDGER_RETENTION_DAYS": "-0.5",
    "READ_CONCURRENCY": "0",
    "LOG_LEVEL": "LOUD",
    "POWERTOOLS_SERVICE_NAME": "caf\u00e9",
    "ENVIRONMENT": "a\x07b",
}
SCHEDULED = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-10-08T16:53:06Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/hourly"],
    "detail": {},
}


def problems_of(event: object, environ: dict[str, str]) -> tuple[str, ...]:
    """Return what is wrong with these settings."""
    with pytest.raises(InvalidSettingsError) as caught:
        read_settings(event, environ)
    return caught.value.problems


def test_the_environment_alone_is_enough() -> None:
    """Everything else has the core's defaults."""
    settings = read_settings({}, PLACES)

    expected = LambdaSettings(
        source_bucket="events",
        prefix="prod/",
        checkpoint_bucket="checkpoints",
        checkpoint_key="out/events.parquet",
        kms_key_id=None,
        read_concurrency=256,
        core=Settings(),
        request=Request(),
    )
    assert expected == settings


def test_what_the_event_says_comes_before_the_environment() -> None:
    """Each key of the event replaces the variable of the same meaning, and only that one."""
    event = {"source_bucket": "others", "checkpoint_key": "x.parquet"}

    settings = read_settings(event, PLACES)

    assert ("others", "prod/") == (settings.source_bucket, settings.prefix)
    assert ("checkpoints", "x.parquet") == (settings.checkpoint_bucket, settings.checkpoint_key)


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_null_and_empty_text_count_as_missing(nothing: str | None) -> None:
    """A template that fills in nothing is the same as a key that is not there."""
    event = dict.fromkeys(["source_bucket", "prefix", "since", "dry_run"], nothing)
    empty = {"EVENT_FORMAT": nothing or "", "MAX_EVENTS_PER_RUN": nothing or ""}

    assert read_settings({}, PLACES) == read_settings(event, PLACES | empty)


def test_every_setting_of_the_core_can_be_set() -> None:
    """Text becomes the type that the core wants."""
    environ = PLACES | {
        "EVENT_FORMAT": "1.1",
        "EXCLUDE_PROJECTS": "sandbox-*, practice-? ,x",
        "COMPRESSION": "zstd",
        "ROW_GROUP_ROWS": "1",
        "MAX_OBJECT_SIZE_BYTES": "2",
        "MAX_EVENTS_PER_RUN": "3",
        "BATCH_OBJECTS": "4",
        "COMMIT_ATTEMPTS": "5",
        "RESERVE_SECONDS": "6.5",
        "FUTURE_TOLERANCE_SECONDS": "7",
        "LEDGER_RETENTION_DAYS": "8.5",
        "LISTED_FAILURES": "9",
        "READ_CONCURRENCY": "10",
        "CHECKPOINT_KMS_KEY_ID": "alias/checkpoint",
    }

    settings = read_settings({}, environ)

    expected = Settings(
        event_format=EventFormat.V1_1,
        exclude_projects=("sandbox-*", "practice-?", "x"),
        compression="zstd",
        row_group_rows=1,
        max_object_size_bytes=2,
        max_events_per_run=3,
        batch_objects=4,
        commit_attempts=5,
        reserve_s=6.5,
        future_tolerance_s=7,
        ledger_retention_days=8.5,
        listed_failures=9,
    )
    assert expected == settings.core
    assert (10, "alias/checkpoint") == (settings.read_concurrency, settings.kms_key_id)


@pytest.mark.parametrize(
    "text, moment",
    [
        ("2026-09-30", datetime(2026, 9, 30, tzinfo=UTC)),
        ("2026-09-30T12:00:00", datetime(2026, 9, 30, 12, tzinfo=UTC)),
        ("2026-09-30T12:00:00-05:00", datetime(2026, 9, 30, 17, tzinfo=UTC)),
        ("2026-09-30T12:00:00.123456Z", datetime(2026, 9, 30, 12, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_a_cutoff_is_a_moment_in_utc(text: str, moment: datetime) -> None:
    """Without an offset it is taken as UTC, as it is on the command line."""
    assert Request(since=moment) == read_settings({"since": text}, PLACES).request


@pytest.mark.parametrize("value", [True, "true", "1"])
def test_a_dry_run_may_be_asked_for_in_json_or_in_text(value: object) -> None:
    """Templates can often only fill in text."""
    assert Request(dry_run=True) == read_settings({"dry_run": value}, PLACES).request


def test_all_mistakes_are_told_at_once() -> None:
    """One attempt is enough to know everything that has to be corrected."""
    event = {"since": "yesterday", "dry_run": "perhaps", "colour": "red"}

    problems = problems_of(event, WRONG)

    names = {"the event's since", "the event's dry_run", "the event's key colour", *WRONG}
    assert len(names) == len(problems)
    assert all(any(problem.startswith(name) for problem in problems) for name in names)


def test_what_is_missing_is_named_in_both_places() -> None:
    """The reader knows where it may be put."""
    expected = (
        "SOURCE_BUCKET or the event's source_bucket is missing",
        "CHECKPOINT_BUCKET or the event's checkpoint_bucket is missing",
        "CHECKPOINT_KEY or the event's checkpoint_key is missing",
    )
    assert expected == problems_of({}, {})


@pytest.mark.parametrize(
    "key",
    [
        *["/a.parquet", "a.parquet/", "a/./b.parquet", "../a.parquet", "a/../b.parquet"],
        *["a\nb.parquet", "a\x7f.parquet", f"{'a' * 1017}.parquet"],
        *["a", "a.parq", "aparquet", ".parquet", "a/.parquet", "a.parquet/.parquet"],
    ],
)
def test_a_key_that_a_client_would_change_or_that_has_no_name_is_refused(key: str) -> None:
    """The checkpoint would be somewhere else than where it is looked for, or be nameless."""
    [problem] = problems_of({"checkpoint_key": key}, PLACES)

    assert problem.startswith("the event's checkpoint_key must be a key of at most 1024 characters")


@pytest.mark.parametrize(
    "key",
    ["a.parquet", ".a/b..parquet", "a b/\u00fc.parquet", "a//b.parquet", f"{'a' * 1016}.parquet"],
)
def test_any_other_key_is_taken_as_it_is(key: str) -> None:
    """S3 allows nearly everything."""
    assert key == read_settings({"checkpoint_key": key}, PLACES).checkpoint_key


def test_no_value_is_quoted() -> None:
    """What stands where it should not may be a secret."""
    event = {"password": "hunter2", "since": "hunter2", "dry_run": "hunter2", "source_bucket": 5}

    problems = problems_of(event, dict.fromkeys(WRONG, "hunter2 /"))

    assert "hunter2" not in " ".join(problems)
    assert "the event's key password is not known" in problems


def test_an_unknown_key_is_shortened_and_escaped() -> None:
    """A key is input like everything else; only the first twenty are named."""
    event = {f"{number:02d}\n{'x' * 100}": 1 for number in range(25)}

    problems = problems_of(event, PLACES)

    assert f"the event's key 00\\n{'x' * 33}... is not known" == problems[0]
    assert "5 more keys of the event are not known" == problems[-1]
    assert 21 == len(problems)


@pytest.mark.parametrize("event", [[], "x", 5, True])
def test_an_event_that_is_no_object_is_refused(event: object) -> None:
    """Anything else cannot have been meant for us."""
    assert ("the event must be a JSON object",) == problems_of(event, PLACES)


@pytest.mark.parametrize("event", [None, {}])
def test_no_event_is_an_event_that_says_nothing(event: object) -> None:
    """An invocation by hand may have none."""
    assert "events" == read_settings(event, PLACES).source_bucket


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"source": "aws.scheduler", "detail": "{}"},
        {"source": "aws.scheduler", "resources": ["arn:aws:scheduler:us-east-1:1:schedule/a/b"]},
    ],
)
def test_the_envelope_of_a_scheduler_is_ignored(changed: dict[str, Any]) -> None:
    """EventBridge rules and EventBridge Scheduler both send one where no input is configured."""
    assert read_settings({}, PLACES) == read_settings(SCHEDULED | changed, PLACES)


def test_keys_beside_an_envelope_still_count() -> None:
    """An envelope hides neither our keys nor unknown ones."""
    assert read_settings(SCHEDULED | {"dry_run": True}, PLACES).request.dry_run
    assert ("the event's key dryrun is not known",) == problems_of(
        SCHEDULED | {"dryrun": True}, PLACES
    )


def test_an_envelope_of_another_service_is_refused() -> None:
    """An object's creation, say, is not what this function is for; somebody wired it wrongly."""
    created = SCHEDULED | {"detail-type": "Object Created", "source": "aws.s3"}

    assert len(SCHEDULED) == len(problems_of(created, PLACES))


@given(
    event=st.none()
    | st.dictionaries(
        st.sampled_from([setting.event_key or "x" for setting in SETTINGS]) | st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=3,
        ),
    ),
    environ=st.dictionaries(
        st.sampled_from([setting.variable or "X" for setting in SETTINGS]), st.text()
    ),
)
def test_whatever_is_given_becomes_settings_or_a_list_of_mistakes(
    event: object, environ: dict[str, str]
) -> None:
    """Reading settings never fails in another way; who is running is always known."""
    identity = read_identity(environ)
    try:
        told: object = read_settings(event, environ).source_bucket
    except InvalidSettingsError as error:
        told = error.problems

    assert told
    assert identity.service
    assert identity.environment


def test_who_is_running_is_known_also_when_it_is_set_wrongly() -> None:
    """The failure to read the settings has to be logged by somebody."""
    identity = read_identity(WRONG)

    assert ("event-log-checkpoint", "default", "INFO") == msgspec.structs.astuple(identity)


def test_the_table_has_every_setting_of_the_core_once() -> None:
    """What the core lets be set can be set from outside; files to adopt are the command line's."""
    names = [setting.name for setting in SETTINGS]
    fields = {*Settings.__struct_fields__, *Request.__struct_fields__} - {"adopt_from"}

    assert fields <= set(names)
    assert names == list(BY_NAME)
    assert len(names) == len(set(names))


def test_the_defaults_of_the_table_are_those_that_hold() -> None:
    """What the documents say of a default is true."""
    settings = read_settings({}, PLACES)
    holding = msgspec.structs.asdict(settings.core) | msgspec.structs.asdict(settings.request)

    expected = {setting.name: setting.default for setting in SETTINGS if setting.name in holding}
    assert expected == {name: holding[name] for name in expected}


def test_the_table_has_every_option_of_the_command_line() -> None:
    """And no option that is not there; those for the output alone are no settings."""
    command = typer.main.get_command(app)
    run = command.commands["run"]  # type: ignore[attr-defined]  # a group's, and it is one
    options = {name for option in run.params for name in option.opts if name.startswith("--")}

    named = {
        name
        for setting in SETTINGS
        for name in (setting.option or "").split(", ")
        if name.startswith("--")
    }
    assert options - {"--json", "--debug", "--help"} == named
