"""The configuration: typed, bounded, and refused whole with everything that is wrong."""

from typing import Any

import pytest
from msgspec import structs

from checkpoint_infra.settings.reading import configured
from tests.infra.conftest import EVERYTHING
from tests.infra.deploying import as_texts, merged, stack_values
from tests.infra.refusing import problems, read, refusal


def where(changes: dict[str, Any]) -> list[str]:
    """Return the settings that are complained of, in order."""
    return [problem.partition(":")[0] for problem in problems(changes)]


def test_every_mistake_is_reported_at_once() -> None:
    """Wrong, missing and unknown settings of all sections, and sections that contradict."""
    changes: dict[str, Any] = {
        "region": None,
        "enviroment": "dev",
        "account": "12345",
        "source.prefix": "dev",
        "source.bucket": None,
        "function.memoryMb": 64,
        "function.timeout": 60,
        "layers.awsSdk.mode": "external",
        "layers.polars": {},
        "alarms.requireActions": True,
    }

    assert where(changes) == [
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
    changes = {
        "source.prefix": "dev",
        "schedule.expression": "cron(0 6 * * *)",
        "tags.Environment": "dev",
        "run.ledgerRetentionDays": 20,
    }

    assert where(changes) == list(changes)


def test_text_that_is_not_json_is_one_problem_of_its_section() -> None:
    """The section is not reported as missing too."""
    [problem] = refusal(as_texts(stack_values("dev")) | {"source": "{"})

    assert problem.startswith("source: is not JSON")


def test_production_cannot_be_deployed_with_nobody_to_tell() -> None:
    """The setting is on there: without a topic or an address there is no deployment."""
    silent = merged(stack_values("prod"), {"alarms": {"topicArn": None}})
    [problem] = refusal(as_texts(silent))

    assert "nobody is told" in problem


def test_numbers_that_pulumi_kept_as_text_are_numbers() -> None:
    """As `pulumi config set` may leave them."""
    assert read({"function.memoryMb": "1024"}).function.memory_mb == 1024


def test_the_configuration_is_found_among_other_peoples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that Pulumi starts the program with has all namespaces in one."""
    environment = {"aws:region": "x", "p:a": "1"}
    monkeypatch.setattr("checkpoint_infra.settings.reading.get_config_env", lambda: environment)

    assert configured("p") == {"a": "1"}


def test_every_setting_is_tried_here() -> None:
    """The stack with every option on leaves out only what an option excludes."""
    config = read(EVERYTHING)

    assert [] == [name for name, value in structs.asdict(config.run).items() if value in (None, [])]
    assert None not in (config.vpc, config.access_logs, config.notification, config.athena)
    assert config.exports
