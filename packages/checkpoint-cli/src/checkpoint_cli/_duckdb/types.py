"""DuckDB's types as those that polars has, and as text where it has none like it."""

from typing import Final

from duckdb.sqltypes import DuckDBPyType

__all__ = ["taken"]

_SAME: Final = {
    "bigint",
    "blob",
    "boolean",
    "date",
    "decimal",
    "double",
    "float",
    "integer",
    "null",
    "smallint",
    "time",
    "timestamp",
    "timestamp with time zone",
    "tinyint",
    "ubigint",
    "uinteger",
    "usmallint",
    "utinyint",
    "varchar",
}
_OTHER: Final = {
    "hugeint": "DECIMAL(38, 0)",
    "uhugeint": "DECIMAL(38, 0)",
    "timestamp_ms": "TIMESTAMP",
    "timestamp_s": "TIMESTAMP",
}
_ON_THE_CALENDAR: Final = "year({0}) BETWEEN 1 AND 9999"
_KNOWN: Final = {
    "date": _ON_THE_CALENDAR,
    "time": "{0} < TIME '24:00:00'",
    "timestamp": _ON_THE_CALENDAR,
    "timestamp with time zone": _ON_THE_CALENDAR,
    "timestamp_ms": _ON_THE_CALENDAR,
    "timestamp_s": _ON_THE_CALENDAR,
}
"""What holds of the times that other programs have, too; not of DuckDB's infinite one."""


def taken(name: str, kind: DuckDBPyType) -> str:
    """Return the expression that takes a column over, under its own name and with its values."""
    column = _quoted(name)
    other = _other(kind)
    value = column if other is None else f"CAST({column} AS {other})"
    unknown = None if other == "VARCHAR" else _unknown(column, kind)
    if unknown is not None:
        problem = "a time after 23:59:59 or outside of the years 1 to 9999; cast it to VARCHAR"
        value = f"CASE WHEN {unknown} THEN error('{problem}') ELSE {value} END"
    return f"{value} AS {column}"


def _other(kind: DuckDBPyType) -> str | None:
    """Return the type to cast to, None where polars has the same one."""
    if kind.id in {"list", "array", "struct"}:
        parts = _parts(kind)
        # No file can have a struct without fields.
        same = parts and all(_other(part) is None for _, part in parts)
        return None if same else "VARCHAR"
    return None if kind.id in _SAME else _OTHER.get(kind.id, "VARCHAR")


def _unknown(value: str, kind: DuckDBPyType) -> str | None:
    """Return the condition that a time in the value is unknown elsewhere; None without times."""
    if kind.id in _KNOWN:
        return f"({value} IS NOT NULL AND ({_KNOWN[kind.id].format(value)}) IS NOT TRUE)"
    if kind.id == "struct":
        fields = (_unknown(f"({value}).{_quoted(name)}", part) for name, part in _parts(kind))
        return " OR ".join(filter(None, fields)) or None
    if kind.id in {"list", "array"}:
        ((_, part),) = _parts(kind)
        element = _unknown("element", part)
        return element and f"len(list_filter({value}, lambda element: {element})) > 0"
    return None


def _parts(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    return [(name, part) for name, part in kind.children if isinstance(part, DuckDBPyType)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
