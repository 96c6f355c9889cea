"""Rows: a line for each name, with what there is to see of it in one panel or several."""

from collections.abc import Sequence
from typing import Final

import altair as alt
from msgspec import Struct

from checkpoint_report._charts.drawing import (
    GAP_PX,
    INK,
    ROW_PX,
    RULE,
    SIZE_PX,
    WIDE,
    AnyChart,
    Row,
    axis_called,
    data_of,
    legend,
    outlined,
    shortened,
    svg,
    text_width,
    title_of,
)

__all__ = ["Bars", "Mark", "Panel", "Part", "Points", "rows"]

_LEAST_PANEL_PX: Final = {True: 220, False: 130}
"""What is left to a panel at the least where names are long, on the wide page and the narrow one."""
_BOUNDED: Final = 0.25


class Part(Struct, frozen=True):
    """What bars are made of, and its colour."""

    name: str
    color: str


class Mark(Struct, frozen=True, kw_only=True):
    """A place from `low` to `high`, with a dot where its middle is known."""

    low: float
    high: float
    middle: float | None


class Bars(Struct, frozen=True, kw_only=True):
    """Counts of parts, each at the least and at the most, one beside the other."""

    parts: tuple[Part, ...]
    values: tuple[tuple[tuple[float, float], ...] | None, ...]


class Points(Struct, frozen=True, kw_only=True):
    """A mark for each name."""

    color: str
    values: tuple[Mark | None, ...]


class Panel(Struct, frozen=True, kw_only=True):
    """What is seen side by side: a title, a unit on the axis, and what is said of each name.

    `overall` is where a line across all rows is, and `overall_text` what it is. `end` is where the
    axis ends, otherwise where what is seen does. `percent`: what is seen are shares.
    """

    title: str
    unit: str
    seen: Bars | Points
    texts: tuple[str, ...]
    text_heading: str = ""
    overall: float | None = None
    overall_text: str = ""
    end: float | None = None
    percent: bool = False


def rows(names: Sequence[str], panels: Sequence[Panel], *, width: int) -> str:
    """Draw a row for each name, the panels side by side, or on a narrow page one below the other."""
    is_wide = width >= WIDE
    beside = len(panels) if is_wide else 1
    most = width - beside * _LEAST_PANEL_PX[is_wide]
    labels = shortened(names, most)
    room = width - text_width(labels) - 8
    panel_width = (room - (beside - 1) * GAP_PX) // beside
    data: list[list[Row]] = []
    drawn: list[AnyChart] = []
    for index, panel in enumerate(panels):
        has_names = index == 0 or not is_wide
        drawn.append(_panel(panel, panel_width, labels if has_names else None, data))
    placed = alt.hconcat(*drawn, spacing=GAP_PX) if is_wide else alt.vconcat(*drawn, spacing=18)
    keys = [part for panel in panels if isinstance(panel.seen, Bars) for part in panel.seen.parts]
    if len(keys) > 1:
        named, its = legend([(part.name, part.color) for part in keys], width, len(data))
        return svg(alt.vconcat(named, placed, spacing=8), *data, its)
    return svg(placed, *data)


def _panel(
    panel: Panel, width: int, labels: Sequence[str] | None, data: list[list[Row]]
) -> AnyChart:
    """Return a panel, with what is said of each name at its right."""
    said = text_width([*panel.texts, panel.text_heading])
    plot = max(width - said - 6, 60)
    end = panel.end or _end(panel)
    begin = _begin(panel)
    ticks = max(2, min(5, plot // 55))
    axis = alt.Axis(
        orient="top",
        title=panel.unit,
        titleAnchor="start",
        tickCount=ticks,
        format=".0%" if panel.percent else ",d" if end >= ticks else "~g",
        domain=False,
        ticks=False,
        gridOpacity=0.6,
    )
    scale = alt.Scale(domain=[begin, end], nice=False, zero=False)
    names = ["" for _ in panel.texts] if labels is None else labels
    base = alt.Chart(data_of(len(data))).encode(
        y=alt.Y(
            "position:O", axis=_names(names), scale=alt.Scale(paddingInner=0.3, paddingOuter=0.15)
        )
    )
    x = alt.X("low:Q", scale=scale, axis=axis)
    layers: list[alt.Chart] = []
    if isinstance(panel.seen, Bars):
        data.append(_bars(panel.seen))
        layers.append(outlined(base).encode(x=x, x2="high"))
    else:
        data.append(_points(panel.seen))
        color = panel.seen.color
        layers += [
            base.mark_rule(color=color, strokeWidth=3, opacity=0.5).encode(x=x, x2="high"),
            base.mark_circle(color=color, size=52, opacity=1).encode(
                x=alt.X("middle:Q", scale=scale)
            ),
        ]
    if panel.overall is not None:
        line = alt.Chart(data_of(len(data))).mark_rule(color=INK, strokeDash=[3, 2])
        layers.append(line.encode(x=alt.X("overall:Q", scale=scale)))
        data.append([{"overall": panel.overall}])
    told = alt.Chart(data_of(len(data))).mark_text(align="right", fontSize=SIZE_PX, fill=INK)
    layers.append(told.encode(y=alt.Y("position:O"), x=alt.value(plot + 6 + said), text="text:N"))
    data.append([{"position": index, "text": text} for index, text in enumerate(panel.texts)])
    return alt.layer(*layers).properties(
        width=plot,
        height=max(ROW_PX * len(panel.texts), 1),
        title=title_of(panel.title, panel.overall_text),
    )


def _names(labels: Sequence[str]) -> alt.Axis:
    """Return the axis of names, with a line from each across its row."""
    # As wide as the labels may get in the reader's font, not as they are in that of this machine.
    width = text_width(labels) + 8 if any(labels) else 0
    return alt.Axis(
        **axis_called(labels, lines=False), domain=False, minExtent=width, grid=True, gridColor=RULE
    )


def _bars(bars: Bars) -> list[Row]:
    found: list[Row] = []
    for position, values in enumerate(bars.values):
        place = 0.0
        for part, (least, most) in zip(bars.parts, values or (), strict=False):
            for size, filled in ((least, 1.0), (most - least, _BOUNDED)):
                if size:
                    found.append(
                        {"position": position, "low": place, "high": place + size,
                         "color": part.color, "filled": filled}
                    )  # fmt: skip
                place += size
    return found


def _points(points: Points) -> list[Row]:
    return [
        {"position": position, "low": mark.low, "high": mark.high, "middle": mark.middle}
        for position, mark in enumerate(points.values)
        if mark is not None
    ]


def _begin(panel: Panel) -> float:
    """Return where the axis begins: at 0, or before it where days are negative."""
    if isinstance(panel.seen, Bars):
        return 0
    return min([0.0, *(mark.low for mark in panel.seen.values if mark is not None)])


def _end(panel: Panel) -> float:
    overall = panel.overall or 0
    if isinstance(panel.seen, Bars):
        sums = [sum(most for _, most in values) for values in panel.seen.values if values]
        return max([1.0, overall, *sums]) * 1.02
    return (
        max([1.0, overall, *(mark.high for mark in panel.seen.values if mark is not None)]) * 1.02
    )
