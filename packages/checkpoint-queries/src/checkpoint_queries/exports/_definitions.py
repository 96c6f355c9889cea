"""What an export is: its rows, its shape, and where its files go."""

import re
from collections.abc import Iterable
from itertools import combinations
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from checkpoint_queries.exports.paths import mistakes_of, placeholders, shape

Kind = Literal["events", "latest-events", "submissions"]
"""`events`: the rows of the checkpoint, as they are. `latest-events`: of those that are alike in
LATEST, the last in the order of the checkpoint. `submissions`: one row for each submission, as
`checkpoint_queries.submissions` has it."""
ColumnOrder = Literal["checkpoint", "scraper"]
"""`scraper` is the order in which the event log scraper writes the same columns."""

_OF_EVENTS: Final = {"year", "month"}


class Export(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One export, which is one Parquet file for each group of rows.

    `path` is a template of names relative to the checkpoint's folder, and may lead out of it by
    `../` at its beginning. Its placeholders say what a group is: {study}, {datatype}, {adcid}, and {year} and
    {month} of the timestamp, in UTC. Values are encoded so that each is one part of a name.
    """

    name: Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9-]{0,62}\Z")]
    kind: Kind = "events"
    path: Annotated[str, Meta(min_length=1, max_length=512)]
    text_dates: bool = False
    column_order: ColumnOrder = "checkpoint"


class InvalidExportsError(ValueError):
    """The definitions make no sense; `mistakes` has them all."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        """Keep the mistakes."""
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(self.mistakes))


def read_exports(definitions: object, *, checkpoint: str) -> tuple[Export, ...]:
    """Return the exports that a list of tables defines, as JSON and TOML have them.

    Args:
        definitions: a list of mappings with the fields of `Export`.
        checkpoint: the checkpoint's own name in its folder, which no export may take.

    Raises:
        InvalidExportsError: with every mistake at once.

    """
    if not isinstance(definitions, list):
        raise InvalidExportsError(["exports are a list of tables, each with name, kind and path"])
    exports, mistakes = [], []
    for number, each in enumerate(definitions, start=1):
        export, wrong = _read(each)
        told = f"export {export.name}" if export else f"export number {number}"
        mistakes += [f"{told}: {mistake}" for mistake in wrong]
        if export:
            exports.append(export)
            if not wrong and re.fullmatch(shape(export.path), checkpoint):
                mistakes.append(f"{told}: path may be the checkpoint's own name")
    for one, other in combinations(exports, 2):
        if one.name == other.name:
            mistakes.append(f"export {one.name}: the name is there twice")
        if may_meet(one.path, other.path):
            mistakes.append(f"exports {one.name} and {other.name}: both may write the same files")
    if mistakes:
        raise InvalidExportsError(dict.fromkeys(mistakes))
    return tuple(exports)


def _read(definition: Any) -> tuple[Export | None, list[str]]:
    try:
        export = msgspec.convert(definition, Export)
    except msgspec.ValidationError as error:
        # Of settings, not of events: the text may say what is there.
        return None, [str(error)]
    wrong = mistakes_of(export.path)
    if export.kind == "submissions":
        moments = sorted(_OF_EVENTS & set(placeholders(export.path)))
        wrong += [f"{{{each}}} is of a timestamp, and submissions have several" for each in moments]
        if export.column_order != "checkpoint":
            wrong.append("column_order is about the columns of events")
    return export, wrong


def may_meet(one: str, other: str) -> bool:
    """Tell whether two templates may give one name; part by part, on the safe side."""
    parts = [each.split("/") for each in (one, other)]
    return len(parts[0]) == len(parts[1]) and all(
        _parts_meet(*pair) for pair in zip(*parts, strict=True)
    )


def _parts_meet(one: str, other: str) -> bool:
    ends = [(each.partition("{")[0], each.rpartition("}")[2]) for each in (one, other)]
    if "{" not in one or "{" not in other:
        return bool(re.fullmatch(shape(one), other) or re.fullmatch(shape(other), one))
    (begin, end), (begins, ends_with) = ends
    return (begin.startswith(begins) or begins.startswith(begin)) and (
        end.endswith(ends_with) or ends_with.endswith(end)
    )
