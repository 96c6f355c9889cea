"""What `nacc-checkpoint verify` does."""

from collections.abc import Iterator
from pathlib import Path

import typer
from rich.console import RenderableType
from rich.text import Text

from checkpoint_cli._failures import ended_well
from checkpoint_cli._options import checkpoint_store, event_source, made
from checkpoint_cli._printing.output import write_lines
from checkpoint_cli._printing.text import one_line, write_document
from checkpoint_core import CheckpointError, CheckpointStore, Settings
from checkpoint_core.verifying import Check, verify
from checkpoint_format.inspection import describe
from checkpoint_storage.locations import OpenSource, check_source
from checkpoint_storage.scratch import temporary_folder
from nacc_event_model import EventFormat

__all__ = ["check"]

_STYLES = {True: "green", False: "bold red"}


def check(
    checkpoint: str,
    source: str | None,
    *,
    event_format: EventFormat | None,
    exclude_projects: list[str] | None,
    as_json: bool,
    debug: bool,
) -> None:
    """Make every check and tell them together; end with status 1 where one fails."""
    store = checkpoint_store(checkpoint)
    objects = None if source is None else event_source(source)
    with ended_well(as_json=as_json, debug=debug):
        if objects is not None:
            check_source(objects)
        with temporary_folder() as workdir:
            settings = made(
                Settings,
                {"exclude_projects": exclude_projects},
                event_format=event_format or _own_format(store, workdir),
            )
            checks = [*verify(store, objects, settings, workdir), *_of_listing(objects)]
        passed = all(check.passed for check in checks)
        if as_json:
            write_document({"passed": passed, "checks": checks})
        else:
            write_lines(_lines(checks))
        if not passed:
            raise typer.Exit(1)


def _of_listing(objects: OpenSource | None) -> list[Check]:
    """Tell how the listing that was compared with is known to be whole, where there was one."""
    if objects is None or objects.proof is None:
        return []
    return [Check(name="listing", passed=True, detail=objects.proof)]


def _own_format(store: CheckpointStore, workdir: Path) -> EventFormat:
    try:
        description = describe(store, workdir)
    except CheckpointError:
        # Checking will say what is wrong.
        return EventFormat.V1_0
    return description.metadata.event_format if description else EventFormat.V1_0


def _lines(checks: list[Check]) -> Iterator[RenderableType]:
    for check in checks:
        state = Text("ok    " if check.passed else "FAILED", _STYLES[check.passed])
        yield state.append(f"  {check.name:<8}{one_line(check.detail)}", "not bold default")
