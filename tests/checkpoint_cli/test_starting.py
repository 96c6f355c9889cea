"""What a command loads before it does anything: as little as that takes."""

from pathlib import Path

import pytest

from checkpoint_cli._choices import COMMANDS
from tests.end_to_end.commands import CLEAN, execute

pytestmark = pytest.mark.on_one_python

PROGRAM = """
import atexit, sys
HEAVY = {"boto3", "botocore", "duckdb", "numpy", "polars", "pyarrow", "pycurl", "rich", "scipy"}
atexit.register(lambda: print("loaded:", *sorted(HEAVY & set(sys.modules)), file=sys.stderr))
from checkpoint_cli import main
main()
"""


def loaded(*arguments: object, **environment: str) -> tuple[list[str], str]:
    """Return which of the large libraries a fresh interpreter has at the end, and what it said."""
    ended = execute(*arguments, before=("-c", PROGRAM), env=CLEAN | environment)

    (*_, last) = ended.stderr.splitlines()
    assert last.startswith("loaded:")
    return last.split()[1:], ended.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["help", "query"],
        ["run", "a", "b", "--since", "noon"],
        ["query", "a", "latst"],
        *([name, "--help"] for name in COMMANDS),
    ],
    ids=" ".join,
)
def test_explaining_a_command_loads_nothing_large(arguments: list[str]) -> None:
    """Nor does refusing what was typed."""
    assert [] == loaded(*arguments)[0]


@pytest.mark.parametrize(
    "typed, offered",
    [
        ("re", ["rejects", "report", "remove"]),
        ("query events.parquet pa", ["pass-rates"]),
        ("query events.parquet counts --by m", ["module", "modality", "month"]),
        ("query events.parquet latest --ide", ["--identity"]),
        ("query events.parquet latest --action de", ["delete"]),
        ("rejects events.parquet --outcome un", ["unreadable"]),
        ("run events events.parquet --compression z", ["zstd"]),
        ("help sh", ["show"]),
    ],
)
def test_completing_a_line_loads_nothing_large(typed: str, offered: list[str]) -> None:
    """Names of commands and queries, options, and what can be chosen for them."""
    line = f"nacc-checkpoint {typed}"
    environment = {
        "_NACC_CHECKPOINT_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
    }

    found, said = loaded(**environment)

    assert ([], offered) == (found, said.split())


def test_a_command_loads_only_what_it_needs(tmp_path: Path) -> None:
    """Samples need no polars, a run on directories neither S3 nor SQL."""
    sampled, _ = loaded("sample", f"{tmp_path}/events", "--count", 3)
    ran, _ = loaded("run", f"{tmp_path}/events", f"{tmp_path}/out/events.parquet")

    assert (["rich"], ["polars", "rich"]) == (sampled, ran)
