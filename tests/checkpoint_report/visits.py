"""Made-up visits, and the reports and tables that come of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import polars as pl
from msgspec import structs
from typing_extensions import override

from checkpoint_core import REJECTS_SCHEMA, CheckpointMetadata, event_schema
from checkpoint_report import Checkpoint, Order, Period, Report, make_report
from checkpoint_report._page.page import page
from nacc_event_model import EventFormat

OCTOBER = Period.of_month("2026-10")
COMMITTED_AT = datetime(2026, 11, 2, 6, tzinfo=UTC)
_COLUMNS = event_schema(EventFormat.V1_0)


def event(
    center: int = 1, ptid: str = "P1", action: str = "submit", day: int = 5, **fields: Any
) -> dict[str, Any]:
    """Return an event at noon of a day of October 2026 (or, from 32 on, after it)."""
    timestamp = datetime(2026, 9, 30, 12, tzinfo=UTC) + timedelta(days=day)
    return {
        "action": action,
        "study": "adrc",
        "pipeline_adcid": center,
        "project_label": "ingest-form",
        "center_label": f"center-{center:02}",
        "gear_name": "gear",
        "ptid": ptid,
        "visit_date": date(2026, 9, 20),
        "visit_number": "01",
        "datatype": "form",
        "module": "UDS",
        "packet": "I",
        "timestamp": timestamp,
    } | fields


def visits(count: int, center: int, *actions: str, day: int = 5, **fields: Any) -> list[Any]:
    """Return the events of so many visits, each with these actions on successive days."""
    return [
        event(center, f"{'.'.join(actions)}{day}.{number}", action, day + step, **fields)
        for number in range(count)
        for step, action in enumerate(actions)
    ]


def frame(events: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Return the events as a checkpoint has them."""
    rows = pl.DataFrame(list(events), schema=_COLUMNS)
    return rows.sort("timestamp", maintain_order=True)


def reject(
    key: str = "log-submit-20261005-120000-1-ingest-form-P1-2026-09-20.json",
    outcome: str = "invalid",
    reason: str = "ptid: is missing",
    last_modified: datetime = datetime(2026, 10, 5, tzinfo=UTC),
) -> dict[str, Any]:
    """Return a rejected object."""
    return {"key": key, "outcome": outcome, "reason": reason, "last_modified": last_modified}


def report(
    events: Iterable[dict[str, Any]] | pl.DataFrame,
    rejects: Sequence[dict[str, Any]] | None = (),
    *,
    ledger: pl.DataFrame | None = None,
    period: Period = OCTOBER,
    committed_at: datetime = COMMITTED_AT,
    center: str | None = None,
    include_test_center: bool = False,
    suppress_below: int | None = None,
    order: Order = "adcid",
) -> Report:
    """Make a report on these events, whose page is drawn only where it is asked for."""
    rows = events if isinstance(events, pl.DataFrame) else frame(events)
    metadata = CheckpointMetadata(
        layout=1,
        commit_id="00000001-made-up",
        generation=1,
        lineage=("00000001-made-up",),
        source="file:///nowhere/",
        event_format=EventFormat.V1_0,
        rows=rows.height,
        adopted_rows=0,
        first_timestamp=None,
        last_timestamp=None if rows.is_empty() else rows["timestamp"].to_list()[-1],
        committed_at=committed_at,
        versions={},
    )
    known = None if rejects is None else pl.DataFrame(list(rejects), schema=REJECTS_SCHEMA)
    return make_report(
        Checkpoint(
            metadata=metadata,
            events=rows.lazy(),
            rejects=known,
            ledger=None if ledger is None else ledger.lazy(),
        ),
        period,
        center=center,
        include_test_center=include_test_center,
        suppress_below=suppress_below,
        order=order,
    )


def words(made: Report) -> str:
    """Return the page without its charts, which take a second to draw."""
    sections = [structs.replace(section, pictures=()) for section in made.sections]
    return page(made.subject, made.told, sections)


def finding(made: Report, anchor: str) -> str:
    """Return the sentences of a section."""
    return next(section.finding for section in made.sections if section.anchor == anchor)


def numbers(made: Report, sheet: str) -> dict[tuple[str, ...], Any]:
    """Return the numbers of a file by keys and measure: an int or float, a pair of ends, or None."""
    (found,) = (each for each in made.sheets if each.name == sheet)
    period = made.subject.scope.period
    headings, *lines = found.lines((period.first, period.last))
    told = {}
    for line in lines:
        *keys, measure, _, value, least, most, flag = line
        if headings[2] not in {"adcid", "study", "datatype", "handed_in", "field", "within_days",
                               "followed"}:  # fmt: skip
            keys = [*keys[: 2 if sheet in {"trend", "rejects"} else 1], *keys[2:]]
        else:
            keys = keys[2:]
        number: Any = float(value) if value else None
        if not value and least:
            number = (float(least), float(most) if most else None)
        assert flag == "exact" or not value
        told[*keys, measure] = number
    assert len(told) == len(lines)
    return told


def table(made: Report, name: str) -> dict[str, dict[str, str]]:
    """Return a table as the page has it, by row and heading."""
    (sheet,) = (sheet for sheet in made.sheets if sheet.name == name)
    headings = [column.heading for column in sheet.columns]
    rows = [*sheet.rows, *([sheet.totals] if sheet.totals else [])]
    return {
        row.name: dict(zip(headings, [value.text for value in row.values], strict=True))
        for row in rows
    }


class Page(HTMLParser):
    """What a page says: its tables by the section that they are in, and all its visible words."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._section = ""
        self._open: list[str] = []
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Follow the sections, rows and cells."""
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        if tag == "section":
            self._section = dict(attrs).get("id") or ""
        if tag == "tr":
            self.tables.setdefault(self._section, []).append([])
        if tag in {"td", "th"}:
            self.tables[self._section][-1].append("")

    @override
    def handle_endtag(self, tag: str) -> None:
        """Forget what has ended, and what never does."""
        while self._open and self._open.pop() != tag:
            pass

    @override
    def handle_data(self, data: str) -> None:
        """Keep what is said, and to which cell it belongs."""
        if "style" in self._open:
            return
        self.words.append(data)
        if self._open and self._open[-1] in {"td", "th"}:
            self.tables[self._section][-1][-1] += data
