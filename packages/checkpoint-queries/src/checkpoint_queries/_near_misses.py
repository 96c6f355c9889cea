"""Submissions that look like one: alike in all that identifies them but for a likely mistake."""

from typing import Final

import polars as pl
from msgspec import structs

from checkpoint_queries._filters import NO_FILTERS, Filters, candidates, is_chosen
from checkpoint_queries._identity import SUBMISSION, without_zeros
from checkpoint_queries._lives import lives
from checkpoint_queries._submissions import described, labelled

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
_PART: Final = (
    pl.when(pl.col("datatype") == "form").then(pl.lit("module")).otherwise(pl.lit("modality"))
)
_WAITS, _OTHER_WAITS = (pl.col(name) == "waiting" for name in ("status", "other_status"))
_CHECKED, _OTHER_CHECKED = (pl.col(name).is_not_null() for name in ("outcome", "other_outcome"))
_A_DAY_APART: Final = pl.col("other_visit_date") - pl.col("visit_date") == pl.duration(days=1)
_MOMENT: Final = ("datatype", "key_part", "first_submit")
_LEFT_BEHIND: Final = (
    pl.col("first_submit").is_not_null()
    & pl.col("alone")
    & ((_WAITS & _OTHER_CHECKED) | (_CHECKED & _OTHER_WAITS))
)
_MISTAKES: Final = (
    (
        "spelling",
        "ptid",
        ("visit_date", "datatype", "key_part", "bare_ptid"),
        pl.lit(value=True),
    ),
    (
        "spelling",
        "datatype",
        ("ptid", "visit_date", "any_part", "bare_datatype"),
        pl.col("datatype") != pl.col("other_datatype"),
    ),
    (
        "spelling",
        "key_part",
        ("ptid", "visit_date", "datatype", "bare_part"),
        pl.col("key_part").is_not_null(),
    ),
    ("missing", "key_part", ("ptid", "visit_date", "datatype"), pl.col("key_part").is_null()),
    (
        "day",
        "visit_date",
        ("ptid", "datatype", "key_part"),
        _A_DAY_APART & (_WAITS != _OTHER_WAITS),
    ),
    (
        "rewritten",
        "ptid",
        (*_MOMENT, "visit_date"),
        _LEFT_BEHIND & (pl.col("bare_ptid") != pl.col("other_bare_ptid")),
    ),
    (
        "rewritten",
        "visit_date",
        (*_MOMENT, "ptid"),
        _LEFT_BEHIND
        & pl.col("number").eq(pl.col("other_number")).fill_null(value=True)
        & ~_A_DAY_APART,
    ),
)
"""Kind, the column that differs, those that are the same beside the center, and what else holds."""


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
    pairs = pl.concat([_pairs(rows, *mistake) for mistake in _MISTAKES])
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


def _pairs(
    rows: pl.LazyFrame, kind: str, differs: str, same: tuple[str, ...], condition: pl.Expr
) -> pl.LazyFrame:
    """Put each submission beside the next one, by what differs, that has the same in others.

    In the condition, `alone` are two beside which there is no third.
    """
    same = ("pipeline_adcid", *same)
    in_order = rows.sort(*same, differs, maintain_order=True)
    alike = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(-1)) for name in same)
    is_last = pl.int_range(pl.len()) == pl.len() - 1
    paired = in_order.with_columns(
        pl.col(_COMPARED).shift(-1).name.prefix("other_"), alike=alike & ~is_last
    )
    third = pl.col("alike").shift(1, fill_value=False) | pl.col("alike").shift(-1, fill_value=False)
    found = paired.with_columns(alone=~third).filter("alike").filter(condition)
    named = _PART if differs == "key_part" else pl.lit(differs)
    return found.with_columns(kind=pl.lit(kind), differs=named)
