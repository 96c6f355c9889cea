"""A checkpoint file made of batches of objects without a whole run: judged, sorted, merged."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from checkpoint_core import (
    LAYOUT_VERSION,
    LISTING_SCHEMA,
    CheckpointMetadata,
    Content,
    Request,
    Settings,
)
from checkpoint_core._judging.accepted import in_arrival_order
from checkpoint_core._judging.ends import Judgement
from checkpoint_core._judging.judgement import Judge
from checkpoint_core._judging.rules import JudgingRules
from checkpoint_format.merge import merge
from nacc_event_model import EventFormat
from tests.checkpoint_core.memory import START
from tests.checkpoint_core.world import SETTINGS

LISTING = LISTING_SCHEMA.to_frame()


def judge(
    batch: Sequence[Content], settings: Settings = SETTINGS, *, since: datetime | None = None
) -> Judgement:
    """Judge a batch."""
    rules = Judge(JudgingRules.of(settings, Request(since=since), started_at=START))
    return rules.judge(batch, known={}, listed=LISTING)


def judged(batch: Sequence[Content], settings: Settings = SETTINGS) -> pl.DataFrame:
    """Return the accepted rows of a batch."""
    return judge(batch, settings).accepted.collect()


def metadata(event_format: EventFormat = EventFormat.V1_0) -> CheckpointMetadata:
    """Return the metadata of some commit."""
    return CheckpointMetadata(
        layout=LAYOUT_VERSION,
        commit_id="00000001-x",
        generation=1,
        lineage=("00000001-x",),
        source="memory://events",
        event_format=event_format,
        rows=0,
        adopted_rows=0,
        first_timestamp=None,
        last_timestamp=None,
        committed_at=START,
        versions={},
    )


def merged(
    batches: Sequence[Sequence[Content]], folder: Path, settings: Settings = SETTINGS
) -> Path:
    """Merge batch after batch, as one commit each would; return the last file."""
    file = None
    for number, batch in enumerate(batches):
        target = folder / f"{number}.parquet"
        merge(
            file,
            in_arrival_order(judged(batch, settings)).lazy(),
            target,
            metadata(settings.event_format),
            compression=settings.compression,
            row_group_rows=settings.row_group_rows,
        )
        file = target
    assert file is not None
    return file
