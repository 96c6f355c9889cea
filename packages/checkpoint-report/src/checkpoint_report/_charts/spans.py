"""Spans: for each name a dot at the middle and a line to the end."""

from collections.abc import Sequence

import altair as alt
from msgspec import Struct

from checkpoint_report._charts.drawing import (
    GAP_PX,
    INK,
    ROW_PX,
    WIDE,
    data_of,
    row_axis,
    shortened,
    svg,
    text_width,
)

__all__ = ["Span", "spans"]


class Span(Struct, frozen=True, kw_only=True):
    """A middle and an end, None where they are not shown, and what is said of each."""

    middle: float | None
    end: float | None
    texts: tuple[str, str]


def spans(
    names: Sequence[str],
    values: Sequence[Span],
    headings: tuple[str, str],
    *,
    width: int,
    color: str,
) -> str:
    """Draw for each name a dot at the middle and a line to the end, and what is said beside it."""
    labels = ["", *shortened(names, width, alone=False)]
    ends = [text_width([texts[side] for texts in [headings, *(v.texts for v in values)]])
            for side in (0, 1)]  # fmt: skip
    plot_width = width - text_width(labels) - 8 - sum(ends) - 2 * GAP_PX
    numbers = [n for value in values for n in (value.middle, value.end) if n is not None]
    scale = alt.Scale(domain=[min([0.0, *numbers]), max([1.0, *numbers])], nice=True)
    rows = [Span(middle=None, end=None, texts=headings), *values]
    data = [
        {"position": i, "middle": v.middle, "end": v.end, "left": v.texts[0], "right": v.texts[1]}
        for i, v in enumerate(rows)
    ]
    base = alt.Chart(data_of(0)).encode(
        y=alt.Y("position:O", axis=row_axis(labels), scale=alt.Scale(padding=0))
    )
    ticks = 5 if width == WIDE else 2
    axis = alt.Axis(orient="top", title=None, tickCount=ticks, domain=False, ticks=False)
    middle = alt.X("middle:Q", scale=scale, axis=axis)
    line = base.mark_rule(color=color, strokeWidth=3, opacity=0.45).encode(x=middle, x2="end")
    end = base.mark_tick(color=color, thickness=2, height=9).encode(x=alt.X("end:Q", scale=scale))
    dot = base.mark_circle(color=color, size=52, opacity=1).encode(x=middle)
    text = base.mark_text(align="right", fontSize=11, fill=INK)
    left = plot_width + GAP_PX + ends[0]
    told = [
        text.encode(x=alt.value(left), text="left:N"),
        text.encode(x=alt.value(left + GAP_PX + ends[1]), text="right:N"),
    ]
    drawn = alt.layer(line, end, dot, *told).properties(width=plot_width, height=ROW_PX * len(rows))
    return svg(drawn, data)
