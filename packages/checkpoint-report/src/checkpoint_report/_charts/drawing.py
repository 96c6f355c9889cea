"""How every chart is drawn: as SVG, here and now, so that the page needs no script.

Colours are names of CSS properties that the page gives a value in each theme. What a chart says for
those who do not see it stands beside it, in the page. No text is smaller than 12 pixels.
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
    "RULE",
    "SIZE_PX",
    "WIDE",
    "AnyChart",
    "Chart",
    "Row",
    "axis_called",
    "data_of",
    "legend",
    "outlined",
    "shortened",
    "svg",
    "text_width",
    "title_of",
]

Row = dict[str, Any]
"""What is drawn at one position."""

Chart = Callable[[int], str]
"""A chart, drawn as SVG in a width."""

# What altair makes of a chart depends on what is in it.
AnyChart = alt.Chart | alt.LayerChart | alt.FacetChart | alt.VConcatChart | alt.HConcatChart

WIDE: Final = 700
NARROW: Final = 276
"""Widths in pixels of a chart on a sheet or a screen, and on a phone."""

INK: Final = "var(--ink)"
RULE: Final = "var(--rule)"
SIZE_PX: Final = 12
# A little more than digits and letters take in the wider fonts of their size.
_CHARACTER_PX: Final = 7.2
ROW_PX: Final = 15
GAP_PX: Final = 14
_FONT: Final = "sans-serif"
_TAG: Final = re.compile(r"<[^>]*>")
# Names of clippings are counted up, and nothing reaches out of a chart; what a chart says, the page says.
_NEEDLESS: Final = re.compile(
    r' (?:clip-path|aria-[a-z]+|role)="[^"]*"|<defs>.*?</defs>', re.DOTALL
)
_DECIMALS: Final = re.compile(r"(\.[0-9]{2})[0-9]+")


def data_of(number: int) -> alt.NamedData:
    """Return what stands for the data of this number until the chart is drawn."""
    return alt.NamedData(name=f"data-{number}")


def axis_called(labels: Sequence[str], *, lines: bool) -> dict[str, Any]:
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


def title_of(text: str, *details: str) -> alt.TitleParams:
    """Return the title of a panel, with lines below it."""
    return alt.TitleParams(
        text,
        subtitle=[detail for detail in details if detail],
        anchor="start",
        frame="group",
        fontSize=SIZE_PX,
        subtitleFontSize=SIZE_PX,
        color=INK,
        subtitleColor="var(--faint)",
        subtitlePadding=2,
        offset=4,
    )


def legend(parts: Sequence[tuple[str, str]], width: int, number: int) -> tuple[AnyChart, list[Row]]:
    """Return what names the colours, in as many lines as it takes, and its data of this number."""
    rows: list[Row] = []
    x, line = 0, 0
    for name, color in parts:
        needed = 18 + text_width([name]) + GAP_PX
        if x and x + needed - GAP_PX > width:
            x, line = 0, line + 1
        rows.append({"x": x, "y": line * 18 + 9, "name": name, "color": color})
        x += needed
    height = (line + 1) * 18
    base = alt.Chart(data_of(number)).encode(
        x=alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, width], range=[0, width])),
        y=alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, height], range=[0, height])),
    )
    square = base.mark_point(shape="square", size=110, opacity=1, filled=True, xOffset=6).encode(
        color=alt.Color("color:N", scale=None)
    )
    text = base.mark_text(align="left", dx=18, fontSize=SIZE_PX, fill=INK).encode(text="name:N")
    return alt.layer(square, text).properties(width=width, height=height), rows


def outlined(base: alt.Chart) -> alt.Chart:
    """Return bars in the colours of the data, filled as much as these say, and drawn around."""
    bars: alt.Chart = base.mark_bar(strokeWidth=1, cornerRadius=0).encode(
        color=alt.Color("color:N", scale=None),
        stroke=alt.Stroke("color:N", scale=None),
        fillOpacity=alt.FillOpacity("filled:Q", scale=None),
    )
    return bars


def svg(chart: AnyChart, *data: Sequence[Row]) -> str:
    """Return the chart as SVG, with numbers as exact as anybody can see.

    `data` is what the charts in it call `data_of` their place in it. It is put in last: altair
    copies whatever is in a chart again and again, and checks it.
    """
    configured = chart.configure(
        aria=False, autosize="pad", background="transparent", font=_FONT, padding=2
    )
    styled = configured.configure_view(stroke=None).configure_axis(
        labelColor=INK,
        labelFontSize=SIZE_PX,
        titleColor="var(--faint)",
        titleFontSize=SIZE_PX,
        titleFontWeight="normal",
        gridColor=RULE,
        domainColor=RULE,
        tickColor=RULE,
    )
    drawing = styled.to_dict(validate=False)
    drawing["datasets"] = {data_of(number).name: rows for number, rows in enumerate(data)}
    drawn = vl_convert.vegalite_to_svg(drawing, allowed_base_urls=[])
    return _TAG.sub(lambda tag: _DECIMALS.sub(r"\1", tag[0]), _NEEDLESS.sub("", drawn))
