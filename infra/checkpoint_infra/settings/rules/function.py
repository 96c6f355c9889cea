"""The function's environment and its time."""

import json
from collections.abc import Iterator
from typing import Final

from checkpoint_infra.compute.environment import function_variables, telemetry_variables
from checkpoint_infra.settings.stack import Configuration

__all__ = ["USUAL_RESERVE_S", "duration_problems", "environment_problems", "reserve_problems"]

USUAL_RESERVE_S: Final = 60
_MOST_BYTES: Final = 4_096
_SHORTER: Final = {
    "EXCLUDE_PROJECTS": ("run", "wider patterns"),
    "EXPORTS": ("exports", "fewer exports"),
}


def environment_problems(config: Configuration) -> Iterator[str]:
    """Refuse more than the 4 KB that Lambda takes, names and values together, as JSON."""
    variables = function_variables(config) | telemetry_variables(config)
    size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
    if size > _MOST_BYTES:
        name = max(variables, key=lambda each: len(variables[each]))
        setting, remedy = _SHORTER.get(name, _SHORTER["EXCLUDE_PROJECTS"])
        yield (
            f"{setting}: the function's environment would have {size} bytes, and Lambda takes "
            f"{_MOST_BYTES}; shorten what becomes {name} ({len(variables[name])} characters), "
            f"for instance by {remedy}"
        )


def duration_problems(config: Configuration) -> Iterator[str]:
    """Refuse an alarm that the function's end comes before."""
    if config.alarms.duration_minutes * 60 >= config.function.timeout_s:
        yield "alarms.durationMinutes: must be less than function.timeoutS, or it never rises"


def reserve_problems(config: Configuration) -> Iterator[str]:
    """Refuse a reserve in which every run would end before it has read anything."""
    reserve_s = config.run.reserve_seconds
    if reserve_s is None:
        reserve_s = USUAL_RESERVE_S
    if reserve_s >= config.function.timeout_s:
        yield (
            f"run.reserveSeconds: must be less than function.timeoutS ({reserve_s:g} of "
            f"{config.function.timeout_s} s are kept for the commit), or no run reads anything"
        )
