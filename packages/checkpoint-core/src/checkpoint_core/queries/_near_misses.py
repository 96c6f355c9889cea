"""Submissions that look like one: alike in all that identifies them but for a likely mistake."""

from typing import Final

import polars as pl
from msgspec import structs

from checkpoint_core.queries._filters import NO_FILTERS, Filters, candidates, is_chosen
from checkpoint_core.queries._identity import SUBMISSION, without_zeros
from checkpoint_core.queries._lives import lives
from checkpoint_core.queries._submissions import described, labelled

NEAR_MISSES: Final = ("spelling", "missing", "day", "rewritten")
"""The kinds of likely mistakes.

- spelling: ptid, datatype, module or modality differ in blanks, case or punctuation only;
- missing: one has no module or modality, and another of its date and datatype has;
- day: the dates are a day apart, and one of the two is waiting;
- rewritten: another ptid or date, but the same first submit, to the microsecond; one is waiting and
  the other has an outcome, and no third was submitted then. So an object looks that was rewritten.
"""

_OWN: Final = (*SUBMISSION[1:], "status", "first_submit")
"""What an answer tells of each of the two; the center is that of both."""
_COMPARED: Final = (*_OWN, "outcome", "key_part", "bare_ptid", "number", "chosen")
_DAY: Final = pl.duration(days=1)
_PART: Final = (
    pl.when(pl.col("datatype") == "form").then(pl.lit("module")).otherwise(pl.lit("modality"))
)


def near_misses(events: pl.LazyFrame, filters: Filters = NO_FILTERS) -> pl.LazyFrame:
    """Return pairs of submissions that differ only in what may be a mistake.

    `kind` is one of NEAR_MISSES, `differs` names the column; what identifies the second of the two,
    its status and first submit have the prefix `other_`. A pair is there when all filters hold of
    one of the two. Deleted submissions are left out. Of several that are alike, each stands beside
    the next. Sorted by what identifies the first.
    """
    # The other one of a pair may have whatever identifies it otherwise.
    wide = structs.replace(filters, ptid=(), datatype=(), visit_date_from=None, visit_date_to=None)
    found = lives(candidates(events, wide, "submission"), "submission")
    standing = found.filter(pl.col("status") != "deleted").with_columns(chosen=is_chosen(filters))
    rows = described(_compared(standing), events, filters, "submission", labels=False)
    pairs = pl.concat(
        [*_misspelled(rows), _incomplete(rows), _a_day_apart(rows), *_rewritten(rows)]
    )
    in_order = pairs.filter(pl.col("chosen") | pl.col("other_chosen")).sort(
        "pipeline_adcid", *SUBMISSION[1:], "kind", "differs"
    )
    told = (*_OWN, *(f"other_{name}" for name in _OWN))
    answered = in_order.select("kind", "differs", "pipeline_adcid", "center_label", *told)
    return labelled(answered, events, filters)


def _compared(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add what submissions are compared by, from what their latest events have written."""
    written = (pl.when(pl.col(name) != "").then(name) for name in ("module", "modality"))
    number = pl.col("visit_number").str.strip_chars_start("0").str.replace(r"\.0*$", "")
    return rows.with_columns(
        bare_ptid=without_zeros(_bare("ptid")),
        bare_datatype=_bare("datatype"),
        bare_part=_bare("key_part"),
        any_part=pl.coalesce("key_part", *written).str.to_uppercase(),
        number=number,
    )


def _bare(name: str) -> pl.Expr:
    """Return letters and digits alone, in one case; a text without any is left as it is."""
    bare = pl.col(name).str.to_uppercase().str.replace_all(r"[^\p{L}\p{N}]", "")
    return pl.when(bare == "").then(pl.col(name)).otherwise(bare)


def _misspelled(rows: pl.LazyFrame) -> list[pl.LazyFrame]:
    center, ptid, day, datatype = "pipeline_adcid", "ptid", "visit_date", "datatype"
    ptids = _neighbours(rows, (center, day, datatype, "key_part", "bare_ptid"), ptid)
    datatypes = _neighbours(rows, (center, ptid, day, "any_part", "bare_datatype"), datatype)
    parts = _neighbours(
        rows.filter(pl.col("key_part").is_not_null()),
        (center, ptid, day, datatype, "bare_part"),
        "key_part",
    )
    return [
        _named(ptids, "spelling", pl.lit(ptid)),
        _named(
            datatypes.filter(pl.col(datatype) != pl.col("other_datatype")),
            "spelling",
            pl.lit(datatype),
        ),
        _named(parts, "spelling", _PART),
    ]


def _incomplete(rows: pl.LazyFrame) -> pl.LazyFrame:
    pairs = _neighbours(rows, ("pipeline_adcid", "ptid", "visit_date", "datatype"), "key_part")
    return _named(pairs.filter(pl.col("key_part").is_null()), "missing", _PART)


def _a_day_apart(rows: pl.LazyFrame) -> pl.LazyFrame:
    pairs = _neighbours(rows, ("pipeline_adcid", "ptid", "datatype", "key_part"), "visit_date")
    waits, other_waits = (pl.col(name) == "waiting" for name in ("status", "other_status"))
    near = (_days_between() == _DAY) & (waits != other_waits)
    return _named(pairs.filter(near), "day", pl.lit("visit_date"))


def _rewritten(rows: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Pair what was submitted at one moment, where only two come into question."""
    submitted = rows.filter(pl.col("first_submit").is_not_null())
    waits, other_waits = (pl.col(name) == "waiting" for name in ("status", "other_status"))
    checked, other_checked = (pl.col(name).is_not_null() for name in ("outcome", "other_outcome"))
    left = pl.col("alone") & ((waits & other_checked) | (checked & other_waits))
    same = ("pipeline_adcid", "datatype", "key_part", "first_submit")
    ptids = _neighbours(submitted, (*same, "visit_date"), "ptid").filter(
        left, pl.col("bare_ptid") != pl.col("other_bare_ptid")
    )
    one_visit = pl.col("number").eq(pl.col("other_number")).fill_null(value=True)
    dates = _neighbours(submitted, (*same, "ptid"), "visit_date").filter(
        left, one_visit, _days_between() != _DAY
    )
    return [
        _named(ptids, "rewritten", pl.lit("ptid")),
        _named(dates, "rewritten", pl.lit("visit_date")),
    ]


def _days_between() -> pl.Expr:
    return pl.col("other_visit_date") - pl.col("visit_date")


def _neighbours(rows: pl.LazyFrame, same: tuple[str, ...], by: str) -> pl.LazyFrame:
    """Put each submission beside the next one, by a column, that has the same in others.

    `alone` are two beside which there is no third.
    """
    in_order = rows.sort(*same, by, maintain_order=True)
    alike = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(-1)) for name in same)
    is_last = pl.int_range(pl.len()) == pl.len() - 1
    paired = in_order.with_columns(
        pl.col(_COMPARED).shift(-1).name.prefix("other_"), alike=alike & ~is_last
    )
    third = pl.col("alike").shift(1, fill_value=False) | pl.col("alike").shift(-1, fill_value=False)
    return paired.with_columns(alone=~third).filter("alike")


def _named(pairs: pl.LazyFrame, kind: str, differs: pl.Expr) -> pl.LazyFrame:
    return pairs.with_columns(kind=pl.lit(kind), differs=differs)
