"""What a check can say about the checkpoint and its folder, wherever they are."""

from uuid import uuid4

from checkpoint_core.errors import SourceChangedError
from checkpoint_format.inspection import Description, describe
from checkpoint_storage.doctor._examination import Subject, Verdict, failed, ok, warning
from checkpoint_storage.doctor._probing import PROBE
from checkpoint_storage.scratch import temporary_folder


def folder_listing(subject: Subject) -> Verdict:
    """List the ledgers, and tell which probes could not be removed."""
    names = [file.name for file in subject.store.list_files(subject.ledgers)]
    probes = [name for name in names if name.rpartition("/")[2].startswith(PROBE)]
    # Beside them are digests, and rows that nobody has claimed.
    ledgers = [
        name
        for name in names
        if name.endswith(".parquet") and name.rpartition("/")[2][:1].isdecimal()
    ]
    found = f"{subject.ledgers}: {len(ledgers):,} ledgers"
    if probes:
        return warning(
            f"{found}, and {len(probes):,} probes that were left behind, such as {probes[0]}. "
            "No run takes them for anything; delete them with credentials that may."
        )
    return ok(found)


def missing_file(subject: Subject) -> Verdict:
    """Ask for a file that is not there, as every first run does."""
    if subject.store.read_tail(f"{subject.ledgers}/{PROBE}{uuid4().hex}", 1) is not None:
        return failed("what is not there was answered with content. Do not use this store.")
    return ok("a file that is not there is said to be missing, not refused")


def condition(subject: Subject) -> Verdict:
    """Load checkpoint, ledger and rejects, and hold them against each other and the source."""
    with temporary_folder() as workdir:
        description = describe(subject.store, workdir)
    location = subject.store.location
    if description is None:
        return ok(f"{location}: there is none yet; the first run makes it")
    subject.checkpoint_bytes = description.size_bytes
    metadata = description.metadata
    if metadata.source != subject.source.location:
        error = SourceChangedError(location, metadata.source, subject.source.location)
        return failed(str(error))
    if description.objects is None:
        return failed(
            f"{location}: its ledger is not beside it. Restore the ledger, or run with --adopt."
        )
    if description.rejects is None:
        return warning(f"{_told(description)}; {description.rejects_unknown}")
    return ok(_told(description))


def _told(description: Description) -> str:
    metadata = description.metadata
    writers = ", ".join(f"{name} {number}" for name, number in metadata.versions.items())
    return (
        f"{metadata.rows:,} rows of {description.objects:,} objects, event format "
        f"{metadata.event_format}, layout {metadata.layout}, commit {metadata.commit_id}, "
        f"written by {writers}"
    )
