"""From the bytes of objects to columns of accepted events, and reasons for all the others.

The loop over events is the only code here that runs once per event, so it works on typed lists:
one list per column, timestamps as integers, and one cast at the end.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import polars as pl
from msgspec import Struct, structs

from checkpoint_core._files.event_columns import TIMESTAMP, added_columns, event_schema
from checkpoint_core._files.layout import EPOCH, REJECTS_SCHEMA
from checkpoint_core._judging.format_hints import WOULD_TAKE, newer_format
from checkpoint_core._judging.sanitizing import sanitized
from checkpoint_core._judging.selection import Rules
from checkpoint_core._removing.withheld import NOBODY, Withheld
from checkpoint_core.settings import Settings
from checkpoint_core.stores import Content, ReadFailure
from nacc_event_model import AnyVisitEvent, Decoder, InvalidEvent

DIGEST_BYTES: Final = 16
_EXCLUDED: Final = "project_label: matches an excluded pattern"
_UNKNOWN_NAMES: Final = 20
_UNKNOWN_NAMES_COUNTED: Final = 1_000

_HINTS: Final = ("etag", "size", "last_modified")
_WAS_CUT: Final = (
    (pl.col("outcome") == "invalid")
    & (pl.col("etag") == pl.col("etag_listed"))
    & (pl.col("size") != pl.col("size_listed"))
).fill_null(value=False)
_CUT: Final = "the object could not be read: what came has another size than was listed"


def content_digest(data: bytes) -> bytes:
    """Return the digest that tells versions of an object apart: BLAKE2b with 128 bits.

    `b2sum -l 128 FILE` prints the same in hexadecimal.
    """
    return blake2b(data, digest_size=DIGEST_BYTES).digest()


class Judgement(Struct, frozen=True, kw_only=True):
    """What became of the objects that were read.

    `accepted`: the event's columns, then key, digest, etag, size, last_modified.
    `touched`: those last five. `reread`: like `accepted`, of objects with the content that was
    taken, under a narrower format, and with values for the columns that were added since.
    `rejected`: REJECTS_SCHEMA. `withheld`: like `touched`, of participants who were taken out; only
    what is known by its content has an etag. Each key is in at most one of them.
    """

    accepted: pl.DataFrame
    touched: pl.DataFrame
    reread: pl.DataFrame
    rejected: pl.DataFrame
    withheld: pl.DataFrame
    before_cutoff: int

    def without(self, keys: pl.DataFrame) -> "Judgement":
        """Return what is left when the given keys are left to the next run."""
        parts = {
            name: getattr(self, name).join(keys, on="key", how="anti", maintain_order="left")
            for name in ("accepted", "touched", "reread", "rejected", "withheld")
        }
        return structs.replace(self, **parts)


class Judge:
    """Judges objects batch by batch under the rules of one run."""

    def __init__(
        self,
        settings: Settings,
        *,
        since: datetime | None,
        started_at: datetime,
        filters: bool,
        withheld: Withheld = NOBODY,
    ) -> None:
        """Prepare the rules of a run that started then, with the list in force.

        Without `filters`, judging leaves the excluded projects in; `exclude` takes them out later.
        """
        self._settings = settings
        self._rules = Rules.of(settings)
        self._columns = event_schema(settings.event_format)
        self._added = added_columns(settings.event_format)
        self._unknown: Counter[str] = Counter()
        self._pending: list[str] = []
        self._decode = Decoder(
            settings.event_format,
            max_size_bytes=settings.max_object_size_bytes,
            on_unknown_fields=self._pending.extend,
        ).decode
        newer = newer_format(settings.event_format)
        self._decode_newer = (
            Decoder(newer, max_size_bytes=settings.max_object_size_bytes).decode if newer else None
        )
        self._since = since
        self._started_at = started_at
        self._filters = filters
        self.withheld = withheld
        exclusion = settings.exclusion
        self._is_excluded = re.compile(exclusion).match if exclusion else None

    def judge(
        self,
        answers: Iterable[Content | ReadFailure],
        *,
        known: Mapping[str, bytes],
        narrow: Collection[str] = (),
        listed: pl.DataFrame,
    ) -> Judgement:
        """Judge one batch; `known` holds the digests in the ledger, by key.

        `narrow` are the keys whose rows may lack columns; `listed` is the listing of these objects:
        what could not be read is recorded as listed.
        A content that the ledger holds is touched. Otherwise it is validated, then held against
        the list, the cutoff and the excluded projects, in this order. Never raises over a content.
        """
        is_withheld = self.withheld.holds
        decode, since, unknown = self._decode, self._since, self._pending
        is_excluded = self._is_excluded if self._filters else None
        events: list[AnyVisitEvent] = []
        accepted: list[_Version] = []
        touched: list[_Version] = []
        again: list[AnyVisitEvent] = []
        reread: list[_Version] = []
        rejected: list[_Reject] = []
        withheld: list[_Version] = []
        before_cutoff = 0
        for answer in answers:
            unknown.clear()
            if isinstance(answer, ReadFailure):
                rejected.append((answer.key, None, answer.outcome, answer.reason))
                continue
            digest = content_digest(answer.data)
            # Without the data, of which a batch may have more than fits memory.
            version = (answer.key, digest, answer.etag, len(answer.data), answer.last_modified)
            if known.get(answer.key) == digest:
                values = self._added_values(answer.data) if answer.key in narrow else None
                if values is None:
                    touched.append(version)
                else:
                    again.append(values)
                    reread.append(version)
                continue
            try:
                event = decode(answer.data)
            except InvalidEvent as error:
                reason = f"{error}{self._newer_hint(answer.data)}"
                rejected.append((answer.key, version, "invalid", reason))
                continue
            if is_withheld(event.pipeline_adcid, event.ptid):
                withheld.append(version)
            elif since is not None and event.timestamp <= since:
                before_cutoff += 1
            elif is_excluded is not None and is_excluded(event.project_label):
                rejected.append((answer.key, version, "excluded", _EXCLUDED))
            else:
                events.append(event)
                accepted.append(version)
                if unknown:
                    self._count_unknown(unknown)
        return Judgement(
            accepted=pl.DataFrame([*self._event_columns(events), *_version_columns(accepted)]),
            touched=pl.DataFrame(_version_columns(touched)),
            reread=pl.DataFrame([*self._event_columns(again), *_version_columns(reread)]),
            rejected=self._rejects(rejected, listed),
            withheld=pl.DataFrame(_version_columns(withheld)),
            before_cutoff=before_cutoff,
        )

    def _added_values(self, data: bytes) -> AnyVisitEvent | None:
        """Decode what was taken under a narrower format; None where it has nothing to add to it.

        A newer format accepts what an older one did; were it not so, the row would stay as it is.
        """
        try:
            event = self._decode(data)
        except InvalidEvent:
            return None
        return event if any(getattr(event, name) is not None for name in self._added) else None

    def refuse_oversized(self, listed: pl.DataFrame) -> Judgement:
        """Judge objects that are too large to be read at all."""
        reason = f"larger than {self._settings.max_object_size_bytes} bytes"
        refused: list[_Reject] = [(key, None, "invalid", reason) for key in listed["key"]]
        nothing = self.judge((), known={}, listed=listed)
        return structs.replace(nothing, rejected=self._rejects(refused, listed))

    def unknown_fields(self) -> dict[str, int]:
        """Return the commonest field names of accepted events that the model does not know.

        They are input like everything else: at most 20, shortened, and escaped.
        """
        return dict(self._unknown.most_common(_UNKNOWN_NAMES))

    def _newer_hint(self, data: bytes) -> str:
        """Return what to add to a refusal: that a newer format would take the event, or nothing."""
        if self._decode_newer is None:
            return ""
        try:
            event = self._decode_newer(data)
        except InvalidEvent:
            return ""
        is_excluded = self._is_excluded
        return "" if is_excluded and is_excluded(event.project_label) else WOULD_TAKE

    def _count_unknown(self, names: Sequence[str]) -> None:
        for name in names:
            told = sanitized(name)
            if told in self._unknown or len(self._unknown) < _UNKNOWN_NAMES_COUNTED:
                self._unknown[told] += 1

    def _event_columns(self, events: list[AnyVisitEvent]) -> list[pl.Series]:
        rows = [structs.astuple(event) for event in events]
        values: Iterable[Sequence[Any]] = (
            zip(*rows, strict=True) if rows else [()] * len(self._columns)
        )
        return [
            _times(name, column) if dtype == TIMESTAMP else pl.Series(name, column, dtype=dtype)
            for (name, dtype), column in zip(self._columns.items(), values, strict=True)
        ]

    def exclude(self, accepted: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Divide accepted rows into those of wanted projects and, as rejects, the others."""
        is_excluded = self._is_excluded
        if is_excluded is None:
            return accepted, REJECTS_SCHEMA.to_frame()
        mask = pl.Series([is_excluded(label) is not None for label in accepted["project_label"]])
        mask = mask.cast(pl.Boolean)
        reasons = {"outcome": pl.lit("excluded"), "reason": pl.lit(_EXCLUDED)}
        return accepted.filter(~mask), self._judged(accepted.filter(mask).with_columns(**reasons))

    def _rejects(self, rejected: list["_Reject"], listed: pl.DataFrame) -> pl.DataFrame:
        """Make rejects; what was not read gets its etag, size and time from the listing.

        What is invalid and has another size than its version was listed with was cut on the way.
        Its etag would keep it from being read again.
        """
        if not rejected:
            return REJECTS_SCHEMA.to_frame()
        read = [version for _, version, _, _ in rejected if version is not None]
        as_listed = listed.select("key", *(pl.col(name).name.suffix("_listed") for name in _HINTS))
        texts = {"key": pl.String(), "outcome": pl.String(), "reason": pl.String()}
        rows = [(key, outcome, reason) for key, _, outcome, reason in rejected]
        return self._judged(
            pl.DataFrame(rows, schema=texts, orient="row")
            .join(pl.DataFrame(_version_columns(read)), on="key", how="left")
            .join(as_listed, on="key", how="left", maintain_order="left")
            .with_columns(
                outcome=pl.when(_WAS_CUT).then(pl.lit("unreadable")).otherwise("outcome"),
                reason=pl.when(_WAS_CUT).then(pl.lit(_CUT)).otherwise("reason"),
                digest=pl.when(~_WAS_CUT).then("digest"),
            )
            .with_columns(pl.coalesce(name, f"{name}_listed").alias(name) for name in _HINTS)
        )

    def _judged(self, rejected: pl.DataFrame) -> pl.DataFrame:
        """Add the rules that were applied and the time."""
        return rejected.with_columns(
            event_format=pl.lit(self._rules.event_format),
            model_version=pl.lit(self._rules.model_version),
            exclude_projects=pl.lit(self._rules.exclude_projects),
            max_object_size_bytes=pl.lit(self._rules.max_object_size_bytes, pl.Int64()),
            first_seen=pl.lit(self._started_at).cast(REJECTS_SCHEMA["first_seen"]),
        ).select(REJECTS_SCHEMA.names())


_Version: TypeAlias = tuple[str, bytes, str, int, datetime]
"""Key, digest, etag, size and time of what was read."""
_Reject: TypeAlias = tuple[str, _Version | None, str, str]
"""Key, what was read (None: nothing), outcome, reason."""


def _version_columns(versions: list[_Version]) -> list[pl.Series]:
    keys, digests, etags, sizes, times = zip(*versions, strict=True) if versions else [()] * 5
    return [
        pl.Series("key", keys, dtype=pl.String()),
        pl.Series("digest", digests, dtype=pl.Binary()),
        pl.Series("etag", etags, dtype=pl.String()),
        pl.Series("size", sizes, dtype=pl.Int64()),
        _times("last_modified", times),
    ]


def _times(name: str, moments: Sequence[datetime]) -> pl.Series:
    """Make a column of times by way of integers, a fifth of the cost of passing the objects."""
    spans = [moment - EPOCH for moment in moments]
    whole = [(span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds for span in spans]
    return pl.Series(name, whole, dtype=pl.Int64()).cast(TIMESTAMP)
