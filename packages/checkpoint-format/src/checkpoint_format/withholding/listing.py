"""Reading the list of withheld participants, and changing it in one step."""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Final

import msgspec
import polars as pl
from msgspec import Meta, Struct, structs

from checkpoint_format.errors import (
    NewerLayoutError,
    OutcomeUnknownError,
    StorageError,
    WithheldListError,
)
from checkpoint_format.layout import CheckpointMetadata
from checkpoint_format.names import CommitId, Names, generation_of
from checkpoint_format.stores import CheckpointStore, Condition, Host, back_off
from checkpoint_format.withholding.withheld import NOBODY, Withheld

_LAYOUT: Final = 1
_MOST_BYTES: Final = 256 * 1_048_576
_ATTEMPTS: Final = 6
KEY_BYTES: Final = 32


class _LayoutOnly(Struct):
    layout: int


class _File(Withheld, frozen=True, kw_only=True):
    """What the file holds: its layout, and the list with its key."""

    layout: Annotated[int, Meta(ge=1)] = _LAYOUT
    revision: CommitId
    key: Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=64)]


def load_withheld(store: CheckpointStore) -> tuple[Withheld, str | None]:
    """Return the list in force and its etag; NOBODY and None where there is no list.

    Raises WithheldListError where it is damaged, NewerLayoutError where newer software wrote it.
    """
    name = Names(store.checkpoint_name).withheld
    tail = store.read_tail(name, _MOST_BYTES)
    if tail is None:
        return NOBODY, None
    try:
        layout = msgspec.json.decode(tail.data, type=_LayoutOnly).layout
        if layout > _LAYOUT:
            raise NewerLayoutError(f"{store.location}, {name}", layout, _LAYOUT)
        found = msgspec.json.decode(tail.data, type=_File)
    except (ValueError, RecursionError) as error:
        raise WithheldListError(store.location, f"its list, {name}, is damaged") from error
    return Withheld(
        **{each: getattr(found, each) for each in Withheld.__struct_fields__}
    ), tail.etag


def refuse_older(
    store: CheckpointStore, metadata: CheckpointMetadata | None, withheld: Withheld
) -> None:
    """Raise WithheldListError where the checkpoint knows a later list than the one in force.

    The list must have been read after the checkpoint.
    """
    named = metadata.withheld if metadata else None
    if generation_of(named or "") > generation_of(withheld.revision or ""):
        state = "older than the one that was applied" if withheld.revision else "gone"
        name = Names(store.checkpoint_name).withheld
        raise WithheldListError(store.location, f"its list, {name}, is {state}")


def change_withheld(
    store: CheckpointStore, host: Host, decide: Callable[[Withheld], Withheld]
) -> Withheld:
    """Write what is decided upon the list in force, and return the list that then is in force.

    Where a rival changes it first, or an answer is lost, it is read and decided upon anew; where
    nothing else is decided than what is there, nothing is written. Raises StorageError.
    """
    name = Names(store.checkpoint_name).withheld
    file = host.workdir / "withheld.json"
    for attempt in range(_ATTEMPTS):
        present, etag = load_withheld(store)
        wanted = decide(present)
        if wanted == present:
            return present
        file.write_bytes(
            msgspec.json.encode(_File(**structs.asdict(wanted)), order="deterministic")
        )
        with suppress(OutcomeUnknownError):
            # Whether it took place, the next look shows; what was refused may be our own.
            store.put_if(name, file, Condition(etag))
        if attempt:
            back_off(host, attempt)
    message = f"{store.location}: its list, {name}, keeps being replaced; others are at work."
    raise StorageError(message)


def remember(store: CheckpointStore, host: Host, withheld: Withheld, objects: pl.DataFrame) -> None:
    """Put objects on the list, by `key` and `etag`, so that they need not be read again.

    Those without an etag are left out. Where the list has another revision by now, it is left
    alone: by that one they may not be withheld.
    """
    new = frozenset(withheld.digests_of(objects.drop_nulls("etag")))

    def decide(present: Withheld) -> Withheld:
        if present.revision != withheld.revision:
            return present
        return structs.replace(present, objects=present.objects | new)

    if new - withheld.objects:
        change_withheld(store, host, decide)
