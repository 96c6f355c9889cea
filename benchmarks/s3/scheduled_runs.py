"""The scheduled run on S3, beside what a user would have otherwise: all in turn, in one run.

Server and client have a core each. Reference clients read a subset of the new objects, because
reading all would take too long, and their time is extrapolated to all; then they merge once. They
get the listing for nothing. A run's time is what its response says: from its start, after the
imports, to its end.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from msgspec import Struct

from benchmarks.measuring import Measurement, Target, compared, in_rounds, told
from benchmarks.s3.invoking import invoke
from benchmarks.s3.look_alike import Endpoint, Latency, look_alike
from benchmarks.s3.prepared import Prepared, prepared
from benchmarks.watching import CLIENT_CORE, watch

IN_USE = "new boto3 client per object, 50 threads (in use)"
SHARED = "one boto3 client, 64 threads"
IN_SEQUENCE = "one boto3 client in sequence"
BARE = "bare obstore GETs, {} threads{}, nothing else"
ALONE = "ours, these alone listed, rows {:,}"
AMONG = "ours, among {:,} listed, rows {:,}"
_BY_SHARED: Final = 10
_BY_BARE: Final = 0.7
_BY_BARE_AMONG: Final = 0.36
"""Where a million objects are listed besides: twice what it was, 0.18."""


class Sizes(Struct, frozen=True, kw_only=True):
    """How many objects are known and new, and how many of the new ones each reference reads.

    A reference that reads none is left out. `bare` says in how many threads bare GETs are made, and
    how many threads of its own obstore has; None: one for each core.
    """

    known: int = 1_000_000
    new: int = 20_000
    in_use: int = 1_000
    shared: int = 5_000
    in_sequence: int = 500
    bare: Sequence[tuple[int, int | None]] = ((128, None), (256, None), (256, 4))


class _Field(Struct, frozen=True):
    """An endpoint, what was prepared for what it holds, and one that holds only what is new."""

    endpoint: Endpoint
    pairs: Prepared
    only_new: Endpoint | None


def measure(
    sizes: Sizes, latency: Latency, rounds: int, given: Endpoint | None
) -> tuple[list[Measurement], list[Target]]:
    """Measure reference clients and runs, medians of so many rounds; say what is reached.

    The look-alike is started unless an endpoint is `given`; only with it is there also a source
    that lists nothing but what is new, and at which everything waits as long as reading does.
    """
    even = Latency(get_ms=latency.get_ms, list_ms=latency.get_ms)
    with ExitStack() as stack:
        endpoint = given or stack.enter_context(look_alike(sizes.known + sizes.new, latency))
        pairs = stack.enter_context(prepared(endpoint, sizes.new, "late", "early", "none"))
        only_new = None if given else stack.enter_context(look_alike(sizes.new, even))
        field = _Field(endpoint, pairs, only_new)
        found = in_rounds(rounds, lambda: _one_round(field, sizes))
    what = _reading(sizes.new)
    read = compared([each for each in found if each.what == what])
    return read + [each for each in found if each.what != what], _targets(read)


def _one_round(field: _Field, sizes: Sizes) -> Iterator[Measurement]:
    references = [
        ("client-for-each-object", IN_USE, sizes.in_use),
        ("shared-client", SHARED, sizes.shared),
        ("one-client-in-sequence", IN_SEQUENCE, sizes.in_sequence),
    ]
    for way, how, subset in references:
        if subset:
            yield _reference(field, way, how, sizes, min(subset, sizes.new))
    for threads, own in sizes.bare:
        yield _bare(field, threads, own, sizes)
    if field.only_new is not None:
        yield _run(field, "early", listed=sizes.new)
    yield _run(field, "late", listed=field.pairs.objects)
    yield _run(field, "none", listed=field.pairs.objects)


def _reading(new: int) -> str:
    return f"{new:,} new, S3"


def _reference(field: _Field, way: str, how: str, sizes: Sizes, subset: int) -> Measurement:
    took, cpu_s, peak_mb = _client(field, way, subset, str(field.pairs.checkpoint("late")))
    return Measurement(
        what=_reading(sizes.new),
        how=f"{how}; {subset:,} read",
        items=sizes.new,
        seconds=took["reading"] / subset * sizes.new + took["merging"],
        cpu_s=cpu_s,
        peak_mb=peak_mb,
    )


def _bare(field: _Field, threads: int, own: int | None, sizes: Sizes) -> Measurement:
    more = {"TOKIO_WORKER_THREADS": str(own)} if own else {}
    took, cpu_s, peak_mb = _client(field, f"bare-gets-{threads}", sizes.new, **more)
    return Measurement(
        what=_reading(sizes.new),
        how=BARE.format(threads, f" and {own} of its own" if own else ""),
        items=sizes.new,
        seconds=took["reading"],
        cpu_s=cpu_s,
        peak_mb=peak_mb,
    )


def _client(
    field: _Field, way: str, subset: int, *checkpoint: str, **environ: str
) -> tuple[dict[str, float], float, float]:
    keys = Path(field.pairs.folder, "subset.txt")
    keys.write_text("\n".join(field.pairs.keys("late")[:subset]), encoding="utf-8")
    took = watch(
        *(
            "-m",
            "benchmarks.s3.reference_clients",
            way,
            field.endpoint.bucket,
            str(keys),
            *checkpoint,
        ),
        core=CLIENT_CORE,
        environ={**field.endpoint.environ, **environ},
    )
    return json.loads(took.lines[-1]), took.cpu_s, took.peak_mb


def _run(field: _Field, pair: str, *, listed: int) -> Measurement:
    """Run the function once on a prepared pair; make sure of what it did."""
    endpoint = field.only_new if pair == "early" and field.only_new else field.endpoint
    new = len(field.pairs.keys(pair))
    with field.pairs.uploaded(endpoint, pair) as key:
        found = invoke(endpoint, key)
    found.check(new=new, listed=listed)
    rows = found.response["total_events"]
    return Measurement(
        what=_reading(new) if new else "nothing new, S3",
        how=ALONE.format(rows) if pair == "early" else AMONG.format(listed, rows),
        items=new or listed,
        seconds=found.seconds,
        cpu_s=found.cpu_s,
        peak_mb=found.peak_mb,
        stages=found.stages,
    )


def _targets(read: list[Measurement]) -> list[Target]:
    bare = min((each for each in read if _is(each, BARE)), key=lambda each: each.seconds)
    shared = next(each for each in read if _is(each, SHARED))
    limits = [(ALONE, shared, _BY_SHARED), (ALONE, bare, _BY_BARE), (AMONG, bare, _BY_BARE_AMONG)]
    return [
        Target(
            what=f"{each.how} / {beside.how}",
            value=each.items_per_s / beside.items_per_s,
            at_least=at_least,
            reason=f"{each.seconds:.2f} s by {beside.seconds:.2f} s; {told(each.stages)}",
        )
        for each in read
        for ours, beside, at_least in limits
        if _is(each, ours)
    ]


def _is(each: Measurement, how: str) -> bool:
    return each.how.startswith(how.partition("{")[0])
