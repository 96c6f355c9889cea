"""A function in a small world: its settings, its storage in memory, and all that it lets out."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from msgspec import Struct

from checkpoint_lambda._environment import LambdaSettings
from checkpoint_lambda._invocation import RunFailedError, Storage, invoke
from checkpoint_storage.locks import scratch_folder
from tests.checkpoint_core.memory import Clock, MemorySource, MemoryStore
from tests.checkpoint_core.world import scratch
from tests.event_model.strategies import example_document

EVENT = {
    "source_bucket": "events",
    "prefix": "prod/",
    "checkpoint_bucket": "checkpoints",
    "checkpoint_key": "out/events.parquet",
}
ENVIRON = {"ENVIRONMENT": "test", "POWERTOOLS_SERVICE_NAME": "a-service"}
CHECKPOINT = "events.parquet"


def object_key(number: int) -> str:
    """Return the whole key of an event object."""
    day, second = divmod(number, 60)
    return f"prod/log-submit-202401{day + 1:02d}-1000{second:02d}-42-ingest-form-110001-01.json"


def document(**changed: Any) -> bytes:
    """Return the usual event as JSON, with some fields changed; `...` takes a field out."""
    return json.dumps(example_document(**changed)).encode()


class Context:
    """Lambda's context; `remaining_ms` is asked before every batch."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"
    function_name = "event-log-checkpoint"
    function_version = "7"

    def __init__(
        self, remaining_ms: Callable[[], int] = lambda: 900_000, memory_limit_in_mb: int = 3008
    ) -> None:
        self.get_remaining_time_in_millis = remaining_ms
        self.memory_limit_in_mb = memory_limit_in_mb


class Ended(Struct, frozen=True):
    """How an invocation ended, and everything that it wrote."""

    response: dict[str, Any] | None
    error: RunFailedError | None
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Return every line on stdout; each is one JSON object."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def logged(self) -> list[dict[str, Any]]:
        """Return the log lines."""
        return [line for line in self.lines if "_aws" not in line]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """Return the lines of metrics about whole runs."""
        return [line for line in self.lines if "_aws" in line and "study" not in line]

    @property
    def studies(self) -> list[dict[str, Any]]:
        """Return the lines of metrics about single studies and datatypes."""
        return [line for line in self.lines if "_aws" in line and "study" in line]

    @property
    def document(self) -> dict[str, Any]:
        """Return the error document."""
        assert self.error is not None
        read: dict[str, Any] = json.loads(str(self.error))
        return read

    def named(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of one kind."""
        return [line for line in self.logged if line["event"] == event]


class Function:
    """A function with a source and a store in memory; `invoke` is one invocation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.source = MemorySource(self.clock, "s3://events/prod/")
        self.store = MemoryStore(self.clock)
        self.store.location = "s3://checkpoints/out/events.parquet"
        self.opened: list[LambdaSettings] = []
        self.invocations = 0

    def write(self, *numbers: int, **changed: Any) -> None:
        """Write the usual event under these keys, told apart by gear_name."""
        for number in numbers:
            data = document(**({"gear_name": f"gear-{number}"} | changed))
            self.source.write(object_key(number), data)

    def rows(self) -> pl.DataFrame:
        """Return the checkpoint's rows."""
        return self.store.rows()

    def storage(self) -> Storage:
        """Return where the function finds its source and its store."""
        return Storage(
            open_source=self._open_source,
            open_store=lambda _settings: self.store,
            scratch=lambda: scratch_folder(self.folder),
        )

    def invoke(
        self,
        event: object = EVENT,
        *,
        context: object | None = None,
        environ: Mapping[str, str] = ENVIRON,
        storage: Storage | None = None,
    ) -> Ended:
        """Invoke once, and keep everything that is written, whoever writes it."""
        response, raised = None, None
        self.invocations += 1
        with captured(self.folder) as outputs:
            try:
                response = invoke(
                    event,
                    context or Context(),
                    environ=environ,
                    storage=storage or self.storage(),
                    is_cold=self.invocations == 1,
                )
            except RunFailedError as error:
                raised = error
        return Ended(response, raised, *outputs)

    def _open_source(self, settings: LambdaSettings) -> MemorySource:
        self.opened.append(settings)
        return self.source


@contextmanager
def function() -> Iterator[Function]:
    """Give a function whose files are gone afterwards."""
    with scratch() as folder:
        yield Function(folder)


@contextmanager
def captured(folder: Path) -> Iterator[list[str]]:
    """Take what is written to stdout and stderr, also by compiled code; it is there afterwards."""
    outputs: list[str] = []
    streams = sys.stdout, sys.stderr
    files = [folder / "stdout", folder / "stderr"]
    kept = [os.dup(number) for number in (1, 2)]
    try:
        for stream in streams:
            stream.flush()
        for number, file in enumerate(files, start=1):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(descriptor, number)
            os.close(descriptor)
        sys.stdout, sys.stderr = (
            os.fdopen(os.dup(number), "w", encoding="utf-8") for number in (1, 2)
        )
        yield outputs
    finally:
        sys.stdout.close()
        sys.stderr.close()
        sys.stdout, sys.stderr = streams
        for number, descriptor in enumerate(kept, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        outputs += [file.read_text(encoding="utf-8") for file in files]
