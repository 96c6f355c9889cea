"""No value of an event reaches a screen or a log: not by success, by rejection, or by a crash."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from checkpoint_cli._failures import ended_well
from tests.end_to_end.commands import Ended, call, fields, put

MARK = "MARKED-VALUE"
MARKED = "MARKEDVALUE"
"""A mark that is valid where only letters are."""

FIELDS = [name for name in fields() if name != "center_label"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source with marks in every field of valid, invalid and unparseable events."""
    source = tmp_path / "events"
    free = dict.fromkeys(("study", "project_label", "gear_name", "visit_number"), MARK)
    put(
        source,
        0,
        data=None,
        **free,
        ptid=MARKED[:10],
        module=MARK,
        packet=MARK,
        unknown={MARK: MARK},
    )
    put(source, 1, visit_number=..., ptid="only-1.1", naccid=MARK, unknown_too=MARK)
    for number, name in enumerate(FIELDS, start=10):
        for step, value in enumerate(([MARK], f" {MARK}\n\x1b[31m", f"2026-13-01T{MARK}!" * 50)):
            wrong: dict[str, Any] = {name: value}
            put(source, number + 100 * step, **wrong)
    whole = json.dumps(fields() | {"gear_name": MARK}).encode()
    broken = [
        whole[:-1],
        whole + whole,
        b"\xff" + whole,
        b"\xef\xbb\xbf" + whole,
        whole.replace(b'"UDS"', b'"\\ud800 MARKED-VALUE"'),
        whole.replace(b'"adrc"', b"NaN"),
        b"[" * 200_000 + f'"{MARK}"'.encode(),
        f'"{MARK}"'.encode(),
        json.dumps({MARK: MARK}).encode(),
        whole.replace(b"}", b', "ptid": "MARKED VALUE"}'),
        whole + b" " * (1 << 20),
    ]
    for number, data in enumerate(broken, start=400):
        put(source, number, data=data)
    return source


def check_unmarked(ended: Ended, status: int = 0) -> None:
    """The command ended like this, and shows no mark."""
    assert status == ended.status
    assert ended.stdout + ended.stderr
    assert MARK not in ended.stdout + ended.stderr
    assert MARKED[:10] not in ended.stdout + ended.stderr


def test_no_command_shows_a_value(source: Path, tmp_path: Path) -> None:
    """Apart from center labels and actions in `show`, which are what it is for."""
    checkpoint = tmp_path / "out" / "events.parquet"

    check_unmarked(call("run", source, checkpoint, "--dry-run"))
    check_unmarked(call("run", source, checkpoint, "--debug", "--listed-failures", 1000))
    check_unmarked(call("run", source, checkpoint, "--json", "--event-format", "1.1"))
    check_unmarked(call("run", source, checkpoint, "--event-format", "1.0"), status=1)
    for options in ([], ["--json"], ["--csv"], ["--limit", 1000]):
        check_unmarked(call("rejects", checkpoint, *options))
    for options in ([], ["--json"]):
        check_unmarked(call("show", checkpoint, *options))
        check_unmarked(call("verify", checkpoint, source, *options))


def test_a_checkpoint_of_another_tool_shows_no_value(source: Path, tmp_path: Path) -> None:
    """Not even where its values cannot be converted, or its columns are named like values."""
    checkpoint = tmp_path / "events.parquet"
    call("run", source, checkpoint)
    frame = pl.read_parquet(checkpoint)

    for wrong in (
        {"visit_date": pl.lit(MARK)},
        {"pipeline_adcid": pl.lit(MARK)},
        {"timestamp": pl.lit(MARK)},
        {MARK: pl.lit(1)},
    ):
        frame.with_columns(**wrong).write_parquet(checkpoint)
        for options in (["--adopt"], ["--adopt", "--debug"], ["--rebuild"]):
            ended = call("run", source, checkpoint, *options)
            assert 1 == ended.status
            assert MARK not in ended.stdout + ended.stderr


@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_shows_its_place_and_no_value(
    *, debug: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message of an unexpected exception may hold anything, and so may local variables."""
    with pytest.raises(Exception) as caught, ended_well(as_json=True, debug=debug):  # noqa: PT012 - typer's Exit is no class to name
        local = {"ptid": MARK}
        try:
            int(local["ptid"])
        except ValueError as error:
            raise KeyError(MARK) from error

    assert 1 == getattr(caught.value, "exit_code", None)
    captured = capsys.readouterr()
    assert MARK not in captured.out + captured.err
    assert "Error: KeyError: this is a bug." in captured.err
    assert debug == ('int(local["ptid"])' in captured.err)
    assert "KeyError" == json.loads(captured.out)["error"]
