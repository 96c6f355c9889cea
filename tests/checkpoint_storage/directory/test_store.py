"""A local checkpoint: whole versions only, one winner, nothing left behind, every refusal said."""

import errno
import fcntl
import itertools
import os
import random
import resource
import signal
import stat
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from pathlib import Path

import pytest

from checkpoint_format.errors import ChangedWhileReadingError, OutcomeUnknownError, StorageError
from checkpoint_format.stores import Condition, PutOutcome, Tail
from checkpoint_storage.directory import DirectoryStore
from checkpoint_storage.directory._versions import version_of
from tests.checkpoint_storage.directory.processes import (
    FRESH,
    as_ordinary_user,
    folder_for_everybody,
    in_other_process,
    mount_small,
)
from tests.checkpoint_storage.stored import FIRST, NAME, present, written

SIZE = 200_000


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Return the path of a checkpoint whose folder does not exist yet."""
    return tmp_path / "out" / NAME


@pytest.fixture
def store(checkpoint: Path) -> DirectoryStore:
    """Return its store."""
    return DirectoryStore(checkpoint)


def files_below(folder: Path) -> set[str]:
    """Return all files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def in_a_file(path: Path) -> None:
    """Let a file be where the path's folder was."""
    path.parent.rmdir()
    path.parent.touch()


class TestReading:
    """What is read belongs to one version."""

    def test_looking_leaves_no_trace(self, store: DirectoryStore, checkpoint: Path) -> None:
        """Where nothing is no folder is made."""
        assert store.read_tail(NAME, 10) is None
        store.delete("_ledger/events/a.parquet")

        assert not checkpoint.parent.exists()

    def test_location_and_name_are_those_of_the_file(
        self, store: DirectoryStore, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A relative path is made absolute once, wherever the process goes afterwards."""
        assert store.location == str(checkpoint)
        assert store.checkpoint_name == NAME

        monkeypatch.chdir(checkpoint.parent.parent)
        relative = DirectoryStore(Path("out") / NAME)
        monkeypatch.chdir("/")
        assert relative.location == str(checkpoint)

    def test_a_fetched_file_is_a_link(self, store: DirectoryStore, tmp_path: Path) -> None:
        """So it costs nothing."""
        store.put(NAME, written(tmp_path, b"data"))

        assert store.fetch(NAME, tmp_path / "to")
        assert (tmp_path / "to").samefile(store.location)

    def test_fetching_to_another_file_system_copies(
        self, store: DirectoryStore, tmp_path: Path
    ) -> None:
        """Where a link is not possible; the version is checked just the same."""
        with folder_for_everybody(Path("/dev/shm")) as other:
            assert other.stat().st_dev != tmp_path.stat().st_dev
            store.put(NAME, written(tmp_path, b"old"))
            old = present(store).etag
            assert store.fetch(NAME, other / "to", etag=old)
            store.put(NAME, written(tmp_path, b"new"))

            assert (other / "to").read_bytes() == b"old"
            with pytest.raises(ChangedWhileReadingError, match="replaced or removed"):
                store.fetch(NAME, other / "to", etag=old)
            assert not (other / "to").exists()

    @pytest.mark.parametrize(
        "make, said",
        [
            (Path.mkdir, r"events\.parquet: not a file"),
            (os.mkfifo, r"events\.parquet: not a file"),
            # Not taken for a checkpoint that does not exist yet.
            (in_a_file, r"read \(Not a directory\)"),
        ],
    )
    def test_what_is_not_a_file_is_refused(
        self, store: DirectoryStore, checkpoint: Path, make: Callable[[Path], object], said: str
    ) -> None:
        """At once and by its name; a FIFO is not waited for."""
        checkpoint.parent.mkdir()
        make(checkpoint)

        with pytest.raises(StorageError, match=said):
            store.read_tail(NAME, 10)
        with pytest.raises(StorageError, match=r"not a file|Not a directory"):
            store.fetch(NAME, checkpoint.parent.with_name("to"))

    def test_hidden_files_are_nobodys_ledgers(
        self, store: DirectoryStore, checkpoint: Path, tmp_path: Path
    ) -> None:
        """They are not listed."""
        store.put("_ledger/events/a.parquet", written(tmp_path, b"x"))
        (checkpoint.parent / "_ledger" / "events" / ".hidden").touch()

        assert ["_ledger/events/a.parquet"] == [
            file.name for file in store.list_files("_ledger/events")
        ]


class TestWriting:
    """What is written is whole, on one condition."""

    def test_nothing_else_is_left(
        self, store: DirectoryStore, checkpoint: Path, tmp_path: Path
    ) -> None:
        """No temporary files; the lock's file stays, where Athena does not read it."""
        file = written(tmp_path, b"x")
        store.put("_ledger/events/a.parquet", file)
        store.put_if(NAME, file, FIRST)
        store.put_if(NAME, file, FIRST)

        assert files_below(checkpoint.parent) == {
            NAME,
            "_ledger/events/a.parquet",
            f"_lock/{NAME}.lock",
        }

    def test_no_version_is_ever_taken_for_another(
        self, store: DirectoryStore, tmp_path: Path
    ) -> None:
        """Same content, same size, within one tick of the clock, the inodes used again."""
        file = written(tmp_path, b"same")
        etags: list[str | None] = [None]
        for _ in range(300):
            assert store.put_if(NAME, file, Condition(etags[-1])) is PutOutcome.WRITTEN
            etags.append(present(store).etag)

        assert len(set(etags)) == len(etags)

    def test_a_version_is_newer_than_the_one_it_replaces_whatever_the_clock_says(
        self, store: DirectoryStore, checkpoint: Path, tmp_path: Path
    ) -> None:
        """A checkpoint that was written while the clock was wrong is in the future."""
        file = written(tmp_path, b"same")
        store.put(NAME, file)
        os.utime(checkpoint, ns=(0, 4_000_000_000_000_000_000))

        assert store.put_if(NAME, file, Condition(present(store).etag)) is PutOutcome.WRITTEN
        assert checkpoint.stat().st_mtime_ns == 4_000_000_000_000_000_001

    def test_a_link_stays_a_link_and_its_target_is_replaced(self, tmp_path: Path) -> None:
        """Whoever links to a checkpoint elsewhere wants it to be kept there."""
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "link.parquet").symlink_to("elsewhere/events.parquet")
        store = DirectoryStore(tmp_path / "link.parquet")

        store.put(store.checkpoint_name, written(tmp_path, b"x"))

        assert (tmp_path / "link.parquet").is_symlink()
        assert (tmp_path / "elsewhere" / "events.parquet").read_bytes() == b"x"

    def test_permissions_are_kept(
        self, store: DirectoryStore, checkpoint: Path, tmp_path: Path
    ) -> None:
        """Who may not read the checkpoint may not read its successor, nor what is beside it.

        Also where that replaces a file that had others.
        """
        file = written(tmp_path, b"x")
        rejects, ledger = "_rejects/events.parquet", "_ledger/events/a.parquet"
        for name in (NAME, rejects):
            store.put(name, file)
        checkpoint.chmod(0o640)
        store.put_if(NAME, file, Condition(present(store).etag))
        for name in (rejects, ledger):
            store.put(name, file)

        for name in (NAME, rejects, ledger):
            assert stat.S_IMODE((checkpoint.parent / name).stat().st_mode) == 0o640

    def test_what_is_beside_the_checkpoint_follows_its_permissions(
        self, store: DirectoryStore, checkpoint: Path, tmp_path: Path
    ) -> None:
        """From the next run on; of another checkpoint's files, and behind links, nothing changes."""
        beside = [
            "_ledger/events/a.parquet",
            "_ledger/events/a.json",
            "_rejects/events.parquet",
            "_previous/events/a.parquet",
        ]
        others = ["_ledger/others/a.parquet", "_rejects/others.parquet", "elsewhere"]
        for name in (NAME, *beside, *others):
            store.put(name, written(tmp_path, b"x"))
        folder = checkpoint.parent
        (folder / "_ledger" / "events" / "link").symlink_to(folder / "elsewhere")
        checkpoint.chmod(0o600)
        before = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in others}

        with store.scratch():
            pass

        assert {stat.S_IMODE((folder / name).stat().st_mode) for name in beside} == {0o600}
        assert {name: stat.S_IMODE((folder / name).stat().st_mode) for name in others} == before
        assert 0o600 not in before.values()


class TestRefusals:
    """Every failed write says what to do, and changes nothing."""

    def test_no_space_left(self, tmp_path: Path) -> None:
        """On a real file system of 64 KiB, which only this test's process sees."""
        said = in_other_process(_fill, tmp_path)
        if said is None:
            pytest.skip("mounting a file system is not permitted here")

        assert said.startswith("no space left on the device that holds ")
        assert "Nothing was changed. Free some space" in said

    def test_a_read_only_file_system(self, tmp_path: Path) -> None:
        """A real one; `scratch` is the first to notice."""
        said = in_other_process(_write_to_read_only, tmp_path)
        if said is None:
            pytest.skip("mounting a file system is not permitted here")

        assert "is on a read-only file system. Nothing was changed." in said

    def test_a_file_larger_than_the_process_may_write(
        self, store: DirectoryStore, checkpoint: Path, tmp_path: Path
    ) -> None:
        """The old version is still there, whole, and nothing else."""
        store.put(NAME, written(tmp_path, b"old"))
        etag = present(store).etag
        large = written(tmp_path, b"x" * SIZE)

        for said in in_other_process(_write_with_limit, checkpoint, large, etag):
            assert "would be larger than this process" in said
        assert present(store).data == b"old"
        assert files_below(checkpoint.parent) == {NAME}

    def test_a_folder_that_may_not_be_written_to(self) -> None:
        """Said by `scratch` before a run does any work, and by each write."""
        with folder_for_everybody() as folder:
            (folder / "file").touch(mode=0o644)

            said = as_ordinary_user(_refusals, folder / "sub" / NAME, folder / "file")

        assert len(said) == 3
        for message in said:
            assert f"{NAME}: no permission to write there. Nothing was changed." in message

    def test_a_checkpoint_that_may_not_be_read(self) -> None:
        """Neither its end nor the whole."""
        with folder_for_everybody() as folder:
            (folder / NAME).touch(mode=0o600)

            with pytest.raises(StorageError, match=r"cannot be read \(Permission denied\)"):
                as_ordinary_user(_tail, folder / NAME)

    def test_a_directory_in_the_checkpoints_place(
        self, store: DirectoryStore, checkpoint: Path, tmp_path: Path
    ) -> None:
        """It is not replaced."""
        checkpoint.mkdir(parents=True)

        with pytest.raises(StorageError, match=r"cannot be written \(Is a directory\)"):
            store.put(NAME, written(tmp_path, b"x"))
        with pytest.raises(StorageError, match=r"cannot be written \(Is a directory\)"):
            store.delete(NAME)

    def test_a_replacement_that_may_not_last_is_unknown(
        self, store: DirectoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The device fails when the folder is to be made durable, after the rename."""
        store.put(NAME, written(tmp_path, b"old"))
        etag = present(store).etag
        file = written(tmp_path, b"new")
        monkeypatch.setattr(os, "fsync", _fail_for_folders)

        with pytest.raises(StorageError, match="might not survive a power failure"):
            store.put("other", file)
        with pytest.raises(OutcomeUnknownError, match="replacing it ended with"):
            store.put_if(NAME, file, Condition(etag))

        assert present(store).data == b"new"

    def test_a_rename_whose_answer_is_lost_is_unknown(
        self, store: DirectoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A network file system may report an error although it did it."""
        file = written(tmp_path, b"new")
        replace = os.replace

        def do_it_and_fail(source: Path, target: Path) -> None:
            replace(source, target)
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "replace", do_it_and_fail)

        with pytest.raises(OutcomeUnknownError, match="replacing it ended with Input/output"):
            store.put_if(NAME, file, FIRST)

        assert present(store).data == b"new"

    def test_a_lock_that_is_held_too_long_names_its_holder(
        self, checkpoint: Path, tmp_path: Path
    ) -> None:
        """Waiting is bounded; the holder wrote its name into the lock's file."""
        store = DirectoryStore(checkpoint, lock_timeout_s=0.1)
        file = written(tmp_path, b"x")
        store.put_if(NAME, file, FIRST)

        with (checkpoint.parent / "_lock" / f"{NAME}.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(StorageError, match=rf"0\.1 s by process {os.getpid()} on "):
                store.put_if(NAME, file, Condition(present(store).etag))

        assert store.put_if(NAME, file, FIRST) is PutOutcome.REFUSED


class TestScratch:
    """Scratch folders are private, on the right file system, and outlive nobody."""

    def test_a_scratch_folder_is_private_and_removed(
        self, store: DirectoryStore, checkpoint: Path
    ) -> None:
        """Also after an error, which is passed on as it is."""
        folders = []

        def use_scratch() -> None:
            with store.scratch() as folder:
                folders.append(folder)
                (folder / "sub").mkdir()
                (folder / "sub" / "file").touch()
                with store.scratch() as other:
                    assert other != folder
                assert stat.S_IMODE(folder.stat().st_mode) == 0o700
                assert (folder / "sub" / "file").exists()
                assert folder.stat().st_dev == checkpoint.parent.stat().st_dev
                raise OSError("own")

        with pytest.raises(OSError, match="own"):
            use_scratch()

        assert files_below(checkpoint.parent) == set()
        assert not folders[0].exists()

    def test_what_a_killed_run_left_is_removed_and_what_is_in_use_is_not(
        self, store: DirectoryStore, checkpoint: Path
    ) -> None:
        """A lock tells them apart, so age does not matter."""
        paths: Queue[str] = FRESH.Queue()
        process = FRESH.Process(target=_hold_scratch, args=(checkpoint, paths))
        process.start()
        theirs = Path(paths.get(timeout=60))

        with store.scratch():
            assert (theirs / "file").exists()
        process.kill()
        process.join()
        assert (theirs / "file").exists()
        with store.scratch():
            assert not theirs.exists()

        assert files_below(checkpoint.parent) == set()


class TestProcesses:
    """What holds between processes, tried with real ones."""

    def test_no_increment_is_lost(
        self, store: DirectoryStore, checkpoint: Path, tmp_path: Path
    ) -> None:
        """Four processes count together, as fast as they can."""
        store.put(NAME, written(tmp_path, b"0"))
        counters = [FRESH.Process(target=_count, args=(checkpoint, 50)) for _ in range(4)]
        for counter in counters:
            counter.start()
        for counter in counters:
            counter.join()

        assert [counter.exitcode for counter in counters] == [0] * 4
        assert present(store).data == b"200"

    def test_a_killed_writer_leaves_a_whole_version(
        self, store: DirectoryStore, checkpoint: Path
    ) -> None:
        """Killed at any moment: the next writer goes on, and removes what was left."""
        chance = random.Random(1)
        seen = set()
        for _ in range(12):
            process = FRESH.Process(target=_write_for_ever, args=(checkpoint,))
            process.start()
            before = store.read_tail(NAME, 0)
            while (now := store.read_tail(NAME, 0)) is None or now == before:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.05))
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()

            data = present(store).data
            assert data == data[:1] * SIZE
            seen.add(data[:1])
            with store.scratch():
                pass
            assert files_below(checkpoint.parent) == {NAME, f"_lock/{NAME}.lock"}
        assert len(seen) > 1

    def test_readers_see_whole_versions_while_a_writer_writes(
        self, store: DirectoryStore, checkpoint: Path, tmp_path: Path
    ) -> None:
        """Each read is of one version, and a fetched version is the one that was asked for."""
        process = FRESH.Process(target=_write_for_ever, args=(checkpoint,))
        process.start()
        while store.read_tail(NAME, 0) is None:
            time.sleep(0.001)
        fetched = 0
        for _ in range(300):
            tail = present(store)
            assert tail.data == tail.data[:1] * SIZE
            try:
                assert store.fetch(NAME, tmp_path / "to", etag=tail.etag)
            except ChangedWhileReadingError:
                continue
            fetched += 1
            assert (tmp_path / "to").read_bytes() == tail.data
            assert version_of((tmp_path / "to").stat()) == tail.etag
        process.kill()
        process.join()

        assert fetched > 0


def _fail_for_folders(descriptor: int) -> None:
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise OSError(errno.EIO, "Input/output error")


def _fill(folder: Path) -> str | None:
    """Write more than there is room for; return what was said, None where it cannot be tried."""
    if not mount_small(folder):
        return None
    store = DirectoryStore(folder / NAME)
    with folder_for_everybody() as other:
        store.put(NAME, written(other, b"old"))
        etag = present(store).etag
        with pytest.raises(StorageError) as error:
            store.put_if(NAME, written(other, b"x" * SIZE), Condition(etag))
    assert present(store).data == b"old"
    assert files_below(folder) == {NAME}
    return str(error.value)


def _write_to_read_only(folder: Path) -> str | None:
    if not mount_small(folder, read_only=True):
        return None
    with pytest.raises(StorageError) as error, DirectoryStore(folder / NAME).scratch():
        pass
    return str(error.value)


def _write_with_limit(checkpoint: Path, file: Path, etag: str) -> list[str]:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE // 2, SIZE // 2))
    store = DirectoryStore(checkpoint)
    with pytest.raises(StorageError) as first:
        store.put(NAME, file)
    with pytest.raises(StorageError) as second:
        store.put_if(NAME, file, Condition(etag))
    return [str(first.value), str(second.value)]


def _refusals(checkpoint: Path, file: Path) -> list[str]:
    store = DirectoryStore(checkpoint)
    with pytest.raises(StorageError) as first, store.scratch():
        pass
    with pytest.raises(StorageError) as second:
        store.put(NAME, file)
    with pytest.raises(StorageError) as third:
        store.put_if(NAME, file, FIRST)
    return [str(error.value) for error in (first, second, third)]


def _tail(checkpoint: Path) -> Tail | None:
    return DirectoryStore(checkpoint).read_tail(NAME, 10)


def _hold_scratch(checkpoint: Path, paths: "Queue[str]") -> None:
    with DirectoryStore(checkpoint).scratch() as folder:
        (folder / "file").touch()
        paths.put(str(folder))
        time.sleep(600)


def _count(checkpoint: Path, times: int) -> None:
    store = DirectoryStore(checkpoint)
    with store.scratch() as folder:
        for _ in range(times):
            while True:
                tail = present(store)
                file = written(folder, str(int(tail.data) + 1).encode())
                if store.put_if(NAME, file, Condition(tail.etag)) is PutOutcome.WRITTEN:
                    break


def _write_for_ever(checkpoint: Path) -> None:
    store = DirectoryStore(checkpoint)
    with store.scratch() as folder:
        for letter in itertools.cycle(b"abcdefghijklmnopqrstuvwxyz"):
            tail = store.read_tail(NAME, 0)
            file = written(folder, bytes([letter]) * SIZE)
            assert store.put_if(NAME, file, Condition(tail.etag if tail else None)) is (
                PutOutcome.WRITTEN
            )
