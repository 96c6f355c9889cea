"""How an analyst gets rows: as a table for people, or as JSON, CSV or Parquet for programs."""

from pathlib import Path
from typing import Annotated, Final

import typer

from checkpoint_cli._option_groups import OptionGroup
from checkpoint_cli._options import CsvOption, CsvSafeOption, JsonOption
from checkpoint_cli._printing.text import one_line

__all__ = ["RECORDS", "SHOWN", "Form"]

SHOWN: Final = 50
"""How many rows a table has where no limit is given."""
RECORDS: Final = 10
"""The same where no table fits, and each row takes several lines."""
_MANY: Final = 10**9


class Form(OptionGroup, frozen=True, kw_only=True):
    """How rows are delivered, and at most how many; more than one way is wrong usage."""

    limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=_MANY,
            metavar="N",
            help=f"At most so many rows. [default: {SHOWN} in a table, {RECORDS} where none fits "
            "the terminal, else all]",
        ),
    ] = None
    as_json: JsonOption = False
    as_csv: CsvOption = False
    csv_safe: CsvSafeOption = False
    parquet: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write a Parquet file, which must not be there yet."),
    ] = None

    def __post_init__(self) -> None:
        """Check what typer cannot: the options together, and the file."""
        if self.as_json + self.is_csv + (self.parquet is not None) > 1:
            raise typer.BadParameter("choose one", param_hint="--json, --csv, --parquet")
        if self.parquet is None:
            return
        if "://" in self.parquet:
            raise typer.BadParameter("give a local file", param_hint="--parquet")
        if Path(self.parquet).exists():
            raise typer.BadParameter(
                f"{one_line(self.parquet)} is there already; remove it, or choose another name",
                param_hint="--parquet",
            )

    @property
    def is_csv(self) -> bool:
        """Whether it is CSV, in one way or the other."""
        return self.as_csv or self.csv_safe

    @property
    def rows(self) -> int | None:
        """At most how many rows are needed; None where all of them are."""
        for_programs = self.as_json or self.is_csv or self.parquet is not None
        return SHOWN if self.limit is None and not for_programs else self.limit
