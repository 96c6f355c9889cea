"""The workflows: valid, without keys, with no more rights than they need, and the same archives."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from artifacts.locks import pins

pytestmark = pytest.mark.on_one_python

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
each_file = pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
STAGES = ("dev", "staging", "prod")


def workflow(name: str) -> dict[str, Any]:
    """Read a workflow; YAML takes its `on` for a truth value."""
    text = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    document: dict[Any, Any] = yaml.safe_load(text)
    document["on"] = document.pop(True)
    return document


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    """Return a workflow's jobs by name."""
    found: dict[str, dict[str, Any]] = workflow(file.stem)["jobs"]
    return found


def steps(file: Path) -> Iterator[dict[str, Any]]:
    """Return the steps of all jobs that have some."""
    for job in jobs(file).values():
        yield from job.get("steps", [])


def lint(*command: str) -> str:
    """Run a linter of this environment; return what it found, which is nothing."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    program = shutil.which(command[0], path=path)
    assert program is not None
    completed = subprocess.run(
        [program, *command[1:]],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return completed.stdout + completed.stderr if completed.returncode else ""


def test_actionlint_finds_nothing() -> None:
    """Nor does shellcheck in what the steps run."""
    assert len(FILES) == 6
    assert lint("actionlint", *map(str, FILES)) == ""


def test_actionlint_and_shellcheck_do_find_something(tmp_path: Path) -> None:
    """The test above does not pass because nobody looks."""
    text = FILES[0].read_text(encoding="utf-8")
    broken = tmp_path / "broken.yml"
    broken.write_text(
        text.replace(
            "- name: Install Hatch\n        run:", "- run: cat $unknown\n      - run:"
        ).replace("timeout-minutes", "timeout"),
        encoding="utf-8",
    )

    found = lint("actionlint", str(broken))

    assert "timeout" in found
    assert "SC2086" in found


def test_zizmor_finds_nothing() -> None:
    """No script that a title could slip into, no key that stays behind, no action that moves."""
    assert lint("zizmor", "--offline", "--quiet", "--persona=pedantic", ".github") == ""


@each_file
def test_every_job_states_its_permissions_and_ends_by_itself(file: Path) -> None:
    """The workflow grants none; a job that calls another workflow ends when that does."""
    assert workflow(file.stem)["permissions"] == {}
    for name, job in jobs(file).items():
        assert "permissions" in job, name
        assert "uses" in job or 0 < job["timeout-minutes"] <= 60, name


def test_only_commenting_writes_anything_on_github() -> None:
    """And it runs nothing of what the pull request brings."""
    rights = {
        (file.stem, name): job["permissions"] for file in FILES for name, job in jobs(file).items()
    }
    writing = {
        job: {scope for scope, level in granted.items() if level == "write"} - {"id-token"}
        for job, granted in rights.items()
    }

    assert {("preview", "comment"): {"pull-requests"}} == {
        job: scopes for job, scopes in writing.items() if scopes
    }
    comment = workflow("preview")["jobs"]["comment"]
    assert not any("checkout" in step.get("uses", "") for step in comment["steps"])
    assert {"id-token", "contents"}.isdisjoint(comment["permissions"])


@each_file
def test_there_is_no_key_that_stays_valid(file: Path) -> None:
    """Roles are taken for one job; nothing is stored as a secret."""
    text = file.read_text(encoding="utf-8")

    assert not re.search(r"secrets[.\[]|secrets:|access-key|AKIA|ACCESS_TOKEN|PASSPHRASE", text)
    for step in steps(file):
        if "configure-aws-credentials" in step.get("uses", ""):
            assert {"role-to-assume", "aws-region"} == step["with"].keys()


def test_every_action_is_one_commit() -> None:
    """With the version beside it, and the same one everywhere."""
    lines = [line for file in FILES for line in file.read_text(encoding="utf-8").splitlines()]
    used = {line.split("uses:")[1].strip() for line in lines if "uses:" in line}
    others = {each for each in used if not each.startswith("./")}

    assert others
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in others)
    assert len({each.partition("@")[0] for each in others}) == len(others)


def test_the_archives_are_built_once_and_are_the_same_in_every_stage() -> None:
    """Each stage takes them by the upload's id and compares the manifest's digest."""
    deploying = workflow("deploy")["jobs"]
    building = [name for name, job in deploying.items() if "build.yml" in job["uses"]]
    stages = {name: job["with"] for name, job in deploying.items() if "stack.yml" in job["uses"]}

    assert building == ["build"]
    assert {"dev", "staging-preview", "staging", "prod-preview", "prod"} == stages.keys()
    for given in stages.values():
        assert given["artifact-id"] == "${{ needs.build.outputs.artifact-id }}"
        assert given["manifest-sha256"] == "${{ needs.build.outputs.manifest-sha256 }}"
    runs = [step.get("run", "") for step in steps(ROOT / ".github/workflows/stack.yml")]
    assert any("MANIFEST_SHA256" in run and "sha256sum --check" in run for run in runs)
    assert not any("build-artifacts" in run for run in runs)


def test_a_stage_follows_the_one_before_it_with_its_layers() -> None:
    """Checked and built, then dev, then each stage previewed and approved by its environment."""
    deploying = workflow("deploy")["jobs"]

    assert {"checks", "build"} == set(deploying["dev"]["needs"])
    for before, stage in pairwise(STAGES):
        assert {before, f"{stage}-preview"} <= set(deploying[stage]["needs"])
        assert before in deploying[f"{stage}-preview"]["needs"]
        for job in (stage, f"{stage}-preview"):
            assert "layers" in deploying[job]["with"]
            assert deploying[job]["with"]["layers"] == f"${{{{ needs.{before}.outputs.layers }}}}"
    for stage in STAGES:
        given = deploying[stage]["with"]
        assert (stage, stage, "up") == (given["stack"], given["environment"], given["command"])


def test_what_only_looks_never_has_the_role_that_deploys() -> None:
    """A pull request's previews and the comparing at night are of another environment."""
    calls = [
        (file.stem, job["with"])
        for file in FILES
        for job in jobs(file).values()
        if "stack.yml" in job.get("uses", "")
    ]

    assert {"preview", "up", "drift"} == {given["command"] for _, given in calls}
    for name, given in calls:
        assert given["environment"].endswith("-preview") == (given["command"] != "up")
        assert given["command"] != "up" or name == "deploy"
    assert {"push": {"branches": ["main"]}} == workflow("deploy")["on"]


def test_a_forks_pull_request_runs_nothing_with_a_role() -> None:
    """It is not given one, and no workflow runs in the name of the base for it."""
    condition = workflow("preview")["jobs"]["build"]["if"]

    assert "github.event.pull_request.head.repo.full_name == github.repository" in condition
    assert not any("pull_request_target" in workflow(file.stem)["on"] for file in FILES)


@pytest.mark.parametrize("name", ["checks", "preview", "deploy", "drift"])
def test_what_starts_by_itself_has_a_concurrency_group(name: str) -> None:
    """A newer push replaces the checks and previews of a pull request, and no deployment."""
    found = workflow(name)["concurrency"]

    assert found["group"]
    assert found["cancel-in-progress"] is (name in {"checks", "preview"})


def test_one_stack_is_deployed_by_one_job_at_a_time() -> None:
    """The next one waits."""
    found = workflow("stack")["jobs"]["stack"]["concurrency"]

    assert "inputs.stack" in found["group"]
    assert found["cancel-in-progress"] is False


def test_every_verb_that_is_called_exists() -> None:
    """In hatch.toml, and the scripts where they are called."""
    scripts = tomllib.loads((ROOT / "hatch.toml").read_text("utf-8"))["envs"]["default"]["scripts"]
    runs = "\n".join(step.get("run", "") for file in FILES for step in steps(file))
    verbs = set(re.findall(r"hatch run ([a-z-]+)", runs))
    called = set(re.findall(r"python (\w+\.py)", runs))

    assert {"build-artifacts", "try-artifact"} == verbs & scripts.keys() == verbs
    assert called
    assert all((ROOT / "infra" / name).is_file() for name in called)


def test_the_checks_are_the_readmes_on_every_supported_python() -> None:
    """Of hatch.toml's matrix; .ci/run is README.md's test command."""
    matrix = tomllib.loads((ROOT / "hatch.toml").read_text("utf-8"))["envs"]["hatch-test"]["matrix"]
    checks = list(steps(ROOT / ".github/workflows/checks.yml"))
    [versions] = [step["with"]["python-version"] for step in checks if "setup-python" in str(step)]

    assert matrix[0]["python"] == versions.split()
    assert checks[-1]["run"] == ".ci/run"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [install] = [
        step["run"]
        for step in steps(ROOT / ".github/workflows/build.yml")
        if step.get("name") == "Install Hatch"
    ]
    assert f"{install} && .venv/bin/hatch run demo" in readme


def test_pulumis_command_line_is_of_the_locked_version(tmp_path: Path) -> None:
    """The step that reads it finds the version of the program's pulumi."""
    [step] = [
        step for step in steps(ROOT / ".github/workflows/stack.yml") if step.get("id") == "locked"
    ]
    output = tmp_path / "output"

    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", step["run"]],
        cwd=ROOT / "infra",
        env={**os.environ, "GITHUB_OUTPUT": str(output)},
        check=True,
    )

    text = (ROOT / "infra" / "requirements.txt").read_text(encoding="utf-8")
    [pin] = [pin for pin in pins(text) if pin.name == "pulumi"]
    assert f"pulumi{pin.specifier}".replace("==", "=") == output.read_text(encoding="utf-8").strip()


def test_the_stacks_of_the_workflows_exist() -> None:
    """Each has its file, and one for its roles."""
    drift = workflow("drift")["jobs"]["drift"]["strategy"]["matrix"]["stack"]
    previews = workflow("preview")["jobs"]["preview"]["strategy"]["matrix"]["include"]

    assert list(STAGES) == drift == [each["stack"] for each in previews]
    for stack in STAGES:
        assert (ROOT / "infra" / f"Pulumi.{stack}.yaml").is_file()
        assert (ROOT / "infra" / "delivery" / f"Pulumi.{stack}.yaml").is_file()
