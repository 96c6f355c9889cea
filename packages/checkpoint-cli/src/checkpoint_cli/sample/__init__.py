"""Writes realistic synthetic event objects into a directory, for trying things out and for tests.

Every identifier in them is made up, and looks it: `SYN0712345`, `sample-center-07`.
"""

import os
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from checkpoint_cli.sample._events import Period, completed, events
from checkpoint_cli.sample._habits import as_written, data_of, name_of
from checkpoint_format.errors import StorageError
from checkpoint_storage.explanations import printable
from nacc_event_model import AnyVisitEvent, EventFormat, InvalidEvent, decode, parse_object_name

__all__ = ["SampleSummary", "write_samples"]

_BREAKAGES = ("not_json", "ptid", "missing_field", "action", "empty", "name")


class SampleSummary(Struct, frozen=True, kw_only=True):
    """How many files were written.

    `written` is all new files. Of them `invalid` are named like event objects and break the
    contract, `unrecognized` are valid and not named like one, and `late` are valid and arrived
    days to months after they happened. `rewritten` files were there before.
    """

    written: int
    invalid: int
    unrecognized: int
    late: int
    rewritten: int


class _File(Struct, frozen=True):
    name: str
    data: bytes
    arrived: datetime


def write_samples(
    directory: Path,
    *,
    count: int,
    seed: int,
    invalid_share: float = 0.0,
    late_share: float = 0.0,
    rewritten_share: float = 0.0,
    start: date = date(2026, 9, 1),
    days: int = 30,
    event_format: EventFormat = EventFormat.V1_0,
) -> SampleSummary:
    """Write `count` new files and rewrite some that are there, as producers would in some days.

    The same arguments on the same directory give the same files. Called again, with a later
    start, it adds what the next days bring; files that are there are never removed, and changed
    only by being rewritten in place with more fields and the same timestamp. A file's modification
    time is when it arrived.

    Args:
        directory: where to write; created if missing.
        count: the number of new files.
        seed: chooses the events.
        invalid_share: share of `count` that is broken, in turn in each of several ways; one of
            them is a name that is not an event object's.
        late_share: share of `count` that is valid and older than the period.
        rewritten_share: the number of files to rewrite as a share of `count`; fewer where fewer
            can be.
        start: the first day on which files arrive.
        days: on how many days.
        event_format: the contract that the valid ones keep.

    Raises:
        ValueError: a number is out of its range.
        StorageError: the directory cannot be written to.
    """
    _check(count, days, invalid_share, late_share, rewritten_share)
    period = Period(start, days)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with os.scandir(directory) as entries:
            found = {entry.name: entry.is_file(follow_symlinks=False) for entry in entries}
        # Part of the seed, so that a second call with the first one's seed brings other events.
        rng = random.Random(f"{seed}/{len(found)}")  # noqa: S311 - made-up events keep no secret
        rewritten = 0
        files = sorted(name for name, is_file in found.items() if is_file)
        rewriting = _rewritings(rng, directory, files, period, event_format)
        for file in islice(rewriting, round(count * rewritten_share)):
            _write(directory, file)
            rewritten += 1
        broken = round(count * invalid_share)
        late = min(round(count * late_share), count - broken)
        arrivals = _arrivals(rng, set(found), period, event_format, late)
        for file in islice(arrivals, count - broken):
            _write(directory, file)
        breakages = list(islice(cycle(_BREAKAGES), broken))
        for breakage, file in zip(breakages, arrivals, strict=False):
            _write(directory, _broken(file, breakage))
    except OSError as error:
        where = printable(directory)
        raise StorageError(f"{where}: cannot write samples there ({error.strerror}).") from error
    unrecognized = breakages.count("name")
    return SampleSummary(
        written=count,
        invalid=broken - unrecognized,
        unrecognized=unrecognized,
        late=late,
        rewritten=rewritten,
    )


def _check(count: int, days: int, invalid: float, late: float, rewritten: float) -> None:
    if count < 0 or days < 1:
        raise ValueError("count must not be negative, and days must be at least 1")
    if not all(0 <= share <= 1 for share in (invalid, late, rewritten)) or invalid + late > 1:
        raise ValueError("each share is from 0 to 1, and invalid and late together at most 1")


def _arrivals(
    rng: random.Random, taken: set[str], period: Period, event_format: EventFormat, late: int
) -> Iterator[_File]:
    """Yield new files without end, the late ones first, each under a name of its own."""
    for event in events(rng, period, event_format):
        if late > 0:
            arrived = period.moment(rng)
            written = as_written(_shifted(event, rng.uniform(3, 200), arrived))
        else:
            arrived = event.timestamp + timedelta(minutes=2, seconds=rng.expovariate(1 / 5400))
            written = as_written(event)
        if written is None:
            continue
        file = _File(name_of(written), data_of(written), arrived)
        # The same second of the same visit is the same object to its producer.
        if file.name not in taken:
            taken.add(file.name)
            late -= 1
            yield file


def _shifted(event: AnyVisitEvent, days: float, arrived: datetime) -> AnyVisitEvent:
    """Return the event as it had happened that many days before it arrived."""
    timestamp = (arrived - timedelta(days=days)).replace(microsecond=0)
    visit_date = event.visit_date - (event.timestamp - timestamp)
    return structs.replace(event, timestamp=timestamp, visit_date=visit_date)


def _rewritings(
    rng: random.Random,
    directory: Path,
    files: list[str],
    period: Period,
    event_format: EventFormat,
) -> Iterator[_File]:
    """Yield new contents for existing valid files that can still be completed."""
    names = [name for name in files if parse_object_name(name, event_format=event_format)]
    rng.shuffle(names)
    for name in names:
        path = directory / name
        data = path.read_bytes()
        try:
            decode(data, event_format=event_format)
        except InvalidEvent:
            continue
        fields = completed(rng, msgspec.json.decode(data))
        if fields is not None:
            before = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            arrived = max(period.moment(rng), before + timedelta(minutes=1))
            yield _File(name, msgspec.json.encode(fields), arrived)


def _broken(file: _File, breakage: str) -> _File:
    if breakage == "name":
        return structs.replace(file, name=f"copy-of-{file.name}")
    if breakage == "not_json":
        return structs.replace(file, data=file.data[: len(file.data) // 2])
    if breakage == "empty":
        return structs.replace(file, data=b"")
    fields: dict[str, Any] = msgspec.json.decode(file.data)
    if breakage == "ptid":
        fields["ptid"] = "NOT A PTID!"
    elif breakage == "action":
        fields["action"] = "approve"
    else:
        del fields["center_label"]
    return structs.replace(file, data=msgspec.json.encode(fields))


def _write(directory: Path, file: _File) -> None:
    """Write the file in place, as of the time that it arrived."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    descriptor = os.open(directory / file.name, flags, 0o666)
    try:
        os.write(descriptor, file.data)
        arrived_ns = int(file.arrived.timestamp() * 1_000_000) * 1000
        os.utime(descriptor, ns=(arrived_ns, arrived_ns))
    finally:
        os.close(descriptor)
