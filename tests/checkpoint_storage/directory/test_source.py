"""A directory as a source: everything is listed, nothing outside is opened, nothing blocks."""

import errno
import os
import resource
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoint_format.errors import StorageError
from checkpoint_format.stores import UNSETTLED, Content, ReadFailure
from checkpoint_storage.directory import DirectorySource
from checkpoint_storage.directory._walk import Folders, key_of, open_folders, path_of, refuse_whole
from tests.checkpoint_storage.directory.processes import (
    as_ordinary_user,
    folder_for_everybody,
    in_other_process,
)

LIMIT = 1_000
DIRECTORY = "a directory, not a file"
LEAVES = "a symbolic link that leaves the source directory"
NOWHERE = "a symbolic link that leads nowhere"
NAME = "log-submit-20240115-100000-42-ingest-form-110001-01.json"


def listed(source: DirectorySource) -> dict[str, str]:
    """Return the etag of each listed key."""
    listing = source.list_objects(restore_states=False)
    assert listing["key"].is_unique().all()
    return dict(zip(listing["key"].to_list(), listing["etag"].to_list(), strict=True))


def read(root: Path, *keys: str) -> list[Content | ReadFailure]:
    """Read the keys from a directory."""
    return list(DirectorySource(root).read(keys, max_size_bytes=LIMIT))


def failure(root: Path, key: str) -> tuple[str, str]:
    """Return outcome and reason of a key that cannot be read."""
    (answer,) = read(root, key)
    assert isinstance(answer, ReadFailure)
    assert answer.key == key
    return answer.outcome, answer.reason


def content(root: Path, key: str) -> bytes:
    """Return what a key holds."""
    (answer,) = read(root, key)
    assert isinstance(answer, Content)
    assert answer.key == key
    return answer.data


def open_descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty source directory with a neighbour that is none of its business."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / NAME).write_bytes(b"outside")
    root = tmp_path / "source"
    root.mkdir()
    return root


class TestListing:
    """What a listing says."""

    def test_location_is_the_uri_of_the_directory_itself(self, root: Path, tmp_path: Path) -> None:
        """The same directory has the same location, however it is reached."""
        (tmp_path / "link").symlink_to(root)

        location = DirectorySource(tmp_path / "link" / "." / "..").location

        assert location == DirectorySource(tmp_path).location
        assert DirectorySource(tmp_path / "link").location == root.resolve().as_uri()

    def test_every_file_is_listed_by_its_relative_path(self, root: Path) -> None:
        """Folders are walked and not listed; the columns say what the file system says."""
        (root / "a" / "b").mkdir(parents=True)
        (root / "a" / "b" / NAME).write_bytes(b"12345")
        (root / "notes.txt").write_bytes(b"")
        os.utime(root / "notes.txt", ns=(0, 1_700_000_000_123_456_789))

        listing = DirectorySource(root).list_objects(restore_states=True).sort("key")

        assert listing["key"].to_list() == [f"a/b/{NAME}", "notes.txt"]
        assert listing["last_modified"][1] == datetime(2023, 11, 14, 22, 13, 20, 123_456, UTC)
        assert listing["archived"].to_list() == [None, None]

    def test_thousands_of_files_are_listed_and_read(self, root: Path) -> None:
        """By several threads: one answer for each key."""
        for number in range(3_000):
            (root / f"{number}.txt").write_bytes(str(number).encode())

        keys = sorted(listed(DirectorySource(root)))
        answers = read(root, *keys)

        assert sorted(answer.key for answer in answers) == keys
        assert all(
            isinstance(answer, Content) and f"{answer.data.decode()}.txt" == answer.key
            for answer in answers
        )

    @pytest.mark.parametrize(
        "name, said",
        [("nowhere", "there is no directory of this name"), ("file", "not a directory")],
    )
    def test_what_is_no_directory_is_refused(self, tmp_path: Path, name: str, said: str) -> None:
        """A mistyped source is not an empty one, nor one of a thousand missing files."""
        (tmp_path / "file").touch()

        with pytest.raises(StorageError, match=said):
            listed(DirectorySource(tmp_path / name))
        with pytest.raises(StorageError, match=said):
            read(tmp_path / name, "a.json")

    @pytest.mark.parametrize("mode", [0, 0o444])
    def test_a_folder_that_cannot_be_listed_fails_the_listing(self, mode: int) -> None:
        """A part that cannot be seen would look as if it had been removed.

        Nor is it enough to see names alone: they do not tell one content from the next.
        """
        with folder_for_everybody() as root:
            (root / "closed").mkdir()
            (root / "closed" / NAME).touch()
            (root / "closed").chmod(mode)

            with pytest.raises(StorageError, match=r"cannot be listed \(Permission denied"):
                as_ordinary_user(listed, DirectorySource(root))
            (root / "closed").chmod(0o755)

    def test_files_and_folders_that_come_and_go_do_not_disturb_the_listing(
        self, root: Path
    ) -> None:
        """What is there all the time is in every listing."""
        for number in range(200):
            (root / f"{number}.json").touch()
        over = threading.Event()

        def come_and_go() -> None:
            while not over.is_set():
                (root / "folder").mkdir()
                for number in range(20):
                    (root / f"x{number}.json").touch()
                    (root / "folder" / f"{number}.json").touch()
                for number in range(20):
                    (root / f"x{number}.json").unlink()
                    (root / "folder" / f"{number}.json").unlink()
                (root / "folder").rmdir()

        thread = threading.Thread(target=come_and_go)
        thread.start()
        try:
            for _ in range(100):
                keys = listed(DirectorySource(root)).keys()
                assert {f"{number}.json" for number in range(200)} <= keys
        finally:
            over.set()
            thread.join()

    @pytest.mark.parametrize("year", [1902, 1969, 2400, 9999, 99_999])
    def test_any_modification_time_can_be_listed_and_read(self, root: Path, year: int) -> None:
        """A file from before 1970 or after the calendar's end is no reason to crash."""
        (root / "a.json").touch()
        seconds = (year - 1970) * 31_556_952
        os.utime(root / "a.json", (seconds, seconds))

        listing = DirectorySource(root).list_objects(restore_states=False)
        (answer,) = read(root, "a.json")

        assert isinstance(answer, Content)
        assert answer.last_modified == listing["last_modified"][0]
        assert answer.etag == listing["etag"][0]


class TestNames:
    """Keys stand for paths, one for one."""

    @given(st.binary(min_size=1, max_size=12).map(os.fsdecode))
    def test_a_key_is_text_and_leads_back_to_its_path(self, path: str) -> None:
        """A key can always be shown; the path comes back if it is UTF-8, otherwise nothing."""
        key = key_of(path)
        is_utf8 = os.fsencode(path).decode(errors="replace") == path

        assert key.encode().decode() == key
        assert path_of(key) == (path if is_utf8 else None)

    @given(st.sets(st.binary(min_size=1, max_size=3), max_size=20))
    def test_different_paths_have_different_keys(self, paths: set[bytes]) -> None:
        """A name that looks like another's escaped form is still another name."""
        assert len({key_of(os.fsdecode(path)) for path in paths}) == len(paths)

    @given(
        st.dictionaries(
            st.binary(min_size=1, max_size=8).filter(
                lambda name: (
                    not {b"/", b"\0"} & {bytes([byte]) for byte in name}
                    and name not in {b".", b".."}
                )
            ),
            st.binary(max_size=20),
            max_size=8,
        )
    )
    def test_every_file_is_listed_once_and_answered(self, files: dict[bytes, bytes]) -> None:
        """Whatever the names: what is UTF-8 is read, and of the rest it is said why not."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name, data in files.items():
                (root / os.fsdecode(name)).write_bytes(data)
            expected = {key_of(os.fsdecode(name)): data for name, data in files.items()}

            keys = listed(DirectorySource(root))
            answers = read(root, *keys)

        assert keys.keys() == expected.keys()
        for answer in answers:
            if isinstance(answer, Content):
                assert answer.data == expected[answer.key]
                assert answer.etag.removesuffix(UNSETTLED) == keys[answer.key]
            else:
                assert path_of(answer.key) is None
                assert answer.reason == "a file name that is not UTF-8"

    @pytest.mark.parametrize(
        "key",
        [
            *("../outside/" + NAME, "", ".", "..", "a/../a.json", "a//b", "/etc/passwd", "a\0b"),
            *("a/", "gone/too.json"),
        ],
    )
    def test_keys_that_no_listing_gives_are_missing(self, root: Path, key: str) -> None:
        """No key leads to a file outside, or by two ways to one inside, or to what is gone."""
        (root / "a").mkdir()
        (root / "a.json").touch()

        assert failure(root, key)[0] == "missing"


class TestUnusualFiles:
    """What is not simply a file."""

    def test_a_directory_named_like_an_event_is_listed_and_said(self, root: Path) -> None:
        """It is walked all the same."""
        (root / NAME).mkdir()
        (root / NAME / "inner.json").write_bytes(b"inner")

        assert listed(DirectorySource(root)).keys() == {NAME, f"{NAME}/inner.json"}
        assert failure(root, NAME) == ("unreadable", DIRECTORY)
        assert content(root, f"{NAME}/inner.json") == b"inner"

    def test_a_link_to_a_file_inside_is_an_ordinary_file(self, root: Path) -> None:
        """Its etag is its target's, so that a change of the target is seen."""
        (root / "a").mkdir()
        (root / "a" / "target.json").write_bytes(b"inside")
        (root / "link.json").symlink_to("a/target.json")
        (root / "link_of_link.json").symlink_to(root / "link.json")

        keys = listed(DirectorySource(root))

        assert keys["link.json"] == keys["a/target.json"] == keys["link_of_link.json"]
        assert content(root, "link.json") == content(root, "link_of_link.json") == b"inside"

    @pytest.mark.parametrize(
        "target, said",
        [
            *(
                (f"../{name}", LEAVES)
                for name in (f"outside/{NAME}", "outside/nothing", "source-2")
            ),
            *((name, NOWHERE) for name in ("nothing.json", "nothing/a.json", "file/a.json")),
            ("link.json", "the file could not be read: Too many levels of symbolic links"),
            (".", DIRECTORY),
        ],
    )
    def test_a_link_to_no_file_inside_is_listed_and_never_followed(
        self, root: Path, tmp_path: Path, target: str, said: str
    ) -> None:
        """It is there; neither size nor content of what is outside are told.

        A sibling whose name begins like the source's is outside.
        """
        (tmp_path / "source-2").touch()
        (root / "file").touch()
        (root / "link.json").symlink_to(target)
        listing = DirectorySource(root).list_objects(restore_states=False)
        row = listing.row(by_predicate=pl.col("key") == "link.json", named=True)

        assert {"file", "link.json"} == set(listing["key"])
        assert len(b"outside") != row["size"]
        assert ("unreadable", said) == failure(root, "link.json")

    def test_links_to_folders_are_not_entered(self, root: Path) -> None:
        """So there are no endless loops; only one named like an event is listed."""
        (root / "folder").mkdir()
        (root / "folder" / "up").symlink_to("..")
        (root / "folder" / "up.json").symlink_to("..")
        (root / "folder" / "down.json").symlink_to(".")
        (root / "again").symlink_to("folder")
        (root / "again.json").symlink_to("folder")

        assert listed(DirectorySource(root)).keys() == {
            "folder/up.json",
            "folder/down.json",
            "again.json",
        }
        for key in ("folder/up.json", "folder/down.json", "again.json"):
            assert failure(root, key) == ("unreadable", DIRECTORY)

    def test_a_folder_exchanged_for_a_link_does_not_lead_outside(self, root: Path) -> None:
        """Between listing and reading somebody puts a link where a folder was."""
        (root / "folder").mkdir()
        (root / "folder" / NAME).write_bytes(b"inside")
        source = DirectorySource(root)
        keys = list(listed(source))
        (root / "folder").rename(root / "moved")
        (root / "folder").symlink_to("../outside")

        (answer,) = source.read(keys, max_size_bytes=LIMIT)

        assert isinstance(answer, ReadFailure)
        assert answer.outcome == "missing"

    def test_fifos_and_sockets_are_listed_and_never_waited_for(self, root: Path) -> None:
        """A FIFO without a writer would block whoever simply opens it."""
        os.mkfifo(root / "fifo.json")
        with socket.socket(socket.AF_UNIX) as unix, folder_for_everybody() as short:
            unix.bind(str(short / "s"))
            (short / "s").rename(short / "socket.json")

            assert listed(DirectorySource(root)).keys() == {"fifo.json"}
            assert failure(root, "fifo.json") == ("unreadable", "not a regular file")
            assert listed(DirectorySource(short)).keys() == {"socket.json"}
            assert failure(short, "socket.json") == ("unreadable", "not a regular file")

    def test_more_folders_than_are_kept_open(self, root: Path) -> None:
        """Descriptors are given back."""
        keys = [f"{number % 100}/{number}.json" for number in range(400)]
        for key in keys:
            (root / key).parent.mkdir(exist_ok=True)
            (root / key).write_bytes(key.encode())
        before = open_descriptors()

        assert listed(DirectorySource(root)).keys() == set(keys)
        assert [content(root, key) for key in keys] == [key.encode() for key in keys]
        assert open_descriptors() == before

    def test_folders_deeper_than_a_path_may_be_long(self, root: Path) -> None:
        """Every step is relative to the last, so the length of the whole does not matter."""
        here = os.open(root, os.O_RDONLY)
        for _ in range(30):
            os.mkdir("d" * 200, dir_fd=here)
            below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(os.open("deep.json", os.O_CREAT, dir_fd=here))
        os.close(here)

        (key,) = listed(DirectorySource(root))

        assert len(key) > 6_000
        assert content(root, key) == b""


class TestReading:
    """One answer for each key, with the etag of that very content."""

    def test_a_file_that_may_not_be_read_is_denied_and_the_others_are_read(self) -> None:
        """One refused file does not stop the rest."""
        with folder_for_everybody() as root:
            (root / "closed.json").touch(mode=0)
            (root / "open.json").write_bytes(b"open")

            closed, opened = as_ordinary_user(read, root, "closed.json", "open.json")

        assert isinstance(closed, ReadFailure)
        assert closed.outcome == "denied"
        assert isinstance(opened, Content)
        assert opened.data == b"open"

    def test_an_error_of_the_device_is_unreadable(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The reason is the system's own word for it."""

        def fail(descriptor: int, length: int) -> bytes:
            raise OSError(5, "Input/output error")

        (root / "a.json").write_bytes(b"a")
        monkeypatch.setattr(os, "read", fail)

        said = failure(root, "a.json")

        assert said == ("unreadable", "the file could not be read: Input/output error")

    def test_a_file_that_grows_is_read_with_the_etag_of_what_was_read(self, root: Path) -> None:
        """Content and etag always belong together, or the file is unreadable for now."""
        path = root / "a.json"
        path.write_bytes(b"")
        over = threading.Event()

        def grow() -> None:
            with path.open("ab", buffering=0) as file:
                while not over.is_set():
                    if file.tell() > LIMIT - 10:
                        file.truncate(0)
                    file.write(b"x" * 7)

        thread = threading.Thread(target=grow)
        thread.start()
        try:
            for _ in range(30):
                (answer,) = read(root, "a.json")
                if isinstance(answer, Content):
                    etag = answer.etag.removesuffix(UNSETTLED)
                    assert int(etag.rpartition("-")[2], 16) == len(answer.data)
                else:
                    assert answer.outcome == "unreadable"
        finally:
            over.set()
            thread.join()

    @pytest.mark.parametrize("changes", [1, 2, 3])
    def test_a_file_that_changes_while_it_is_read_is_read_again(
        self, root: Path, changes: int
    ) -> None:
        """With its new etag; after three attempts it is left to the next run."""
        path = root / "a.json"
        path.write_bytes(b"")
        attempts = 0

        def change() -> int:
            nonlocal attempts
            attempts += 1
            if attempts <= changes:
                path.write_bytes(b"x" * attempts)
            return 0

        source = DirectorySource(root, now_ns=change)
        (answer,) = source.read(["a.json"], max_size_bytes=LIMIT)

        assert attempts == min(changes + 1, 3)
        if isinstance(answer, Content):
            assert (answer.data, answer.etag) == (b"x" * changes, listed(source)["a.json"])
        else:
            assert answer.reason == "the file changed each time while it was read"
        assert isinstance(answer, Content) == (changes < 3)

    def test_only_a_young_file_is_unsettled(self, root: Path) -> None:
        """Its etag is none that a listing gives; old files, and those of a wrong clock, have one."""
        now_ns = 1_700_000_000_000_000_000
        two_seconds = 2_000_000_000
        ages = {
            "old": two_seconds,
            "future": -3_600_000_000_000,
            "young": two_seconds - 1,
            "just now": 0,
            "clock behind": 1 - two_seconds,
        }
        for name, age_ns in ages.items():
            (root / name).touch()
            os.utime(root / name, ns=(0, now_ns - age_ns))
        source = DirectorySource(root, now_ns=lambda: now_ns)
        answers = list(source.read(list(ages), max_size_bytes=LIMIT))
        etags = {answer.key: answer.etag for answer in answers if isinstance(answer, Content)}

        as_listed = listed(source)
        unsettled = {name for name in ages if etags[name] != as_listed[name]}
        assert unsettled == {"young", "just now", "clock behind"}
        assert {etags[name] for name in unsettled} == {
            as_listed[name] + UNSETTLED for name in unsettled
        }

    def test_a_file_rewritten_right_after_it_was_read_has_another_etag(self, root: Path) -> None:
        """However coarse the file system's clock is, and with as many bytes."""
        path = root / "a.json"
        for number in range(50):
            path.write_bytes(b"%3d" % number)
            (answer,) = read(root, "a.json")
            path.write_bytes(b"%3d" % (number + 500))

            assert isinstance(answer, Content)
            assert answer.etag != listed(DirectorySource(root))["a.json"]

    def test_the_etag_of_a_file_is_of_its_time_and_of_its_size(self, root: Path) -> None:
        """Either tells one content from the next."""
        etags = set()
        for content, time_s in ((b"old", 1), (b"new", 2), (b"newer", 2)):
            (root / "a.json").write_bytes(content)
            os.utime(root / "a.json", (time_s, time_s))
            etags |= set(listed(DirectorySource(root)).values())

        assert 3 == len(etags)

    def test_a_file_that_never_comes_holds_up_no_run(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As on a network file system whose server is gone: the others are answered in time."""
        keys = [f"{number}.json" for number in range(100)]
        for key in keys:
            (root / key).write_bytes(b"read")
        come_back, others = threading.Event(), Counter[str]()
        opened = Folders.open

        def open_(folders: Folders, path: str) -> int:
            if path == "3.json":
                come_back.wait()
            else:
                others[path] += 1
            return opened(folders, path)

        monkeypatch.setattr(Folders, "open", open_)
        answers = list(
            DirectorySource(root).read(
                keys,
                max_size_bytes=LIMIT,
                remaining_s=lambda: 0.05 if len(others) < 99 else 0.0,
            )
        )
        come_back.set()

        found = [answer.key for answer in answers]
        assert len(set(found)) == len(found)
        assert set(found) <= set(others)
        assert len(found) >= 99 - 8  # a thread may just have opened its last one


def with_descriptors(
    root: Path, spare: int, act: Callable[[Path], list[Content | ReadFailure]]
) -> list[Content | ReadFailure]:
    """Act where only so many more descriptors can be opened; here for another process."""
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + spare, lowest + spare))
    return act(root)


def list_and_read(root: Path) -> list[Content | ReadFailure]:
    """Read whatever there is."""
    return read(root, *listed(DirectorySource(root)))


def read_nested(root: Path) -> list[Content | ReadFailure]:
    """Read without listing."""
    return read(root, "9/a.json")


class TestLimits:
    """What concerns every file is not told of one."""

    @pytest.mark.parametrize("spare", [0, 1, 2])
    @pytest.mark.parametrize("act", [list_and_read, read_nested])
    def test_too_few_descriptors_fail_the_source(
        self, root: Path, spare: int, act: Callable[[Path], list[Content | ReadFailure]]
    ) -> None:
        """And not one object after the other; the message says what to do."""
        (root / "9").mkdir()
        (root / "9" / "a.json").touch()
        (root / "link.json").symlink_to("9/a.json")

        with pytest.raises(StorageError, match=r"Too many open files.*`ulimit -n 1024`"):
            in_other_process(with_descriptors, root, spare, act)

    def test_a_small_limit_is_enough_for_many_folders(self, root: Path) -> None:
        """Each thread keeps fewer of them open."""
        for number in range(600):
            (root / f"{number}").mkdir()
            (root / f"{number}" / "a.json").write_bytes(b"read")

        answers = in_other_process(with_descriptors, root, 60, list_and_read)

        assert [b"read"] * 600 == [isinstance(each, Content) and each.data for each in answers]

    @pytest.mark.parametrize(
        "allowed, folders", [(64, 2), (256, 8), (1024, 32), (1 << 20, 32), (-1, 32), (8, 1)]
    )
    def test_open_folders_are_a_quarter_of_what_is_allowed(
        self, allowed: int, folders: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At most 32 in each of eight threads, also without a limit."""
        monkeypatch.setattr(resource, "getrlimit", lambda _: (allowed, -1))

        assert open_folders(threads=8) == folders

    @pytest.mark.parametrize(
        "number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ENODEV]
    )
    def test_what_concerns_every_file_says_what_to_do(self, number: int) -> None:
        """In one sentence after what is wrong."""
        with pytest.raises(
            StorageError, match=r"cannot be read \(.+\)\. Nothing .+, and run again"
        ):
            refuse_whole("/events", OSError(number, os.strerror(number)))

    @pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ELOOP])
    def test_what_concerns_one_file_is_left_to_it(self, number: int) -> None:
        """The others can be read."""
        refuse_whole("/events", OSError(number, os.strerror(number)))


def test_folders_forget_nothing_but_descriptors(tmp_path: Path) -> None:
    """Leaving closes what was opened, also after an error."""
    before = open_descriptors()
    with pytest.raises(FileNotFoundError), Folders(str(tmp_path)) as folders:
        folders.open("a/b/c")

    assert open_descriptors() == before
