"""The monthly report: one page of aggregates, and the numbers behind it."""

from checkpoint_report._figures.centers import UnknownCenterError
from checkpoint_report._making import Checkpoint, Report, make_center_reports, make_report
from checkpoint_report._period import Period
from checkpoint_report._sections.subject import ORDERS, Order
from checkpoint_report._writing import write_centers, write_report

__all__ = [
    "ORDERS",
    "Checkpoint",
    "Order",
    "Period",
    "Report",
    "UnknownCenterError",
    "make_center_reports",
    "make_report",
    "write_centers",
    "write_report",
]
