"""A curve: which share has come to an end after so many days, and between what bounds."""

from collections.abc import Sequence
from typing import Final

import altair as alt
from msgspec import Struct

from checkpoint_report._charts.drawing import INK, SIZE_PX, data_of, svg

__all__ = ["Step", "curve"]

_LONGEST_DAYS: Final = 180


class Step(Struct, frozen=True):
    """From this day on, up to the next step, this share, between these bounds."""

    day: int
    share: float
    low: float
    high: float


def curve(
    steps: Sequence[Step], marked: Sequence[int], *, unit: str, color: str, width: int
) -> str:
    """Draw the shares as a line of steps within the band of their bounds; name those of some days."""
    last = min(max([*marked, *(step.day for step in steps)]), _LONGEST_DAYS)
    line = [Step(0, 0.0, 0.0, 0.0), *(step for step in steps if step.day <= last)]
    line.append(Step(last, *[getattr(line[-1], name) for name in ("share", "low", "high")]))
    rows = [{"day": s.day, "share": s.share, "low": s.low, "high": s.high} for s in line]
    named = []
    for day in marked:
        at = [step for step in line if step.day <= day][-1]
        named.append({"day": day, "share": at.share, "text": f"{at.share:.0%}"})
    x = alt.X(
        "day:Q",
        scale=alt.Scale(domain=[0, last * 1.02], nice=False),
        axis=alt.Axis(
            title="days since it was first handed in",
            values=sorted({0, *marked, last}),
            grid=False,
            domain=True,
        ),
    )
    shares = alt.Scale(domain=[0, 1], nice=False)
    axis = alt.Axis(title=unit, format=".0%", tickCount=5, domain=False, ticks=False)
    base = alt.Chart(data_of(0)).encode(x=x)
    band = base.mark_area(color=color, opacity=0.25, interpolate="step-after").encode(
        y=alt.Y("low:Q", scale=shares, axis=axis), y2="high"
    )
    steps_line = base.mark_line(color=color, strokeWidth=2, interpolate="step-after").encode(
        y=alt.Y("share:Q", scale=shares)
    )
    marks = alt.Chart(data_of(1)).encode(x=alt.X("day:Q"), y=alt.Y("share:Q", scale=shares))
    dots = marks.mark_circle(color=color, size=52, opacity=1)
    texts = marks.mark_text(align="left", dx=4, dy=14, fontSize=SIZE_PX, fill=INK)
    drawn = alt.layer(band, steps_line, dots, texts.encode(text="text:N")).properties(
        width=width - 66, height=200
    )
    return svg(drawn, rows, named)
