"""Columns: one for each span of time, made of parts; those that are not whole are seen to be so."""

from typing import Final

from msgspec import Struct

from checkpoint_report._charts.drawing import (
    WIDE,
    Row,
    Spec,
    axis_called,
    bars,
    legend,
    svg,
    text_layer,
    text_width,
)
from checkpoint_report._charts.panels import Part

__all__ = ["Columns", "columns"]

_HEIGHT_PX: Final = {True: 190, False: 160}
_PARTIAL: Final = 0.35
_BOUNDED: Final = 0.2


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


def columns(seen: Columns, width: int) -> str:
    """Draw a column for each span of time."""
    longest = max([1.0, *(sum(most for _, most in values) for values in seen.values)])
    plot = width - text_width([f"{longest:,.0f}"]) - 40
    x = {
        "field": "position",
        "type": "ordinal",
        "axis": _spans(seen, plot),
        "scale": {"domain": list(range(len(seen.names))), "paddingInner": 0.25, "paddingOuter": 0.12},
    }  # fmt: skip
    scale = {"domain": [0, longest * 1.12], "nice": False}
    axis = {"title": seen.unit, "tickCount": 4, "domain": False, "ticks": False, "format": ",d"}
    low = {"field": "low", "type": "quantitative", "scale": scale, "axis": axis}
    high = {"field": "high", "type": "quantitative", "scale": scale}
    chart = {
        "layer": [
            bars(_bars(seen), x=x, y=low, y2={"field": "high"}),
            text_layer(_texts(seen, plot), {"baseline": "bottom", "dy": -3}, x=x, y=high),
        ],
        "width": plot,
        "height": _HEIGHT_PX[width >= WIDE],
    }
    keys = [(part.name, part.color) for part in seen.parts]
    return svg(chart, legend(keys, plot) if len(keys) > 1 else None)


def _spans(seen: Columns, plot: int) -> Spec:
    """Return the axis of the spans, as many of them called by their names as there is room for."""
    labels = [
        "\n".join([*name.rsplit(" ", 1), *(["partial"] if partial else [])])
        for name, partial in zip(seen.names, seen.partial, strict=True)
    ]
    needed = text_width([line for label in labels for line in label.split("\n")]) + 6
    every = -(-len(labels) * needed // plot)
    shown = {"values": list(range(0, len(labels), every)), "domain": True, "labelAngle": 0}
    return axis_called(labels, lines=True) | shown


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


def _texts(seen: Columns, plot: int) -> list[Row]:
    """Return what is said on top of as many columns as there is room for."""
    every = -(-len(seen.texts) * (text_width(seen.texts) + 4) // plot)
    return [
        {"position": position, "high": sum(most for _, most in values), "text": text}
        for position, (values, text) in enumerate(zip(seen.values, seen.texts, strict=True))
        if position % every == 0
    ]
