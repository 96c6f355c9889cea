"""The questions of analysts to a checkpoint: lazy frames in, lazy frames out.

Every question takes the events of a checkpoint (lateness: its ledger) and `Filters`. Nothing is
read before the answer is collected, and then only the columns and row groups that it needs.
"""

from checkpoint_core.queries._counts import counts, current_status, errors_by_center, pass_rates
from checkpoint_core.queries._filters import VISIT, Filters, filter_events
from checkpoint_core.queries._grouping import PERIODS
from checkpoint_core.queries._registry import QUERIES, Parameter, Query, ask
from checkpoint_core.queries._times import (
    AGES,
    days_from_visit,
    days_to_qc,
    days_to_submission,
    lateness,
    waiting,
)
from checkpoint_core.queries._visits import changes, completeness, latest, timeline

__all__ = [
    "AGES",
    "PERIODS",
    "QUERIES",
    "VISIT",
    "Filters",
    "Parameter",
    "Query",
    "ask",
    "changes",
    "completeness",
    "counts",
    "current_status",
    "days_from_visit",
    "days_to_qc",
    "days_to_submission",
    "errors_by_center",
    "filter_events",
    "lateness",
    "latest",
    "pass_rates",
    "timeline",
    "waiting",
]
