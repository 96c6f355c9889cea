"""Asking `nacc-checkpoint doctor`, and what it found."""

import json
from typing import Any, NamedTuple

from tests.end_to_end.commands import call


class Found(NamedTuple):
    """What the doctor found, by the check's name."""

    states: dict[str, str]
    details: dict[str, str]

    def but_ok(self) -> dict[str, str]:
        """Return the states that are not ok."""
        return {name: state for name, state in self.states.items() if state != "ok"}


def examined(source: object, checkpoint: object, *options: str) -> Found:
    """Examine; the exit status says whether anything failed, and stderr is empty."""
    ended = call("doctor", source, checkpoint, "--json", *options)
    document: dict[str, Any] = json.loads(ended.stdout)
    states = {check["name"]: check["state"] for check in document["checks"]}

    assert len(states) == len(document["checks"])
    assert document["passed"] is ("failed" not in states.values())
    assert (0 if document["passed"] else 1, "") == (ended.status, ended.stderr)
    return Found(states, {check["name"]: check["detail"] for check in document["checks"]})
