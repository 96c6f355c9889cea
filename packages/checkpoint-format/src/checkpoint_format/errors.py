"""What can be wrong with a store or a checkpoint, one class for each thing to be done about it.

Every message says what is wrong, where, and what to do next.
None of them holds the value of an event field.
"""

from typing import ClassVar

__all__ = [
    "ChangedWhileReadingError",
    "CheckpointError",
    "CorruptCheckpointError",
    "MissingCheckpointError",
    "MissingLedgerError",
    "NewerLayoutError",
    "OutcomeUnknownError",
    "ProblemError",
    "StorageError",
    "WithheldListError",
]


class CheckpointError(Exception):
    """Base of every error that the packages of the checkpoint raise on purpose."""

    def __reduce__(self) -> tuple[object, ...]:  # type: ignore[explicit-override]  # is 3.12's
        """Let it pass from one process to another, with its facts."""
        return _restored, (type(self), self.args, vars(self))


def _restored(
    kind: type[CheckpointError], args: tuple[object, ...], facts: dict[str, object]
) -> CheckpointError:
    error = kind.__new__(kind, *args)
    vars(error).update(facts)
    return error


class StorageError(CheckpointError):
    """A store or a source refused or failed, after its adapter's own retries."""


class ChangedWhileReadingError(StorageError):
    """The pinned version of a stored file is gone: replaced or removed since it was first seen."""


class OutcomeUnknownError(StorageError):
    """A conditional write may have taken place or not; the message says why nobody knows."""


class ProblemError(CheckpointError):
    """Something that was found somewhere makes a run impossible."""

    remedy: ClassVar[str]

    def __init__(self, location: str, problem: str, remedy: str | None = None) -> None:
        """Keep where it is and what was found; tell what to do, the usual unless it is given."""
        self.location = location
        self.problem = problem
        super().__init__(f"{location}: {problem}. Nothing was changed. {remedy or self.remedy}")


class CorruptCheckpointError(ProblemError):
    """The checkpoint or its ledger is truncated, damaged or contradicts itself."""

    remedy = (
        "Restore an earlier version of the file. If there is none: --adopt where "
        "only the ledger is damaged, otherwise --rebuild."
    )


class NewerLayoutError(CheckpointError):
    """The file was written by a later version of this software."""

    def __init__(self, location: str, layout: int, supported: int) -> None:
        self.location = location
        self.layout = layout
        self.supported = supported
        super().__init__(
            f"{location}: layout {layout} is newer than {supported}, the latest that this version "
            "knows. Nothing was changed. Upgrade before running again."
        )


class WithheldListError(ProblemError):
    """The list of participants who were taken out is not there, damaged, or not the latest.

    Without it they would come back.
    """

    remedy = (
        "Restore the latest version of that file: it is never restored together with an older "
        "checkpoint. If there is none, delete what is left of that file, and remove every "
        "participant again, the first with --list-is-lost."
    )


class MissingLedgerError(ProblemError):
    """There is a checkpoint, and nothing says which objects its rows came from."""

    remedy = (
        "Run with --adopt to keep its rows and "
        "find out which objects they came from, or with --rebuild to make it anew."
    )


class MissingCheckpointError(CheckpointError):
    """Ledgers of later generations exist, and the checkpoint that they belong to does not."""

    def __init__(self, location: str, generation: int) -> None:
        self.location = location
        self.generation = generation
        super().__init__(
            f"{location}: there is no checkpoint, but there was one, of generation {generation} or the "
            "one before: it was removed, or its name is mistyped. Nothing was changed. "
            "Restore the file, correct the name, or run with --rebuild --allow-loss to start anew."
        )
