"""What comes back from DuckDB, in classes that do not need it."""

from typing import Protocol

__all__ = ["ArrowStream", "NotOneQueryError", "SqlError"]


class SqlError(Exception):
    """DuckDB refused the statement, or failed at it.

    The text is DuckDB's. It may quote values of events, and is for the screen of whoever asked, not
    for a log. `may_be_damage`: a damaged file would explain it as well.
    """

    def __init__(self, text: str, *, may_be_damage: bool = False) -> None:
        """Keep what DuckDB said."""
        self.may_be_damage = may_be_damage
        super().__init__(text)


class NotOneQueryError(Exception):
    """There is not exactly one statement, or it is not one that only asks."""


class _Streaming(Protocol):
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


class ArrowStream:
    """Rows as an Arrow stream and nothing else.

    Polars keeps the class of whatever it makes a frame of. Of its own classes, and of all that lead
    to them, DuckDB would complain on stderr when the process ends.
    """

    def __init__(self, rows: _Streaming) -> None:
        """Wrap what has the rows."""
        self._rows = rows

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the stream."""
        return self._rows.__arrow_c_stream__(requested_schema)
