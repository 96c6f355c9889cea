"""A file that was only just written is taken, and looked at once more by the next run.

What became of it in between may show neither in its time nor in its size.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checkpoint_core import Request, RunReport, Settings, run
from checkpoint_core.verifying import verify
from checkpoint_format.stores import QuietObserver
from checkpoint_storage.directory._source import DirectorySource
from checkpoint_storage.directory._store import DirectoryStore
from checkpoint_storage.local import local_host
from tests.checkpoint_core.world import document, key

_YOUNG_NS, _OLD_NS = 1_000_000_000, 2_000_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name the one event object of a source."""
    (tmp_path / "source").mkdir()
    return tmp_path / "source" / key(1)


def take(file: Path, age_ns: int) -> RunReport:
    """Run when the file's modification is so long ago."""
    store = DirectoryStore(file.parent.parent / "events.parquet")
    source = DirectorySource(file.parent, now_ns=lambda: file.stat().st_mtime_ns + age_ns)
    with store.scratch() as workdir:
        return run(
            source,
            store,
            settings=Settings(),
            request=Request(),
            host=local_host(workdir, QuietObserver()),
        )


@contextmanager
def same_time(file: Path) -> Iterator[None]:
    """Leave the file's modification time as it is, as within one tick of its file system."""
    status = file.stat()
    yield
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_file_rewritten_within_one_tick_gets_in(file: Path) -> None:
    """With as many bytes, after it was read; once it is settled nothing is read again."""
    file.write_bytes(document(gear_name="old"))
    first = take(file, _YOUNG_NS)
    with same_time(file):
        file.write_bytes(document(gear_name="new"))
    second = take(file, _OLD_NS)
    third = take(file, _OLD_NS)

    assert [each.total_events for each in (first, second, third)] == [1, 2, 2]
    assert (third.counts.unchanged, third.commit_id) == (1, None)


def test_what_did_not_change_is_touched_once(file: Path, tmp_path: Path) -> None:
    """The run after the first settles it; verifying counts it as what it is all the while."""
    file.write_bytes(document())
    (file.parent / key(2)).write_bytes(b"{}")
    (tmp_path / "work").mkdir()
    counted, found = [], []
    for age_ns in (0, _YOUNG_NS, _OLD_NS, _OLD_NS):
        report = take(file, age_ns)
        counted.append((report.counts.accepted, report.counts.touched, report.total_events))
        checks = verify(
            DirectoryStore(tmp_path / "events.parquet"),
            DirectorySource(file.parent),
            Settings(),
            tmp_path / "work",
        )
        found.append(([each.name for each in checks if not each.passed], checks[-1].detail))

    assert counted == [(1, 0, 1), (0, 1, 1), (0, 1, 1), (0, 0, 1)]
    assert found == 4 * [
        ([], "2 objects: 1 in the ledger, 1 in the rejects, 0 not named like events")
    ]
