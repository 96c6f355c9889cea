"""Rows: a line for each name, with what there is to see of it in one panel or several."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

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
from checkpoint_report._charts.panels import Bars, Panel, Points

__all__ = ["rows"]

_LEAST_PANEL_PX: Final = 220
"""What is left to a panel at the least where names are long."""
_LEAST_PLOT_PX: Final = 60
_BOUNDED: Final = 0.25


def rows(names: Sequence[str], panels: Sequence[Panel], *, width: int) -> str:
    """Draw a row for each name, the panels side by side.

    On a narrow page they are one below the other, and what is said is above what is seen.
    """
    is_wide = width >= WIDE
    if is_wide:
        labels = shortened(names, width - len(panels) * _LEAST_PANEL_PX)
        room = width - text_width(labels) - 14
        panel_width = (room - (len(panels) - 1) * GAP_PX) // len(panels)
    else:
        labels = shortened(
            names, width - text_width([text for p in panels for text in p.texts]) - 8
        )
        room = panel_width = width - 6
    data: list[list[Row]] = []
    drawn: list[AnyChart] = []
    for index, panel in enumerate(panels):
        named = labels if index == 0 or not is_wide else [""] * len(labels)
        drawn.append((_wide if is_wide else _narrow)(panel, panel_width, named, data))
    placed = alt.hconcat(*drawn, spacing=GAP_PX) if is_wide else alt.vconcat(*drawn, spacing=18)
    keys = [part for panel in panels if isinstance(panel.seen, Bars) for part in panel.seen.parts]
    if len(keys) > 1:
        key, its = legend([(part.name, part.color) for part in keys], room, len(data))
        return svg(alt.vconcat(key, placed, spacing=8), *data, its)
    return svg(placed, *data)


def _wide(panel: Panel, width: int, labels: Sequence[str], data: list[list[Row]]) -> AnyChart:
    """Return a panel of a line for each name, with what is said of it at the right."""
    said = text_width([*panel.texts, panel.text_heading])
    plot = max(width - said - 6, _LEAST_PLOT_PX)
    y = _lines(len(labels), axis=_names(labels))
    layers = _seen(panel, plot, y, data, each=1, last=0)
    if panel.overall is not None:
        line = alt.Chart(data_of(len(data))).mark_rule(color=INK, strokeDash=[3, 2])
        layers.append(line.encode(x=alt.X("overall:Q")))
        data.append([{"overall": panel.overall}])
    layers.append(_texts(panel.texts, y, plot + 6 + said, data, each=1))
    if panel.text_heading:
        layers.append(_heading(panel.text_heading, plot + 6 + said, data))
    return alt.layer(*layers).properties(
        width=plot,
        height=max(ROW_PX * len(labels), 1),
        title=title_of(panel.title, panel.overall_text),
    )


def _narrow(panel: Panel, width: int, labels: Sequence[str], data: list[list[Row]]) -> AnyChart:
    """Return a panel of two lines for each name: what is said of it, and below it what is seen."""
    y = _lines(2 * len(labels), axis=None)
    layers = _seen(panel, width, y, data, each=2, last=1)
    if panel.overall is not None:
        # Not across what is said.
        tick = alt.Chart(data_of(len(data))).mark_tick(color=INK, thickness=1, size=ROW_PX)
        layers.append(tick.encode(x=alt.X("overall:Q"), y=y))
        places = range(1, 2 * len(labels), 2)
        data.append([{"overall": panel.overall, "position": place} for place in places])
    layers.append(_texts(panel.texts, y, width, data, each=2))
    layers.append(_texts(labels, y, 0, data, each=2))
    if panel.text_heading:
        layers.append(_heading(panel.text_heading, width, data, above=18))
    return alt.layer(*layers).properties(
        width=width,
        height=max(2 * ROW_PX * len(labels), 1),
        title=title_of(panel.title, panel.overall_text),
    )


def _lines(number: int, *, axis: alt.Axis | None) -> alt.Y:
    scale = alt.Scale(domain=list(range(number)), paddingInner=0.3, paddingOuter=0.15)
    return alt.Y("position:O", axis=axis, scale=scale)


def _seen(
    panel: Panel, plot: int, y: alt.Y, data: list[list[Row]], *, each: int, last: int
) -> list[alt.Chart]:
    """Return the marks, in the last of the lines that each name has."""
    end = panel.end or _end(panel)
    scale = alt.Scale(domain=[_begin(panel), end], nice=False, zero=False)
    x = alt.X("low:Q", scale=scale, axis=_measure(panel, plot, end))
    base = alt.Chart(data_of(len(data))).encode(y=y)
    if isinstance(panel.seen, Bars):
        found, layers = _bars(panel.seen), [outlined(base).encode(x=x, x2="high")]
    else:
        color = panel.seen.color
        line = base.mark_rule(color=color, strokeWidth=3, opacity=0.5).encode(x=x, x2="high")
        dot = base.mark_circle(color=color, size=52, opacity=1)
        found, layers = _points(panel.seen), [line, dot.encode(x=alt.X("middle:Q", scale=scale))]
    data.append([row | {"position": row["position"] * each + last} for row in found])
    return layers


def _measure(panel: Panel, plot: int, end: float) -> alt.Axis:
    ticks = max(2, min(5, plot // 55))
    values: dict[str, Any] = {"values": [0, 0.5, 1]} if panel.percent else {"tickCount": ticks}
    return alt.Axis(
        **values,
        orient="top",
        title=panel.unit,
        titleAnchor="start",
        format=".0%" if panel.percent else ",d" if end >= ticks else "~g",
        domain=False,
        ticks=False,
        gridOpacity=0.6,
    )


def _names(labels: Sequence[str]) -> alt.Axis:
    """Return the axis of names, with a line from each across its row."""
    # As wide as the labels may get in the reader's font, not as they are in that of this machine.
    width = text_width(labels) + 8 if any(labels) else 0
    return alt.Axis(
        **axis_called(labels, lines=False), domain=False, minExtent=width, grid=True, gridColor=RULE
    )


def _texts(
    texts: Sequence[str], y: alt.Y, x: int, data: list[list[Row]], *, each: int
) -> alt.Chart:
    """Return what is said in the first of the lines that each name has, up to or from a place."""
    base = alt.Chart(data_of(len(data)))
    data.append([{"position": place * each, "text": text} for place, text in enumerate(texts)])
    mark = base.mark_text(align="right" if x else "left", fontSize=SIZE_PX, fill=INK)
    layer: alt.Chart = mark.encode(y=y, x=alt.value(x), text="text:N")
    return layer


def _heading(text: str, x: int, data: list[list[Row]], *, above: int = 4) -> alt.Chart:
    base = alt.Chart(data_of(len(data)))
    data.append([{"text": text}])
    mark = base.mark_text(align="right", baseline="bottom", fontSize=SIZE_PX, fill="var(--faint)")
    layer: alt.Chart = mark.encode(x=alt.value(x), y=alt.value(-above), text="text:N")
    return layer


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
