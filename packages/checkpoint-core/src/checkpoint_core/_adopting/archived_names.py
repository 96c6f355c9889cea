"""Which archived objects have a row among those that no object accounts for, by their names."""

import re
from typing import Final

import polars as pl

from nacc_event_model import EventFormat, object_name_pattern

_QUARTER_S: Final = 15 * 60
_EARLIEST_S: Final = -12 * 3_600
_LATEST_S: Final = 14 * 3_600


def named_by(archived: pl.DataFrame, rows: pl.DataFrame, event_format: EventFormat) -> pl.DataFrame:
    """Return those of the archived objects whose names speak of a row, each of another one.

    A name speaks of a row that has its action, center, project, participant, visit (a date or a
    number) and second, where a name's second is in its event's own offset from UTC: whole quarters
    of an hour, from twelve hours behind it to fourteen before.
    Of names that may speak of the same rows either all find one or none counts: it is not known
    which of them the rows are of.
    """
    names = _names(archived, event_format)
    places = rows.with_row_index("row").select(
        "row",
        "action",
        adcid="pipeline_adcid",
        second=_seconds(pl.col("timestamp")),
        date=_what(pl.col("visit_date").dt.strftime("%Y-%m-%d")),
        number=_what(pl.col("visit_number")),
    )
    visits = places.unpivot(["date", "number"], index=["row", "action", "adcid", "second"])
    visits = visits.rename({"value": "what"}).drop_nulls("what").drop("variable").unique()
    offset = pl.col("named") - pl.col("second")
    speaking = (
        names.join(visits, on=["action", "adcid", "what"], how="inner")
        .with_columns(offset=offset)
        .filter(
            pl.col("offset").is_between(_EARLIEST_S, _LATEST_S),
            pl.col("offset") % _QUARTER_S == 0,
        )
        .sort(pl.col("offset").abs(), "offset", "named", "key", "row")
    )
    # Looked up once for all: within the groups below it would be done anew for each of them.
    names = names.with_columns(is_found=names["key"].is_in(_assigned(speaking)))
    alike = ["action", "adcid", "what", pl.col("named") % _QUARTER_S]
    found = names.filter(pl.col("is_found").all().over(alike))
    return archived.join(found, on="key", how="semi", maintain_order="left")


def _assigned(speaking: pl.DataFrame) -> list[str]:
    """Give each name the first row that is left of those that it speaks of; return those with one."""
    rows: set[int] = set()
    keys: set[str] = set()
    for key, row in speaking.select("key", "row").iter_rows():
        if key not in keys and row not in rows:
            keys.add(key)
            rows.add(row)
    return list(keys)


def _names(archived: pl.DataFrame, event_format: EventFormat) -> pl.DataFrame:
    """Return what the names tell: action, center, seconds, and project, participant and visit."""
    pattern = object_name_pattern(event_format)
    groups = re.compile(pattern).groupindex
    whole = f"^(?:{pattern})$"
    part = {name: pl.col("key").str.extract(whole, group) for name, group in groups.items()}
    return archived.select(
        "key",
        action=part["action"],
        adcid=part["adcid"].cast(pl.Int32, strict=False),
        named=_seconds(part["time"].str.to_datetime("%Y%m%d-%H%M%S", time_unit="us", strict=False)),
        what=pl.concat_str(part["project"], part["ptid"], part["visit"], separator="-"),
    )


def _what(visit: pl.Expr) -> pl.Expr:
    """Return project, participant and visit as a name has them; null without that visit."""
    return pl.concat_str("project_label", "ptid", visit, separator="-")


def _seconds(moment: pl.Expr) -> pl.Expr:
    return moment.dt.epoch("s")
