"""Text and documents for people and programs: documents on stdout, complaints on stderr.

Object names and the like are input: nothing of them is taken as a terminal's control sequence.
"""

import json
import os
import re
import sys
from contextlib import suppress
from typing import Any, Final

import msgspec

__all__ = ["complain", "harmless", "one_line", "write", "write_document"]

_UNPRINTABLE: Final = re.compile(r"[^\n\x20-\x7e]")


def write_document(document: Any) -> None:
    """Write one JSON document, indented on a terminal, and nothing else."""
    data = msgspec.json.encode(document)
    write(harmless((msgspec.json.format(data, indent=2) if sys.stdout.isatty() else data) + b"\n"))


def harmless(data: bytes) -> bytes:
    """Escape, as JSON does, what a terminal might obey; newlines are left.

    For a terminal, in its encoding.
    """
    text = _UNPRINTABLE.sub(
        lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1],
        data.decode(),
    )
    encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
    return text.encode(encoding, "backslashreplace")


def write(data: bytes) -> None:
    """Write to stdout at once."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # Python would otherwise try again when it ends, and complain in its own words.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise OSError(error.errno, error.strerror, "standard output") from error


def complain(text: str) -> None:
    """Write a line to stderr; where nobody reads it, nothing more can be done."""
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def one_line(text: str) -> str:
    """Return the text with everything escaped that is not plainly visible."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )
