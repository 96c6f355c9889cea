"""The built function in a process of its own, started by awslambdaric as Lambda does."""

import json
import os
import queue
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from artifacts.layout import Layout
from tests.artifact_trial.runtime_api import Outcome, RuntimeApi, serve_runtime_api

HANDLER = "checkpoint_lambda.handler.lambda_handler"
PLENTY_S = 900.0
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


class Function:
    """A running function: what it answers, and what it wrote."""

    def __init__(self, api: RuntimeApi, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._api = api
        self._process = process
        self._log = log

    def invoke(self, event: object = None, *, remaining_s: float = PLENTY_S) -> dict[str, Any]:
        """Invoke once, and return the response."""
        return self._document("response", self._invoke(event or {}, remaining_s))

    def fail(self, event: object = None) -> dict[str, Any]:
        """Invoke once, and return the error."""
        return self._document("error", self._invoke(event or {}, PLENTY_S))

    def fail_to_start(self) -> dict[str, Any]:
        """Wait for the end of a start that fails, and return the error."""
        return self._document("init/error", self._wait(lambda: self._api.ended.get(timeout=60)))

    def kill(self) -> None:
        """End it at once, as Lambda does when time is over."""
        self._process.kill()
        self._process.wait()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of this name."""
        lines = [json.loads(line) for line in self._said().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    def _invoke(self, event: object, remaining_s: float) -> Outcome:
        self._await_start()
        return self._wait(lambda: self._api.invoke(event, remaining_s=remaining_s))

    def _await_start(self) -> None:
        while not self._api.started.wait(0.02):
            if self._process.poll() is not None or not self._api.ended.empty():
                pytest.fail(f"The function does not start.\n{self._said()}")

    def _wait(self, for_outcome: Callable[[], Outcome]) -> Outcome:
        try:
            return for_outcome()
        except queue.Empty:
            pytest.fail(f"No answer from the function.\n{self._said()}")

    def _document(self, kind: str, outcome: Outcome) -> dict[str, Any]:
        assert outcome.kind == kind, f"{outcome}\n{self._said()}"
        document: dict[str, Any] = outcome.document
        return document

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")


class Sandbox(Struct, frozen=True, kw_only=True):
    """Where functions run: what was built, and what Lambda brings along.

    Args:
        layout: the function and its layers.
        interpreter: of the runtime's version.
        interface: the folder that awslambdaric is in.
        scratch: an empty folder, for /tmp and logs.

    """

    layout: Layout
    interpreter: Path
    interface: Path
    scratch: Path

    @contextmanager
    def function(
        self, endpoint_url: str, variables: Mapping[str, str], *, has_layers: bool = True
    ) -> Iterator[Function]:
        """Start the function with these variables, on this S3; it is ended afterwards."""
        layers = [self.layout.layers] if has_layers else []
        # Lambda's own order: the function, the layers, what the runtime brings.
        paths = [self.layout.task, *layers, self.interface]
        command: list[str | Path] = [self.interpreter, "-s", "-S", "-m", "awslambdaric", HANDLER]
        with serve_runtime_api() as api, self._log() as (log, stream):
            environment = {
                **_LAMBDAS_OWN,
                **CREDENTIALS,
                **variables,
                "AWS_ENDPOINT_URL": endpoint_url,
                "AWS_LAMBDA_RUNTIME_API": api.address,
                "LAMBDA_TASK_ROOT": str(self.layout.task),
                "PATH": os.defpath,
                "PYTHONPATH": os.pathsep.join(map(str, paths)),
                "TMPDIR": str(self.scratch),
            }
            process = subprocess.Popen(
                command, env=environment, cwd=self.layout.task, stdout=stream, stderr=stream
            )
            function = Function(api, process, log)
            try:
                yield function
            finally:
                function.kill()

    @contextmanager
    def _log(self) -> "Iterator[tuple[Path, int]]":
        descriptor, name = tempfile.mkstemp(prefix="log-", dir=self.scratch)
        try:
            yield Path(name), descriptor
        finally:
            os.close(descriptor)


_LAMBDAS_OWN = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
    "AWS_LAMBDA_FUNCTION_NAME": "event-log-checkpoint",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_REGION": "us-east-1",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
