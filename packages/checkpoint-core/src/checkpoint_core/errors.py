"""What can stop a run besides its files, one class for each thing that a caller would do differently.

Every message says what is wrong, where, and what to do next.
None of them holds the value of an event field.
"""

from checkpoint_core.accounting import RunReport
from checkpoint_format.errors import CheckpointError, ProblemError, StorageError

__all__ = [
    "AdoptionIncompleteError",
    "CommitConflictError",
    "CommitOutcomeUnknownError",
    "DeniedObjectsError",
    "EmptySourceError",
    "FormatDowngradeError",
    "NoProgressError",
    "NotAppliedError",
    "NothingToAdoptError",
    "SourceChangedError",
    "StalledError",
    "WouldLoseRowsError",
]


class NotAppliedError(ProblemError):
    """What is older cannot be purged, because what is in force may hold the same."""

    remedy = "Remove the participant first, or let a run bring it and its exports up to date."


class SourceChangedError(CheckpointError):
    """The checkpoint belongs to another source than the one that was given."""

    def __init__(self, location: str, bound: str, given: str, *, renamed: bool = False) -> None:
        """Keep both sources, and whether the objects have other names there."""
        self.location = location
        self.bound = bound
        self.given = given
        self.renamed = renamed
        advice = "pass --accept-source-change if the objects have moved"
        if renamed:
            advice = (
                "if the objects have moved, pass --adopt too: "
                "they have other names there, and every row would be taken twice"
            )
        super().__init__(
            f"{location}: belongs to {bound}, not to {given}. Nothing was changed. "
            f"Correct the source, or {advice}."
        )


class EmptySourceError(CheckpointError):
    """The listing is empty, and the checkpoint was made from objects that should be in it."""

    def __init__(self, source: str, objects: int) -> None:
        self.source = source
        self.objects = objects
        super().__init__(
            f"{source}: no objects, although the ledger knows {objects}. Nothing was changed. "
            "Correct the source, or pass --accept-empty-source if they were removed on purpose."
        )


class FormatDowngradeError(CheckpointError):
    """An older event format was asked for, which has fewer columns than the checkpoint."""

    def __init__(self, location: str, current: str, wanted: str) -> None:
        self.location = location
        self.current = current
        self.wanted = wanted
        super().__init__(
            f"{location}: holds event format {current}; format {wanted} would drop columns. "
            f"Nothing was changed. Run with event format {current}."
        )


class CommitConflictError(CheckpointError):
    """Other runs replaced the checkpoint first, each time that this one tried."""

    def __init__(self, location: str, attempts: int) -> None:
        self.location = location
        self.attempts = attempts
        super().__init__(
            f"{location}: other runs replaced it during each of {attempts} attempts. "
            "Nothing of this run was committed; the next run takes its objects."
        )


class CommitOutcomeUnknownError(CheckpointError):
    """The answer to the deciding write was lost, and reading back did not settle it."""

    def __init__(self, location: str, commit_id: str, cause: StorageError) -> None:
        self.location = location
        self.commit_id = commit_id
        super().__init__(
            f"{location}: whether commit {commit_id} took place is not known: {cause} "
            "The checkpoint is either the old or the new one, whole; the next run finds out."
        )


class NoProgressError(CheckpointError):
    """There was work, and the time was over before any of it was taken."""

    def __init__(self, source: str, left: int, *, unanswered: int = 0) -> None:
        """Keep the number of objects left, and of those that were asked for without an answer."""
        self.source = source
        self.left = left
        self.unanswered = unanswered
        waited = ""
        if unanswered:
            waited = f", because {unanswered} that were asked for did not answer before it was over"
        super().__init__(
            f"{source}: {left} objects are left and there was no time to take any{waited}; the "
            "next run would end the same. "
            f"{'See why the source does not answer, give' if unanswered else 'Give'} "
            "the run more time, or lower the reserve."
        )


class WouldLoseRowsError(CheckpointError):
    """A rebuild would not find all the rows that the checkpoint holds now."""

    def __init__(self, location: str, rows: int | None) -> None:
        """Keep the number of rows, None where it cannot be known."""
        self.location = location
        self.rows = rows
        if rows is None:
            lost = "may lose rows: what is there cannot be read, so they cannot be counted"
            keep = "Restore an earlier version of the file"
        else:
            lost = f"would lose {rows} rows that the source no longer yields"
            keep = "Keep them with --adopt"
        super().__init__(
            f"{location}: rebuilding {lost}. Nothing was changed. "
            f"{keep}, or accept the loss with --allow-loss."
        )


class NothingToAdoptError(ProblemError):
    """Adoption was asked for where there is nothing to adopt."""

    remedy = "Run without --adopt, or give a new checkpoint to adopt files into."


class AdoptionIncompleteError(CheckpointError):
    """Some objects could not be read, so their rows cannot be told from new ones."""

    def __init__(
        self, location: str, objects: int, examples: tuple[str, ...], reason: str = "not known why"
    ) -> None:
        """Keep the number of objects and some of their keys; tell why the first was not read."""
        self.location = location
        self.objects = objects
        self.examples = examples
        super().__init__(
            f"{location}: {objects} objects could not be read, so it is not known which rows are "
            f"theirs, for example {', '.join(examples)} ({reason}). Nothing was changed. "
            "Make them readable, or take them out of the source, and try again."
        )


class DeniedObjectsError(CheckpointError):
    """Access to single objects was refused; all that could be read has been taken."""

    def __init__(self, report: RunReport) -> None:
        self.report = report
        denied = (file.key for file in report.failed_files if file.outcome == "denied")
        example = next(denied, None)
        rest = "Nothing was written, as asked" if report.dry_run else "All others were taken"
        super().__init__(
            f"{report.source}: access to {report.counts.denied} objects was denied"
            f"{f', for example to {example}' if example else ''}. {rest}. "
            "Grant permission to read them, and run again."
        )


class StalledError(CheckpointError):
    """Objects are left, and pass after pass nobody takes any of them."""

    def __init__(self, location: str, left: int, passes: int) -> None:
        """Keep the number of objects left, and of passes in a row in which nothing moved."""
        self.location = location
        self.left = left
        self.passes = passes
        super().__init__(
            f"{location}: {left} objects are left, and in {passes} passes in a row neither this "
            "run nor another took any of them. What is committed stays. Run again later."
        )
