"""What may be set and asked for, what is refused, and how it is described to whoever sets it."""

import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct, structs

import checkpoint_core
from checkpoint_core import Request, Settings
from checkpoint_core.descriptions import Description, described
from checkpoint_core.settings import ForeignFile
from nacc_event_model import EventFormat
from tests.checkpoint_core.world import World

SETTINGS, REQUEST = described(Settings), described(Request)
A_MOMENT = datetime(2026, 9, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize("limit", [each for each in SETTINGS.values() if each.bounds])
def test_a_limit_beyond_its_bounds_is_refused(limit: Description) -> None:
    """By the core as by whoever reads it from text, in the same words."""
    assert limit.bounds
    least, most = limit.bounds
    refusal = f"must be a .*number from {least} to {most}$"
    for value in (least, most):
        settings = structs.replace(Settings(), **{limit.name: value})
        assert value == getattr(settings, limit.name) == limit.read(str(value))
    for value in (least - 1, most + 1, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"^{limit.name} {refusal}"):
            structs.replace(Settings(), **{limit.name: value})
        with pytest.raises(ValueError, match=f"^{refusal}"):
            limit.read(str(value))


def test_all_limits_that_are_wrong_are_told_at_once() -> None:
    """One attempt is enough to know them."""
    with pytest.raises(ValueError, match=r"^batch_objects must .*; reserve_s must [^;]*$"):
        Settings(batch_objects=0, reserve_s=-1)


def test_the_longest_times_that_may_be_set_are_within_the_calendar(world: World) -> None:
    """They must not break the run, least of all after the commit."""
    world.write(1)

    report = world.run(Settings(ledger_retention_days=36_500, future_tolerance_s=315_360_000))

    assert (report.total_events, report.future_dated, report.warnings) == (1, 0, ())


@pytest.mark.parametrize(
    "request_, problem",
    [
        ({"since": A_MOMENT.replace(tzinfo=None)}, "since needs a time zone"),
        ({"since": A_MOMENT, "mode": "adopt"}, "--since cannot be combined with --adopt"),
        ({"since": A_MOMENT, "mode": "rebuild"}, "--since cannot be combined with --rebuild"),
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


def test_everything_that_may_be_set_is_described() -> None:
    """With its own default; files to adopt from are no text."""
    found = {name: each.default for name, each in {**SETTINGS, **REQUEST}.items()}

    expected = structs.asdict(Settings()) | structs.asdict(Request())
    assert expected == found | {"adopt_from": ()}
    assert 9 == sum(each.bounds is not None for each in SETTINGS.values())


@pytest.mark.parametrize(
    "setting, raw, value",
    [
        (REQUEST["since"], "2026-09-30", A_MOMENT.replace(hour=0)),
        (REQUEST["since"], "2026-09-30T12:00:00", A_MOMENT),
        (REQUEST["since"], "2026-09-30T12:00:00-05:00", A_MOMENT.replace(hour=17)),
        (REQUEST["since"], "2026-09-30T12:00:00.000001Z", A_MOMENT.replace(microsecond=1)),
        (REQUEST["dry_run"], True, True),
        (REQUEST["dry_run"], "true", True),
        (REQUEST["dry_run"], "1", True),
        (REQUEST["mode"], "rebuild", "rebuild"),
        (SETTINGS["event_format"], "1.1", EventFormat.V1_1),
        (
            SETTINGS["exclude_projects"],
            "sandbox-*, practice-? ,x",
            ("sandbox-*", "practice-?", "x"),
        ),
        (SETTINGS["batch_objects"], 5, 5),
        (SETTINGS["reserve_s"], "6.5", 6.5),
    ],
)
def test_text_and_json_become_the_type_that_is_wanted(
    setting: Description, raw: object, value: object
) -> None:
    """A time without an offset is in UTC."""
    assert value == setting.read(raw)


A_TIME = "an ISO 8601 time, such as 2026-09-30T12:00:00Z; without an offset it is UTC"


@pytest.mark.parametrize(
    "setting, raw, expected",
    [
        *[(REQUEST["since"], raw, A_TIME) for raw in ("hunter2", 5, "0001-01-01T00:00+14:00")],
        (REQUEST["dry_run"], "hunter2", "true or false"),
        (REQUEST["mode"], "hunter2", "incremental, adopt or rebuild"),
        (SETTINGS["event_format"], "hunter2", "1.0 or 1.1"),
        (SETTINGS["compression"], "hunter2", "snappy, zstd, lz4 or uncompressed"),
        (SETTINGS["exclude_projects"], 5, "patterns, separated by commas or spaces"),
        (SETTINGS["batch_objects"], "1.5", "a whole number from 1 to 1000000"),
        (SETTINGS["reserve_s"], "hunter2", "a number from 0 to 900"),
    ],
)
def test_anything_else_is_refused_with_what_was_expected(
    setting: Description, raw: object, expected: str
) -> None:
    """And without what was given, which may be a secret."""
    with pytest.raises(ValueError, match=f"^must be {re.escape(expected)}$"):
        setting.read(raw)


class _Some(Struct):
    required: Annotated[str, Meta(description="A word.", title="a word")]
    other: int = 0


@pytest.mark.parametrize(
    "setting, meaning",
    [
        (described(_Some)["required"], "the run fails before it starts"),
        (REQUEST["dry_run"], "false"),
        (SETTINGS["batch_objects"], "the default"),
        (REQUEST["since"], "no cutoff"),
    ],
)
def test_what_nothing_means_follows_from_the_default_or_is_said(
    setting: Description, meaning: str
) -> None:
    """A field without a description is no setting."""
    assert meaning == setting.when_missing
    assert ["required"] == list(described(_Some))


def test_a_name_that_the_core_does_not_have_is_told_as_usual() -> None:
    """Although its names are loaded when they are asked for."""
    with pytest.raises(AttributeError, match="module 'checkpoint_core' has no attribute 'nothing'"):
        checkpoint_core.nothing  # type: ignore[attr-defined]  # noqa: B018 - that is the test
