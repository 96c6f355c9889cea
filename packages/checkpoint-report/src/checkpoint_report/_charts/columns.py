"""Columns: one for each span of time, made of parts; those that are not whole are seen to be so."""

import altair as alt
from msgspec import Struct

from checkpoint_report._charts.drawing import (
    INK,
    SIZE_PX,
    WIDE,
    AnyChart,
    Row,
    axis_called,
    data_of,
    legend,
    outlined,
    svg,
    text_width,
)
from checkpoint_report._charts.panels import Part

__all__ = ["Columns", "columns"]

_HEIGHT_PX = 190
_PARTIAL = 0.35
_BOUNDED = 0.2


class Columns(Struct, frozen=True, kw_only=True):
    """Counts of parts by span of time, each at the least and at the most, and what is said of all.

    `partial` tells of each span whether it is not whole.
    """

    unit: str
    names: tuple[str, ...]
    parts: tuple[Part, ...]
    values: tuple[tuple[tuple[float, float], ...], ...]
    texts: tuple[str, ...]
    partial: tuple[bool, ...]


def columns(seen: Columns, *, width: int) -> str:
    """Draw a column for each span of time."""
    longest = max([1.0, *(sum(most for _, most in values) for values in seen.values)])
    plot = width - text_width([f"{longest:,.0f}"]) - 40
    labels = [
        "\n".join([*name.rsplit(" ", 1), *(["partial"] if partial else [])])
        for name, partial in zip(seen.names, seen.partial, strict=True)
    ]
    needed = text_width([line for label in labels for line in label.split("\n")]) + 6
    every = -(-len(seen.names) * needed // plot)
    axis = alt.Axis(
        **axis_called(labels, lines=True),
        values=list(range(0, len(labels), every)),
        domain=True,
        labelAngle=0,
    )
    heights = alt.Scale(domain=[0, longest * 1.12], nice=False)
    grid = alt.Axis(
        title=seen.unit, titleAngle=-90, tickCount=4, domain=False, ticks=False, format=",d"
    )
    scale = alt.Scale(paddingInner=0.25, paddingOuter=0.12)
    base = alt.Chart(data_of(0)).encode(x=alt.X("position:O", axis=axis, scale=scale))
    bars = outlined(base).encode(y=alt.Y("low:Q", scale=heights, axis=grid), y2="high")
    told = alt.Chart(data_of(1)).mark_text(baseline="bottom", dy=-3, fontSize=SIZE_PX, fill=INK)
    text = told.encode(x=alt.X("position:O"), y=alt.Y("high:Q", scale=heights), text="text:N")
    drawn: AnyChart = alt.layer(bars, text).properties(
        width=plot, height=_HEIGHT_PX if width >= WIDE else 160
    )
    said_every = -(-len(seen.texts) * (text_width(seen.texts) + 4) // plot)
    data = [_bars(seen), _texts(seen, said_every)]
    if len(seen.parts) > 1:
        named, its = legend([(part.name, part.color) for part in seen.parts], plot, 2)
        return svg(alt.vconcat(named, drawn, spacing=8), *data, its)
    return svg(drawn, *data)


def _bars(seen: Columns) -> list[Row]:
    found: list[Row] = []
    for position, (values, partial) in enumerate(zip(seen.values, seen.partial, strict=True)):
        place = 0.0
        for part, (least, most) in zip(seen.parts, values, strict=True):
            for size, filled in ((least, _PARTIAL if partial else 1.0), (most - least, _BOUNDED)):
                if size:
                    found.append(
                        {"position": position, "low": place, "high": place + size,
                         "color": part.color, "filled": filled}
                    )  # fmt: skip
                place += size
    return found


def _texts(seen: Columns, every: int) -> list[Row]:
    """Return what is said on top of every so many columns."""
    return [
        {"position": position, "high": sum(most for _, most in values),
         "text": "" if position % every else text}
        for position, (values, text) in enumerate(zip(seen.values, seen.texts, strict=True))
    ]  # fmt: skip
