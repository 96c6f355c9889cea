"""The function in a process of its own: one invocation, whose response is the last line.

python -m benchmarks.handler_process SOURCE_BUCKET PREFIX CHECKPOINT_BUCKET KEY MEMORY_MB
"""

import json
import sys

from checkpoint_lambda.handler import lambda_handler


class _Context:
    """Lambda's context, with all the time in the world."""

    aws_request_id = "00000000-0000-0000-0000-000000000000"
    function_name = "benchmark"
    function_version = "1"

    def __init__(self, memory_mb: int) -> None:
        self.memory_limit_in_mb = memory_mb

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def main(source_bucket: str, prefix: str, bucket: str, key: str, memory_mb: str) -> None:
    """Invoke once."""
    event = {
        "source_bucket": source_bucket,
        "prefix": prefix,
        "checkpoint_bucket": bucket,
        "checkpoint_key": key,
    }
    response = lambda_handler(event, _Context(int(memory_mb)))
    sys.stdout.write(f"{json.dumps(response)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
