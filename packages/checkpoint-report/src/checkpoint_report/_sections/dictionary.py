"""The words of the page, and what each of them means."""

from collections.abc import Iterator

from checkpoint_report._figures.telling import Told
from checkpoint_report._sections.subject import Subject

__all__ = ["dictionary"]


def dictionary(subject: Subject, told: Told) -> Iterator[tuple[str, str]]:
    """Yield each word with what it means, in the order of the page."""
    yield (
        "submission",
        (
            "what is handed in and checked as one: the data of one participant, one visit date, one "
            "datatype, one module or modality"
        ),
    )
    yield (
        "event",
        (
            "what happened to a submission: it was handed in (submit), passed QC or did not (pass-qc, "
            "not-pass-qc), a submit was taken back as a duplicate (duplicate-submit), or all was deleted "
            "(delete)"
        ),
    )
    yield "checked", "has an outcome: its last one is pass-qc or not-pass-qc"
    yield "passed, not passed", "stands at this outcome, and was not handed in again since"
    yield "waiting, backlog", "handed in and without any outcome yet"
    yield "handed in again", "handed in once more after an outcome, with none since"
    yield "duplicate", "all that was handed in was dismissed as known already; it has no outcome"
    yield "deleted", "nothing but duplicates came after its delete"
    yield (
        "pass rate",
        (
            "those whose last outcome is pass-qc, also where they were handed in again since, divided "
            "by all that were checked"
        ),
    )
    yield (
        "95% interval",
        ("of rates Wilson's score interval; of the estimate that of Kaplan and Meier, log-log"),
    )
    yield "first handed in", "the first submit since its last delete, if not taken back"
    yield "median, nine of ten", "half, or nine of ten, took no longer than this"
    yield (
        "change",
        (
            "less what the same count was in the period before, as it stood at its end; of rates in "
            "percentage points"
        ),
    )
    yield (
        "partial",
        (
            "not all of its days are of the period, or they had not passed when the checkpoint was "
            "last changed, or the log began in it"
        ),
    )
    yield (
        "rejected",
        "an event object that is not in the checkpoint, or whose newest content is not",
    )
    if told.threshold is not None:
        yield (
            "a to b",
            (
                "what a number is, as far as it is told: it may be anything from the one to the other"
            ),
        )
    if subject.center is None:
        yield (
            "all centers",
            (
                "with the producers' test site, center 0"
                if subject.scope.include_test_center
                else "without the producers' test site, center 0"
            ),
        )
