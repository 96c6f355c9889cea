"""A curve: which share has come to an end after so many days, and between what bounds."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from checkpoint_report._charts.drawing import Row, Spec, of_data, svg, text_layer

__all__ = ["Step", "curve"]

_LONGEST_DAYS: Final = 180
_HEIGHT_PX: Final = 200


class Step(Struct, frozen=True):
    """From this day on, up to the next step, this share, between these bounds."""

    day: int
    share: float
    low: float
    high: float


def curve(
    steps: Sequence[Step], marked: Sequence[int], *, unit: str, color: str, width: int
) -> str:
    """Draw the shares as a line of steps within the band of their bounds; name those of some days.

    Beyond the last step nothing is known, unless it has all: there the line ends.
    """
    last = min(max([*marked, *(step.day for step in steps)]), _LONGEST_DAYS)
    known = last if steps[-1].share == 1 else min(last, steps[-1].day)
    line = [Step(0, 0.0, 0.0, 0.0), *(step for step in steps if step.day <= last)]
    end = line[-1]
    line.append(Step(known, end.share, end.low, end.high))
    drawn: list[Row] = [
        {"day": step.day, "share": step.share, "low": step.low, "high": step.high} for step in line
    ]
    named: list[Row] = []
    for day in (day for day in marked if day <= known):
        at = [step for step in line if step.day <= day][-1]
        named.append({"day": day, "share": at.share, "text": f"{at.share:.0%}"})
    days = {
        "title": "days since it was first handed in",
        "values": sorted({0, *marked, last}),
        "grid": False,
        "domain": True,
    }
    x = {"field": "day", "type": "quantitative", "axis": days,
         "scale": {"domain": [0, last * 1.02], "nice": False}}  # fmt: skip
    shares = {"title": unit, "format": ".0%", "tickCount": 5, "domain": False, "ticks": False}

    def y(field: str) -> Spec:
        scale = {"domain": [0, 1], "nice": False}
        return {"field": field, "type": "quantitative", "axis": shares, "scale": scale}

    mark = {"color": color, "interpolate": "step-after"}
    layers = [
        of_data(drawn, mark | {"type": "area", "opacity": 0.25}, x=x, y=y("low"), y2={"field": "high"}),
        of_data(drawn, mark | {"type": "line", "strokeWidth": 2}, x=x, y=y("share")),
        of_data(named, {"type": "circle", "color": color, "size": 52, "opacity": 1}, x=x, y=y("share")),
        text_layer(named, {"align": "left", "dx": 4, "dy": 14}, x=x, y=y("share")),
    ]  # fmt: skip
    return svg({"layer": layers, "width": width - 66, "height": _HEIGHT_PX})
