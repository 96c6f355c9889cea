"""Asking S3 again, where an answer's body belongs to the request and the client cannot know."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, TypeVar

from checkpoint_storage.s3._errors import FAILURES, is_transient

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS: Final = 4
_LONGEST_PAUSE_S: Final = 20.0
_Answer = TypeVar("_Answer")


def backoff(failed: int, first_s: float) -> float:
    """Return how long to wait after so many failed attempts: doubling, with jitter."""
    longest = min(first_s * float(2 ** (failed - 1)), _LONGEST_PAUSE_S)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads requests, guards nothing


def retrying(
    ask: Callable[[], _Answer],
    *,
    first_pause_s: float,
    attempts: int = ATTEMPTS,
    failed: int = 0,
    at_once: bool = False,
) -> _Answer:
    """Ask until there is an answer, so many times at most, with those that `failed` before.

    Pauses before each repetition, but not before the first one where it is wanted `at_once`.
    Asks once at least. Raises what the last attempt raised; without repeating it where that would
    not help.
    """
    while True:
        if failed and not at_once:
            time.sleep(backoff(failed, first_pause_s))
        at_once = False
        try:
            return ask()
        except FAILURES as error:
            failed += 1
            if failed >= attempts or not is_transient(error):
                raise
