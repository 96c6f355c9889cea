"""Spans: a handful for each run, with numbers, and with nothing else."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from checkpoint_lambda._tracing import SPANS
from tests.checkpoint_lambda.invoking import ENVIRON, Ended, Function, document, object_key

STAGES = ["load", "list", "read", "validate", "merge", "commit", "export"]


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Give an SDK's memory of all spans; the process-wide provider can be set only once."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield memory
    provider.shutdown()


def attributes_of(exporter: InMemorySpanExporter, name: str) -> dict[str, object]:
    """Return the attributes of the one span of this name, without our prefix."""
    [span] = [each for each in exporter.get_finished_spans() if each.name == name]
    return {key.removeprefix("nacc.checkpoint."): value for key, value in span_items(span)}


def span_items(span: ReadableSpan) -> list[tuple[str, object]]:
    """Return a span's attributes."""
    return list((span.attributes or {}).items())


def test_a_run_is_a_span_with_its_stages_inside(
    exporter: InMemorySpanExporter, lambda_: Function
) -> None:
    """In their order, each once, however many objects there are."""
    lambda_.write(*range(50))

    lambda_.invoke(environ={**ENVIRON, "EXPORTS": "[]"})

    spans = exporter.get_finished_spans()
    assert [*STAGES, "run"] == [span.name for span in spans]
    assert SPANS.keys() == {span.name for span in spans}
    run = spans[-1]
    assert run.parent is None
    names = {span.context.span_id if span.context else 0: span.name for span in spans}
    parents = {span.name: names[span.parent.span_id] for span in spans if span.parent}
    assert {name: "validate" if name == "read" else "run" for name in STAGES} == parents


def test_spans_have_counts_and_bytes(exporter: InMemorySpanExporter, lambda_: Function) -> None:
    """Those of the stage, and on the run those of the response."""
    lambda_.write(1, 2)
    lambda_.invoke()
    exporter.clear()
    lambda_.write(3)
    lambda_.source.write(object_key(4), b"")
    ended = lambda_.invoke()
    size = len(lambda_.store.data("events.parquet"))

    response = ended.response or {}
    listed = {
        "objects": 4,
        "size_bytes": sum(len(each.data) for each in lambda_.source.objects.values()),
    }
    assert listed == attributes_of(exporter, "list")
    size_bytes = len(document(gear_name="gear-3"))
    read = {"selected": 2, "largest_bytes": size_bytes}
    read |= {"objects": 2, "failures": 0, "size_bytes": size_bytes}
    assert read == attributes_of(exporter, "read")
    assert {"accepted": 1, "touched": 0, "rejected": 1} == attributes_of(exporter, "validate")
    assert {"checkpoint_bytes", "ledger_bytes"} == attributes_of(exporter, "load").keys()
    commit = attributes_of(exporter, "commit")
    assert (size, "written") == (commit["checkpoint_bytes"], commit["outcome"])
    run = attributes_of(exporter, "run")
    assert response["counts"] == {name: run[f"counts.{name}"] for name in response["counts"]}
    assert (response["run_id"], 3, size, True) == (
        run["run_id"],
        run["total_events"],
        run["size_bytes"],
        run["complete"],
    )


def test_a_failure_is_told_by_its_type_alone(
    exporter: InMemorySpanExporter, lambda_: Function
) -> None:
    """The SDK would record its text and a traceback."""
    lambda_.write(1)

    def fail(_key: str) -> None:
        raise ValueError("SECRET")

    lambda_.source.before_reading = fail
    lambda_.invoke()

    spans = {span.name: span for span in exporter.get_finished_spans()}
    for name in ("read", "run"):
        status = spans[name].status
        assert (StatusCode.ERROR, "ValueError") == (status.status_code, status.description)
        assert () == tuple(spans[name].events)
    assert StatusCode.UNSET == spans["list"].status.status_code
    assert "SECRET" not in "".join(span.to_json() for span in spans.values())


def test_without_an_sdk_nothing_happens(lambda_: Function) -> None:
    """No warning, no output, no difference; the API alone is a dependency."""
    assert not isinstance(trace.get_tracer_provider(), TracerProvider)
    lambda_.write(1)

    ended: Ended = lambda_.invoke()

    assert "" == ended.stderr
    assert 1 == (ended.response or {})["total_events"]


def test_a_span_in_which_another_run_is_first_says_so(
    exporter: InMemorySpanExporter, lambda_: Function
) -> None:
    """A lost race is a commit that was refused, and one more merge."""
    lambda_.write(1)

    def interrupt(call: str) -> None:
        if call == "put_if events.parquet":
            lambda_.store.before_call = lambda _call: None
            lambda_.invoke()

    lambda_.store.before_call = interrupt
    lambda_.write(2)
    lambda_.invoke()

    outcomes = [
        dict(span_items(span))["nacc.checkpoint.outcome"]
        for span in exporter.get_finished_spans()
        if span.name == "commit"
    ]
    assert ["written", "refused"] == outcomes
