"""What takes too long is ended, before the process is."""

import math
import signal
import threading
import time

import pytest

from checkpoint_lambda._deadline import OutOfTimeError, ended_in_time


def wait_for(remaining_s: float, *, reserve_s: float = 60.0, stage: str | None = "commit") -> None:
    """Wait for a second, in a run that has so much time."""
    with ended_in_time(lambda: remaining_s, reserve_s=reserve_s, stage=lambda: stage):
        time.sleep(1)


@pytest.mark.parametrize(
    "remaining_s, reserve_s", [(3.05, 60.0), (3.05, 6.0), (0.55, 1.0), (0.05, 0.0)]
)
def test_what_is_in_progress_is_ended(remaining_s: float, reserve_s: float) -> None:
    """Three seconds before the end, or in the middle of a short reserve; the alarm is off then."""
    with pytest.raises(OutOfTimeError, match="was over in or after the stage commit") as raised:
        wait_for(remaining_s, reserve_s=reserve_s)

    assert "commit" == raised.value.stage
    assert "set RESERVE_SECONDS higher" in str(raised.value)
    assert (0.0, 0.0) == signal.getitimer(signal.ITIMER_REAL)
    assert signal.SIG_DFL == signal.getsignal(signal.SIGALRM)


@pytest.mark.parametrize("stage", ["load", "list", None])
def test_before_reading_a_greater_reserve_is_no_help(stage: str | None) -> None:
    """It is not what is advised where nothing has been read."""
    with pytest.raises(OutOfTimeError) as raised:
        wait_for(3.05, stage=stage)

    assert "See why the storage takes so long" in str(raised.value)
    assert "RESERVE_SECONDS" not in str(raised.value)


@pytest.mark.parametrize("remaining_s", [math.inf, 900.0, 2.0])
def test_without_a_need_nothing_is_ended(remaining_s: float) -> None:
    """Nor where too little time is left to end anything; other errors stay what they are."""
    with (
        pytest.raises(ZeroDivisionError),
        ended_in_time(lambda: remaining_s, reserve_s=60.0, stage=lambda: None),
    ):
        raise ZeroDivisionError
    assert signal.SIG_DFL == signal.getsignal(signal.SIGALRM)


def test_an_error_of_what_was_interrupted_is_told_as_what_it_is() -> None:
    """Whoever catches everything cannot turn it into a failure of its own."""

    def swallow() -> None:
        with ended_in_time(lambda: 3.05, reserve_s=60.0, stage=lambda: "merge"):
            try:
                time.sleep(1)
            except BaseException as error:
                raise ValueError("something else") from error

    with pytest.raises(OutOfTimeError, match="stage merge"):
        swallow()


def test_an_alarm_at_the_very_end_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come when the run is over and the alarm is not off yet."""
    set_timer = signal.setitimer

    def late(which: int, seconds: float) -> tuple[float, float]:
        monkeypatch.setattr(signal, "setitimer", set_timer)
        signal.raise_signal(signal.SIGALRM)
        return set_timer(which, seconds)

    with (
        pytest.raises(OutOfTimeError),
        ended_in_time(lambda: 900.0, reserve_s=60.0, stage=lambda: "commit"),
    ):
        monkeypatch.setattr(signal, "setitimer", late)
    assert signal.SIG_DFL == signal.getsignal(signal.SIGALRM)


def test_another_thread_is_left_alone() -> None:
    """Only the main one can be interrupted."""
    ended: list[bool] = []

    def work() -> None:
        wait_for(3.05)
        ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)

    assert [True] == ended
