"""What a check can say about writing, by writing a probe and trying to replace it.

In S3 the probe lies where the function's role may write, read and delete: beside the ledgers. Its
name has no generation, so that no run and no reader takes it for a ledger.
"""

from contextlib import suppress
from typing import Final
from uuid import uuid4

from checkpoint_core import CheckpointStore, Condition, PutOutcome, StorageError
from checkpoint_format.errors import OutcomeUnknownError
from checkpoint_storage.doctor._examination import Probe, Subject, Verdict, failed, ok, warning
from checkpoint_storage.scratch import temporary_folder

PROBE: Final = "doctor-probe-"
_ANOTHER: Final = '"00000000000000000000000000000000"'
_WRITES: Final = 3
_RACES: Final = (
    "Two runs at once would lose rows. Do not use this store for a checkpoint, or make sure that "
    "only one run takes place at a time."
)


def writing_beside_ledgers(subject: Subject) -> Verdict:
    """Write the probe beside the ledgers."""
    probe = Probe(subject.store, f"{subject.ledgers}/{PROBE}{uuid4().hex}")
    subject.cleanup.callback(_remove_quietly, subject, probe)
    return writing(subject, probe)


def writing(subject: Subject, probe: Probe) -> Verdict:
    """Write the probe where nothing is, and read it back."""
    # First, because an answer may be lost.
    subject.probe = probe
    if _put(probe, b"first", None) is not PutOutcome.WRITTEN:
        return failed(f"{probe.name}: refused, although there is nothing. Run again.")
    if _content(probe.store, probe.name) != b"first":
        return failed(f"{probe.name}: what is read is not what was written.")
    return ok(f"{probe.name}: written and read")


def conditional_writes(subject: Subject) -> Verdict:
    """Try to replace the probe on conditions that do not hold, then on one that does."""
    probe = _probe(subject)
    if _put(probe, b"second", None) is not PutOutcome.REFUSED:
        return failed(f"a write where nothing must be (If-None-Match) was not refused. {_RACES}")
    if _put(probe, b"second", _ANOTHER) is not PutOutcome.REFUSED:
        return failed(f"a write over another version (If-Match) was not refused. {_RACES}")
    tail = probe.store.read_tail(probe.name, 100)
    if tail is None or tail.data != b"first":
        return failed(f"a write that was refused took place nevertheless. {_RACES}")
    if _put(probe, b"second", tail.etag) is not PutOutcome.WRITTEN:
        return failed(
            "a write over the very version that is there (If-Match) did not succeed. "
            "Grant s3:PutObject and s3:GetObject on the checkpoint's files."
        )
    if _content(probe.store, probe.name) != b"second":
        return failed(f"{probe.name}: what is read is not what was written last.")
    return ok("refused where something is or another version is, done where they hold")


def removing(subject: Subject) -> Verdict:
    """Remove the probe."""
    probe = _probe(subject)
    subject.probe = None
    try:
        probe.store.delete(probe.name)
    except StorageError as error:
        return warning(
            f"{error} The probe is left behind; no run takes it for anything. Without this "
            "permission old ledgers are never removed."
        )
    return ok(f"{probe.name}: removed")


def _put(probe: Probe, content: bytes, etag: str | None) -> PutOutcome:
    """Write the probe on a condition; where the outcome is not known, as a run does.

    A run reads back, and asks again where it does not find what it wrote.
    """
    unclear: OutcomeUnknownError | None = None
    with temporary_folder() as folder:
        file = folder / "probe"
        file.write_bytes(content)
        for _ in range(_WRITES):
            try:
                outcome = probe.store.put_if(probe.name, file, Condition(etag))
            except OutcomeUnknownError as error:
                unclear = error
            else:
                if outcome is PutOutcome.WRITTEN or not unclear:
                    return outcome
            if _content(probe.store, probe.name) == content:
                return PutOutcome.WRITTEN
    raise StorageError(f"{probe.name}: whether it was written is not known: {unclear}")


def _content(store: CheckpointStore, name: str) -> bytes | None:
    tail = store.read_tail(name, 100)
    return None if tail is None else tail.data


def _probe(subject: Subject) -> Probe:
    assert subject.probe is not None  # noqa: S101 - checks that need one come after writing it
    return subject.probe


def _remove_quietly(subject: Subject, probe: Probe) -> None:
    """Remove the probe where the check that does so was not reached."""
    if subject.probe is probe:
        with suppress(StorageError):
            probe.store.delete(probe.name)
