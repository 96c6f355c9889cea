"""The function in a process of its own: one invocation, told in the last line.

    python -m benchmarks.s3.handler_process SOURCE_BUCKET PREFIX CHECKPOINT_BUCKET KEY MEMORY_MB

The last line is JSON: `response`, `spans` with the seconds that passed and those of the processor
by the names of the function's own spans, and `disk_bytes`, the most that its files took at once.
It needs nothing but what is in the function's archive and its layers.
"""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from opentelemetry import trace

from checkpoint_lambda.handler import lambda_handler

_LOOK_EVERY_S: Final = 0.05


class _Context:
    """Lambda's context, with all the time in the world."""

    aws_request_id = "00000000-0000-0000-0000-000000000000"
    function_name = "benchmark"
    function_version = "1"

    def __init__(self, memory_mb: int) -> None:
        self.memory_limit_in_mb = memory_mb

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


class _Timer:
    """A tracer, and what gives it to whoever asks, that adds up what its spans took."""

    def __init__(self) -> None:
        self.spans: dict[str, list[float]] = {}

    def get_tracer(self, *_: object, **__: object) -> Self:
        return self

    @contextmanager
    def start_as_current_span(self, name: str, **_: object) -> Iterator[trace.Span]:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        try:
            yield trace.INVALID_SPAN
        finally:
            spent = self.spans.setdefault(name, [0.0, 0.0])
            spent[0] += time.perf_counter() - wall_s
            spent[1] += time.process_time() - cpu_s


class _Disk:
    """Looks now and then at how much is in the folder of temporary files, and keeps the most."""

    def __init__(self) -> None:
        self.most_bytes = 0
        self._folder = Path(tempfile.gettempdir())
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_S):
            self.most_bytes = max(self.most_bytes, sum(map(_size, self._folder.rglob("*"))))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # it was there a moment ago
        return 0


def main(source_bucket: str, prefix: str, bucket: str, key: str, memory_mb: str) -> None:
    """Invoke once."""
    timer: Any = _Timer()
    trace.set_tracer_provider(timer)
    disk = _Disk()
    event = {
        "source_bucket": source_bucket,
        "prefix": prefix,
        "checkpoint_bucket": bucket,
        "checkpoint_key": key,
    }
    response = lambda_handler(event, _Context(int(memory_mb)))
    disk.end()
    ended = {"response": response, "spans": timer.spans, "disk_bytes": disk.most_bytes}
    sys.stdout.write(f"{json.dumps(ended)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
