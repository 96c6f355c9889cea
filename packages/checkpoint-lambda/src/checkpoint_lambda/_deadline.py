"""Ending a run before Lambda ends the process, whatever it is waiting for then.

Reading ends by itself when the reserve begins. This is for all else that may take too long: a
listing that gets no answer, or a commit for which the reserve was too small.
"""

import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from checkpoint_core import CheckpointError

# To remove the run's files, to say what happened, and for threads to end.
_TO_END_S: Final = 3.0
_BEFORE_READING: Final = {None, "load", "list"}


class OutOfTimeError(CheckpointError):
    """The function's time was nearly over, and the run was not."""

    def __init__(self, stage: str | None) -> None:
        """Keep the stage that the run had come to; it may have been over, as after a commit."""
        self.stage = stage
        place = f"in or after the stage {stage}" if stage else "at the beginning"
        advice = "Give the function more time, or set RESERVE_SECONDS higher"
        if stage in _BEFORE_READING:
            advice = "See why the storage takes so long to answer, or give the function more time"
        super().__init__(
            f"the function's time was over {place} of the run. "
            f"The checkpoint is as it was before or complete. {advice}."
        )


class _TimeIsUp(BaseException):
    """Not an Exception, because libraries turn those into failures of their own, and try again."""


@contextmanager
def ended_in_time(
    remaining_s: Callable[[], float], *, reserve_s: float, stage: Callable[[], str | None]
) -> Iterator[None]:
    """End what is in progress by an OutOfTimeError, three seconds before no time is left.

    With a reserve of less than six seconds in the middle of it, so that it can be used. It ends as
    by Ctrl-C: locks and files are given back. Only the main thread can be ended so; elsewhere, and
    where the time is not limited or less is left than this, nothing happens.
    """
    left_s = remaining_s() - min(_TO_END_S, reserve_s / 2)
    if not 0 < left_s < math.inf or threading.current_thread() is not threading.main_thread():
        yield
        return
    is_over = False

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        nonlocal is_over
        is_over = True
        raise _TimeIsUp

    previous = signal.signal(signal.SIGALRM, end)
    try:
        signal.setitimer(signal.ITIMER_REAL, left_s)
        yield
        # Here too, so that an alarm at the very end is told like any other.
        signal.setitimer(signal.ITIMER_REAL, 0)
    except BaseException as error:
        # Compiled code makes an error of its own of what is raised in its midst.
        if is_over:
            raise OutOfTimeError(stage()) from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
