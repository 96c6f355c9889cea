"""From the bytes of objects to columns of accepted events, and reasons for all the others.

The loop over events is the only code here that runs once per event, so it works on typed lists:
one list per column, timestamps as integers, and one cast at the end.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import polars as pl
from msgspec import structs

from checkpoint_core._judging.accepted import AcceptedRows
from checkpoint_core._judging.ends import Judgement, count_names
from checkpoint_core._judging.rules import JudgingRules
from checkpoint_core._judging.sanitizing import sanitized
from checkpoint_core._judging.selection import Rules
from checkpoint_format.digests import content_digest
from checkpoint_format.event_columns import TIMESTAMP, added_columns, event_schema
from checkpoint_format.format_hints import WOULD_TAKE, newer_format
from checkpoint_format.layout import EPOCH, REJECTS_SCHEMA
from checkpoint_format.stores import Content, ReadFailure
from nacc_event_model import AnyVisitEvent, Decoder, InvalidEvent

_EXCLUDED: Final = "project_label: matches an excluded pattern"

_HINTS: Final = ("etag", "size", "last_modified")
_WAS_CUT: Final = (
    (pl.col("outcome") == "invalid")
    & (pl.col("etag") == pl.col("etag_listed"))
    & (pl.col("size") != pl.col("size_listed"))
).fill_null(value=False)
_CUT: Final = "the object could not be read: what came has another size than was listed"


class Judge:
    """Judges objects batch by batch under the rules of one run."""

    def __init__(self, rules: JudgingRules) -> None:
        self._given = rules
        self._rules = Rules.of(rules)
        self._columns = event_schema(rules.event_format)
        self._added = added_columns(rules.event_format)
        self._pending: list[str] = []
        self._decode = Decoder(
            rules.event_format,
            max_size_bytes=rules.max_object_size_bytes,
            on_unknown_fields=self._pending.extend,
        ).decode
        newer = newer_format(rules.event_format)
        self._decode_newer = (
            Decoder(newer, max_size_bytes=rules.max_object_size_bytes).decode if newer else None
        )
        exclusion = rules.exclusion
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
        is_withheld = self._given.withheld.holds
        decode, since, unknown = self._decode, self._given.since, self._pending
        is_excluded = self._is_excluded if self._given.filters else None
        events: list[AnyVisitEvent] = []
        accepted: list[_Version] = []
        touched: list[_Version] = []
        again: list[AnyVisitEvent] = []
        reread: list[_Version] = []
        rejected: list[_Reject] = []
        withheld: list[_Version] = []
        before_cutoff = 0
        counted = Counter[str]()
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
                    count_names(counted, ((sanitized(name), 1) for name in unknown))
        rows = pl.DataFrame([*self._event_columns(events), *_version_columns(accepted)])
        return Judgement(
            accepted=AcceptedRows.in_memory(rows),
            touched=pl.DataFrame(_version_columns(touched)),
            reread=pl.DataFrame([*self._event_columns(again), *_version_columns(reread)]),
            rejected=self._rejects(rejected, listed),
            withheld=pl.DataFrame(_version_columns(withheld)),
            before_cutoff=before_cutoff,
            unknown_fields=counted,
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
        reason = f"larger than {self._given.max_object_size_bytes} bytes"
        refused: list[_Reject] = [(key, None, "invalid", reason) for key in listed["key"]]
        nothing = self.judge((), known={}, listed=listed)
        return structs.replace(nothing, rejected=self._rejects(refused, listed))

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
            first_seen=pl.lit(self._given.started_at).cast(REJECTS_SCHEMA["first_seen"]),
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
