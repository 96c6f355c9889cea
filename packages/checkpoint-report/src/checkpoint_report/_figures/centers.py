"""The centers of a checkpoint: their numbers, and what to call them."""

from datetime import datetime
from difflib import get_close_matches

import polars as pl
from msgspec import Struct

__all__ = ["Center", "UnknownCenterError", "find_center", "find_centers", "shortened"]

_LONGEST = 80


class Center(Struct, frozen=True, kw_only=True):
    """A center that sent events before the end of the period.

    `adcid` identifies it. `name` is its latest label, with the number where others have it too.
    `has_data`: some of its events are of the period. `former` are labels that it had before.
    """

    adcid: int
    label: str
    name: str
    has_data: bool
    former: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its row in tables."""
        return str(self.adcid)


_TEST_CENTER = 0


def find_centers(
    events: pl.LazyFrame, begin: datetime, end: datetime, *, include_test_center: bool
) -> tuple[Center, ...]:
    """Find the centers that sent events before the end of a period, by number."""
    if not include_test_center:
        events = events.filter(pl.col("pipeline_adcid") != _TEST_CENTER)
    known = (
        events.filter(pl.col("timestamp") < end)
        .group_by("pipeline_adcid")
        .agg(
            pl.col("center_label").last(),
            (pl.col("timestamp") >= begin).any(),
            pl.col("center_label").unique().alias("labels"),
        )
        .sort("pipeline_adcid")
        .collect()
    )
    names = [shortened(label) for label in known["center_label"]]
    return tuple(
        Center(
            adcid=adcid,
            label=label,
            name=name if names.count(name) == 1 else f"{name} ({adcid})",
            has_data=has_data,
            former=tuple(sorted({*labels} - {label})),
        )
        for name, (adcid, label, has_data, labels) in zip(names, known.iter_rows(), strict=True)
    )


def shortened(label: str) -> str:
    """Return a label, or another text that came with events, as it can be shown."""
    visible = "".join(each if each.isprintable() else " " for each in label).strip() or "(no name)"
    return visible if len(visible) <= _LONGEST else f"{visible[: _LONGEST - 1]}…"


def find_center(centers: tuple[Center, ...], wanted: str) -> Center:
    """Return the center that has this label or number, or once had a label that none has now.

    Raises UnknownCenterError without one.
    """
    found = [
        center for center in centers if wanted in {center.label, center.name, str(center.adcid)}
    ] or [center for center in centers if wanted in center.former]
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownCenterError(
            "several centers have this label; give the number of one, its pipeline_adcid"
        )
    near = get_close_matches(wanted, [center.name for center in centers])
    asked = f"; did you mean {' or '.join(near)}?" if near else ""
    raise UnknownCenterError(
        f"no center of this label or number sent an event before the end of the period{asked}"
    )


class UnknownCenterError(LookupError):
    """No center, or more than one, is called so."""
