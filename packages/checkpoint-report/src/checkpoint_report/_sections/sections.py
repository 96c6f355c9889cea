"""All sections of a report, in the order in which one would ask."""

from checkpoint_report._figures.telling import Told
from checkpoint_report._sections.backlog import backlog_section
from checkpoint_report._sections.centers import centers_section
from checkpoint_report._sections.days import days_section, lateness_section
from checkpoint_report._sections.estimating import estimate_section
from checkpoint_report._sections.groups import attempts_section, kinds_section
from checkpoint_report._sections.objects import completeness_section, rejects_section
from checkpoint_report._sections.section import Section
from checkpoint_report._sections.subject import Subject
from checkpoint_report._sections.volumes import events_section, trend_section

__all__ = ["sections"]

_ALL = (
    events_section,
    trend_section,
    kinds_section,
    attempts_section,
    centers_section,
    backlog_section,
    lateness_section,
    days_section,
    estimate_section,
    completeness_section,
    rejects_section,
)


def sections(subject: Subject, told: Told) -> tuple[Section, ...]:
    """Tell everything."""
    return tuple(section(subject, told) for section in _ALL)
