"""Running a function of a test module in a process of its own, also as an ordinary user."""

import ctypes
import importlib
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Not fork: the test process has threads, whose locks a fork would copy. These are forks of a process
# that has imported what takes long, and has used none of it.
FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(["pytest", "hypothesis", "checkpoint_storage.directory"])

_NOBODY = 65534
_NEW_MOUNTS = 0x00020000
_NEW_USER = 0x10000000
_PRIVATE_RECURSIVE = (1 << 18) | (1 << 14)
_READ_ONLY = 1


def in_other_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what the function returns in a fresh process, or raise what it raises there."""
    with ProcessPoolExecutor(1, mp_context=FRESH) as executor:
        return executor.submit(function, *args, **kwargs).result()


def as_ordinary_user(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `in_other_process`, as a user whom permissions concern."""
    with ProcessPoolExecutor(
        1, mp_context=FRESH, initializer=_become_nobody, initargs=(function.__module__,)
    ) as executor:
        return executor.submit(function, *args, **kwargs).result()


def _become_nobody(module: str) -> None:
    # Before, because nobody may not be able to read the modules.
    importlib.import_module(module)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)


@contextmanager
def folder_for_everybody(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder that the ordinary user reaches too, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def mount_small(folder: Path, *, read_only: bool = False) -> bool:
    """Mount a file system of 64 KiB for this process alone; False where that is not permitted."""
    libc = ctypes.CDLL(None, use_errno=True)
    namespaces = _NEW_MOUNTS if os.geteuid() == 0 else _NEW_MOUNTS | _NEW_USER
    path = os.fsencode(folder)
    flags = _READ_ONLY if read_only else 0
    return (
        bool(libc.unshare(namespaces) == 0)
        and bool(libc.mount(b"none", b"/", None, _PRIVATE_RECURSIVE, None) == 0)
        and bool(libc.mount(b"tmpfs", path, b"tmpfs", flags, b"size=64k") == 0)
    )
