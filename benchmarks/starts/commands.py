"""What a person waits for before a command has said anything, beside loading all that it may need."""

from collections.abc import Iterator

from benchmarks.measuring import Measurement, compared, in_rounds
from benchmarks.watching import watch

_MAIN = "from checkpoint_cli import main; main()"
_WAYS: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "all of it loaded": (
        "import checkpoint_cli._execution.run, checkpoint_cli._execution.query, boto3",
        [],
        {},
    ),
    "--version": (_MAIN, ["--version"], {}),
    "--help": (_MAIN, ["--help"], {}),
    "run --help": (_MAIN, ["run", "--help"], {}),
    "completion of a query's name": (
        _MAIN,
        [],
        {
            "_NACC_CHECKPOINT_COMPLETE": "complete_bash",
            "COMP_WORDS": "nacc-checkpoint query events.parquet pa",
            "COMP_CWORD": "3",
        },
    ),
}


def measure(rounds: int) -> list[Measurement]:
    """Measure whole processes, in turn, medians of so many rounds."""
    return compared(in_rounds(rounds, _one_round))


def _one_round() -> Iterator[Measurement]:
    for how, (program, arguments, environ) in _WAYS.items():
        took = watch("-c", program, *arguments, environ=environ)
        yield Measurement(
            what="start",
            how=how,
            items=1,
            seconds=took.seconds,
            cpu_s=took.cpu_s,
            peak_mb=took.peak_mb,
        )
