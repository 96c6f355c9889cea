"""How every chart is drawn: as SVG, here and now, so that the page needs no script.

Colours are names of CSS properties that the page gives a value in each theme. Every mark carries
its number as text, so that no colour and no axis has to be read. What a chart says for those who do
not see it stands beside it, in the page.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import altair as alt
import msgspec
import vl_convert

__all__ = [
    "GAP_PX",
    "INK",
    "NARROW",
    "ROW_PX",
    "WIDE",
    "AnyChart",
    "Chart",
    "Row",
    "axis_called",
    "data_of",
    "row_axis",
    "shortened",
    "svg",
    "text_width",
]

Row = dict[str, Any]
"""What is drawn at one position."""

Chart = Callable[[int], str]
"""A chart, drawn as SVG in a width."""

# What altair makes of a chart depends on what is in it.
AnyChart = alt.LayerChart | alt.FacetChart | alt.VConcatChart

WIDE: Final = 720
NARROW: Final = 288
"""Widths in pixels of a chart on a sheet or a screen, and on a phone."""

_FONT: Final = "sans-serif"
INK: Final = "var(--ink)"
_RULE: Final = "var(--rule)"
# A little more than digits and letters take in the wider fonts of their size.
_CHARACTER_PX: Final = 6.6
ROW_PX: Final = 17
GAP_PX: Final = 14
_TAG: Final = re.compile(r"<[^>]*>")
# Names of clippings are counted up, and nothing reaches out of a chart; what a chart says, the page says.
_NEEDLESS: Final = re.compile(
    r' (?:clip-path|aria-[a-z]+|role)="[^"]*"|<defs>.*?</defs>', re.DOTALL
)
_DECIMALS: Final = re.compile(r"(\.[0-9]{2})[0-9]+")


def data_of(number: int) -> alt.NamedData:
    """Return what stands for the data of this number until the chart is drawn."""
    return alt.NamedData(name=f"data-{number}")


def row_axis(labels: Sequence[str]) -> alt.Axis:
    """Return the axis of a row for each of these labels."""
    # As wide as the labels may get in the reader's font, not as they are in that of this machine.
    width = text_width(labels) + 8
    return alt.Axis(**axis_called(labels, lines=False), domain=False, minExtent=width)


def axis_called(labels: Sequence[str], *, lines: bool) -> dict[str, Any]:
    """Return an axis whose positions are called by these labels, whatever is in them."""
    told = [label.rsplit(" ", 1) if lines else label for label in labels]
    return {
        "labelExpr": f"{msgspec.json.encode(told).decode()}[datum.value]",
        "labelLimit": 0,
        "labelOverlap": False,
        "labelPadding": 6,
        "ticks": False,
        "title": None,
    }


def shortened(names: Sequence[str], width: int, *, alone: bool) -> list[str]:
    """Leave out the middle of long names: what tells them apart is mostly at their ends."""
    most = (60 if alone else 26) if width == WIDE else (24 if alone else 14)
    tail = (most - 1) // 2
    return [
        name if len(name) <= most else f"{name[: most - 1 - tail]}…{name[-tail:]}" for name in names
    ]


def text_width(texts: Sequence[str]) -> int:
    """Return how wide the longest text may get, whatever font there is."""
    return round(max((len(text) for text in texts), default=0) * _CHARACTER_PX)


def svg(chart: AnyChart, *data: Sequence[Row]) -> str:
    """Return the chart as SVG, with numbers as exact as anybody can see.

    `data` is what the charts in it call `data_of` their place in it. It is put in last: altair
    copies whatever is in a chart again and again, and checks it.
    """
    configured = chart.configure(
        aria=False, autosize="pad", background="transparent", font=_FONT, padding=2
    )
    styled = configured.configure_view(stroke=None).configure_axis(
        labelColor=INK, labelFontSize=11, gridColor=_RULE, domainColor=_RULE
    )
    drawing = styled.to_dict(validate=False)
    drawing["datasets"] = {data_of(number).name: rows for number, rows in enumerate(data)}
    drawn = vl_convert.vegalite_to_svg(drawing, allowed_base_urls=[])
    return _TAG.sub(lambda tag: _DECIMALS.sub(r"\1", tag[0]), _NEEDLESS.sub("", drawn))
