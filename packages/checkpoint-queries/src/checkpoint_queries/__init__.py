"""The questions of analysts to a checkpoint: lazy frames in, lazy frames out.

Every question takes the events of a checkpoint (lateness: its ledger) and `Filters`. Nothing is
read before the answer is collected, and then only the columns and row groups that it needs.

What identifies a submission is decided in `_identity`, what its events say of it in `_lives`, and
nowhere else.

Each name is loaded when it is first asked for: whoever only wants to know which questions there are
waits for no polars.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from checkpoint_queries._version import __version__

if TYPE_CHECKING:
    from checkpoint_queries._counts import counts, current_status, errors_by_center, pass_rates
    from checkpoint_queries._filters import Filters, filter_events
    from checkpoint_queries._grouping import PERIODS
    from checkpoint_queries._identity import IDENTITIES, SUBMISSION, VISIT
    from checkpoint_queries._lives import FACTS, STATUSES, days_from_visit
    from checkpoint_queries._near_misses import NEAR_MISSES, near_misses
    from checkpoint_queries._registry import QUERIES, Query, ask
    from checkpoint_queries._sql import Dialect, submissions_view
    from checkpoint_queries._submissions import changes, completeness, latest, submissions, timeline
    from checkpoint_queries._times import (
        AGES,
        age_of,
        days_to_qc,
        days_to_submission,
        days_waiting,
        lateness,
        resubmitted,
        waiting,
    )
    from checkpoint_queries.questions import Identity, Parameter
else:
    _MODULES = {
        "_counts": "counts current_status errors_by_center pass_rates",
        "_filters": "Filters filter_events",
        "_grouping": "PERIODS",
        "_identity": "IDENTITIES SUBMISSION VISIT",
        "_lives": "FACTS STATUSES days_from_visit",
        "_near_misses": "NEAR_MISSES near_misses",
        "_registry": "QUERIES Query ask",
        "_sql": "Dialect submissions_view",
        "_submissions": "changes completeness latest submissions timeline",
        "_times": "AGES age_of days_to_qc days_to_submission days_waiting lateness resubmitted waiting",
        "questions": "Identity Parameter",
    }
    _MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = found
        return found


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
    "__version__",
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
