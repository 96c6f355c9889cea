"""A month of hourly runs: requests, bytes, seconds and money, beside the system in use.

A center's events arrive in the ten working hours of 22 days; the other runs of the 720 find nothing
new. Some runs of both kinds are made for real, one after the other. Requests and seconds of all
runs of a kind are the medians of those that were made; what a commit writes is extended along a
line where not all of a month's are made, because ledgers grow from commit to commit.
"""

import json
from collections.abc import Sequence
from itertools import islice
from statistics import median
from typing import Final

from msgspec import Struct

from benchmarks.fitting import fitted
from benchmarks.measuring import medians
from benchmarks.s3.invoking import LAMBDA_MB, Counted, invoke_counted
from benchmarks.s3.look_alike import Latency, LookAlike, counted_look_alike
from benchmarks.s3.prepared import Prepared, prepared
from benchmarks.s3.storing import COMMITS, HOURS, Commit, stored_bytes
from benchmarks.watching import CLIENT_CORE, Watched, watch
from tests.fake_s3.synthetic import SyntheticEvents

SIZES: Final = (67_000, 6_700_000)
_A_DAY: Final = 670
"""A six hundred and seventieth of what is known comes new on each working day."""
_QUIET: Final = HOURS - len(COMMITS)
_KEY: Final = "month/events.parquet"
_COUNTED: Final = ("ListObjectsV2", "GetObject", "HeadObject", "PutObject")
_PAGE: Final = 1_000
_PAGES: Final = 200
"""How many pages of a listing the system in use is measured with; the rest takes as long each."""

PRICES: Final = {
    "LIST": 0.005e-3,
    "PUT": 0.005e-3,
    "GET": 0.0004e-3,
    "invocation": 0.20e-6,
    "GB-second": 0.0000133,
    "GB-month": 0.023,
}
"""In US dollars: us-east-1, Lambda on arm64, S3 Standard, as docs/operating.md assumes them; of
November 2026. A HEAD costs what a GET does, a DELETE nothing."""

_GIB: Final = 1_073_741_824
"""What AWS calls a GB."""


class Month(Struct, frozen=True, kw_only=True):
    """What all runs of a month take together; bytes are of the checkpoint's bucket.

    `first_bytes` are stored on average in the first month, `stored_bytes` in every month from the
    fourth on, with all versions that are kept. `seconds` are those of whole processes.
    """

    how: str
    objects: int
    new: int
    lists: float
    gets: float
    puts: float
    written_bytes: float
    first_bytes: float
    stored_bytes: float
    seconds: float

    @property
    def memory_mb(self) -> int:
        """The memory of the function."""
        return _memory_mb(self.objects)

    @property
    def dollars(self) -> float:
        """What S3 and Lambda take for it, without what the event objects themselves take."""
        return (
            self.lists * PRICES["LIST"]
            + self.gets * PRICES["GET"]
            + self.puts * PRICES["PUT"]
            + HOURS * PRICES["invocation"]
            + self.seconds * self.memory_mb / 1_024 * PRICES["GB-second"]
            + self.stored_bytes / _GIB * PRICES["GB-month"]
        )


class _Field(Struct, frozen=True, kw_only=True):
    """A server with so many known objects, the pair for them, and how many come new at a time."""

    served: LookAlike
    pairs: Prepared
    objects: int
    new: int


def measure(objects: int, latency: Latency, *, commits: int, rounds: int) -> list[Month]:
    """Measure some commits, and so many quiet runs, upon known objects; return both systems' months."""
    new = max(1, objects // _A_DAY // 10)
    # The first commit writes what later ones only change.
    made = 1 + min(commits, len(COMMITS))
    events = SyntheticEvents(objects + new * made, prefix="prod/")
    fresh = iter(sorted(events.keys.key(objects + index) for index in range(new * made)))
    with (
        counted_look_alike(objects, latency) as served,
        prepared(served.endpoint, 0, "none") as pairs,
    ):
        field = _Field(served=served, pairs=pairs, objects=objects, new=new)
        in_use = _in_use(field, [events.keys.key(index) for index in range(new)], rounds)
        pairs.upload(served.endpoint, _KEY, "none")
        memory_mb = _memory_mb(objects)
        quiet = [invoke_counted(served, _KEY, memory_mb=memory_mb) for _ in range(rounds)]
        busy = []
        for _ in range(made):
            served.endpoint.put((key, _content(events, key)) for key in islice(fresh, new))
            busy.append(invoke_counted(served, _KEY, memory_mb=memory_mb))
        for number, each in enumerate(busy, start=1):
            each.invocation.check(new=new, listed=objects + new * number)
        return [_ours(field, busy[1:], quiet), in_use]


def markdown(months: Sequence[Month]) -> list[str]:
    """Return the months as lines of a table of Markdown, bytes in MB."""
    head = (
        "| known | new an hour | how | LIST | GET | PUT | written | stored, first month "
        "| stored, later | seconds | dollars |"
    )
    rows = [f"| {' | '.join(cells(each))} |" for each in months]
    return [head, "|---" * 11 + "|", *rows]


def cells(month: Month) -> list[str]:
    """Return a month's numbers as text, bytes in MB."""
    megabytes = (month.written_bytes, month.first_bytes, month.stored_bytes)
    return [
        f"{month.objects:,}",
        f"{month.new:,}",
        month.how,
        *(f"{count:,.0f}" for count in (month.lists, month.gets, month.puts)),
        *(f"{size / 1e6:,.0f}" for size in megabytes),
        f"{month.seconds:,.0f}",
        f"{month.dollars:.2f}",
    ]


def _memory_mb(objects: int) -> int:
    """Return what the function needs by its own reckoning, and at least what it is usually given."""
    return max(LAMBDA_MB, objects // 1_000_000 * 512 + 512)


def _content(events: SyntheticEvents, key: str) -> bytes:
    found = events.find(key)
    assert found is not None
    return found.data


def _in_use(field: _Field, keys: list[str], rounds: int) -> Month:
    """Stand for the system in use: it lists page after page, and reads as many of the objects.

    Its runs with nothing new are taken to list and to read their file, and nothing else. It keeps
    that one file, in a bucket without versions, and is given as much memory.
    """
    pages = field.objects // _PAGE + 1
    looked = min(pages, _PAGES)
    checkpoint = field.pairs.checkpoint("none")
    quiet = [_reference(field, [], "", looked) for _ in range(rounds)]
    busy = [_reference(field, keys, str(checkpoint), looked) for _ in range(rounds)]
    size = checkpoint.stat().st_size
    return Month(
        how="in use",
        objects=field.objects,
        new=field.new,
        lists=pages * HOURS,
        gets=HOURS + field.new * len(COMMITS),
        puts=len(COMMITS),
        written_bytes=size * len(COMMITS),
        first_bytes=size,
        stored_bytes=size,
        seconds=sum(
            number * median(_extended(each, looked, pages) for each in runs)
            for number, runs in ((_QUIET, quiet), (len(COMMITS), busy))
        ),
    )


def _reference(field: _Field, keys: list[str], checkpoint: str, pages: int) -> Watched:
    endpoint, names = field.served.endpoint, field.pairs.folder / "names.txt"
    names.write_text("\n".join(keys), encoding="utf-8")
    return watch(
        *("-m", "benchmarks.s3.reference_clients", "client-for-each-object"),
        *(endpoint.bucket, str(names), checkpoint, endpoint.prefix, str(pages)),
        core=CLIENT_CORE,
        environ=endpoint.environ,
    )


def _extended(took: Watched, looked: int, pages: int) -> float:
    """Return the seconds of a process that would have looked at all pages."""
    listing: float = json.loads(took.lines[-1])["listing"]
    return took.seconds + listing / looked * (pages - looked)


def _ours(field: _Field, busy: list[Counted], quiet: list[Counted]) -> Month:
    kinds = [
        (len(COMMITS), medians([_numbers(each) for each in busy])),
        (_QUIET, medians([_numbers(each) for each in quiet])),
    ]

    def total(*names: str) -> float:
        return sum(number * each[name] for number, each in kinds for name in names)

    month = _month(busy)
    # The full ledger that the deltas are upon is there all the time; another one comes when they
    # have a sixteenth of its rows, which at this rate takes longer than a month.
    ledger = (field.pairs.folder / "none" / "ledger.parquet").stat().st_size
    return Month(
        how=f"ours, {len(busy)} commits made",
        objects=field.objects,
        new=field.new,
        lists=total("ListObjectsV2"),
        gets=total("GetObject", "HeadObject"),
        puts=total("PutObject"),
        written_bytes=sum(each.replacing_bytes + each.adding_bytes for each in month),
        first_bytes=ledger + stored_bytes(month, 0),
        stored_bytes=ledger + stored_bytes(month, 3),
        seconds=total("seconds"),
    )


def _numbers(run: Counted) -> dict[str, float]:
    return {**dict.fromkeys(_COUNTED, 0), **run.operations, "seconds": run.invocation.whole_s}


def _month(busy: list[Counted]) -> list[Commit]:
    """Return what all commits of a month write, where they go on as these do."""
    ledgers = [
        float(sum(size for name, size in each.written.items() if "/_ledger/" in name))
        for each in busy
    ]
    others = [
        sum(each.written.values()) - ledger for each, ledger in zip(busy, ledgers, strict=True)
    ]
    return [
        Commit(replacing_bytes=other, adding_bytes=ledger)
        for other, ledger in zip(_along(others), _along(ledgers), strict=True)
    ]


def _along(sizes: list[float]) -> list[float]:
    """Return these sizes and, for what lacks of a month, those on the line through them."""
    line = fitted(list(enumerate(sizes)))
    lacking = range(len(sizes), len(COMMITS))
    return [*sizes, *(line.at(number) for number in lacking)][: len(COMMITS)]
