"""What may be set and asked for, and what is refused."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from checkpoint_core import Request, Settings
from checkpoint_core.settings import ForeignFile
from tests.checkpoint_core.world import World


@pytest.mark.parametrize(
    "settings, problem",
    [
        ({"row_group_rows": 0}, "row_group_rows must be at least 1"),
        ({"max_object_size_bytes": 0}, "max_object_size_bytes must be at least 1"),
        ({"max_events_per_run": 0}, "max_events_per_run must be at least 1"),
        ({"batch_objects": -1}, "batch_objects must be at least 1"),
        ({"commit_attempts": 0}, "commit_attempts must be at least 1"),
        ({"reserve_s": -0.1}, "reserve_s must not be negative"),
        ({"future_tolerance_s": -1}, "future_tolerance_s must not be negative"),
        ({"ledger_retention_days": -1}, "ledger_retention_days must not be negative"),
        ({"listed_failures": -1}, "listed_failures must not be negative"),
        ({"batch_objects": 0, "reserve_s": -1}, "batch_objects .* 1; reserve_s must not"),
        ({"reserve_s": float("nan")}, "reserve_s"),
        ({"future_tolerance_s": float("inf")}, "future_tolerance_s"),
        ({"ledger_retention_days": float("nan")}, "ledger_retention_days"),
    ],
)
def test_settings_that_no_run_can_work_with_are_refused(
    settings: dict[str, Any], problem: str
) -> None:
    """All of them at once."""
    with pytest.raises(ValueError, match=problem):
        Settings(**settings)


@pytest.mark.parametrize("settings", [{"ledger_retention_days": 1e6}, {"future_tolerance_s": 1e12}])
def test_a_time_beyond_the_calendar_is_refused_or_means_for_ever(
    world: World, settings: dict[str, Any]
) -> None:
    """It must not break the run, least of all after the commit."""
    world.write(1)
    try:
        limits = Settings(**settings)
    except ValueError:
        return

    report = world.run(limits)

    assert (report.total_events, report.future_dated, report.warnings) == (1, 0, ())


@pytest.mark.parametrize(
    "request_, problem",
    [
        ({"since": datetime(2024, 1, 1)}, "since needs a time zone"),  # noqa: DTZ001 - the fault
        (
            {"since": datetime(2024, 1, 1, tzinfo=UTC), "mode": "adopt"},
            "--since cannot be combined with --adopt",
        ),
        (
            {"since": datetime(2024, 1, 1, tzinfo=UTC), "mode": "rebuild"},
            "--since cannot be combined with --rebuild",
        ),
        (
            {"adopt_from": (ForeignFile(location="there", path=Path("here")),)},
            "files to adopt from belong to adoption",
        ),
        ({"allow_loss": True}, "--allow-loss belongs to --rebuild"),
        ({"allow_loss": True, "mode": "adopt"}, "--allow-loss belongs to --rebuild"),
    ],
)
def test_requests_that_make_no_sense_are_refused(request_: dict[str, Any], problem: str) -> None:
    """Before anything is done."""
    with pytest.raises(ValueError, match=problem):
        Request(**request_)
