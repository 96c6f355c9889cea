"""What a task makes of its part, without Spark."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from checkpoint_core import Content, Request, Settings
from checkpoint_core.readers import PORTION_SCHEMA, JudgingRules
from checkpoint_spark._staging import Staging
from checkpoint_spark._tasks import Failed, Work, read_part
from tests.checkpoint_core.world import document, key

NOW = datetime.now(UTC)


class TwiceSource:
    """Answers for the first object twice, and for the second not at all."""

    def read(self, keys: Sequence[str], **_given: object) -> Iterator[Content]:
        for _ in keys:
            yield Content(key=keys[0], data=document(), etag="e", last_modified=NOW)


def test_a_part_in_which_an_object_answers_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though as many answered as were asked: it would have two rows, and the other none."""
    monkeypatch.setattr("checkpoint_spark._tasks.open_source", lambda *_, **__: TwiceSource())
    staging = Staging(checkpoint=str(tmp_path / "events.parquet"), run="staged-1")
    rows = [(key(number), "e", 400, NOW, None, None, False) for number in range(2)]
    names = staging.put_all([pl.DataFrame(rows, schema=PORTION_SCHEMA, orient="row")])
    work = Work(
        source="events",
        staging=staging,
        rules=JudgingRules.of(Settings(), Request(), started_at=NOW),
        batch_objects=10,
        read_concurrency=1,
        deadline=None,
    )

    (failed,) = read_part(work, enumerate(names))

    assert isinstance(failed, Failed)
    assert "answered twice" in failed.message
