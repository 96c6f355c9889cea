"""What a check can say about the event objects, wherever they are."""

from checkpoint_core import Content, Settings
from checkpoint_storage.doctor._examination import Subject, Verdict, failed, ok, warning
from checkpoint_storage.locations import check_source
from nacc_event_model import EventFormat, parse_object_name


def directory_listing(subject: Subject) -> Verdict:
    """List the directory as a run does."""
    check_source(subject.source)
    return judge_listing(
        subject, subject.source.list_objects(restore_states=False)["key"].to_list()
    )


def judge_listing(
    subject: Subject, keys: list[str], *, archived: int = 0, more: bool = False
) -> Verdict:
    """Keep the keys for reading, and tell how many of what was listed are event objects.

    Args:
        subject: where they are kept.
        keys: those that are not archived.
        archived: how many others are.
        more: whether there are more than these.
    """
    names = [key for key in keys if parse_object_name(key, event_format=EventFormat.V1_1)]
    subject.readable_keys = names
    where = subject.source.location
    listed = f"{where}: {len(keys) + archived:,} objects{' and more' if more else ''}"
    if not names and not archived:
        return warning(f"{listed}, none named like an event object. Check the folder.")
    aside = f", {archived:,} archived" if archived else ""
    return ok(f"{listed}, {len(names):,} of these named like event objects{aside}")


def object_reading(subject: Subject) -> Verdict:
    """Read one object as a run does, and tell nothing of it but its size."""
    if not subject.readable_keys:
        return warning("there is no object to try it on")
    key = subject.readable_keys[0]
    [answer] = subject.source.read([key], max_size_bytes=Settings().max_object_size_bytes)
    if isinstance(answer, Content):
        return ok(f"{key}: {len(answer.data):,} bytes")
    if answer.outcome == "denied":
        return failed(
            f"{key}: {answer.reason}. Grant s3:GetObject below the source's folder, and "
            "kms:Decrypt where objects are encrypted; of a file, make it readable."
        )
    return warning(f"{key}: {answer.reason}. Runs try it again; see whether others can be read.")
