"""What a question is about: filters over the fields of events, alone or of submissions."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Final

import polars as pl
from msgspec import Struct, structs

from checkpoint_queries._identity import IDENTITIES, without_zeros
from checkpoint_queries.questions import Identity

_CANONICAL: Final = {
    "study": pl.col("key_study"),
    "module": pl.when(pl.col("datatype") == "form").then("key_part"),
    "modality": pl.when(pl.col("datatype") != "form").then("key_part"),
}
"""What a submission's filters look at, other than at the fields of its latest event."""
_TEST_CENTER: Final = 0


class Filters(Struct, frozen=True, kw_only=True):
    """What must hold, all of it; what is empty or None is not asked for.

    A tuple names the values of which a field must have one; None among them stands for a missing
    one. Visit dates are inclusive at both ends. Times are not: `timestamp_to` is the first moment
    that is too late, as the first of the next month.

    `not_action` names the actions that an event must not have.

    A participant is meant with leading zeros and without. A center is meant by its latest label, or
    by one that is no longer in use by any. Center 0, the test site, is left out unless it is named
    or `include_test_center` asks for it.

    Raises:
        TypeError: something else stands where a tuple of values belongs, or a time where a date
            does.
        ValueError: a time has no offset.

    """

    study: tuple[str, ...] = ()
    pipeline_adcid: tuple[int, ...] = ()
    ptid: tuple[str, ...] = ()
    visit_number: tuple[str | None, ...] = ()
    datatype: tuple[str, ...] = ()
    center_label: tuple[str, ...] = ()
    project_label: tuple[str, ...] = ()
    gear_name: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    not_action: tuple[str, ...] = ()
    module: tuple[str | None, ...] = ()
    modality: tuple[str | None, ...] = ()
    packet: tuple[str | None, ...] = ()
    visit_date_from: date | None = None
    visit_date_to: date | None = None
    timestamp_from: datetime | None = None
    timestamp_to: datetime | None = None
    include_test_center: bool = False

    def __post_init__(self) -> None:
        """Refuse what would silently match something else."""
        for name in (*_VALUES, "not_action"):
            if not isinstance(getattr(self, name), tuple):
                raise TypeError(f"{name}: give a tuple of values")
        if isinstance(self.visit_date_from, datetime) or isinstance(self.visit_date_to, datetime):
            raise TypeError("visit_date_from, visit_date_to: give dates without a time")
        for name in ("timestamp_from", "timestamp_to"):
            time: datetime | None = getattr(self, name)
            if time is not None and time.tzinfo is None:
                raise ValueError(f"{name}: give a time with its offset from UTC")


_VALUES: Final = tuple(
    field.name
    for field in structs.fields(Filters)
    if field.default == () and field.name != "not_action"
)
_ABOUT_CENTERS: Final = {"pipeline_adcid", "center_label"}
_BY_IDENTITY: Final = {"submission": ("ptid", "datatype"), "visit": ("ptid", "visit_number")}
"""The fields that are the same in all events of a submission or visit, but for centers."""

NO_FILTERS: Final = Filters()


def filter_events(events: pl.LazyFrame, filters: Filters = NO_FILTERS) -> pl.LazyFrame:
    """Keep the events of which every filter holds, in their order."""
    columns = events.collect_schema().names()
    others = [name for name in _VALUES if name not in _ABOUT_CENTERS]
    fields = {name: pl.col(name) if name in columns else pl.lit(None, pl.String) for name in others}
    return _of_centers(events, filters).filter(
        *_dated(filters), *_until(filters), *_since(filters), *_among(filters, fields)
    )


def candidates(events: pl.LazyFrame, filters: Filters, identity: Identity) -> pl.LazyFrame:
    """Keep the events of what may be asked for, as it stood at `timestamp_to`.

    Of each submission or visit all events until then: what could tell one from another is left to
    `wanted`. Raises ValueError for an identity that there is not.
    """
    if identity not in IDENTITIES:
        raise ValueError(f"identity: give one of these: {', '.join(IDENTITIES)}")
    names = {name: pl.col(name) for name in _BY_IDENTITY[identity]}
    return _of_centers(events, filters).filter(
        *_dated(filters), *_until(filters), *_among(filters, names)
    )


def wanted(rows: pl.LazyFrame, filters: Filters, identity: Identity) -> pl.LazyFrame:
    """Keep those of which the rest of the filters holds.

    `rows` have the columns of events and `key_study`, and `key_part` where they are submissions.
    """
    return rows.filter(*_told_later(filters, identity))


def is_chosen(filters: Filters) -> pl.Expr:
    """Tell of submissions, as `wanted` takes them, whether all filters hold but those on centers."""
    names = {name: pl.col(name) for name in _BY_IDENTITY["submission"]}
    conditions = (*_dated(filters), *_among(filters, names), *_told_later(filters, "submission"))
    return pl.all_horizontal(pl.lit(value=True), *conditions).fill_null(value=False)


def given(filters: Filters) -> set[str]:
    """Name the filters that are given."""
    return {name for name, value in structs.asdict(filters).items() if value not in {(), None}}


def latest_labels(events: pl.LazyFrame, filters: Filters) -> pl.LazyFrame:
    """Return the latest label of each center that has events in the filters' range of time."""
    rows = events.filter(*_until(filters), *_since(filters))
    return rows.group_by("pipeline_adcid").agg(pl.col("center_label").last())


def _told_later(filters: Filters, identity: Identity) -> Iterator[pl.Expr]:
    """Give the conditions on what can only be told of a whole submission or visit."""
    names = [name for name in _VALUES if name not in {*_BY_IDENTITY[identity], *_ABOUT_CENTERS}]
    fields = {name: pl.col(name) for name in names}
    if identity == "submission":
        fields |= _CANONICAL
        upper = {
            name: tuple(value.upper() if value else None for value in getattr(filters, name))
            for name in ("module", "modality")
        }
        filters = structs.replace(filters, **upper)
    else:
        fields["study"] = _CANONICAL["study"]
    yield from _since(filters)
    yield from _among(filters, fields)


def _of_centers(events: pl.LazyFrame, filters: Filters) -> pl.LazyFrame:
    """Keep the events of the centers that are asked for."""
    adcid = pl.col("pipeline_adcid")
    if filters.pipeline_adcid:
        events = events.filter(adcid.is_in(filters.pipeline_adcid))
    elif not filters.center_label and not filters.include_test_center:
        events = events.filter(adcid.ne_missing(_TEST_CENTER))
    if not filters.center_label:
        return events
    named = _named(events.filter(*_until(filters)), filters.center_label)
    return events.join(named, on="pipeline_adcid", how="semi", maintain_order="left")


def _named(events: pl.LazyFrame, labels: tuple[str, ...]) -> pl.LazyFrame:
    """Return the numbers of the centers that have these labels, or once had one that none has."""
    asked = pl.col("center_label").is_in(labels)
    latest = events.group_by("pipeline_adcid").agg(pl.col("center_label").last()).filter(asked)
    once = events.filter(asked).select("pipeline_adcid", "center_label").unique()
    former = once.join(latest, on="center_label", how="anti")
    return pl.concat([latest.select("pipeline_adcid"), former.select("pipeline_adcid")]).unique()


def _dated(filters: Filters) -> Iterator[pl.Expr]:
    if filters.visit_date_from is not None:
        yield pl.col("visit_date") >= filters.visit_date_from
    if filters.visit_date_to is not None:
        yield pl.col("visit_date") <= filters.visit_date_to


def _until(filters: Filters) -> Iterator[pl.Expr]:
    if filters.timestamp_to is not None:
        yield pl.col("timestamp") < filters.timestamp_to.astimezone(UTC)


def _since(filters: Filters) -> Iterator[pl.Expr]:
    if filters.timestamp_from is not None:
        yield pl.col("timestamp") >= filters.timestamp_from.astimezone(UTC)


def _among(filters: Filters, fields: Mapping[str, pl.Expr]) -> Iterator[pl.Expr]:
    """Give the conditions that fields have one of the values, and an action none of others."""
    if filters.not_action and "action" in fields:
        yield ~fields["action"].is_in(filters.not_action)
    for name, field in fields.items():
        values: tuple[object, ...] = getattr(filters, name)
        if values and name == "ptid":
            yield without_zeros(field).is_in([str(value).lstrip("0") or "0" for value in values])
        elif values:
            yield field.is_in(values, nulls_equal=True)
