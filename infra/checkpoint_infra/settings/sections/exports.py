"""What is derived from the checkpoint for readers that need another shape."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta
from typing_extensions import override

from checkpoint_infra.settings.kinds import ExportName
from checkpoint_infra.settings.paths import path_problems, placeholders
from checkpoint_infra.settings.sections.base import Section

__all__ = ["Export"]


class Export(Section, frozen=True):
    """One export: its rows, their shape, and a template of its files' names.

    `path` is relative to the checkpoint's folder; with `athena` it leads out of it, by `../`. What
    is below its folder before the first placeholder is the function's: it may replace and remove
    its own files there.
    """

    name: ExportName
    path: Annotated[str, Meta(min_length=1, max_length=512)]
    kind: Literal["events", "latest-events", "submissions"] = "events"
    text_dates: bool = False
    column_order: Literal["checkpoint", "scraper"] = "checkpoint"

    @property
    def table(self) -> str:
        """What it is called in Athena."""
        return self.name.replace("-", "_")

    @override
    def problems(self) -> Iterator[str]:
        """Refuse what the function would refuse."""
        yield from (f"path: {problem}" for problem in path_problems(self.path))
        if self.kind == "submissions":
            for moment in sorted({"year", "month"}.intersection(placeholders(self.path))):
                yield f"path: {{{moment}}} is of a timestamp, and submissions have several"
            if self.column_order != "checkpoint":
                yield "columnOrder: is about the columns of events"
