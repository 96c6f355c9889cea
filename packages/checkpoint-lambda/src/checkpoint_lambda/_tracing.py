"""Spans through the OpenTelemetry API: the run, and one for each of its stages.

Without an SDK, which AWS's managed layer brings where it is wanted, all of this does nothing.
No span ever stands for one object, and no text of an exception gets into one.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from msgspec import structs
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from checkpoint_core import RunReport
from checkpoint_format.stores import Stage
from checkpoint_lambda._version import __version__

SPANS = {
    "run": "One run, with the numbers of its response.",
    "load": "Finding the checkpoint in force and fetching its ledger.",
    "list": "Listing the source.",
    "validate": "Reading the new objects and judging each as it comes.",
    "read": "Reading them, inside of validate: how many objects and bytes.",
    "merge": "Fetching the previous checkpoint, and building the next one and its ledger.",
    "commit": "Writing both.",
    "export": "Bringing what is derived from the checkpoint up to date.",
}
_PREFIX = "nacc.checkpoint."


class TracingObserver:
    """An observer that opens a span for the run and for each stage, and notes numbers there."""

    def __init__(self) -> None:
        """Take the tracer of whatever SDK there is at this moment."""
        self._tracer: Tracer = trace.get_tracer("checkpoint_lambda", __version__)
        self._spans: list[Span] = []

    @contextmanager
    def run(self) -> Iterator[None]:
        """Open the run's own span, which the others are children of."""
        with self._span("run"):
            yield

    def stage(self, name: Stage) -> AbstractContextManager[object]:
        """Open a span for the stage."""
        return self._span(name)

    def progress(self, done: int, total: int) -> None:
        """Ignore it: a span is looked at when it is over."""

    def note(self, **numbers: int | str) -> None:
        """Set attributes on the span that is open."""
        if self._spans:
            for name, number in numbers.items():
                self._spans[-1].set_attribute(f"{_PREFIX}{name}", number)

    def reported(self, report: RunReport) -> None:
        """Set what the run did on the span that is open."""
        self.note(
            **{f"counts.{name}": count for name, count in structs.asdict(report.counts).items()},
            run_id=report.run_id,
            listed=report.listed,
            total_events=report.total_events,
            rejects=report.rejects,
            size_bytes=report.size_bytes,
            complete=report.complete,
        )

    @contextmanager
    def _span(self, name: str) -> Iterator[None]:
        # The SDK would otherwise record an exception with its text.
        with self._tracer.start_as_current_span(
            name, kind=SpanKind.INTERNAL, record_exception=False, set_status_on_exception=False
        ) as span:
            self._spans.append(span)
            try:
                yield
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise
            finally:
                self._spans.pop()
