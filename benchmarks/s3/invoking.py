"""One invocation of the function, as a process of its own: what it took, and where that went."""

import json
import tempfile
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from benchmarks.measuring import Spent
from benchmarks.s3.look_alike import Endpoint, LookAlike
from benchmarks.watching import CLIENT_CORE, Program, watch

LAMBDA_MB: Final = 3_008
"""What a stack gives the function if it says nothing else."""

_STAGES: Final = {
    "load": "load",
    "list": "list",
    "validate": "read",
    "merge": "merge",
    "commit": "commit",
}
"""The function's spans, and the stages that they are told as: reading includes judging."""


class Invocation(Struct, frozen=True, kw_only=True):
    """What one invocation answered and took.

    `seconds` are the run's, as its response says, `whole_s` those of the process, with the start
    of Python and all imports. `stages` are parts of the run, the last of them what is in none of
    the others, such as comparing the listing with the ledger; and, beside it, `start`: the
    process without the run. `disk_mb` is the most that its temporary files took at once.
    """

    response: dict[str, Any]
    seconds: float
    whole_s: float
    cpu_s: float
    peak_mb: float
    disk_mb: float
    stages: dict[str, Spent]
    began: float
    lines: list[str]

    def check(self, *, new: int, listed: int) -> None:
        """Raise where it did something else than what was prepared for it."""
        counts = self.response["counts"]
        if self.response["new_events_processed"] != new or sum(counts.values()) != listed:
            raise RuntimeError(f"not what was prepared: {self.response}")


class Counted(Struct, frozen=True, kw_only=True):
    """An invocation, how many requests of each operation it made, and which files it wrote."""

    invocation: Invocation
    operations: dict[str, int]
    written: dict[str, int]


def invoke(
    endpoint: Endpoint,
    key: str,
    *,
    memory_mb: int = LAMBDA_MB,
    environ: Mapping[str, str] | None = None,
    program: Program | None = None,
) -> Invocation:
    """Run the function once upon the checkpoint of this key, on the core of clients."""
    arguments = (endpoint.bucket, endpoint.prefix, endpoint.checkpoint_bucket, key, str(memory_mb))
    with tempfile.TemporaryDirectory() as folder:
        took = watch(
            *(program or HERE).arguments,
            *arguments,
            core=CLIENT_CORE,
            interpreter=(program or HERE).interpreter,
            environ={
                **endpoint.environ,
                **(program or HERE).environ,
                **(environ or {}),
                "TMPDIR": folder,
            },
        )
    ended = json.loads(took.lines[-1])
    spans = {name: Spent(*spent) for name, spent in ended["spans"].items()}
    return Invocation(
        response=ended["response"],
        seconds=ended["response"]["execution_time_ms"] / 1000,
        whole_s=took.seconds,
        cpu_s=took.cpu_s,
        peak_mb=took.peak_mb,
        disk_mb=ended["disk_bytes"] / 1_048_576,
        stages=_stages(spans, Spent(took.seconds, took.cpu_s)),
        began=took.began,
        lines=took.lines,
    )


HERE: Final = Program(arguments=("-m", "benchmarks.s3.handler_process"))
"""The function of this tree, on the Python that runs this."""


def invoke_counted(served: LookAlike, key: str, *, memory_mb: int = LAMBDA_MB) -> Counted:
    """Run the function once, and ask the server what that was for it."""
    folder = key.rpartition("/")[0]
    before = served.endpoint.files(folder)
    served.counts()
    invocation = invoke(served.endpoint, key, memory_mb=memory_mb)
    operations = served.counts()
    after = served.endpoint.files(folder)
    written = {
        name: size for name, (etag, size) in after.items() if before.get(name) != (etag, size)
    }
    return Counted(invocation=invocation, operations=operations, written=written)


def _stages(spans: Mapping[str, Spent], process: Spent) -> dict[str, Spent]:
    nothing = Spent(0.0, 0.0)
    stages = {told: spans.get(name, nothing) for name, told in _STAGES.items()}
    run = spans["run"]
    return {
        **stages,
        "rest": Spent(
            run.wall_s - sum(each.wall_s for each in stages.values()),
            run.cpu_s - sum(each.cpu_s for each in stages.values()),
        ),
        "start": Spent(process.wall_s - run.wall_s, process.cpu_s - run.cpu_s),
    }
