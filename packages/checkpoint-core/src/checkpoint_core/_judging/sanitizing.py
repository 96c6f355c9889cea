"""Making text of producers fit for logs, responses and metrics."""

from typing import Final

_LONGEST: Final = 40


def sanitized(text: str) -> str:
    """Return input as it may be told: printable ASCII, the rest escaped, 40 characters at most."""
    escaped = ascii(text)[1:-1]
    return escaped if len(escaped) <= _LONGEST else f"{escaped[: _LONGEST - 3]}..."
