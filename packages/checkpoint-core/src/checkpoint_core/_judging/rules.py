"""The rules that objects are judged by: plain data, for whoever judges, on whatever machine."""

from datetime import datetime
from fnmatch import translate

from msgspec import Struct

from checkpoint_core.settings import Request, Settings
from checkpoint_format.withholding.withheld import NOBODY, Withheld
from nacc_event_model import EventFormat


class JudgingRules(Struct, frozen=True, kw_only=True):
    """All that judging has to know of a run; it can be encoded and sent elsewhere.

    `since` is the run's cutoff; `withheld` is the list in force when the run looked. Without
    `filters`, judging leaves the excluded projects in; `Judge.exclude` takes them out later.
    """

    event_format: EventFormat
    exclude_projects: tuple[str, ...]
    max_object_size_bytes: int
    since: datetime | None
    started_at: datetime
    filters: bool
    withheld: Withheld = NOBODY

    @classmethod
    def of(
        cls,
        settings: Settings,
        request: Request,
        *,
        started_at: datetime,
        withheld: Withheld = NOBODY,
    ) -> "JudgingRules":
        """Return the rules of a run that started then; an adoption filters later."""
        return cls(
            event_format=settings.event_format,
            exclude_projects=settings.exclude_projects,
            max_object_size_bytes=settings.max_object_size_bytes,
            since=request.since,
            started_at=started_at,
            filters=request.mode != "adopt",
            withheld=withheld,
        )

    @property
    def exclusion(self) -> str | None:
        """One regular expression for all the excluded projects, None without any."""
        return "|".join(translate(pattern) for pattern in self.exclude_projects) or None
