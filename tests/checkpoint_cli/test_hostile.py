"""What a file says is shown, and never obeyed: control sequences, and names that are our own."""

import io
import json
import re
from pathlib import Path

import polars as pl
import pytest

from tests.end_to_end.commands import call, put, take
from tests.end_to_end.test_terminal import on_terminal

HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b31m\x7f\u202e\r"
STYLES = re.compile(r"\x1b\[[0-9;]*m|\r\n|\n")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint, a ledger and rejects that somebody has written by hand."""
    tmp_path = tmp_path_factory.mktemp("hostile")
    for number in range(4):
        put(tmp_path / "events", number, project_label="excluded" if number == 3 else "kept")
    checkpoint = tmp_path / "out" / "events.parquet"
    take(tmp_path / "events", checkpoint, "--exclude-project", "excluded")
    for digests in (tmp_path / "out" / "_ledger" / "events").glob("*.json"):
        digests.unlink()
    names = pl.Series(["total", "center", HOSTILE])
    rewrite(checkpoint, action=names, center_label=names.reverse())
    rejects = tmp_path / "out" / "_rejects" / "events.parquet"
    hostile = pl.Series([HOSTILE])
    rewrite(rejects, layout=2, outcome=hostile, reason=hostile, key=hostile)
    return checkpoint


def rewrite(file: Path, layout: int = 3, **columns: pl.Series) -> None:
    """Put values into a file; its source is hostile too."""
    metadata = json.loads(pl.read_parquet_metadata(file)["nacc.checkpoint"])
    metadata |= {"source": HOSTILE, "layout": layout}
    metadata.pop("digest", None)
    target = io.BytesIO()
    pl.read_parquet(file).with_columns(**columns).write_parquet(
        target, metadata={"nacc.checkpoint": json.dumps(metadata)}
    )
    file.write_bytes(target.getvalue())


COMMANDS = [
    ["show"],
    ["show", "--json"],
    ["rejects"],
    ["rejects", "--json"],
    ["verify"],
    ["verify", "--json"],
    ["query", "errors-by-center"],
    ["sql", 'SELECT action, center_label AS "\x1b[2J" FROM checkpoint_events'],
]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_control_character_of_a_file_is_written(checkpoint: Path, command: list[str]) -> None:
    """Into a pipe neither: what is read from it may go to a terminal."""
    name, *rest = command
    said = call(name, checkpoint, *rest)

    assert said.stdout != ""
    assert [each for each in said.stdout + said.stderr if not each.isprintable()] == [
        "\n"
    ] * said.stdout.count("\n")


@pytest.mark.parametrize(
    "command",
    [
        ["show"],
        ["rejects", "--json"],
        ["rejects", "--csv"],
        ["query", "errors-by-center"],
        ["sql", "SELECT * FROM checkpoint_events", "--csv"],
    ],
)
def test_a_terminal_gets_no_control_sequence_of_a_file(
    checkpoint: Path, command: list[str]
) -> None:
    """Only the styles that are ours, in lines, documents, tables and CSV."""
    name, *rest = command
    _, screen, _ = on_terminal(name, checkpoint, *rest, stdout=True)

    assert screen != ""
    assert [each for each in STYLES.sub("", screen) if not each.isprintable()] == []


def test_no_action_and_no_center_has_a_reserved_name(checkpoint: Path) -> None:
    """Each has its column and its row, and the sums are right."""
    said = call("show", checkpoint).stdout

    table = [line.split() for line in said.splitlines() if line.startswith(" ")][-6:]
    assert table[0][0] == "center"
    assert {"center", "total"} < set(table[0][1:])
    assert table[-1] == ["all", "1", "1", "1", "3"]
