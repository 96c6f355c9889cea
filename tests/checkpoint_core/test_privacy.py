"""No value of an event leaves by way of errors, reports or reasons."""

import json
from typing import Any

import msgspec
import polars as pl
import pytest
from msgspec import structs

from checkpoint_core import CheckpointError, Settings
from tests.checkpoint_core.world import CHECKPOINT, World, document, key, parquet, row

MARK = "ZQMARKQZ"
STRIDE = 199
"""Every so many bytes of a file are damaged, one at a time."""
FIELDS = list(json.loads(document()))


def assert_unmarked(text: str) -> None:
    """Fail if any part of a marked value is in the text."""
    assert MARK.lower() not in text.lower()


def texts_of(error: BaseException) -> str:
    """Return everything that an error and those behind it say."""
    said = []
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        said += [str(each), repr(each), repr(each.args), *getattr(each, "__notes__", [])]
        waiting += [each.__cause__, each.__context__]
    return "\n".join(said)


def marked_documents() -> list[bytes]:
    """Return events with a marked value in each field, right and wrong, and broken JSON."""
    documents = [document(**{field: MARK}) for field in FIELDS]
    documents += [document(**{field: [MARK]}) for field in FIELDS]
    documents += [document(**{field: {MARK: MARK}}) for field in FIELDS]
    documents += [document(**{field: f"{MARK} - at `$.ptid`"}) for field in FIELDS]
    documents += [
        f'"{MARK}"'.encode(),
        f'{{"action": "{MARK}'.encode(),
        f"{MARK}".encode(),
        f'{{"{MARK}": 1}}'.encode(),
        document(timestamp=f"2024-01-15T10:00:00{MARK}"),
        document(visit_date=f"2024-01-15{MARK}"),
        document(ptid=f"{MARK}\n"),
    ]
    return documents


def test_reports_and_rejects_do_not_quote_events(world: World) -> None:
    """Of whatever kind: field path and rule are all that is said.

    Study and datatype are about no participant; under them numbers are told, and nothing else.
    """
    for number, data in enumerate(marked_documents()):
        world.source.write(key(number), data)
    settings = Settings(exclude_projects=("*mark*", "ZQ*"), listed_failures=1000)

    report = world.run(settings)
    dry = world.run(settings, dry_run=True)

    marked = {"study": 0, "datatype": 0}
    for each in report.new_events_by_study:
        for name in marked:
            marked[name] += MARK.lower() in getattr(each, name).lower()
    assert {"study": 2, "datatype": 2} == marked
    report = structs.replace(report, new_events_by_study=())
    assert report.counts.invalid > 20
    assert report.counts.excluded > 0
    assert_unmarked(repr(report))
    assert_unmarked(msgspec.json.encode(msgspec.to_builtins(report)).decode())
    assert_unmarked(repr(dry))
    assert_unmarked(repr(world.reasons()))
    assert_unmarked("".join(str(column) for column in world.rejects().drop("key").rows()))


@pytest.mark.parametrize("mode", ["adopt", "rebuild"])
@pytest.mark.parametrize(
    "change",
    [
        {"pipeline_adcid": pl.lit(MARK)},
        {"visit_date": pl.lit(MARK)},
        {"timestamp": pl.lit(MARK)},
        {"timestamp": pl.lit(f"2024-01-15 {MARK}")},
        {"timestamp": pl.lit(f"{MARK} (os error 5)")},
        {"pipeline_adcid": pl.lit(f"{MARK} (os error 28)")},
        {"ptid": pl.lit([MARK])},
        {"ptid": pl.lit(MARK).cast(pl.Binary)},
        {"ptid": pl.lit(b"\xff" + MARK.encode() + b"\xfe")},
        {"ptid": pl.struct(inner=pl.lit(MARK))},
        {"pipeline_adcid": pl.lit(MARK).cast(pl.Categorical)},
        {"packet": pl.lit(MARK), "timestamp": pl.lit(None)},
    ],
)
def test_errors_about_foreign_rows_do_not_quote_them(
    world: World, change: dict[str, pl.Expr], mode: str
) -> None:
    """Neither the message nor a chained cause; the libraries' own messages do."""
    world.write(1)
    rows = pl.DataFrame([row(document())], schema=FIELDS, orient="row").with_columns(**change)
    world.store.write(CHECKPOINT, parquet(rows))

    try:
        report = world.run(mode=mode)
    except CheckpointError as error:
        assert_unmarked(texts_of(error))
    else:
        assert_unmarked(repr(report))


@pytest.mark.parametrize("mode", ["incremental", "adopt", "rebuild"])
def test_errors_about_damaged_rows_do_not_quote_them(world: World, mode: str) -> None:
    """Whichever byte is wrong, the others are still events."""
    for number in range(3):
        world.write(number, gear_name=f"{MARK}{number}", ptid=MARK, project_label=MARK)
    world.run(Settings(compression="uncompressed"))
    world.write(5)
    if mode == "adopt":
        world.lose_ledgers()
    whole = world.store.data(CHECKPOINT)
    failed = 0
    for place in range(4, len(whole), STRIDE):
        other = world.copy()
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        other.store.write(CHECKPOINT, bytes(damaged))
        try:
            other.run(mode=mode)
        except CheckpointError as error:
            failed += 1
            assert_unmarked(texts_of(error))
        else:
            assert_unmarked(repr(other.problems()))
    assert failed > 0


@pytest.mark.parametrize(
    "prepare, request_",
    [
        (lambda world: world.source.delete(key(1)), {"mode": "rebuild"}),
        (lambda world: world.source.objects.clear(), {}),
        (lambda world: setattr(world.source, "location", "memory://other"), {}),
        (lambda world: world.store.files.pop(CHECKPOINT), {"mode": "adopt"}),
        (lambda world: world.source.outcomes.update({key(2): "denied"}), {"mode": "rebuild"}),
    ],
)
def test_errors_about_a_run_do_not_quote_events(
    world: World, prepare: Any, request_: dict[str, Any]
) -> None:
    """They name places and numbers."""
    world.write(1, 2, gear_name=MARK, ptid=MARK, center_label=MARK)
    world.run()
    prepare(world)

    with pytest.raises(CheckpointError) as raised:
        world.run(**request_)

    assert_unmarked(texts_of(raised.value))
    assert str(raised.value).count("\n") == 0
