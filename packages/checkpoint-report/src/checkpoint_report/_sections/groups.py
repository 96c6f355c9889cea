"""The sections on kinds of submissions: by study and datatype, and by how often handed in."""

from collections.abc import Mapping
from typing import Final

from checkpoint_report._figures.centers import shortened
from checkpoint_report._figures.known import Count, added
from checkpoint_report._figures.standing import ATTEMPTS
from checkpoint_report._figures.telling import Told
from checkpoint_report._sections.centers import standing_of
from checkpoint_report._sections.outcomes import (
    COLUMNS,
    Standing,
    picture_of,
    values,
)
from checkpoint_report._sections.section import Section, capital, joined, of_things
from checkpoint_report._sections.sheets import Row, Sheet
from checkpoint_report._sections.subject import Subject

__all__ = ["attempts_section", "kinds_section"]

_ATTEMPTS: Final = dict(
    zip(ATTEMPTS, ("never", "once", "twice", "three times or more"), strict=True)
)
_BY_KIND: Final = "study, and datatype with module or modality"
_BY_ATTEMPTS: Final = "how often they were handed in"
_KIND: Final = ("datatype", "module_or_modality")


def kinds_section(subject: Subject, told: Told) -> Section:  # noqa: ARG001 - as all are
    """Tell where submissions stand by study, datatype, module and modality."""
    studies = {key: Standing(told.tables["study"].row(key)) for key in told.tables["study"].rows}
    kinds = {key: Standing(told.tables["kind"].row(key)) for key in told.tables["kind"].rows}
    datatypes = _datatypes(kinds)
    every = standing_of(told)
    names = {
        **{f"study {shortened(key)}": each for key, each in studies.items()},
        **{_kind_name(key): each for key, each in kinds.items()},
    }
    return Section(
        anchor="kinds",
        title="By study, datatype, module and modality",
        finding=_kinds_told(studies, datatypes),
        pictures=(picture_of("kinds", _BY_KIND, names.items(), every.rate),) if names else (),
        sheets=(
            _sheet("studies", "study", ("study",), studies),
            _sheet("datatypes", "datatype", ("datatype",), datatypes),
            _sheet("kinds", "datatype with module or modality", _KIND, kinds),
        ),
        definitions=(
            (
                "A submission's study is its latest other than adrc, which producers write where they "
                "know no better. Forms have a module, all else a modality, if producers wrote one."
            ),
        ),
    )


def _datatypes(kinds: Mapping[str, Standing]) -> dict[str, Standing]:
    found: dict[str, list[Standing]] = {}
    for key, each in kinds.items():
        found.setdefault(_split(key)[0], []).append(each)
    return {
        key: Standing(tuple(map(added, zip(*(each.cells for each in group), strict=True))))
        for key, group in found.items()
    }


def _kinds_told(studies: Mapping[str, Standing], datatypes: Mapping[str, Standing]) -> str:
    if not studies:
        return "No submission had an event in this period."
    told = [
        joined(
            [
                f"{each.rate.words(1)} of {each.checked.words} for {shortened(name)}"
                for name, each in group.items()
                if each.rate.flag != "none"
            ]
        )
        for group in (studies, datatypes)
    ]
    if not all(told):
        return "None of the submissions has an outcome."
    return f"Of those checked passed, by study, {told[0]}; by datatype, {told[1]}."


def attempts_section(subject: Subject, told: Told) -> Section:  # noqa: ARG001 - as all are
    """Tell how often submissions were handed in, and what came of it."""
    table = told.tables["attempts"]
    standings = {name: Standing(table.row(key)) for key, name in _ATTEMPTS.items()}
    duplicates = added(map(added, told.tables["duplicates"].totals()))
    every = standing_of(told)
    return Section(
        anchor="attempts",
        title="Resubmissions and duplicates",
        finding=_attempts_told(standings, every, duplicates),
        pictures=(picture_of("attempts", _BY_ATTEMPTS, standings.items(), every.rate),)
        if every.total.most
        else (),
        sheets=(_sheet("attempts", "handed in", ("handed_in",), standings),),
        definitions=(
            (
                "Counts the submits of a submission since its last delete, without those that a "
                "duplicate-submit took back. Never: there is nothing but an outcome, duplicates or a "
                "delete. Handed in again: after an outcome, with none since; until August 2026 an "
                "unchanged resubmission was never told to be one, so that is no backlog."
            ),
        ),
    )


def _attempts_told(standings: Mapping[str, Standing], every: Standing, duplicates: Count) -> str:
    if every.total.most == 0:
        return "No submission had an event in this period."
    again = standings["twice"].total + standings["three times or more"].total
    told = (
        f"{capital(of_things(again.words, 'submission', 'submissions'))} of {every.total.words} had been "
        "handed in more than once"
    )
    once = standings["once"]
    if once.rate.flag != "none":
        told = f"{told}; of those handed in once {once.rate.words(1)} of {once.checked.words} checked passed"
    open_again = added(every.parts[3:4])
    return (
        f"{told}. {capital(open_again.words)} {'has' if open_again.words == '1' else 'have'} been handed "
        f"in again without an outcome since, and of {duplicates.words} a submit was taken back as a duplicate."
    )


def _sheet(
    name: str, heading: str, keys: tuple[str, ...], standings: Mapping[str, Standing]
) -> Sheet:
    called = _kind_name if keys == _KIND else shortened
    return Sheet(
        name=name,
        caption=f"Submissions with events in the period by {heading}, and where they stand",
        heading=heading,
        keys=keys,
        columns=COLUMNS,
        rows=tuple(
            Row(
                name=called(key), keys=_split(key) if keys == _KIND else (key,), values=values(each)
            )
            for key, each in standings.items()
        ),
    )


def _split(kind: str) -> tuple[str, str]:
    datatype, _, part = kind.partition(" ")
    return datatype, part


def _kind_name(kind: str) -> str:
    datatype, part = _split(kind)
    lacking = "(no module)" if datatype == "form" else "(no modality)"
    return shortened(f"{datatype} {part or lacking}")
