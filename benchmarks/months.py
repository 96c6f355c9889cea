"""A month of hourly runs: requests, bytes, seconds and money, beside the system in use.

A center's events arrive in the ten working hours of 22 days; the other runs of the 720 find nothing
new. Some runs of both kinds are made for real, one after the other, and each stands for all of its
kind. Only deltas of the ledger grow from commit to commit: what they take in a month is extended
from the first ones, along a line.
"""

import json
import tempfile
from contextlib import ExitStack
from itertools import islice, pairwise
from pathlib import Path
from statistics import fmean
from typing import Final

from msgspec import Struct

from benchmarks.look_alike import Endpoint, Latency, LookAlike, counted_look_alike
from benchmarks.watching import CLIENT_CORE, watch
from tests.fake_s3.synthetic import SyntheticEvents

_RUNS: Final = 720
_COMMITS: Final = 220
_MEMORY_MB: Final = 3_008
_FOLDER: Final = "month"
_KEY: Final = f"{_FOLDER}/events.parquet"
_PRICES: Final = {
    "LIST": 0.005e-3,
    "PUT": 0.005e-3,
    "GET": 0.0004e-3,
    "GB-second": 0.0000133,
    "GB-month": 0.023,
}
"""In US dollars, those of docs/operating.md."""


class Month(Struct, frozen=True, kw_only=True):
    """What all runs of a month take together; bytes are of the checkpoint's bucket.

    `kept_bytes` are versions of the checkpoint and ledgers that are there at the end of the month,
    nothing of which is younger than 30 days.
    """

    how: str
    objects: int
    new: int
    lists: float
    gets: float
    puts: float
    written_bytes: float
    kept_bytes: float
    seconds: float

    @property
    def dollars(self) -> float:
        """What S3 and Lambda take for it, without what the event objects themselves take."""
        return (
            self.lists * _PRICES["LIST"]
            + self.gets * _PRICES["GET"]
            + self.puts * _PRICES["PUT"]
            + self.seconds * _MEMORY_MB / 1_024 * _PRICES["GB-second"]
            + self.kept_bytes / 1e9 * _PRICES["GB-month"]
        )


class _Run(Struct, frozen=True, kw_only=True):
    """One run: how many requests of each operation, which files it wrote, and its seconds."""

    operations: dict[str, int]
    written: dict[str, int]
    seconds: float


def measure(
    objects: int, new_a_day: int, latency: Latency, *, commits: int, quiet: int
) -> list[Month]:
    """Measure some commits and quiet runs upon so many known objects; return both systems' months."""
    new = max(1, new_a_day // 10)
    # The first commit writes what later ones only change.
    made = 1 + commits
    events = SyntheticEvents(objects + new * made, prefix="prod/")
    keys = sorted(events.keys.key(objects + index) for index in range(new * made))
    with ExitStack() as stack:
        served = stack.enter_context(counted_look_alike(objects, latency))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _prepare(served.endpoint, folder)
        quiets = [_run(served) for _ in range(quiet)]
        busy = []
        fresh = iter(keys)
        for _ in range(made):
            served.endpoint.put((key, _content(events, key)) for key in islice(fresh, new))
            busy.append(_run(served))
        in_use = _in_use(served, folder, keys[:new], objects, latency)
    return [_month(objects, new, busy[1:], quiets), in_use]


def _prepare(endpoint: Endpoint, folder: Path) -> None:
    arguments = (endpoint.bucket, endpoint.prefix, "0", str(folder))
    made = watch("-m", "benchmarks.preparing", *arguments, environ=endpoint.environ)
    ledger = json.loads(made.lines[-1])["ledgers"]["none"]
    endpoint.upload(_KEY, folder / "none", ledger)


def _content(events: SyntheticEvents, key: str) -> bytes:
    found = events.find(key)
    assert found is not None
    return found.data


def _run(served: LookAlike) -> _Run:
    """Run the function once, as a process of its own, and ask what it did."""
    endpoint = served.endpoint
    before = endpoint.files(_FOLDER)
    served.counts()
    took = watch(
        *("-m", "benchmarks.handler_process", endpoint.bucket, endpoint.prefix),
        *(endpoint.checkpoint_bucket, _KEY, str(_MEMORY_MB)),
        core=CLIENT_CORE,
        environ=endpoint.environ,
    )
    operations = served.counts()
    after = endpoint.files(_FOLDER)
    written = {
        name: size for name, (etag, size) in after.items() if before.get(name) != (etag, size)
    }
    return _Run(operations=operations, written=written, seconds=took.seconds)


def _in_use(
    served: LookAlike, folder: Path, keys: list[str], objects: int, latency: Latency
) -> Month:
    """Stand for the system in use: it reads the same objects, and lists pages one after another.

    Its runs with nothing new are taken to list and nothing else; what it keeps is one file.
    """
    names = folder / "new.txt"
    names.write_text("\n".join(keys), encoding="utf-8")
    checkpoint = folder / "none" / "checkpoint.parquet"
    took = watch(
        *("-m", "benchmarks.reference_clients", "client-for-each-object"),
        *(served.endpoint.bucket, str(names), str(checkpoint)),
        core=CLIENT_CORE,
        environ=served.endpoint.environ,
    )
    pages = objects // 1_000 + 1
    size = checkpoint.stat().st_size
    return Month(
        how="in use",
        objects=objects,
        new=len(keys),
        lists=pages * _RUNS,
        gets=_RUNS + len(keys) * _COMMITS,
        puts=_COMMITS,
        written_bytes=size * _COMMITS,
        kept_bytes=size,
        seconds=pages * latency.list_ms / 1_000 * _RUNS + took.seconds * _COMMITS,
    )


def _month(objects: int, new: int, busy: list[_Run], quiet: list[_Run]) -> Month:
    def total(operation: str) -> float:
        means = [fmean(run.operations.get(operation, 0) for run in runs) for runs in (busy, quiet)]
        return means[0] * _COMMITS + means[1] * (_RUNS - _COMMITS)

    written = _extended([sum(run.written.values()) for run in busy])
    kept = _extended(
        [sum(size for name, size in run.written.items() if _is_kept(name)) for run in busy]
    )
    return Month(
        how="ours",
        objects=objects,
        new=new,
        lists=total("ListObjectsV2"),
        gets=total("GetObject") + total("HeadObject"),
        puts=total("PutObject"),
        written_bytes=written,
        kept_bytes=kept,
        seconds=fmean(run.seconds for run in busy) * _COMMITS
        + fmean(run.seconds for run in quiet) * (_RUNS - _COMMITS),
    )


def _is_kept(name: str) -> bool:
    """Whether a file is there for a month: rejects are replaced, and kept as any other version."""
    return name.endswith(".parquet")


def _extended(sizes: list[int]) -> float:
    """Return what all commits of a month add up to, if they go on along a line through these."""
    step = fmean(after - before for before, after in pairwise(sizes))
    return sum(sizes[0] + step * commit for commit in range(_COMMITS))
