"""The sections on what came in: what forms lack, and what was rejected."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from checkpoint_report._charts.columns import Columns, columns
from checkpoint_report._charts.panels import Part
from checkpoint_report._charts.rows import rows
from checkpoint_report._figures.known import Count, Share, added
from checkpoint_report._figures.tables import Table
from checkpoint_report._figures.taking import COMPLETION
from checkpoint_report._figures.telling import Told
from checkpoint_report._sections.outcomes import count_bars, ends
from checkpoint_report._sections.section import Picture, Section, capital, joined, of_things
from checkpoint_report._sections.sheets import Column, Row, Sheet, count, share, slug
from checkpoint_report._sections.subject import Subject
from checkpoint_report._sections.volumes import step_name

__all__ = ["completeness_section", "rejects_section"]

_PARTS: Final = tuple(map(Part, COMPLETION, ("var(--pass)", "var(--submit)", "var(--fail)")))


def completeness_section(subject: Subject, told: Told) -> Section:  # noqa: ARG001 - as all are
    """Tell which share of forms lacks a field, and which share got it later."""
    table = told.tables["completeness"]
    panel = count_bars(
        "Forms by what became of a field", "forms", _PARTS, table.cells, with_mean=False
    )
    picture = Picture(
        name="completeness",
        shows="Forms by what became of a field",
        chart=partial(rows, table.rows, [panel]),
    )
    return Section(
        anchor="completeness",
        title="Completeness of forms",
        finding=_lacking(table),
        pictures=(picture,) if added(table.cells[0]).most else (),
        sheets=(
            Sheet(
                name="completeness",
                caption="Forms with events in the period, by what became of a field",
                heading="field",
                keys=("field",),
                columns=(
                    Column("forms", "forms", "forms"),
                    *(Column(name, slug(name), "forms") for name in COMPLETION),
                    Column("share missing", "share_missing", "share of forms"),
                ),
                rows=tuple(
                    Row(
                        name=field,
                        keys=(field,),
                        values=(
                            count(added(cells)),
                            *map(count, cells),
                            share(_missing(cells), decimals=1),
                        ),
                    )
                    for field, cells in zip(table.rows, table.cells, strict=True)
                ),
            ),
        ),
        definitions=(
            (
                "Counts the forms whose latest event is of the period, deleted ones too. Filled in later: their first "
                "event lacks the field, and the latest has it. Missing: the latest lacks it. All others "
                "have had it from the start."
            ),
        ),
        questions=("completeness",),
    )


def _missing(cells: tuple[Count, ...]) -> Share:
    return Share.of(cells[2], cells[0] + cells[1])


def _lacking(table: Table[Count]) -> str:
    forms = added(table.cells[0])
    if forms.most == 0:
        return "No form had an event in this period."
    lacks = [
        f"{_missing(cells).words(1)} lack {field}"
        for field, cells in zip(table.rows, table.cells, strict=True)
    ]
    return f"Of {of_things(forms.words, 'form', 'forms')}, {joined(lacks)}."


def rejects_section(subject: Subject, told: Told) -> Section:
    """Tell how many objects are not in the checkpoint, and why; or that this is not known."""
    title = "What was rejected, and why"
    definitions: tuple[str, ...] = (
        (
            "Counts the event objects that were last written then and are not in the checkpoint, or "
            "whose newest content is not, by the rule that they break. What got in since is not among "
            "them."
        ),
    )
    if subject.center is not None:
        definitions += (
            "Whose an object is, is told by its name: one that is named otherwise is of no center.",
        )
    table = told.tables.get("rejects")
    if table is None:
        return Section(
            anchor="rejects",
            title=title,
            finding="Not known: there are no rejects beside this checkpoint that belong to it.",
            definitions=definitions,
        )
    steps = subject.scope.steps
    names = tuple(map(step_name, steps))
    totals = [added(column) for column in table.totals()]
    seen = Columns(
        unit="rejected objects",
        names=names,
        parts=(Part("rejected", "var(--fail)"),),
        values=tuple((ends(total),) for total in totals),
        texts=tuple(total.words for total in totals),
        partial=tuple(step.end > subject.scope.cut for step in steps),
    )
    caption = "Event objects that are not in the checkpoint, by rule and by when they were written"
    picture = Picture(name="rejects", shows=caption, chart=partial(columns, seen))
    return Section(
        anchor="rejects",
        title=title,
        finding=_rejected(subject, table, totals),
        pictures=(picture,) if added(totals).most else (),
        sheets=(
            *(() if not table.rows else (_rejects_on_page(table, names, totals, caption),)),
            _rejects_file(subject, table, caption),
        ),
        definitions=definitions,
    )


def _rejected(subject: Subject, table: Table[Count], totals: Sequence[Count]) -> str:
    now, period = totals[-1], subject.scope.period.title
    rules = sum(1 for cells in table.cells if cells[-1].most != 0)
    if now.most == 0:
        told = f"No event object of {period} is known to have been rejected"
    else:
        objects = of_things(now.words, "event object", "event objects")
        verb = "is" if now.words == "1" else "are"
        told = (
            f"{capital(objects)} of {period} {verb} not in the checkpoint, for "
            f"{of_things(str(rules), 'reason', 'reasons')}"
        )
    before = subject.scope.before
    if before is None or len(totals) < 2:
        return f"{told}."
    return f"{told}; in {before.title} {totals[-2].words}."


def _rejects_on_page(
    table: Table[Count], names: Sequence[str], totals: Sequence[Count], caption: str
) -> Sheet:
    """Return a row for each rule, and a column for each step."""
    return Sheet(
        name="rejects-by-rule",
        caption=caption,
        heading="outcome and rule",
        keys=("rule",),
        columns=tuple(Column(name, name, "objects") for name in names),
        rows=tuple(
            Row(name=rule, keys=(rule,), values=tuple(map(count, cells)))
            for rule, cells in zip(table.rows, table.cells, strict=True)
        ),
        totals=Row(name="all", keys=("all",), values=tuple(map(count, totals))),
        in_file=False,
    )


def _rejects_file(subject: Subject, table: Table[Count], caption: str) -> Sheet:
    """Return a line for each rule and step."""
    return Sheet(
        name="rejects",
        caption=caption,
        heading="outcome and rule",
        keys=("rule",),
        columns=(Column("objects", "rejected", "objects"),),
        rows=tuple(
            Row(name=rule, keys=(rule,), values=(count(cell),), days=(step.first, step.last))
            for rule, cells in zip(table.rows, table.cells, strict=True)
            for step, cell in zip(subject.scope.steps, cells, strict=True)
        ),
        in_page=False,
    )
