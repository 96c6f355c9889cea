"""What `nacc-checkpoint doctor` does."""

import typer
from rich.console import RenderableType
from rich.text import Text

from checkpoint_cli._failures import ended_well
from checkpoint_cli._options import checkpoint_store, event_source
from checkpoint_cli._printing.output import write_lines
from checkpoint_cli._printing.text import one_line, write_document
from checkpoint_storage.doctor import Finding, State, Subject, checks_for, examine

__all__ = ["check"]

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


def check(source: str, checkpoint: str, *, read_only: bool, as_json: bool, debug: bool) -> None:
    """Make every check, telling each when it is made; end with status 1 where one fails."""
    subject = Subject(event_source(source), checkpoint_store(checkpoint), read_only=read_only)
    with ended_well(as_json=as_json, debug=debug):
        findings = []
        for finding in examine(subject, checks_for(subject)):
            findings.append(finding)
            if not as_json:
                write_lines([_line(finding)])
        states = [finding.state for finding in findings]
        passed = "failed" not in states
        if as_json:
            write_document({"passed": passed, "checks": findings})
        else:
            write_lines([_summary(states)])
        if not passed:
            raise typer.Exit(1)


def _line(finding: Finding) -> RenderableType:
    line = Text(f"{finding.state:<7}", _STYLES[finding.state])
    return line.append(
        f"  {finding.name:<20}{one_line(finding.detail)}", "not bold not dim default"
    )


def _summary(states: list[State]) -> str:
    counted = (f"{states.count(state)} {state}" for state in _STYLES if state in states)
    return f"{len(states)} checks: {', '.join(counted)}"
