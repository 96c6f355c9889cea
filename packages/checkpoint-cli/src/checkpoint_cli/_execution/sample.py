"""What `nacc-checkpoint sample` does."""

from pathlib import Path
from typing import Any

from checkpoint_cli._failures import ended_well
from checkpoint_cli._printing.output import write_lines
from checkpoint_cli._printing.text import one_line
from checkpoint_cli.sample import write_samples

__all__ = ["make_samples"]


def make_samples(directory: str, *, debug: bool, **wanted: Any) -> None:
    """Write the objects that are wanted, as `write_samples` takes it, and tell how many."""
    with ended_well(debug=debug):
        summary = write_samples(Path(directory), **wanted)
        lines = [
            f"Wrote {summary.written:,} objects to {one_line(directory)}.",
            (
                f"Of them {summary.late:,} are late, {summary.invalid:,} are invalid, and "
                f"{summary.unrecognized:,} are not named like event objects."
            ),
        ]
        if summary.rewritten:
            lines.append(f"Rewrote {summary.rewritten:,} that were there.")
        write_lines(lines)
