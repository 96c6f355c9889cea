"""What each stack deploys, as text: all resources with their inputs, kept in `snapshots/`.

`hatch run snapshots` writes the files anew; the tests fail where one is not what the program
registers, so that a change of what is deployed is seen in the change that causes it.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.infra.conftest import EVERYTHING, write_artifacts
from tests.infra.deploying import STACKS, Deployment, deploy, merged, stack_values

__all__ = ["FOLDER", "configurations", "render", "write"]

FOLDER: Final = Path(__file__).parent / "snapshots"
# Documents within documents, which are read more easily unfolded.
_DOCUMENTS: Final = {
    "allowedAccountIds",
    "assumeRolePolicy",
    "assumeRoles",
    "dashboardBody",
    "defaultTags",
    "eventPattern",
    "policy",
}


def configurations() -> dict[str, dict[str, Any]]:
    """Return the stacks by name; the last one has every option."""
    stacks = {stack: stack_values(stack) for stack in STACKS}
    return {**stacks, "everything": merged(stack_values("dev"), EVERYTHING)}


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def render(deployment: Deployment, artifacts: Path) -> str:
    """Return all resources in a stable order, below the types and names that Pulumi has for them."""
    resources: dict[str, Any] = {}
    for each in sorted(deployment.resources, key=lambda each: (each.kind, each.name)):
        options = {name: True for name in ("protect", "retain_on_delete") if getattr(each, name)}
        inputs = _unfolded(each.inputs)
        resources[f"{each.kind} {each.name}"] = {
            **({"options": options} if options else {}),
            **inputs,
        }
    text = yaml.dump(resources, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=100)
    return text.replace(str(artifacts), "ARTIFACTS")


def _unfolded(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: json.loads(value) if name in _DOCUMENTS and isinstance(value, str) else _plain(value)
        for name, value in inputs.items()
    }


def _plain(value: Any) -> Any:
    """Return whole numbers as such; Pulumi has no others than fractions."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def write() -> None:
    """Write the snapshots anew."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        artifacts = write_artifacts(Path(folder))
        for name, values in configurations().items():
            text = render(deploy(values, artifacts), artifacts)
            (FOLDER / f"{name}.yaml").write_text(text, encoding="utf-8")
