"""The configuration: typed, bounded, and refused whole with everything that is wrong."""

from typing import Any

import pytest

from checkpoint_infra.settings.reading import (
    WrongConfigurationError,
    configured,
    read_configuration,
)
from checkpoint_infra.settings.stack import Configuration
from tests.infra.conftest import EVERYTHING
from tests.infra.deploying import STACKS, as_texts, merged, stack_values

DEV = stack_values("dev")
LAYER = "arn:aws:lambda:us-east-1:123456789012:layer:visit-event-checkpoint-aws-sdk:4"


def read(values: dict[str, Any]) -> Configuration:
    """Read values as Pulumi would hand them over."""
    return read_configuration(as_texts(values))


def problems(changes: dict[str, Any]) -> list[str]:
    """Return what is said about dev's configuration with these changes."""
    with pytest.raises(WrongConfigurationError) as caught:
        read(merged(DEV, changes))
    assert all(f"\n  - {problem}" in str(caught.value) for problem in caught.value.problems)
    return list(caught.value.problems)


@pytest.mark.parametrize("stack", STACKS)
def test_every_stacks_file_is_right(stack: str) -> None:
    """Also their sections and keys are all known."""
    assert read(stack_values(stack)).environment == stack


def test_the_sizes_are_the_designs_unless_something_else_is_said() -> None:
    """3,008 MB, 15 minutes, 2 GB of /tmp, no retries: the next schedule is the retry."""
    function = read(DEV).function

    assert (function.memory_mb, function.timeout_s) == (3008, 900)
    assert (function.ephemeral_storage_mb, function.max_retries) == (2048, 0)


def test_every_mistake_is_reported_at_once() -> None:
    """Wrong, missing and unknown settings of all sections, and sections that contradict."""
    found = problems(
        {
            "region": None,
            "enviroment": "dev",
            "account": "12345",
            "source": {"prefix": "dev", "bucket": None},
            "function": {"memoryMb": 64, "timeout": 60},
            "layers": {"awsSdk": {"mode": "external"}, "polars": {}},
            "alarms": {"requireActions": True},
        }
    )

    assert [problem.partition(":")[0] for problem in found] == [
        "enviroment",
        "region",
        "account",
        "source.bucket",
        "source.prefix",
        "layers.polars",
        "layers.awsSdk",
        "function.timeout",
        "function.memoryMb",
        "alarms",
    ]


def test_contradictions_are_told_beside_single_mistakes() -> None:
    """A rule about sections that are right does not wait for the others to be so."""
    found = problems(
        {
            "source": {"prefix": "dev"},
            "tags": {"Environment": "dev"},
            "run": {"ledgerRetentionDays": 20},
            "schedule": {"expression": "cron(0 6 * * *)"},
        }
    )

    assert [problem.partition(":")[0] for problem in found] == [
        "source.prefix",
        "schedule.expression",
        "tags.Environment",
        "run.ledgerRetentionDays",
    ]


@pytest.mark.parametrize(
    "changes,problem",
    [
        ({"source": {"prefix": "dev/*/"}}, "source.prefix"),
        ({"source": {"prefix": "/dev/"}}, "source.prefix"),
        ({"source": {"prefix": "dev/../"}}, "source.prefix"),
        ({"source": {"prefix": "dev/\n"}}, "source.prefix"),
        ({"source": {"archive": {"glacierDays": 90}}}, "source: archive needs create"),
        ({"checkpoint": {"key": "events"}}, "checkpoint.key"),
        ({"checkpoint": {"key": "a/${x}.parquet"}}, "checkpoint.key"),
        ({"checkpoint": {"kmsKeyArn": "alias/mine"}}, "checkpoint.kmsKeyArn"),
        ({"artifacts": {"bucket": None, "create": False}}, "artifacts.bucket: is missing"),
        ({"artifacts": {"bucket": None}}, "artifacts: create needs"),
        ({"layers": {"awsSdk": {"arn": LAYER}}}, "layers.awsSdk: arn, with its version"),
        (
            {"layers": {"awsSdk": {"mode": "external", "arn": LAYER[:-2]}}},
            "layers.awsSdk.arn",
        ),
        (
            {"layers": {"awsSdk": {"mode": "reuse", "renewal": "1"}}},
            "layers.awsSdk: renewal belongs",
        ),
        (
            {"layers": {"awsSdk": {"mode": "external", "arn": LAYER, "name": "x"}}},
            "layers.awsSdk: name belongs",
        ),
        (
            {
                "layers": {
                    "awsSdk": {"mode": "external", "arn": LAYER.replace("us-east-1", "us-west-2")}
                }
            },
            "layers.awsSdk.arn: a layer must be in the stack's region",
        ),
        ({"function": {"runtime": "python3.8"}}, "function.runtime"),
        ({"function": {"architecture": "arm"}}, "function.architecture"),
        ({"function": {"logRetentionDays": 10}}, "function.logRetentionDays"),
        ({"function": {"reservedConcurrency": 0}}, "function.reservedConcurrency"),
        ({"function": {"tracing": "perhaps"}}, "function.tracing"),
        (
            {"function": {"tracing": False, "telemetryLayerArn": LAYER}},
            "function: telemetryLayerArn needs tracing",
        ),
        ({"run": {"eventFormat": "2.0"}}, "run.eventFormat"),
        ({"run": {"excludeProjects": ["a b"]}}, "run.excludeProjects"),
        ({"run": {"ledgerRetentionDays": 20}}, "run.ledgerRetentionDays: must not be shorter"),
        ({"schedule": {"expression": "daily"}}, "schedule.expression"),
        ({"schedule": {"timeZone": "Springfield"}}, "schedule.timeZone"),
        ({"schedule": {"timeZone": "../etc"}}, "schedule.timeZone"),
        ({"alarms": {"emails": ["nobody"]}}, "alarms.emails"),
        ({"alarms": {"durationMinutes": 15}}, "alarms.durationMinutes: must be less"),
        ({"tags": {str(number): "x" for number in range(8)}}, "tags"),
        ({"environment": "a-name-that-is-far-too-long"}, "environment: must be a lower-case"),
        ({"alarms": {"expectedRunHours": 200}}, "alarms.expectedRunHours"),
        (
            {"alarms": {"topicArn": "arn:aws:sns:us-east-1:123456789012:x", "emails": ["a@b.c"]}},
            "alarms: give topicArn or emails",
        ),
        ({"athena": {"database": "My-Database"}}, "athena.database"),
        (
            {"athena": {"database": "d"}, "checkpoint": {"key": "e.parquet"}},
            "athena: needs checkpoint.key to be in a folder",
        ),
        ({"source": {"bucket": "nacc-checkpoints-dev"}}, "checkpoint: a bucket that is created"),
        ({"checkpoint": "here"}, "checkpoint: must be an object"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(changes: dict[str, Any], problem: str) -> None:
    """One mistake, one problem, which begins with where it is."""
    [found] = problems(changes)

    assert found.startswith(problem)


@pytest.mark.parametrize(
    "archive,problem",
    [
        ({}, "at least one"),
        ({"glacierDays": 90, "expiryDays": 30}, "must follow one another"),
        ({"glacierDays": 90, "deepArchiveDays": 100}, "90 days after"),
    ],
)
def test_an_archive_that_s3_would_refuse_is_refused_here(
    archive: dict[str, int], problem: str
) -> None:
    """S3 would say so in the middle of a deployment."""
    [found] = problems({"source": {"ownsLifecycle": True, "archive": archive}})

    assert found.startswith("source.archive: ")
    assert problem in found


def test_text_that_is_not_json_is_one_problem_of_its_section() -> None:
    """The section is not reported as missing too."""
    with pytest.raises(WrongConfigurationError) as caught:
        read_configuration(as_texts(DEV) | {"source": "{"})

    [problem] = caught.value.problems
    assert problem.startswith("source: is not JSON")


def test_production_cannot_be_deployed_with_nobody_to_tell() -> None:
    """The setting is on there: without a topic or an address there is no deployment."""
    silent = merged(stack_values("prod"), {"alarms": {"topicArn": None}})

    with pytest.raises(WrongConfigurationError, match="nobody is told"):
        read(silent)


def test_numbers_that_pulumi_kept_as_text_are_numbers() -> None:
    """As `pulumi config set` may leave them."""
    assert read(merged(DEV, {"function": {"memoryMb": "1024"}})).function.memory_mb == 1024


def test_the_configuration_is_found_among_other_peoples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that Pulumi starts the program with has all namespaces in one."""
    monkeypatch.setattr(
        "checkpoint_infra.settings.reading.get_config_env",
        lambda: {"aws:region": "x", "p:a": "1"},
    )

    assert configured("p") == {"a": "1"}


def test_every_setting_is_tried_here() -> None:
    """The stack with every option on leaves out only what an option excludes."""
    config = read(merged(DEV, EVERYTHING))

    assert [] == [name for name, value in as_fields(config.run).items() if value in (None, [])]
    assert None not in (config.vpc, config.access_logs, config.notification, config.athena)


def as_fields(section: Any) -> dict[str, Any]:
    """Return a section's settings by name."""
    return {name: getattr(section, name) for name in section.__struct_fields__}
