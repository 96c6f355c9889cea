"""Settings from the event and the environment: each in its place, every mistake at once."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from checkpoint_core import Request, Settings
from checkpoint_lambda._environment import (
    Identity,
    InvalidSettingsError,
    LambdaSettings,
    event_key,
    read_identity,
    read_settings,
    settings,
    variable,
)
from checkpoint_storage.settings import S3Settings
from nacc_event_model import EventFormat

PLACES = {
    "SOURCE_BUCKET": "events",
    "SOURCE_PREFIX": "prod/",
    "CHECKPOINT_BUCKET": "checkpoints",
    "CHECKPOINT_KEY": "out/events.parquet",
}
VARIABLES: dict[str, tuple[str, object, str]] = {
    "SOURCE_BUCKET": ("source_bucket", "events", "s3://hunter2"),
    "SOURCE_PREFIX": ("prefix", "prod/", "/hunter2"),
    "CHECKPOINT_BUCKET": ("checkpoint_bucket", "checkpoints", "checkpoints/out"),
    "CHECKPOINT_KEY": ("checkpoint_key", "out/events.parquet", "hunter2/"),
    "CHECKPOINT_KMS_KEY_ID": ("kms_key_id", "alias/checkpoint", "hunter2!"),
    "EVENT_FORMAT": ("event_format", EventFormat.V1_1, "2.0"),
    "COMPRESSION": ("compression", "zstd", "hunter2"),
    "MAX_OBJECT_SIZE_BYTES": ("max_object_size_bytes", 2, "0"),
    "MAX_EVENTS_PER_RUN": ("max_events_per_run", 3, "hunter2"),
    "BATCH_OBJECTS": ("batch_objects", 4, "1.5"),
    "ROW_GROUP_ROWS": ("row_group_rows", 1, "-1"),
    "COMMIT_ATTEMPTS": ("commit_attempts", 6, "0"),
    "LISTED_FAILURES": ("listed_failures", 9, "1001"),
    "RESERVE_SECONDS": ("reserve_s", 6.5, "nan"),
    "FUTURE_TOLERANCE_SECONDS": ("future_tolerance_s", 7, "inf"),
    "LEDGER_RETENTION_DAYS": ("ledger_retention_days", 8.5, "-0.5"),
    "READ_CONCURRENCY": ("read_concurrency", 10, "0"),
    "LOG_LEVEL": ("log_level", "DEBUG", "hunter2"),
    "POWERTOOLS_SERVICE_NAME": ("service", "a service", "caf\u00e9"),
    "ENVIRONMENT": ("environment", "dev", "a\x07b"),
}
"""Of each variable the setting's name, and a value that is right and one that is wrong."""
WRONG = {name: wrong for name, (_, _, wrong) in VARIABLES.items()}
SCHEDULED = dict.fromkeys(["version", "id", "account", "time", "region", "resources"], "0") | {
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "detail": {},
}


def problems_of(event: object, environ: dict[str, str]) -> tuple[str, ...]:
    """Return what is wrong with these settings."""
    with pytest.raises(InvalidSettingsError) as caught:
        read_settings(event, environ)
    return caught.value.problems


def test_the_places_alone_are_enough() -> None:
    """Everything else has its own default."""
    expected = LambdaSettings(
        source_bucket="events",
        prefix="prod/",
        checkpoint_bucket="checkpoints",
        checkpoint_key="out/events.parquet",
        s3=S3Settings(),
        core=Settings(),
        request=Request(),
    )
    assert expected == read_settings({}, PLACES)


def test_what_the_event_says_comes_before_the_environment() -> None:
    """Each key of the event replaces the variable of the same meaning, and only that one."""
    event = {"source_bucket": "others", "checkpoint_key": "x.parquet"}

    settings = read_settings(event, PLACES)

    assert ("others", "prod/") == (settings.source_bucket, settings.prefix)
    assert ("checkpoints", "x.parquet") == (settings.checkpoint_bucket, settings.checkpoint_key)


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_null_and_empty_text_count_as_missing(nothing: str | None) -> None:
    """A template that fills in nothing is the same as a key that is not there."""
    event = dict.fromkeys(filter(None, (event_key(each.name) for each in settings())), nothing)
    empty = {"EVENT_FORMAT": nothing or "", "MAX_EVENTS_PER_RUN": nothing or ""}

    assert read_settings({}, PLACES) == read_settings(event, PLACES | empty)


def test_every_variable_sets_what_it_is_named_after() -> None:
    """Each becomes the type that is wanted; a level may be in small letters."""
    environ = {name: str(right) for name, (_, right, _) in VARIABLES.items()}
    environ |= {"EXCLUDE_PROJECTS": "sandbox-*, practice-?", "LOG_LEVEL": "debug"}

    found = read_settings({}, environ)

    parts = (found, found.core, found.s3, read_identity(environ))
    values = {name: value for part in parts for name, value in structs.asdict(part).items()}
    expected = {name: right for name, right, _ in VARIABLES.values()}
    assert expected == {name: values[name] for name in expected}
    assert ("sandbox-*", "practice-?") == found.core.exclude_projects
    # Of exports, test_exports.py tells.
    assert {*VARIABLES, "EXCLUDE_PROJECTS", "EXPORTS", None} == {
        variable(each.name) for each in settings()
    }


def test_an_event_may_ask_for_a_cutoff_and_a_dry_run() -> None:
    """Also in text: templates can often fill in nothing else."""
    request = read_settings({"since": "2026-09-30", "dry_run": "true"}, PLACES).request

    assert Request(since=datetime(2026, 9, 30, tzinfo=UTC), dry_run=True) == request


def test_all_mistakes_are_told_at_once_and_no_value() -> None:
    """One attempt is enough to know them; what stands where it should not may be a secret."""
    event = {"since": "hunter2", "dry_run": "hunter2", "password": "hunter2", "event_format": "1.1"}
    unknown = {f"the event's key {key} is not known" for key in ("password", "event_format")}

    problems = problems_of(event, WRONG)

    names = {"the event's since must", "the event's dry_run must", *unknown, *WRONG}
    assert len(names) == len(problems)
    assert all(any(problem.startswith(name) for problem in problems) for name in names)
    assert "hunter2" not in " ".join(problems)


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


def test_an_unknown_key_is_shortened_and_escaped() -> None:
    """A key is input like everything else; only the first twenty are named."""
    event = {f"{number:02d}\n{'x' * 100}": 1 for number in range(25)}

    problems = problems_of(event, PLACES)

    assert f"the event's key 00\\n{'x' * 33}... is not known" == problems[0]
    assert "5 more keys of the event are not known" == problems[-1]
    assert 21 == len(problems)


@pytest.mark.parametrize("event", [[], "x", 5, True])
def test_an_event_that_is_no_object_is_refused(event: object) -> None:
    """Anything else cannot have been meant for us; an invocation by hand may have none."""
    assert ("the event must be a JSON object",) == problems_of(event, PLACES)
    assert read_settings({}, PLACES) == read_settings(None, PLACES)


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
    [problem] = problems_of(SCHEDULED | {"dryrun": True}, PLACES)

    assert "the event's key dryrun is not known" == problem
    assert read_settings(SCHEDULED | {"dry_run": True}, PLACES).request.dry_run


def test_an_envelope_of_another_service_is_refused() -> None:
    """An object's creation, say, is not what this function is for; somebody wired it wrongly."""
    created = SCHEDULED | {"detail-type": "Object Created", "source": "aws.s3"}

    assert len(SCHEDULED) == len(problems_of(created, PLACES))


@given(
    event=st.none()
    | st.dictionaries(
        st.sampled_from([event_key(each.name) or "x" for each in settings()]) | st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=3,
        ),
    ),
    environ=st.dictionaries(
        st.sampled_from([variable(each.name) or "X" for each in settings()]), st.text()
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
    usual = Identity(service="event-log-checkpoint", environment="default", log_level="INFO")
    assert usual == read_identity(WRONG) == read_identity({})


def test_every_setting_of_the_core_is_one_of_the_function_once() -> None:
    """Files to adopt are the command line's."""
    names = [each.name for each in settings()]
    fields = {*Settings.__struct_fields__, *Request.__struct_fields__} - {"adopt_from"}

    assert fields <= set(names)
    assert len(names) == len(set(names))
