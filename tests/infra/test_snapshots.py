"""What is deployed is what was reviewed: every resource of every stack, with all its inputs."""

from pathlib import Path

import pytest

from tests.infra.deploying import Deployment
from tests.infra.snapshots import FOLDER, configurations, render


@pytest.mark.parametrize("stack", sorted(configurations()))
def test_a_stack_deploys_what_its_snapshot_says(
    stacks: dict[str, Deployment], everything: Deployment, artifacts: Path, stack: str
) -> None:
    """Where it does not, look at the difference: `hatch run snapshots`, then `git diff`."""
    kept = (FOLDER / f"{stack}.yaml").read_text(encoding="utf-8")
    deployment = everything if stack == "everything" else stacks[stack]

    assert render(deployment, artifacts) == kept, "run `hatch run snapshots` and review its diff"


def test_there_is_a_snapshot_for_each_stack_and_no_other() -> None:
    """A stack that is gone takes its snapshot along."""
    assert {path.stem for path in FOLDER.glob("*")} == configurations().keys()
