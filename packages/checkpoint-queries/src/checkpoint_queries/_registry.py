"""The questions by name, with what answers each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import polars as pl
from msgspec import UNSET, structs

from checkpoint_queries import _counts, _near_misses, _submissions, _times
from checkpoint_queries._filters import NO_FILTERS, Filters, filter_events
from checkpoint_queries.questions import QUESTIONS, Question


class Query(Question, frozen=True, kw_only=True):
    """A question, and how it is answered.

    `answer` takes a lazy frame of events, or of the ledger where `reads_ledger`, then filters, then
    the parameters by name; it gives a lazy frame in a definite order.
    """

    answer: Callable[..., pl.LazyFrame]


_ANSWERS: Final[Mapping[str, Callable[..., pl.LazyFrame]]] = {
    "events": filter_events,
    "submissions": _submissions.submissions,
    "latest": _submissions.latest,
    "status": _counts.current_status,
    "timeline": _submissions.timeline,
    "changes": _submissions.changes,
    "completeness": _submissions.completeness,
    "errors-by-center": _counts.errors_by_center,
    "counts": _counts.counts,
    "pass-rates": _counts.pass_rates,
    "days-to-submission": _times.days_to_submission,
    "days-to-qc": _times.days_to_qc,
    "lateness": _times.lateness,
    "waiting": _times.waiting,
    "resubmitted": _times.resubmitted,
    "near-misses": _near_misses.near_misses,
}

QUERIES: Final[Mapping[str, Query]] = MappingProxyType(
    {
        name: Query(**structs.asdict(question), answer=_ANSWERS[name])
        for name, question in QUESTIONS.items()
    }
)
"""Every query by its name, in the order in which to list them."""


def ask(
    name: str, frame: pl.LazyFrame, filters: Filters = NO_FILTERS, **parameters: Any
) -> pl.LazyFrame:
    """Answer a query by its name, from events, or from the ledger where the query reads that.

    Raises ValueError for a name or parameter that there is not, and for a missing parameter.
    """
    query = QUERIES.get(name)
    if query is None:
        raise ValueError(f"no such query; there are {', '.join(QUERIES)}")
    known = {parameter.name for parameter in query.parameters}
    required = {each.name for each in query.parameters if each.default is UNSET}
    if not parameters.keys() <= known or not required <= parameters.keys():
        takes = ", ".join(sorted(known)) or "none"
        needs = ", ".join(sorted(required)) or "none"
        raise ValueError(f"{name}: its parameters are: {takes}; those it needs: {needs}")
    return query.answer(frame, filters, **parameters)
