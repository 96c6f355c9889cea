"""Rows: a line for each name, with what there is to see of it in one panel or several."""

from collections.abc import Sequence
from typing import Any, Final

from checkpoint_report._charts.drawing import (
    FAINT,
    GAP_PX,
    INK,
    ROW_PX,
    RULE,
    WIDE,
    Row,
    Spec,
    axis_called,
    bars,
    legend,
    of_data,
    shortened,
    svg,
    text_layer,
    text_width,
)
from checkpoint_report._charts.panels import Bars, Panel, Points

__all__ = ["rows"]

_LEAST_PANEL_PX: Final = 220
"""What is left to a panel at the least where names are long."""
_LEAST_PLOT_PX: Final = 60
_BOUNDED: Final = 0.25


def rows(names: Sequence[str], panels: Sequence[Panel], width: int) -> str:
    """Draw a row for each name, the panels side by side.

    On a narrow page they are one below the other, and what is said is above what is seen.
    """
    if width >= WIDE:
        labels = shortened(names, width - len(panels) * _LEAST_PANEL_PX)
        room = width - text_width(labels) - 14
        each = (room - (len(panels) - 1) * GAP_PX) // len(panels)
        blank = [""] * len(labels)
        drawn = [_wide(panel, each, blank if at else labels) for at, panel in enumerate(panels)]
        placed: Spec = {"hconcat": drawn, "spacing": GAP_PX}
    else:
        said = text_width([text for panel in panels for text in panel.texts])
        labels, room = shortened(names, width - said - 8), width - 6
        placed = {"vconcat": [_narrow(panel, room, labels) for panel in panels], "spacing": 18}
    keys = [part for panel in panels if isinstance(panel.seen, Bars) for part in panel.seen.parts]
    several = len(keys) > 1
    return svg(placed, legend([(key.name, key.color) for key in keys], room) if several else None)


def _wide(panel: Panel, width: int, labels: Sequence[str]) -> Spec:
    """Return a panel of a line for each name, with what is said of it at the right."""
    said = text_width([*panel.texts, panel.text_heading])
    plot = max(width - said - 6, _LEAST_PLOT_PX)
    y = _lines(len(labels), _names(labels))
    layers = _seen(panel, plot, y, each=1, last=0)
    if panel.overall is not None:
        dashed = {"type": "rule", "color": INK, "strokeDash": [3, 2]}
        layers.append(of_data([{"overall": panel.overall}], dashed, x=_quantity("overall")))
    layers.append(_texts(panel.texts, y, plot + 6 + said, each=1))
    if panel.text_heading:
        layers.append(_heading(panel.text_heading, plot + 6 + said, above=4))
    return _panel(panel, layers, plot, len(labels))


def _narrow(panel: Panel, width: int, labels: Sequence[str]) -> Spec:
    """Return a panel of two lines for each name: what is said of it, and below it what is seen."""
    y = _lines(2 * len(labels), None)
    layers = _seen(panel, width, y, each=2, last=1)
    if panel.overall is not None:
        # Not across what is said.
        places = range(1, 2 * len(labels), 2)
        found = [{"overall": panel.overall, "position": place} for place in places]
        tick = {"type": "tick", "color": INK, "thickness": 1, "size": ROW_PX}
        layers.append(of_data(found, tick, x=_quantity("overall"), y=y))
    layers.append(_texts(panel.texts, y, width, each=2))
    layers.append(_texts(labels, y, 0, each=2))
    if panel.text_heading:
        layers.append(_heading(panel.text_heading, width, above=18))
    return _panel(panel, layers, width, 2 * len(labels))


def _panel(panel: Panel, layers: list[Spec], width: int, lines: int) -> Spec:
    details = [panel.overall_text] if panel.overall_text else []
    return {
        "layer": layers,
        "width": width,
        "height": max(ROW_PX * lines, 1),
        "title": {"text": panel.title, "subtitle": details},
    }


def _lines(number: int, axis: Spec | None) -> Spec:
    scale = {"domain": list(range(number)), "paddingInner": 0.3, "paddingOuter": 0.15}
    return {"field": "position", "type": "ordinal", "axis": axis, "scale": scale}


def _quantity(field: str, **more: Any) -> Spec:
    return {"field": field, "type": "quantitative", **more}


def _seen(panel: Panel, plot: int, y: Spec, *, each: int, last: int) -> list[Spec]:
    """Return the marks, in the last of the lines that each name has."""
    end = panel.end or _end(panel)
    scale = {"domain": [_begin(panel), end], "nice": False, "zero": False}
    low = _quantity("low", scale=scale, axis=_measure(panel, plot, end))
    high: Spec = {"field": "high"}
    is_bars = isinstance(panel.seen, Bars)
    found = _bars(panel.seen) if isinstance(panel.seen, Bars) else _points(panel.seen)
    data = [row | {"position": row["position"] * each + last} for row in found]
    if is_bars:
        return [bars(data, x=low, x2=high, y=y)]
    color = panel.seen.color if isinstance(panel.seen, Points) else INK
    line = {"type": "rule", "color": color, "strokeWidth": 3, "opacity": 0.5}
    dot = {"type": "circle", "color": color, "size": 52, "opacity": 1}
    middle = _quantity("middle", scale=scale)
    with_middle = [row for row in data if row["middle"] is not None]
    return [of_data(data, line, x=low, x2=high, y=y), of_data(with_middle, dot, x=middle, y=y)]


def _measure(panel: Panel, plot: int, end: float) -> Spec:
    ticks = max(2, min(5, plot // 55))
    values: Spec = {"values": [0, 0.5, 1]} if panel.percent else {"tickCount": ticks}
    return {
        **values,
        "orient": "top",
        "title": panel.unit,
        "titleAnchor": "start",
        "format": ".0%" if panel.percent else ",d" if end >= ticks else "~g",
        "domain": False,
        "ticks": False,
        "gridOpacity": 0.6,
    }


def _names(labels: Sequence[str]) -> Spec:
    """Return the axis of names, with a line from each across its row."""
    # As wide as the labels may get in the reader's font, not as they are in that of this machine.
    width = text_width(labels) + 8 if any(labels) else 0
    lines = {"domain": False, "minExtent": width, "grid": True, "gridColor": RULE}
    return axis_called(labels, lines=False) | lines


def _texts(texts: Sequence[str], y: Spec, x: int, *, each: int) -> Spec:
    """Return what is said in the first of the lines that each name has, up to or from a place."""
    found = [{"position": place * each, "text": text} for place, text in enumerate(texts)]
    return text_layer(found, {"align": "right" if x else "left"}, x={"value": x}, y=y)


def _heading(text: str, x: int, *, above: int) -> Spec:
    mark = {"align": "right", "baseline": "bottom", "fill": FAINT}
    return text_layer([{"text": text}], mark, x={"value": x}, y={"value": -above})


def _bars(seen: Bars) -> list[Row]:
    found: list[Row] = []
    for position, values in enumerate(seen.values):
        place = 0.0
        for part, (least, most) in zip(seen.parts, values or (), strict=False):
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
