"""Event objects that are computed when they are asked for, as producers write them."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from nacc_event_model import VisitEvent, encode
from tests.fake_s3.objects import StoredObject

_START = datetime(2024, 1, 1, tzinfo=UTC)
_SECONDS_APART = 7
_WRITTEN_AFTER_S = 900
_FIRST_PTID = 10_000_000
_ACTIONS = ("delete", "not-pass-qc", "pass-qc", "submit")
_MODULES = (("UDS", "I"), ("LBD", "F"), ("FTLD", "F"), ("UDS", "F"))
_MASK = (1 << 128) - 1
_DATES = [
    (f"{date:%Y-%m-%d}", f"{date:%Y%m%d}")
    for date in (_START + timedelta(days=day) for day in range(20_000))
]
_TIMES = [(f"{minute // 60:02}{minute % 60:02}", f"{minute // 60:02}:{minute % 60:02}:")
          for minute in range(1440)]  # fmt: skip
_SECONDS = [f"{second:02}" for second in range(60)]


def _template(number: int) -> str:
    """Return the JSON document of every 16th event, with named gaps for what differs."""
    module, packet = _MODULES[number // 4 % 4]
    event = VisitEvent(
        action=_ACTIONS[number % 4],  # type: ignore[arg-type] # one of the literals
        pipeline_adcid=98,
        project_label="ingest-form",
        center_label="sample-center",
        gear_name="form-scheduler",
        ptid="98765432",
        visit_date=date(1998, 7, 6),
        visit_number="01",
        datatype="form",
        module=module,
        packet=packet,
        timestamp=datetime(1999, 8, 7, 6, 5, 4, tzinfo=UTC),
    )
    text = encode(event).decode().replace("{", "{{").replace("}", "}}")
    for sample, gap in {
        r"\b98\b": "{adcid}",
        "98765432": "{ptid}",
        "1998-07-06": "{date}",
        "1999-08-07": "{day}",
        "06:05:04": "{time}",
    }.items():
        text, count = re.subn(sample, gap, text)
        if count != 1:
            raise AssertionError(f"{sample} is in the sample event {count} times")
    return text


class _Keys:
    """The keys in their order: by action, then by time, which grows with the index."""

    def __init__(self, prefix: str, count: int) -> None:
        self._prefix = prefix
        self._count = count
        sizes = [(count - action + 3) // 4 for action in range(4)]
        self._starts = [sum(sizes[:action]) for action in range(4)]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, position: int) -> str:
        if not 0 <= position < self._count:
            raise IndexError(position)
        action = bisect_right(self._starts, position) - 1
        return self.key(4 * (position - self._starts[action]) + action)

    def numbers(self, positions: range) -> Iterator[int]:
        """Yield the numbers of the events at consecutive positions."""
        ends = [*self._starts[1:], self._count]
        for action, (start, end) in enumerate(zip(self._starts, ends, strict=True)):
            first = max(positions.start, start) - start
            stop = min(positions.stop, end) - start
            yield from range(4 * first + action, 4 * stop + action, 4)

    def key(self, index: int) -> str:
        """Return the key of an event."""
        day, second = divmod(index * _SECONDS_APART, 86_400)
        date, compact_date = _DATES[day]
        return (
            f"{self._prefix}log-{_ACTIONS[index % 4]}-{compact_date}"
            f"-{_TIMES[second // 60][0]}{_SECONDS[second % 60]}-{index % 40 + 10}-ingest-form"
            f"-{_FIRST_PTID + index}-{date}.json"
        )


class SyntheticEvents:
    """`count` distinct valid events; the first `archived` of them are in Glacier.

    *Guarantee:* the same prefix and number make the same object, whatever the count: a larger
    count only adds objects.
    """

    def __init__(self, count: int, *, prefix: str = "", archived: int = 0) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._~/-]*", prefix):
            raise ValueError(f"the prefix {prefix!r} would need quoting in URLs and listings")
        self.keys = _Keys(prefix, count)
        self._count = count
        self._archived = archived
        self._templates = [_template(number) for number in range(16)]
        self._sizes = [len(self.content(number)) for number in range(16)]

    def content(self, index: int) -> bytes:
        """Return the document of an event."""
        day, second = divmod(index * _SECONDS_APART, 86_400)
        date = _DATES[day][0]
        return (
            self._templates[index & 15]
            .format(
                adcid=index % 40 + 10,
                ptid=_FIRST_PTID + index,
                date=date,
                day=date,
                time=_TIMES[second // 60][1] + _SECONDS[second % 60],
            )
            .encode()
        )

    def find(self, key: str) -> StoredObject | None:
        """Return an event's object: the participant's identifier tells its number."""
        ptid = key[-24:-16]
        if not (ptid.isascii() and ptid.isdigit()):
            return None
        index = int(ptid) - _FIRST_PTID
        if not 0 <= index < self._count or self.keys.key(index) != key:
            return None
        return StoredObject(
            data=self.content(index),
            etag=_etag(index),
            last_modified=_START + timedelta(seconds=_SECONDS_APART * index + _WRITTEN_AFTER_S),
            storage_class="GLACIER" if index < self._archived else "STANDARD",
        )

    def fragments(self, positions: range) -> str:
        """Return what stands for the objects in a listing; their keys need no quoting."""
        return "".join([self._fragment(index) for index in self.keys.numbers(positions)])

    def _fragment(self, index: int) -> str:
        day, second = divmod(index * _SECONDS_APART + _WRITTEN_AFTER_S, 86_400)
        return (
            f"<Contents><Key>{self.keys.key(index)}</Key><LastModified>{_DATES[day][0]}"
            f"T{_TIMES[second // 60][1]}{_SECONDS[second % 60]}.000Z</LastModified>"
            f"<ETag>&quot;{_etag(index)}&quot;</ETag><Size>{self._sizes[index & 15]}</Size>"
            f"<StorageClass>{'GLACIER' if index < self._archived else 'STANDARD'}"
            "</StorageClass></Contents>"
        )


def _etag(index: int) -> str:
    return f"{(index + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 & _MASK:032x}"
