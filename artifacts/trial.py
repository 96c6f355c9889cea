"""Run the built artifact as Lambda would: archives laid out, awslambdaric, an S3 look-alike."""

import json
import os
import queue
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from artifacts.archives import digest
from artifacts.locks import LAYERS, RUNTIME_INTERFACE
from artifacts.runtime_api import Outcome, RuntimeApi, serve_runtime_api
from artifacts.targets import Target
from artifacts.toolchain import find_interpreter, say
from artifacts.trees import install
from tests.fake_s3 import FakeS3, SyntheticEvents, serve

__all__ = ["TrialError", "try_artifact"]

_HANDLER = "checkpoint_lambda.handler.lambda_handler"
_EVENTS, _CHECKPOINTS, _KEY = "events", "checkpoints", "out/events.parquet"
_OBJECTS = 500
_BATCH = 50
# What a run keeps for its commit, and what one has beside that: enough to start on a slow machine.
_RESERVE_S, _HARDLY_S = 60, 10
_PLENTY_S = 900.0


class TrialError(Exception):
    """The artifact does not do what it should; the message says what it did."""


def try_artifact(built: Path, target: Target, folder: Path) -> None:
    """Run every trial; raises TrialError at the first that fails.

    Args:
        built: what `hatch run build-artifacts` made, for this machine's architecture.
        target: what it must have been built for.
        folder: an empty place for everything that this needs.

    """
    layout = _Layout(built, target, folder)
    s3 = FakeS3()
    for bucket in (_EVENTS, _CHECKPOINTS):
        s3.create_bucket(bucket)
    s3.generate(_EVENTS, SyntheticEvents(_OBJECTS))
    with serve(s3) as storage:
        with layout.function(storage.endpoint_url) as function:
            _try_runs(function, s3)
        with layout.function(storage.endpoint_url, has_layers=False) as function:
            _try_failing_start(function)
    layout.check_nothing_was_written()
    say("The built artifact works.")


def _try_runs(function: "_Function", s3: FakeS3) -> None:
    # The first object of the second batch arrives when the time for reading is over.
    s3.plan.on_request(
        lambda _: time.sleep(_HARDLY_S),
        operation="GetObject",
        bucket=_EVENTS,
        nth=_BATCH + 1,
        times=1,
    )
    function.check(
        "a run that runs out of time commits what it has read, and says that there is more",
        function.invoke({}, remaining_s=_RESERVE_S + _HARDLY_S),
        lambda document: not document["complete"] and 0 < document["total_events"] < _OBJECTS,
    )
    function.check_log("the first invocation is a cold start", cold_start=True)
    function.check(
        "the next run takes the rest",
        function.invoke({}),
        lambda document: document["complete"] and document["total_events"] == _OBJECTS,
    )
    function.check_log("a later invocation is a warm one", cold_start=False)
    if _KEY not in s3.keys(_CHECKPOINTS):
        raise TrialError(f"There is no {_KEY} among {s3.keys(_CHECKPOINTS)}.")
    function.check(
        "a run without news processes nothing",
        function.invoke({}),
        lambda document: (
            document["new_events_processed"] == 0 and document["total_events"] == _OBJECTS
        ),
    )
    failed = function.invoke({"source_bucket": "no-such-bucket"})
    function.check(
        "a run that fails is an error to Lambda, with the error document",
        failed,
        lambda document: (
            document["errorType"] == "RunFailedError"
            and json.loads(document["errorMessage"])["statusCode"] == 500
        ),
        kind="error",
    )
    function.check(
        "after a failure the function goes on",
        function.invoke({}),
        lambda document: document["total_events"] == _OBJECTS,
    )


def _try_failing_start(function: "_Function") -> None:
    function.check(
        "without its layers the function does not even start",
        function.next_outcome(),
        lambda document: document["errorType"] == "Runtime.ImportModuleError",
        kind="init/error",
    )


class _Layout:
    """The archives as Lambda lays them out: the function in var/task, the layers in opt."""

    def __init__(self, built: Path, target: Target, folder: Path) -> None:
        self._interpreter = find_interpreter(target.runtime)
        self._folder = folder
        manifest = _read_manifest(built, target)
        self._has_bytecode = bool(manifest["bytecode"])
        self._task, self._opt = folder / "var" / "task", folder / "opt"
        self._interface = folder / "var" / "runtime"
        _unpack(built / "function.zip", self._task)
        for layer in LAYERS:
            _unpack(built / "layers" / f"{layer}.zip", self._opt)
        install(RUNTIME_INTERFACE, target, self._interface)
        self._before = self._files()

    def _files(self) -> set[Path]:
        return {path for folder in (self._task, self._opt) for path in folder.rglob("*")}

    def check_nothing_was_written(self) -> None:
        """Raise TrialError where Python compiled something: in Lambda it would each time."""
        written = sorted(self._files() - self._before)
        if written and self._has_bytecode:
            raise TrialError(f"Compiled while running, so not before: {written[:5]}")
        say(f"ok    {'every module came compiled' if not written else 'without bytecode'}")

    @contextmanager
    def function(self, endpoint_url: str, *, has_layers: bool = True) -> Iterator["_Function"]:
        """Start the function; it is ended afterwards."""
        layers = [self._opt / "python"] if has_layers else []
        # Lambda's own order: the function, the layers, what the runtime brings.
        paths = [self._task, *layers, self._interface]
        scratch = self._folder / "tmp"
        scratch.mkdir(exist_ok=True)
        with serve_runtime_api() as api, Path(self._folder, "log").open("w+b") as log:
            environment = {
                **_FUNCTION_VARIABLES,
                "AWS_ENDPOINT_URL": endpoint_url,
                "AWS_LAMBDA_RUNTIME_API": api.address,
                "LAMBDA_TASK_ROOT": str(self._task),
                "PATH": os.defpath,
                "PYTHONPATH": os.pathsep.join(map(str, paths)),
                "TMPDIR": str(scratch),
            }
            command: list[str | Path] = [
                self._interpreter,
                "-s",
                "-S",
                "-m",
                "awslambdaric",
                _HANDLER,
            ]
            started_s = time.monotonic()
            process = subprocess.Popen(  # noqa: S603 - the command is ours
                command, env=environment, cwd=self._task, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                yield _Function(api, process, Path(log.name), started_s)
            finally:
                process.kill()
                process.wait()


_FUNCTION_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
    "AWS_LAMBDA_FUNCTION_NAME": "event-log-checkpoint",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_REGION": "us-east-1",
    "BATCH_OBJECTS": str(_BATCH),
    "RESERVE_SECONDS": str(_RESERVE_S),
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "CHECKPOINT_BUCKET": _CHECKPOINTS,
    "CHECKPOINT_KEY": _KEY,
    "SOURCE_BUCKET": _EVENTS,
}


class _Function:
    """A running function, what it said, and the checks of how its invocations end."""

    def __init__(
        self, api: RuntimeApi, process: "subprocess.Popen[bytes]", log: Path, started_s: float
    ) -> None:
        self._api = api
        self._process = process
        self._log = log
        self._started_s = started_s

    def invoke(self, event: object, *, remaining_s: float = _PLENTY_S) -> Outcome:
        """Invoke once, after the start, which is measured."""
        is_first = not self._api.started.is_set()
        while not self._api.started.wait(0.02):
            if self._process.poll() is not None or not self._api.ended.empty():
                raise TrialError(f"The function does not start.\n{self._said()}")
        if is_first:
            say(f"ok    it starts ({time.monotonic() - self._started_s:.2f} s)")
        return self._ended(lambda: self._api.invoke(event, remaining_s=remaining_s))

    def next_outcome(self) -> Outcome:
        """Wait for an end that nobody asked for."""
        return self._ended(lambda: self._api.ended.get(timeout=60))

    def check(
        self,
        fact: str,
        outcome: Outcome,
        holds: Callable[[Any], bool],
        *,
        kind: str = "response",
    ) -> None:
        """Raise TrialError unless an outcome is of this kind and the fact holds for it."""
        if outcome.kind != kind or not holds(outcome.document):
            raise TrialError(f"Not so: {fact}. {outcome}\n{self._said()}")
        say(f"ok    {fact}")

    def check_log(self, fact: str, *, cold_start: bool) -> None:
        """Raise TrialError unless the last run's line says what kind of start it was."""
        lines = [line for line in self._said().splitlines() if '"run_completed"' in line]
        if not lines or json.loads(lines[-1])["cold_start"] is not cold_start:
            raise TrialError(f"Not so: {fact}.\n{self._said()}")
        say(f"ok    {fact}")

    def _ended(self, wait: Callable[[], Outcome]) -> Outcome:
        try:
            return wait()
        except queue.Empty as error:
            raise TrialError(f"No answer from the function.\n{self._said()}") from error

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-20_000:]


def _read_manifest(built: Path, target: Target) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((built / "manifest.json").read_bytes())
    except (OSError, ValueError) as error:
        raise TrialError(f"{built}: has no manifest. Run `hatch run build-artifacts`.") from error
    found = manifest["runtime"], manifest["architecture"]
    if found != (f"python{target.runtime}", target.architecture):
        raise TrialError(
            f"{built}: was built for {' on '.join(found)}; this machine can try "
            f"python{target.runtime} on {target.architecture}."
        )
    for name, file in manifest["files"].items():
        if digest(built / name) != file["sha256"]:
            raise TrialError(f"{built / name}: is not the archive that manifest.json speaks of.")
    return manifest


def _unpack(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        twice = [name for name in opened.namelist() if (folder / name).exists()]
        if twice:
            raise TrialError(f"{archive}: hides another layer's {twice[0]}.")
        opened.extractall(folder)
