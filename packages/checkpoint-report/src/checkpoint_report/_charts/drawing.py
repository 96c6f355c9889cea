"""How every chart is drawn: as SVG, here and now, so that the page needs no script.

Charts are written in the grammar of Vega-Lite. Colours are names of CSS properties that the page
gives a value in each theme. What a chart says for those who do not see it stands beside it, in the
page. No text is smaller than 12 pixels.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import vl_convert

__all__ = [
    "FAINT",
    "GAP_PX",
    "INK",
    "NARROW",
    "ROW_PX",
    "RULE",
    "WIDE",
    "Chart",
    "Row",
    "Spec",
    "axis_called",
    "bars",
    "legend",
    "of_data",
    "shortened",
    "svg",
    "text_layer",
    "text_width",
]

Row = dict[str, Any]
"""What is drawn at one position."""

Spec = dict[str, Any]
"""A part of a chart in the grammar of Vega-Lite."""

Chart = Callable[[int], str]
"""A chart, drawn as SVG in a width."""

WIDE: Final = 700
NARROW: Final = 276
"""Widths in pixels of a chart on a sheet or a screen, and on a phone."""

INK: Final = "var(--ink)"
FAINT: Final = "var(--faint)"
RULE: Final = "var(--rule)"
ROW_PX: Final = 15
GAP_PX: Final = 14
_SIZE_PX: Final = 12
# A little more than digits and letters take in the wider fonts of their size.
_CHARACTER_PX: Final = 7.2
_LINE_PX: Final = 18
_CONFIG: Final[Spec] = {
    "aria": False,
    "background": "transparent",
    "font": "sans-serif",
    "padding": 2,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "labelFontSize": _SIZE_PX,
        "titleColor": FAINT,
        "titleFontSize": _SIZE_PX,
        "titleFontWeight": "normal",
        "gridColor": RULE,
        "domainColor": RULE,
        "tickColor": RULE,
    },
    "title": {
        "anchor": "start",
        "frame": "group",
        "fontSize": _SIZE_PX,
        "subtitleFontSize": _SIZE_PX,
        "color": INK,
        "subtitleColor": FAINT,
        "subtitlePadding": 2,
        "offset": 4,
    },
}
_TAG: Final = re.compile(r"<[^>]*>")
# Names of clippings are counted up, and nothing reaches out of a chart; what a chart says, the page says.
_NEEDLESS: Final = re.compile(
    r' (?:clip-path|aria-[a-z]+|role)="[^"]*"|<defs>.*?</defs>', re.DOTALL
)
_DECIMALS: Final = re.compile(r"(\.[0-9]{2})[0-9]+")


def of_data(rows: Sequence[Row], mark: Spec, **encoding: Any) -> Spec:
    """Return a layer: marks for these rows."""
    return {"data": {"values": rows}, "mark": mark, "encoding": encoding}


def text_layer(rows: Sequence[Row], mark: Spec, **encoding: Any) -> Spec:
    """Return a layer of what the rows call `text`."""
    told = {"type": "text", "fontSize": _SIZE_PX, "fill": INK} | mark
    return of_data(rows, told, text={"field": "text", "type": "nominal"}, **encoding)


def bars(rows: Sequence[Row], **encoding: Any) -> Spec:
    """Return bars in the rows' own colours, filled as much as these say, and drawn around."""
    return of_data(
        rows,
        {"type": "bar", "strokeWidth": 1},
        color={"field": "color", "type": "nominal", "scale": None},
        stroke={"field": "color", "type": "nominal", "scale": None},
        fillOpacity={"field": "filled", "type": "quantitative", "scale": None},
        **encoding,
    )


def axis_called(labels: Sequence[str], *, lines: bool) -> Spec:
    """Return an axis whose positions are called by these labels, whatever is in them."""
    told = [label.split("\n") if lines else label for label in labels]
    return {
        "labelExpr": f"{msgspec.json.encode(told).decode()}[datum.value]",
        "labelLimit": 0,
        "labelOverlap": False,
        "labelPadding": 6,
        "ticks": False,
        "title": None,
    }


def shortened(names: Sequence[str], width: float) -> list[str]:
    """Leave out the middle of names that need more room: what tells them apart is at their ends."""
    most = int(width / _CHARACTER_PX)
    tail = (most - 1) // 2
    return [
        name if len(name) <= most else f"{name[: most - 1 - tail]}…{name[-tail:]}" for name in names
    ]


def text_width(texts: Sequence[str]) -> int:
    """Return how wide the longest text may get, whatever font there is."""
    return round(max((len(text) for text in texts), default=0) * _CHARACTER_PX)


def legend(parts: Sequence[tuple[str, str]], width: int) -> Spec:
    """Return what names the colours, in as many lines as it takes."""
    rows: list[Row] = []
    x, line = 0, 0
    for name, color in parts:
        needed = 18 + text_width([name]) + GAP_PX
        if x and x + needed - GAP_PX > width:
            x, line = 0, line + 1
        rows.append({"x": x, "y": line * _LINE_PX + 9, "text": name, "color": color})
        x += needed
    height = (line + 1) * _LINE_PX
    place = {
        name: {
            "field": name,
            "type": "quantitative",
            "axis": None,
            "scale": {"domain": [0, end], "range": [0, end]},
        }
        for name, end in (("x", width), ("y", height))
    }
    square = {"type": "point", "shape": "square", "size": 110, "opacity": 1, "filled": True,
              "xOffset": 6}  # fmt: skip
    colors = {"field": "color", "type": "nominal", "scale": None}
    layers = [
        of_data(rows, square, color=colors, **place),
        text_layer(rows, {"align": "left", "dx": 18}, **place),
    ]
    return {"layer": layers, "width": width, "height": height}


def svg(chart: Spec, named: Spec | None = None) -> str:
    """Return the chart as SVG, below what names its colours, with numbers as exact as one can see."""
    whole = chart if named is None else {"vconcat": [named, chart], "spacing": 8}
    drawing = whole | {"autosize": "pad", "config": _CONFIG}
    drawn = vl_convert.vegalite_to_svg(drawing, allowed_base_urls=[])
    return _TAG.sub(lambda tag: _DECIMALS.sub(r"\1", tag[0]), _NEEDLESS.sub("", drawn))
