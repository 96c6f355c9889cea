"""A question reads what it needs of the file: shown by destroying the rest."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pyarrow.parquet as pq
import pytest

from checkpoint_queries import QUERIES, SUBMISSION, Filters, ask
from nacc_event_model import EventFormat
from tests.checkpoint_queries.generated import TIMES, large_checkpoint

ROW_GROUP_ROWS = 500
MONTH = Filters(
    timestamp_from=datetime(2024, 5, 1, tzinfo=UTC), timestamp_to=datetime(2024, 6, 1, tzinfo=UTC)
)
SUBMISSIONS = {*SUBMISSION, "action", "study", "timestamp"}
COUNTED = SUBMISSIONS | {"center_label"}
NEEDED = {
    "submissions": COUNTED | {"project_label", "visit_number", "packet", "naccid"},
    "status": COUNTED,
    "completeness": COUNTED | {"packet"},
    "errors-by-center": COUNTED,
    "counts": {"action", "center_label"},
    "pass-rates": COUNTED,
    "days-to-submission": COUNTED,
    "days-to-qc": COUNTED,
    "waiting": COUNTED,
    "resubmitted": COUNTED,
    "near-misses": COUNTED | {"visit_number"},
}
"""The columns of each query whose answer is not made of all of them."""

engines = pytest.mark.parametrize("engine", ["in-memory", "streaming"])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a checkpoint of ten months in ten row groups."""
    file = tmp_path_factory.mktemp("whole") / "events.parquet"
    large_checkpoint(5_000, EventFormat.V1_1).write_parquet(
        file, row_group_size=ROW_GROUP_ROWS, compression="snappy", statistics=True
    )
    return file


def destroyed(file: Path, folder: Path, *, keep: Callable[[Any], bool]) -> Path:
    """Return a copy in which only the column chunks to keep can be read."""
    data = bytearray(file.read_bytes())
    metadata = pq.read_metadata(file)
    for group in range(metadata.num_row_groups):
        columns = [metadata.row_group(group).column(n) for n in range(metadata.num_columns)]
        time = next(column for column in columns if column.path_in_schema == "timestamp")
        for column in columns:
            if not keep((column.path_in_schema, time.statistics)):
                start = column.dictionary_page_offset or column.data_page_offset
                data[start : start + column.total_compressed_size] = (
                    b"\xff" * column.total_compressed_size
                )
    copy = folder / "destroyed.parquet"
    copy.write_bytes(data)
    return copy


def answer(name: str, file: Path, filters: Filters, engine: Any) -> pl.DataFrame:
    """Ask a question of a file."""
    parameters = {each.name: TIMES[-1] for each in QUERIES[name].parameters if each.name == "as_of"}
    return ask(name, pl.scan_parquet(file), filters, **parameters).collect(engine=engine)


@engines
@pytest.mark.parametrize("name", ["events", "counts"])
def test_a_month_reads_its_own_row_groups(
    name: str, file: Path, tmp_path: Path, engine: Literal["in-memory", "streaming"]
) -> None:
    """Two of the ten. Where submissions are asked for, what came before decides how they stand."""
    kept = []

    def of_the_month(chunk: tuple[str, Any]) -> bool:
        column, times = chunk
        overlaps = times.max >= MONTH.timestamp_from and times.min < MONTH.timestamp_to
        kept.extend([times.min] if overlaps and column == "timestamp" else [])
        return bool(overlaps)

    part = destroyed(file, tmp_path, keep=of_the_month)
    found = answer(name, part, MONTH, engine)

    assert len(kept) == 2
    assert found.height
    assert found.equals(answer(name, file, MONTH, engine))


@engines
@pytest.mark.parametrize("name", [name for name in QUERIES if not QUERIES[name].reads_ledger])
def test_what_happened_later_is_not_read(
    name: str, file: Path, tmp_path: Path, engine: Literal["in-memory", "streaming"]
) -> None:
    """As it stood at a moment: whatever was asked."""
    until = Filters(timestamp_to=MONTH.timestamp_from)
    part = destroyed(file, tmp_path, keep=lambda chunk: chunk[1].min < MONTH.timestamp_from)

    found = answer(name, part, until, engine)

    assert found.height
    assert found.equals(answer(name, file, until, engine))


@engines
@pytest.mark.parametrize("name", NEEDED)
def test_a_center_reads_the_columns_that_are_asked_for(
    name: str, file: Path, tmp_path: Path, engine: Literal["in-memory", "streaming"]
) -> None:
    """And, where an answer is not made of visits, the one to filter by."""
    filters = Filters(pipeline_adcid=(3,))
    needed = NEEDED[name] | {"pipeline_adcid"}
    part = destroyed(file, tmp_path, keep=lambda chunk: chunk[0] in needed)

    found = answer(name, part, filters, engine)

    assert found.height
    assert found.equals(answer(name, file, filters, engine))


def test_what_is_destroyed_cannot_be_read(file: Path, tmp_path: Path) -> None:
    """The tests above would notice."""
    part = destroyed(file, tmp_path, keep=lambda chunk: chunk[0] != "module")

    with pytest.raises(pl.exceptions.PolarsError):
        answer("latest", part, Filters(), "streaming")
