"""What is said of an exception: what to do, and never a value of an event."""

import errno
from itertools import pairwise

import pytest

from checkpoint_core.explanations import Advice, describe, explain, message_of
from checkpoint_format.errors import StorageError

ADVICE = Advice(no_space="ROOM", other_system_error="SYSTEM", no_memory="MEMORY", bug="BUG")
SECRET = "SYN110001"


class ClientError(Exception):
    """Stands for one of boto3's."""


ClientError.__module__ = "botocore.exceptions"


class ParserError(Exception):
    """Stands for what boto3's parsers raise, which quotes what it could not parse."""


ParserError.__module__ = "botocore.parsers"


@pytest.mark.parametrize(
    "error, words",
    [
        (StorageError("here: failed. Do this."), "here: failed. Do this."),
        (OSError(errno.ENOSPC, "no", "file"), "file: no space left. {kept} ROOM"),
        (OSError(errno.EIO, "broken"), "broken. {kept} SYSTEM"),
        (OSError(SECRET), "OSError. {kept} SYSTEM"),
        (MemoryError(SECRET), "out of memory. {kept} MEMORY"),
        (ClientError("AccessDenied"), "AccessDenied. {kept} Run again."),
        (ParserError(SECRET), "ParserError: this is a bug. {kept} BUG"),
        (ValueError(SECRET), "ValueError: this is a bug. {kept} BUG"),
    ],
)
def test_people_are_told_what_to_do(error: BaseException, words: str) -> None:
    """By the kind of the error; the checkpoint is not harmed by any of them."""
    kept = "The checkpoint is as it was before or complete."

    assert words.format(kept=kept) == explain(error, ADVICE)


@pytest.mark.parametrize(
    "error, message",
    [
        (StorageError("here: failed."), "here: failed."),
        (ClientError("AccessDenied"), "AccessDenied"),
        (OSError(errno.EIO, "broken", "file"), "file: broken"),
        (OSError(SECRET), None),
        (ParserError(SECRET), None),
        (ValueError(SECRET), None),
    ],
)
def test_a_text_is_kept_where_it_can_hold_no_value(
    error: BaseException, message: str | None
) -> None:
    """Of all others only the type is."""
    assert message == message_of(error)


def described(error: BaseException) -> list[dict[str, object]]:
    """Raise it here, and return what a log would hold."""

    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        fail()
    return describe((raised.type, raised.value, raised.tb))


def chained(*errors: BaseException, hidden: bool = False) -> BaseException:
    """Return the first, of which the next is the cause, and so on; hidden: the context only."""
    for error, cause in pairwise(errors):
        error.__context__ = cause
        error.__suppress_context__ = hidden
    return errors[0]


def test_a_log_has_where_it_came_from() -> None:
    """Files, lines and functions, without what was in them."""
    [found] = described(ValueError(SECRET))
    frames = found["frames"]

    assert ("builtins.ValueError", None) == (found["type"], found["message"])
    assert isinstance(frames, list)
    assert [(__file__, "described"), (__file__, "fail")] == [
        (each["file"], each["function"]) for each in frames
    ]
    assert SECRET not in str(found)


def test_causes_are_told_unless_they_are_hidden() -> None:
    """Those that were given as well as those that were met on the way."""
    given = ValueError()
    given.__cause__ = KeyError()

    assert ["ValueError", "KeyError"] == types_of(given)
    assert ["ValueError", "KeyError"] == types_of(chained(ValueError(), KeyError()))
    assert ["ValueError"] == types_of(chained(ValueError(), KeyError(), hidden=True))


def test_no_chain_is_endless() -> None:
    """Neither a ring nor a long one."""
    first, second = ValueError(), KeyError()
    chained(first, second, first)

    assert ["ValueError", "KeyError"] == types_of(first)
    assert 10 == len(types_of(chained(*(ValueError() for _ in range(30)))))


def types_of(error: BaseException) -> list[str]:
    """Return the types of an error and its causes."""
    kinds = describe((type(error), error, None))
    return [str(each["type"]).rpartition(".")[2] for each in kinds]
