"""Charts as SVG: drawn here and now, so that the page needs no script.

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
from msgspec import Struct

__all__ = ["NARROW", "WIDE", "Chart", "Panel", "Span", "bars", "columns", "spans"]

Chart = Callable[[int], str]
"""A chart, drawn as SVG in a width."""

# What altair makes of a chart depends on what is in it.
_Chart = alt.LayerChart | alt.FacetChart | alt.VConcatChart

WIDE: Final = 720
NARROW: Final = 288
"""Widths in pixels of a chart on a sheet or a screen, and on a phone."""

_FONT: Final = "sans-serif"
_INK: Final = "var(--ink)"
_FAINT: Final = "var(--faint)"
_RULE: Final = "var(--rule)"
# A little more than digits and letters take in the wider fonts of their size.
_CHARACTER_PX: Final = 6.6
# Titles are bold, and a point larger.
_TITLE_SIZE: Final = 1.2
_ROW_PX: Final = 17
_GAP_PX: Final = 14
_COLUMN_PX: Final = 62
_TAG: Final = re.compile(r"<[^>]*>")
# Names of clippings are counted up, and nothing reaches out of a chart; what a chart says, the page says.
_NEEDLESS: Final = re.compile(
    r' (?:clip-path|aria-[a-z]+|role)="[^"]*"|<defs>.*?</defs>', re.DOTALL
)
_DECIMALS: Final = re.compile(r"(\.[0-9]{2})[0-9]+")


class Panel(Struct, frozen=True, kw_only=True):
    """A title, and for each name how long its bar is, None for no bar, and what it says.

    `full` is the longest bar that there can be; without it the longest is that of the panel.
    """

    title: str
    values: tuple[float | None, ...]
    texts: tuple[str, ...]
    color: str
    full: float | None = None


class Span(Struct, frozen=True, kw_only=True):
    """A middle and an end, None where they are not shown, and what is said of each."""

    middle: float | None
    end: float | None
    texts: tuple[str, str]


def bars(names: Sequence[str], panels: Sequence[Panel], *, width: int) -> str:
    """Draw a row for each name, with a bar in each panel."""
    labels = _shortened(names, width, alone=len(panels) == 1)
    room = width - _text_width(labels) - 8 + _GAP_PX
    title = _text_width([panel.title for panel in panels]) * _TITLE_SIZE + _GAP_PX
    most = len(panels) if width == WIDE else 2
    beside = max(1, min(most, len(panels), int(room / title)))
    panel_width = room // beside - _GAP_PX
    charts = [
        _bars(len(labels), panel, panel_width, None if index % beside else _row_axis(labels))
        for index, panel in enumerate(panels)
    ]
    lines = [charts[start : start + beside] for start in range(0, len(charts), beside)]
    return _svg(alt.vconcat(*(alt.hconcat(*line, spacing=_GAP_PX) for line in lines), spacing=16))


def columns(names: Sequence[str], panels: Sequence[Panel], *, width: int) -> str:
    """Draw a column for each name, the panels one below the other."""
    every = -(-len(names) * 44 // width)
    charts = []
    for index, panel in enumerate(panels):
        is_last = index + 1 == len(panels)
        rows = _data(panel)
        for position, row in enumerate(rows):
            row["text"] = "" if position % every else row["text"]
        axis = alt.Axis(
            **_plain_axis(names, lines=True),
            values=list(range(0, len(names), every)),
            domain=True,
            labels=is_last,
            labelAngle=0,
        )
        scale = alt.Scale(paddingInner=0.25, paddingOuter=0.12)
        base = alt.Chart(alt.InlineData(values=rows)).encode(
            x=alt.X("position:O", axis=axis, scale=scale)
        )
        heights = alt.Scale(domain=[0, _longest(panel) * 1.32], nice=False)
        y = alt.Y("value:Q", axis=None, scale=heights)
        bar = base.mark_bar(color=panel.color, cornerRadiusEnd=2).encode(y=y)
        text = base.mark_text(baseline="bottom", dy=-3, fontSize=11, fill=_INK)
        charts.append(
            alt.layer(bar, text.encode(y=y, text="text:N")).properties(
                width=width, height=_COLUMN_PX, title=_title(panel.title)
            )
        )
    return _svg(alt.vconcat(*charts, spacing=8))


def spans(
    names: Sequence[str],
    values: Sequence[Span],
    headings: tuple[str, str],
    *,
    width: int,
    color: str,
) -> str:
    """Draw for each name a dot at the middle and a line to the end, and what is said beside it."""
    labels = ["", *_shortened(names, width, alone=False)]
    ends = [_text_width([texts[side] for texts in [headings, *(v.texts for v in values)]])
            for side in (0, 1)]  # fmt: skip
    plot_width = width - _text_width(labels) - 8 - sum(ends) - 2 * _GAP_PX
    numbers = [n for value in values for n in (value.middle, value.end) if n is not None]
    scale = alt.Scale(domain=[min([0.0, *numbers]), max([1.0, *numbers])], nice=True)
    rows = [Span(middle=None, end=None, texts=headings), *values]
    data = [
        {"position": i, "middle": v.middle, "end": v.end, "left": v.texts[0], "right": v.texts[1]}
        for i, v in enumerate(rows)
    ]
    base = alt.Chart(alt.InlineData(values=data)).encode(
        y=alt.Y("position:O", axis=_row_axis(labels), scale=alt.Scale(padding=0))
    )
    ticks = 5 if width == WIDE else 2
    axis = alt.Axis(orient="top", title=None, tickCount=ticks, domain=False, ticks=False)
    middle = alt.X("middle:Q", scale=scale, axis=axis)
    line = base.mark_rule(color=color, strokeWidth=3, opacity=0.45).encode(x=middle, x2="end")
    end = base.mark_tick(color=color, thickness=2, height=9).encode(x=alt.X("end:Q", scale=scale))
    dot = base.mark_circle(color=color, size=52, opacity=1).encode(x=middle)
    text = base.mark_text(align="right", fontSize=11, fill=_INK)
    left = plot_width + _GAP_PX + ends[0]
    told = [
        text.encode(x=alt.value(left), text="left:N"),
        text.encode(x=alt.value(left + _GAP_PX + ends[1]), text="right:N"),
    ]
    return _svg(
        alt.layer(line, end, dot, *told).properties(width=plot_width, height=_ROW_PX * len(rows))
    )


def _bars(count: int, panel: Panel, width: int, axis: alt.Axis | None) -> _Chart:
    room = max(width - _text_width(panel.texts) - 8, 12)
    lengths = alt.Scale(domain=[0, _longest(panel) * width / room], nice=False)
    base = alt.Chart(alt.InlineData(values=_data(panel))).encode(
        y=alt.Y("position:O", axis=axis, scale=alt.Scale(paddingInner=0.28, paddingOuter=0.14))
    )
    x = alt.X("value:Q", axis=None, scale=lengths)
    bar = base.mark_bar(color=panel.color, cornerRadiusEnd=2).encode(x=x)
    text = base.mark_text(align="left", dx=4, fontSize=11, fill=_INK).encode(x=x, text="text:N")
    return alt.layer(bar, text).properties(
        width=width, height=_ROW_PX * count, title=_title(panel.title)
    )


def _data(panel: Panel) -> list[dict[str, Any]]:
    return [
        {"position": position, "value": value or 0, "text": text}
        for position, (value, text) in enumerate(zip(panel.values, panel.texts, strict=True))
    ]


def _row_axis(labels: Sequence[str]) -> alt.Axis:
    # As wide as the labels may get in the reader's font, not as they are in that of this machine.
    width = _text_width(labels) + 8
    return alt.Axis(**_plain_axis(labels, lines=False), domain=False, minExtent=width)


def _plain_axis(labels: Sequence[str], *, lines: bool) -> dict[str, Any]:
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


def _title(text: str) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start", frame="group", fontSize=12, color=_INK)


def _longest(panel: Panel) -> float:
    return panel.full or max((value for value in panel.values if value), default=1)


def _shortened(names: Sequence[str], width: int, *, alone: bool) -> list[str]:
    """Leave out the middle of long names: what tells them apart is mostly at their ends."""
    most = (60 if alone else 26) if width == WIDE else (24 if alone else 14)
    tail = (most - 1) // 2
    return [
        name if len(name) <= most else f"{name[: most - 1 - tail]}…{name[-tail:]}" for name in names
    ]


def _text_width(texts: Sequence[str]) -> int:
    """Return how wide the longest text may get, whatever font there is."""
    return round(max((len(text) for text in texts), default=0) * _CHARACTER_PX)


def _svg(chart: _Chart) -> str:
    """Return the chart as SVG, with numbers as exact as anybody can see."""
    configured = chart.configure(
        aria=False, autosize="pad", background="transparent", font=_FONT, padding=2
    )
    styled = configured.configure_view(stroke=None).configure_axis(
        labelColor=_INK, labelFontSize=11, gridColor=_RULE, domainColor=_RULE
    )
    svg = vl_convert.vegalite_to_svg(styled.to_dict(), allowed_base_urls=[])
    return _TAG.sub(lambda tag: _DECIMALS.sub(r"\1", tag[0]), _NEEDLESS.sub("", svg))
