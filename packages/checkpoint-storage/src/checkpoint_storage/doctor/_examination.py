"""Checking one thing after another, and going on after a failure with what does not depend on it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Literal

from msgspec import Struct

from checkpoint_core import CheckpointError, CheckpointStore, Source

State = Literal["ok", "warning", "failed", "skipped"]


class Finding(Struct, frozen=True, kw_only=True):
    """What one check found: what and why, and where it is not well, what to do."""

    name: str
    state: State
    detail: str


class Verdict(Struct, frozen=True):
    """What a check's function returns."""

    state: State
    detail: str


class Probe(Struct, frozen=True):
    """A file that is written to see what writing does."""

    store: CheckpointStore
    name: str


class Subject:
    """What is examined, and what earlier checks leave for later ones.

    Args:
        source: the event objects.
        store: the checkpoint.
        read_only: write nothing at all.
    """

    def __init__(self, source: Source, store: CheckpointStore, *, read_only: bool = False) -> None:
        self.source = source
        self.store = store
        self.read_only = read_only
        self.readable_keys: list[str] = []
        self.checkpoint_bytes = 0
        self.probe: Probe | None = None
        self.cleanup = ExitStack()

    @property
    def ledgers(self) -> str:
        """The folder of the checkpoint's ledgers."""
        return f"_ledger/{self.store.checkpoint_name.removesuffix('.parquet')}"


class Check(Struct, frozen=True):
    """One thing to look at.

    `needs` are the names of checks that must have gone well before; `writes`: not with `read_only`.
    """

    name: str
    look: Callable[[Subject], Verdict]
    needs: tuple[str, ...] = ()
    writes: bool = False


def ok(detail: str) -> Verdict:
    """Return that all is well."""
    return Verdict("ok", detail)


def warning(detail: str) -> Verdict:
    """Return that runs succeed, and something should be known or mended nevertheless."""
    return Verdict("warning", detail)


def failed(detail: str) -> Verdict:
    """Return that runs would fail, or lose data."""
    return Verdict("failed", detail)


def skipped(detail: str) -> Verdict:
    """Return that nothing was found out."""
    return Verdict("skipped", detail)


def examine(subject: Subject, checks: Iterable[Check]) -> Iterator[Finding]:
    """Yield each check's finding, in order, as soon as it is known.

    Guarantee: what the checks write is removed again, also after an interruption, as far as that
    is allowed. What they raise of our own or the system's errors is a failed finding.
    """
    unmet: set[str] = set()
    with subject.cleanup:
        for check in checks:
            verdict = _verdict(check, subject, unmet)
            if verdict.state in {"failed", "skipped"}:
                unmet.add(check.name)
            yield Finding(name=check.name, state=verdict.state, detail=verdict.detail)


def _verdict(check: Check, subject: Subject, unmet: set[str]) -> Verdict:
    missing = [name for name in check.needs if name in unmet]
    if missing:
        return skipped(f"it needs: {', '.join(missing)}")
    if check.writes and subject.read_only:
        return skipped("nothing is to be written")
    try:
        return check.look(subject)
    except CheckpointError as error:
        return failed(str(error))
    except OSError as error:
        return failed(f"{error.filename or 'this machine'}: {error.strerror or 'no reason given'}")
