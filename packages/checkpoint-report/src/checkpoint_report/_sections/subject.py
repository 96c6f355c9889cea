"""What a report is about, and in which order it tells of it."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

from msgspec import Struct

from checkpoint_format.layout import CheckpointMetadata
from checkpoint_report._figures.centers import Center
from checkpoint_report._figures.known import Count, Share, added
from checkpoint_report._figures.scope import Scope
from checkpoint_report._figures.standing import NOT_PASSED, PASSED
from checkpoint_report._figures.tables import Table
from checkpoint_report._figures.telling import Told

__all__ = ["ORDERS", "Order", "Subject", "ordered", "passing", "passing_before"]

Order = Literal["adcid", "name", "submissions", "rate", "backlog"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)
"""By what centers can be ordered: the largest first, of rates the lowest."""


class Subject(Struct, frozen=True, kw_only=True):
    """A period, one center or all, and the checkpoint as it was."""

    scope: Scope
    center: Center | None
    centers: Sequence[Center]
    metadata: CheckpointMetadata
    order: Order

    @property
    def title(self) -> str:
        """What the report is called."""
        return f"Visit events, {self.scope.period.title}"

    @property
    def about(self) -> str:
        """Whom it is about."""
        return "All centers" if self.center is None else self.center.name


def passing(cells: Table[Count], center: str) -> tuple[Count, Count]:
    """Return how many of a center's submissions passed and did not, by their last outcome."""
    return added(cells.part(center, *PASSED)), added(cells.part(center, *NOT_PASSED))


def passing_before(told: Told) -> Share | None:
    """Return the pass rate of all in the period before; None where there is none to compare with."""
    before = told.tables.get("status-before")
    if before is None:
        return None
    passed, failed, _ = map(added, before.totals())
    return Share.of(passed, failed)


def ordered(subject: Subject, told: Told) -> tuple[Center, ...]:
    """Order the centers by what is told of them, and nothing else; equal ones by number."""
    status, backlog = told.tables["status"], told.tables["backlog"]

    def rank(center: Center) -> tuple[float | str, ...]:
        match subject.order:
            case "adcid":
                return ()
            case "name":
                return (center.name.casefold(),)
            case "submissions":
                return (-added(status.row(center.key)).least,)
            case "backlog":
                return (-added(backlog.row(center.key)).least,)
            case "rate":
                rate = Share.of(*passing(status, center.key)).least
                return (2.0 if rate is None else rate,)

    return tuple(sorted(subject.centers, key=lambda center: (rank(center), center.adcid)))
