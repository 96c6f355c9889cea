"""From bytes to columns, beside json.loads, Pydantic and rows of dictionaries."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import polars as pl
from pydantic import BaseModel, Field

from benchmarks.measuring import Measurement, compared, in_rounds, seconds_of
from checkpoint_core import LISTING_SCHEMA, Content, Request, Settings, event_schema
from checkpoint_core._judging.judgement import Judge
from checkpoint_core._judging.rules import JudgingRules
from checkpoint_format.digests import content_digest
from nacc_event_model import Decoder, EventFormat, VisitEvent, encode

_START = datetime(2026, 9, 1, tzinfo=UTC)


class PydanticEvent(BaseModel):
    """The event as the system in use has it: what a user would write without this project."""

    action: Literal["submit", "pass-qc", "not-pass-qc", "delete"]
    study: str = Field(default="adrc", min_length=1)
    pipeline_adcid: int = Field(gt=0)
    project_label: str = Field(min_length=1)
    center_label: str = Field(min_length=1)
    gear_name: str = Field(min_length=1)
    ptid: str = Field(pattern=r"^[A-Z0-9]+$", max_length=10)
    visit_date: date
    visit_number: str = Field(min_length=1)
    datatype: str = Field(min_length=1)
    module: str | None = None
    packet: str | None = None
    timestamp: datetime


def measure(events: int, rounds: int) -> list[Measurement]:
    """Measure judging a batch, and its parts, in turn, medians of so many rounds."""
    contents = [_content(number) for number in range(events)]
    data = [content.data for content in contents]
    judge = Judge(JudgingRules.of(Settings(), Request(), started_at=_START))
    listed = LISTING_SCHEMA.to_frame()
    decode = Decoder(on_unknown_fields=lambda _names: None).decode
    ways = {
        "json.loads, Pydantic, list of dicts": lambda: _reference(data),
        "judge: digest, decode, columns": lambda: judge.judge(contents, known={}, listed=listed),
        "of which digest": lambda: [content_digest(each) for each in data],
        "of which decode": lambda: [decode(each) for each in data],
    }

    def one_round() -> Iterator[Measurement]:
        for how, do in ways.items():
            yield Measurement(
                what="bytes to columns", how=how, items=events, seconds=seconds_of(do)
            )

    return compared(in_rounds(rounds, one_round))


def _reference(data: list[bytes]) -> pl.DataFrame:
    rows = [PydanticEvent(**json.loads(each)).model_dump() for each in data]
    return pl.DataFrame(rows, schema=event_schema(EventFormat.V1_0))


def _content(number: int) -> Content:
    timestamp = _START + timedelta(seconds=number)
    event = VisitEvent(
        action="submit",
        pipeline_adcid=number % 40 + 1,
        project_label="ingest-form",
        center_label=f"sample-center-{number % 40 + 1:02}",
        gear_name="identifier-lookup",
        ptid=f"SYN{number:07}",
        visit_date=timestamp.date(),
        visit_number="01",
        datatype="form",
        module="UDS",
        packet="I",
        timestamp=timestamp,
    )
    return Content(
        key=f"prod/log-submit-{timestamp:%Y%m%d-%H%M%S}-{number % 40 + 1}-ingest-form"
        f"-{event.ptid}-{event.visit_date}.json",
        data=encode(event),
        etag=f"{number:032x}",
        last_modified=timestamp,
    )
