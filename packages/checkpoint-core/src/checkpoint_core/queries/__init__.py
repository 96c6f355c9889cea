"""The questions of analysts to a checkpoint: lazy frames in, lazy frames out.

Every question takes the events of a checkpoint (lateness: its ledger) and `Filters`. Nothing is
read before the answer is collected, and then only the columns and row groups that it needs.

What identifies a submission is decided in `_identity`, what its events say of it in `_lives`, and
nowhere else.
"""

from checkpoint_core.queries._counts import counts, current_status, errors_by_center, pass_rates
from checkpoint_core.queries._filters import Filters, filter_events
from checkpoint_core.queries._grouping import PERIODS
from checkpoint_core.queries._identity import IDENTITIES, SUBMISSION, VISIT
from checkpoint_core.queries._lives import FACTS, STATUSES, days_from_visit
from checkpoint_core.queries._near_misses import NEAR_MISSES, near_misses
from checkpoint_core.queries._registry import QUERIES, Query, ask
from checkpoint_core.queries._sql import Dialect, submissions_view
from checkpoint_core.queries._submissions import (
    changes,
    completeness,
    latest,
    submissions,
    timeline,
)
from checkpoint_core.queries._times import (
    AGES,
    age_of,
    days_to_qc,
    days_to_submission,
    days_waiting,
    lateness,
    resubmitted,
    waiting,
)
from checkpoint_core.questions import Identity, Parameter

__all__ = [
    "AGES",
    "FACTS",
    "IDENTITIES",
    "NEAR_MISSES",
    "PERIODS",
    "QUERIES",
    "STATUSES",
    "SUBMISSION",
    "VISIT",
    "Dialect",
    "Filters",
    "Identity",
    "Parameter",
    "Query",
    "age_of",
    "ask",
    "changes",
    "completeness",
    "counts",
    "current_status",
    "days_from_visit",
    "days_to_qc",
    "days_to_submission",
    "days_waiting",
    "errors_by_center",
    "filter_events",
    "lateness",
    "latest",
    "near_misses",
    "pass_rates",
    "resubmitted",
    "submissions",
    "submissions_view",
    "timeline",
    "waiting",
]
