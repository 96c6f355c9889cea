"""`nacc-checkpoint sample`."""

from datetime import date
from typing import Annotated, Any

import typer

from checkpoint_cli._options import DebugOption, EventFormatOption, day
from nacc_event_model import EventFormat

__all__ = ["sample_command"]


def _share(meaning: str) -> Any:
    return typer.Option(min=0, max=1, metavar="SHARE", help=meaning)


def sample_command(
    directory: Annotated[
        str, typer.Argument(metavar="DIR", help="Where to write; created if it is missing.")
    ],
    *,
    count: Annotated[int, typer.Option(min=0, metavar="N", help="How many new objects.")] = 1000,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Chooses the events; the same again gives more.")
    ] = 1,
    invalid: Annotated[float, _share("Share of them that is broken, from 0 to 1.")] = 0.02,
    late: Annotated[float, _share("Share that arrives days to months after it happened.")] = 0.05,
    rewritten: Annotated[
        float, _share("How many older objects to rewrite with more fields, as a share of count.")
    ] = 0.0,
    start: Annotated[
        date, typer.Option(parser=day, metavar="DATE", help="First day of arrival.")
    ] = date(2026, 9, 1),
    days: Annotated[
        int, typer.Option(min=1, metavar="N", help="On how many days they arrive.")
    ] = 30,
    event_format: EventFormatOption = EventFormat.V1_0,
    debug: DebugOption = False,
) -> None:
    """Write synthetic event objects into a directory, for trying things out.

    Everything in them is made up. Objects that are there are kept, and only changed by --rewritten.
    """
    from checkpoint_cli._execution.sample import make_samples

    if invalid + late > 1:
        raise typer.BadParameter("together at most 1", param_hint="--invalid, --late")
    make_samples(
        directory,
        count=count,
        seed=seed,
        invalid_share=invalid,
        late_share=late,
        rewritten_share=rewritten,
        start=start,
        days=days,
        event_format=event_format,
        debug=debug,
    )
