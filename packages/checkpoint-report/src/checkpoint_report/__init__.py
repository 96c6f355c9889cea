"""The monthly report: one page of aggregates that may be handed on, and the numbers behind it."""

from checkpoint_report._figures.centers import UnknownCenterError
from checkpoint_report._making import Report, make_report
from checkpoint_report._period import Period
from checkpoint_report._writing import write_report

__all__ = ["Period", "Report", "UnknownCenterError", "make_report", "write_report"]
