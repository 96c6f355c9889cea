"""The commands, put together."""

from typing import Annotated

import typer

import checkpoint_cli
import checkpoint_core
import checkpoint_storage
import nacc_event_model
from checkpoint_cli._commands.doctor import doctor_command
from checkpoint_cli._commands.export import export_command
from checkpoint_cli._commands.query import query_command
from checkpoint_cli._commands.rejects import rejects_command
from checkpoint_cli._commands.remove import remove_command
from checkpoint_cli._commands.report import report_command
from checkpoint_cli._commands.run import run_command
from checkpoint_cli._commands.sample import sample_command
from checkpoint_cli._commands.show import show_command
from checkpoint_cli._commands.sql import sql_command
from checkpoint_cli._commands.verify import verify_command
from checkpoint_cli._printing.output import write_lines

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    # They show local variables, and those hold event data.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.",
)


def _print_versions(wanted: bool) -> None:  # noqa: FBT001 - typer calls it like this
    if wanted:
        write_lines(
            [
                f"nacc-checkpoint-cli {checkpoint_cli.__version__}",
                f"nacc-checkpoint-storage {checkpoint_storage.__version__}",
                f"nacc-checkpoint-core {checkpoint_core.__version__}",
                f"nacc-event-model {nacc_event_model.__version__}",
            ]
        )
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_versions,
            is_eager=True,
            help="Print the versions of the packages.",
        ),
    ] = False,
) -> None:
    """Keep a checkpoint, one Parquet file, up to date with the visit-event objects in a directory.

    Try it: `nacc-checkpoint sample events`, then `nacc-checkpoint run events out/events.parquet`.
    """


app.command("run", short_help="Bring a checkpoint up to date.")(run_command)
app.command("show", short_help="Show what a checkpoint holds.")(show_command)
app.command("rejects", short_help="List the objects that are left out, and why.")(rejects_command)
app.command("query", short_help="Ask the checkpoint one of the usual questions.")(query_command)
app.command("sql", short_help="Ask the checkpoint in SQL.")(sql_command)
app.command("verify", short_help="Check a checkpoint, and that no object is missing.")(
    verify_command
)
app.command("doctor", short_help="Check everything that a run relies on.")(doctor_command)
app.command("report", short_help="Write the monthly report, a page to hand on.")(report_command)
app.command("export", short_help="Make Parquet files in other shapes.")(export_command)
app.command("remove", short_help="Take a participant out, for good.")(remove_command)
app.command("sample", short_help="Write synthetic event objects.")(sample_command)
