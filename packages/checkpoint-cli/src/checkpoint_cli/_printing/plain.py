"""Values as every program understands them: numbers, booleans and text."""

from typing import Final

import polars as pl
from polars.datatypes import DataTypeClass

__all__ = ["plain"]

_TIME: Final = "%Y-%m-%dT%H:%M:%S%.6f"


def plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with times in RFC 3339, dates in ISO 8601, and bytes in hexadecimal.

    Times with a zone are in UTC and end with Z. The same within lists and structs.
    """
    return rows.select(_plain(pl.col(name), kind).alias(name) for name, kind in rows.schema.items())


# By polars: Python's datetimes would need a time zone database, which not every machine has.
def _plain(value: pl.Expr, kind: pl.DataType | DataTypeClass) -> pl.Expr:
    match kind:
        case pl.Datetime(time_zone=None):
            return value.dt.strftime(_TIME)
        case pl.Datetime():
            return value.dt.convert_time_zone("UTC").dt.strftime(f"{_TIME}Z")
        case pl.Date():
            return value.dt.strftime("%Y-%m-%d")
        case pl.Time():
            return value.dt.strftime("%H:%M:%S%.6f")
        case pl.Binary():
            return value.bin.encode("hex")
        case pl.Enum():
            return value.cast(pl.String)
        case pl.Array(inner=inner):
            return _plain(value.arr.to_list(), pl.List(inner))
        case pl.List(inner=inner):
            return value.list.eval(_plain(pl.element(), inner))
        case pl.Struct(fields=fields) if fields:
            parts = [
                _plain(value.struct.field(field.name), field.dtype).alias(field.name)
                for field in fields
            ]
            return pl.when(value.is_not_null()).then(pl.struct(parts))
        case _:
            return value
