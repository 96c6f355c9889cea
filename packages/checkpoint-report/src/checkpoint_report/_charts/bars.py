"""Bars: a row or a column for each name, in one panel or several."""

from collections.abc import Sequence
from typing import Final

import altair as alt
from msgspec import Struct

from checkpoint_report._charts.drawing import (
    GAP_PX,
    INK,
    ROW_PX,
    WIDE,
    AnyChart,
    Row,
    axis_called,
    data_of,
    row_axis,
    shortened,
    svg,
    text_width,
)

__all__ = ["Panel", "bars", "columns"]

# Titles are bold, and a point larger.
_TITLE_SIZE: Final = 1.2
_COLUMN_PX: Final = 62


class Panel(Struct, frozen=True, kw_only=True):
    """A title, and for each name how long its bar is, None for no bar, and what it says.

    `full` is the longest bar that there can be; without it the longest is that of the panel.
    """

    title: str
    values: tuple[float | None, ...]
    texts: tuple[str, ...]
    color: str
    full: float | None = None


def bars(names: Sequence[str], panels: Sequence[Panel], *, width: int) -> str:
    """Draw a row for each name, with a bar in each panel."""
    labels = shortened(names, width, alone=len(panels) == 1)
    room = width - text_width(labels) - 8 + GAP_PX
    title = text_width([panel.title for panel in panels]) * _TITLE_SIZE + GAP_PX
    most = len(panels) if width == WIDE else 2
    beside = max(1, min(most, len(panels), int(room / title)))
    panel_width = room // beside - GAP_PX
    charts = [
        _bars(data_of(index), panel, panel_width, None if index % beside else row_axis(labels))
        for index, panel in enumerate(panels)
    ]
    lines = [charts[start : start + beside] for start in range(0, len(charts), beside)]
    placed = alt.vconcat(*(alt.hconcat(*line, spacing=GAP_PX) for line in lines), spacing=16)
    return svg(placed, *map(_data, panels))


def columns(names: Sequence[str], panels: Sequence[Panel], *, width: int) -> str:
    """Draw a column for each name, the panels one below the other."""
    every = -(-len(names) * 44 // width)
    charts = []
    for index, panel in enumerate(panels):
        is_last = index + 1 == len(panels)
        axis = alt.Axis(
            **axis_called(names, lines=True),
            values=list(range(0, len(names), every)),
            domain=True,
            labels=is_last,
            labelAngle=0,
        )
        scale = alt.Scale(paddingInner=0.25, paddingOuter=0.12)
        base = alt.Chart(data_of(index)).encode(x=alt.X("position:O", axis=axis, scale=scale))
        heights = alt.Scale(domain=[0, _longest(panel) * 1.32], nice=False)
        y = alt.Y("value:Q", axis=None, scale=heights)
        bar = base.mark_bar(color=panel.color, cornerRadiusEnd=2).encode(y=y)
        text = base.mark_text(baseline="bottom", dy=-3, fontSize=11, fill=INK)
        charts.append(
            alt.layer(bar, text.encode(y=y, text="text:N")).properties(
                width=width, height=_COLUMN_PX, title=_title(panel.title)
            )
        )
    return svg(alt.vconcat(*charts, spacing=8), *(_data(panel, every) for panel in panels))


def _bars(data: alt.NamedData, panel: Panel, width: int, axis: alt.Axis | None) -> AnyChart:
    room = max(width - text_width(panel.texts) - 8, 12)
    lengths = alt.Scale(domain=[0, _longest(panel) * width / room], nice=False)
    base = alt.Chart(data).encode(
        y=alt.Y("position:O", axis=axis, scale=alt.Scale(paddingInner=0.28, paddingOuter=0.14))
    )
    x = alt.X("value:Q", axis=None, scale=lengths)
    bar = base.mark_bar(color=panel.color, cornerRadiusEnd=2).encode(x=x)
    text = base.mark_text(align="left", dx=4, fontSize=11, fill=INK).encode(x=x, text="text:N")
    return alt.layer(bar, text).properties(
        width=width, height=ROW_PX * len(panel.values), title=_title(panel.title)
    )


def _data(panel: Panel, every: int = 1) -> list[Row]:
    """Return the bars of a panel, every so many of them with its text."""
    return [
        {"position": position, "value": value or 0, "text": "" if position % every else text}
        for position, (value, text) in enumerate(zip(panel.values, panel.texts, strict=True))
    ]


def _title(text: str) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start", frame="group", fontSize=12, color=INK)


def _longest(panel: Panel) -> float:
    return panel.full or max((value for value in panel.values if value), default=1)
