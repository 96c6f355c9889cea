"""A straight line through what was measured at several sizes, and where it meets a limit."""

from collections.abc import Sequence
from statistics import linear_regression

from msgspec import Struct


class Line(Struct, frozen=True):
    """`start + slope * x`, by least squares; `residual` is the most that a point is off it."""

    start: float
    slope: float
    residual: float

    def at(self, x: float) -> float:
        """Return its value there."""
        return self.start + self.slope * x

    def reaches(self, limit: float) -> float:
        """Return where it reaches a limit; infinite where it does not rise."""
        return (limit - self.start) / self.slope if self.slope > 0 else float("inf")


def fitted(points: Sequence[tuple[float, float]]) -> Line:
    """Fit a line to at least two points that are not all at one x."""
    xs, ys = zip(*points, strict=True)
    slope, start = linear_regression(xs, ys)
    residual = max(abs(y - start - slope * x) for x, y in points)
    return Line(start, slope, residual)
