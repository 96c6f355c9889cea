"""Running the whole Pulumi program against mocks, and what it registered."""

import asyncio
import base64
import contextlib
import json
import runpy
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_aws
import yaml
from msgspec import Struct
from pulumi.runtime import mocks, set_all_config, set_mocks
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.stack import run_pulumi_func
from typing_extensions import override

from checkpoint_infra.settings.stack import SERVICE

with warnings.catch_warnings():
    # These modules warn of classes of their own, whoever imports them and for whatever. They are
    # imported when they are first looked into.
    warnings.filterwarnings("ignore", r"\S+ has been deprecated in favor of", DeprecationWarning)
    _ = (pulumi_aws.ec2.VpcEndpoint, pulumi_aws.lambda_.Function, pulumi_aws.s3.Bucket)

INFRA: Final = Path(__file__).resolve().parents[2] / "infra"
PROJECT: Final = "event-log-checkpoint"
STACKS: Final = ("dev", "staging", "prod")
ACCOUNT: Final = "123456789012"


class Registered(Struct, frozen=True, kw_only=True):
    """A resource as the program registered it."""

    kind: str
    name: str
    inputs: dict[str, Any]
    provider: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    ignore_changes: list[str] = []
    parent: str = ""


class Deployment(Struct, frozen=True, kw_only=True):
    """Everything that one run of the program registered, and its outputs."""

    resources: list[Registered]
    outputs: dict[str, Any]

    def all(self, kind: str) -> list[Registered]:
        """Return the resources of a type such as `aws:s3/bucket:Bucket`."""
        return [each for each in self.resources if each.kind == kind]

    def one(self, kind: str, name: str | None = None) -> dict[str, Any]:
        """Return the inputs of the only resource of this type (and name)."""
        [found] = [each for each in self.all(kind) if name in {None, each.name}]
        return found.inputs


class Existing(Struct, frozen=True):
    """The newest version of a layer that is there already."""

    arn: str
    description: str = ""
    code_hash: str = ""


class Cloud(pulumi.runtime.Mocks):
    """Answers as AWS would where the program cannot go on without; nothing is checked.

    Args:
        layers: the layers that exist already, by name.
    """

    def __init__(self, layers: Mapping[str, Existing] | None = None) -> None:
        self.layers = dict(layers or {})

    @override
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        arn = f"arn:aws:test:us-east-1:{ACCOUNT}:{args.typ}/{args.inputs.get('name', args.name)}"
        computed = {"arn": arn, "version": "7", "url": f"https://sqs.test/{args.name}"}
        return f"{args.name}-id", {**computed, "name": args.name, **args.inputs}

    @override
    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        assert args.token == "aws:lambda/getLayerVersion:getLayerVersion"
        assert "::aws::" in args.provider
        name = args.args["layerName"]
        if name not in self.layers:
            return {}, [("layerName", "couldn't find resource")]
        found = self.layers[name]
        return {
            **args.args,
            "arn": found.arn,
            "description": found.description,
            "codeSha256": found.code_hash,
        }, []


def plain(value: Any) -> Any:
    """Return inputs without objects, so that they can be compared and searched."""
    if isinstance(value, pulumi.FileAsset | pulumi.FileArchive):
        return value.path
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


class _Monitor(mocks.MockMonitor):
    """Keeps what mocks are not told: parents and protection."""

    def __init__(self, answers: pulumi.runtime.Mocks) -> None:
        super().__init__(answers)
        self.registered: list[Registered] = []

    @override
    def RegisterResource(self, request: Any) -> Any:
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call] # it has no types
        if request.type != "pulumi:pulumi:Stack":
            inputs = plain(pulumi.runtime.rpc.deserialize_properties(request.object))
            self.registered.append(
                Registered(
                    kind=request.type,
                    name=request.name,
                    inputs=inputs,
                    provider=request.provider,
                    protect=request.protect,
                    retain_on_delete=request.retainOnDelete,
                    ignore_changes=list(request.ignoreChanges),
                    parent=request.parent,
                )
            )
        return answer


def stack_values(stack: str) -> dict[str, Any]:
    """Return what a stack's file says, by key without the project."""
    document = yaml.safe_load((INFRA / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in document["config"].items()}


def as_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as Pulumi hands them over: sections as JSON, scalars as text."""
    return {
        key: json.dumps(value) if isinstance(value, dict | list) else str(value)
        for key, value in values.items()
    }


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with changes, section by section; None takes a key away."""
    result = dict(values)
    for key, change in changes.items():
        if isinstance(change, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], change)
        else:
            result[key] = change
        if change is None:
            del result[key]
    return result


def nested(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes as sections, of settings by names such as `source.prefix`."""
    result: dict[str, Any] = {}
    for name, value in changes.items():
        *sections, setting = name.split(".")
        inside = result
        for section in sections:
            inside = inside.setdefault(section, {})
        inside[setting] = value
    return result


def deploy(
    values: Mapping[str, Any], artifacts: Path, cloud: pulumi.runtime.Mocks | None = None
) -> Deployment:
    """Run `infra/__main__.py` with these values; raises what the program raises.

    Without `cloud` all layers of the default names exist, as the archives have them.
    """
    given = merged({"artifacts": {}, **values}, {"artifacts": {"path": str(artifacts)}})
    return run_program(
        INFRA,
        project=PROJECT,
        stack=values.get("environment", "test"),
        config={f"{PROJECT}:{key}": text for key, text in as_texts(given).items()},
        cloud=cloud or Cloud(existing_layers(artifacts)),
    )


def run_program(
    folder: Path, *, project: str, stack: str, config: dict[str, str], cloud: pulumi.runtime.Mocks
) -> Deployment:
    """Run a folder's `__main__.py` as Pulumi would, with this configuration."""
    # A loop and a context of its own for each: nothing is left of it afterwards. Mocks are asked by
    # one thread, so that they need not be made for several; it needs a loop of its own, too.
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        asker = ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(loop,))
        return asyncio.run(_run(folder, project, stack, config, cloud, asker))


async def _run(
    folder: Path,
    project: str,
    stack: str,
    config: dict[str, str],
    cloud: pulumi.runtime.Mocks,
    asker: ThreadPoolExecutor,
) -> Deployment:
    asyncio.get_running_loop().set_default_executor(asker)
    monitor = _Monitor(cloud)
    set_mocks(cloud, project=project, stack=stack, monitor=monitor)
    set_all_config(config)
    outputs: dict[str, Any] = {}

    async def program() -> None:
        runpy.run_path(str(folder / "__main__.py"), run_name="__main__")
        root: Any = get_root_resource()
        for name, value in root.outputs.items():
            outputs[name] = await pulumi.Output.from_input(value).future()

    await run_pulumi_func(program)
    return Deployment(resources=monitor.registered, outputs=outputs)


def existing_layers(artifacts: Path) -> dict[str, Existing]:
    """Return a version of each layer by the layer's name, with what the manifest says of it."""
    manifest = artifacts / "manifest.json"
    files = json.loads(manifest.read_text(encoding="utf-8"))["files"] if manifest.exists() else {}
    return {
        f"{SERVICE}-{layer}": Existing(
            arn=f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:{SERVICE}-{layer}:3",
            code_hash=base64.b64encode(
                bytes.fromhex(files.get(f"layers/{layer}.zip", {}).get("sha256", ""))
            ).decode(),
        )
        for layer in ("observability", "data-processing", "aws-sdk")
    }
