"""The scheduled run on S3, beside what a user would have otherwise: all in turn, in one run.

Server and client have a core each. Reference clients read a subset of the new objects, because
reading all would take too long, and their time is extrapolated to all; then they merge once. They
get the listing for nothing. A run's time is what its response says: from its start, after the
imports, to its end.
"""

import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from benchmarks.look_alike import Endpoint, Latency, look_alike
from benchmarks.measuring import Measurement, Target, compared
from benchmarks.watching import CLIENT_CORE, watch

IN_USE = "new boto3 client per object, 50 threads (in use)"
SHARED = "one boto3 client, 64 threads"
IN_SEQUENCE = "one boto3 client in sequence"
BARE = "bare obstore GETs, {} threads{}, nothing else"
OURS = "ours, {:,} listed, rows {:,}"
_BARE = ((128, None), (256, None), (256, 4))
"""In how many threads, and how many of its own obstore has; None: one for each core."""
_LAMBDA_MB = 3_008


class Sizes(Struct, frozen=True, kw_only=True):
    """How many objects are known and new, and how many of the new ones each reference reads."""

    known: int = 1_000_000
    new: int = 20_000
    in_use: int = 1_000
    shared: int = 5_000
    in_sequence: int = 500


class _Field(Struct, frozen=True):
    """An endpoint, and the pairs that were prepared for what it holds."""

    endpoint: Endpoint
    folder: Path
    objects: int
    ledgers: dict[str, str]

    def keys(self, pair: str) -> list[str]:
        return Path(self.folder, f"{pair}.txt").read_text(encoding="utf-8").split("\n")

    def checkpoint(self, pair: str) -> Path:
        return Path(self.folder, pair, "checkpoint.parquet")


def measure(
    sizes: Sizes, latency: Latency, rounds: int, given: Endpoint | None
) -> tuple[list[Measurement], list[Target]]:
    """Measure reference clients and runs, the best of some rounds; say what is reached.

    The look-alike is started unless an endpoint is `given`; only with it is there also a source
    that lists nothing but what is new, and at which everything waits as long as reading does.
    """
    even = Latency(get_ms=latency.get_ms, list_ms=latency.get_ms)
    best: dict[tuple[str, str], Measurement] = {}
    with _field(sizes.known + sizes.new, sizes.new, latency, given) as field, ExitStack() as stack:
        only_new = None if given else stack.enter_context(look_alike(sizes.new, even))
        for _ in range(rounds):
            for each in _one_round(field, only_new, sizes):
                name = each.what, each.how
                if name not in best or each.seconds < best[name].seconds:
                    best[name] = each
    what = _reading(sizes.new)
    read = compared([each for each in best.values() if each.what == what])
    idle = [each for each in best.values() if each.what != what]
    return read + idle, _targets(read, idle)


def measure_large(
    objects: int, new: int, latency: Latency
) -> tuple[list[Measurement], list[Target]]:
    """Measure the function with so many known objects, all listed, and as many rows."""
    with _field(objects + new, new, latency, None) as field:
        some, nothing = _late(field, new), _none(field)
    targets = [
        Target(what=f"peak MB: {each.what}, {each.how}", value=each.peak_mb, at_most=_LAMBDA_MB)
        for each in (some, nothing)
        if each.peak_mb is not None
    ]
    return [some, nothing], targets


def _one_round(field: _Field, only_new: Endpoint | None, sizes: Sizes) -> Iterator[Measurement]:
    what = _reading(sizes.new)
    yield _reference(field, "client-for-each-object", IN_USE, sizes, sizes.in_use)
    yield _reference(field, "shared-client", SHARED, sizes, sizes.shared)
    yield _reference(field, "one-client-in-sequence", IN_SEQUENCE, sizes, sizes.in_sequence)
    for threads, own in _BARE:
        yield _bare(field, threads, own, sizes)
    if only_new is not None:
        yield _run(field, "early", endpoint=only_new, what=what, listed=sizes.new, items=sizes.new)
    yield _late(field, sizes.new)
    yield _none(field)


def _reading(new: int) -> str:
    return f"{new:,} new, S3"


def _late(field: _Field, new: int) -> Measurement:
    return _run(
        field,
        "late",
        endpoint=field.endpoint,
        what=_reading(new),
        listed=field.objects,
        items=new,
    )


def _none(field: _Field) -> Measurement:
    return _run(
        field,
        "none",
        endpoint=field.endpoint,
        what="nothing new, S3",
        listed=field.objects,
        items=field.objects,
    )


def _reference(field: _Field, way: str, how: str, sizes: Sizes, subset: int) -> Measurement:
    took, cpu_s, peak_mb = _client(field, way, subset, str(field.checkpoint("late")))
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
    keys = Path(field.folder, "subset.txt")
    keys.write_text("\n".join(field.keys("late")[:subset]), encoding="utf-8")
    took = watch(
        *("-m", "benchmarks.reference_clients", way, field.endpoint.bucket, str(keys), *checkpoint),
        core=CLIENT_CORE,
        environ={**field.endpoint.environ, **environ},
    )
    return json.loads(took.lines[-1]), took.cpu_s, took.peak_mb


def _run(
    field: _Field, pair: str, *, endpoint: Endpoint, what: str, listed: int, items: int
) -> Measurement:
    """Run the function once on a prepared pair, in a folder of its own; make sure of what it did."""
    folder = f"benchmark-{secrets.token_hex(8)}"
    key = f"{folder}/events.parquet"
    endpoint.upload(key, Path(field.folder, pair), field.ledgers[pair])
    try:
        arguments = (endpoint.bucket, endpoint.prefix, endpoint.checkpoint_bucket, key)
        took = watch(
            *("-m", "benchmarks.handler_process", *arguments, str(_LAMBDA_MB)),
            core=CLIENT_CORE,
            environ=endpoint.environ,
        )
    finally:
        endpoint.remove(folder)
    response = json.loads(took.lines[-1])
    new = len(field.keys(pair)) if pair != "none" else 0
    if response["new_events_processed"] != new or sum(response["counts"].values()) != listed:
        raise RuntimeError(f"not what was prepared: {response}")
    return Measurement(
        what=what,
        how=OURS.format(listed, response["total_events"]),
        items=items,
        seconds=response["execution_time_ms"] / 1000,
        cpu_s=took.cpu_s,
        peak_mb=took.peak_mb,
    )


def _targets(read: list[Measurement], idle: list[Measurement]) -> list[Target]:
    bare = max(each.items_per_s for each in read if each.how.startswith("bare"))
    in_use, shared = (
        next(each.items_per_s for each in read if each.how.startswith(how))
        for how in (IN_USE, SHARED)
    )
    targets = []
    for each in read:
        if each.how.startswith("ours"):
            targets += [
                Target(what=f"{each.how} / in use", value=each.items_per_s / in_use, at_least=60),
                Target(what=f"{each.how} / shared", value=each.items_per_s / shared, at_least=10),
                Target(what=f"{each.how} / bare GETs", value=each.items_per_s / bare, at_least=0.7),
            ]
    targets += [Target(what="nothing new: seconds", value=e.seconds, at_most=8) for e in idle]
    targets += [
        Target(what=f"peak MB: {each.what}, {each.how}", value=each.peak_mb, at_most=600)
        for each in read + idle
        if each.peak_mb is not None and each.how.startswith("ours")
    ]
    return targets


@contextmanager
def _field(objects: int, new: int, latency: Latency, given: Endpoint | None) -> Iterator[_Field]:
    with ExitStack() as stack:
        endpoint = given or stack.enter_context(look_alike(objects, latency))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        made = watch(
            *("-m", "benchmarks.preparing", endpoint.bucket, endpoint.prefix, str(new), folder),
            environ=endpoint.environ,
        )
        said = json.loads(made.lines[-1])
        yield _Field(endpoint, Path(folder), said["objects"], said["ledgers"])
