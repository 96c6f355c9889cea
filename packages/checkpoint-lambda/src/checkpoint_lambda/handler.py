"""The function's entry point in AWS Lambda: `checkpoint_lambda.handler.lambda_handler`."""

import itertools
import os
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from checkpoint_lambda._environment import LambdaSettings
from checkpoint_lambda._invocation import RunFailedError, Storage, invoke
from checkpoint_storage.locks import scratch_folder
from checkpoint_storage.s3 import S3Source, S3Store

__all__ = ["RunFailedError", "lambda_handler"]

_invocations: Final = itertools.count()


def lambda_handler(event: object, context: object) -> dict[str, Any]:
    """Bring the checkpoint up to date with the source, once, and return what was done.

    Guarantee: the same event delivered twice, or twice at once, changes nothing twice; what is
    committed stays, also when the function fails afterwards.

    Args:
        event: the settings of this run, or a scheduler's own envelope, or nothing; what is missing
            comes from the environment.
        context: Lambda's context.

    Returns:
        The response document, as `docs/operating.md` describes it.

    Raises:
        RunFailedError: with the error document as its message.

    """
    return invoke(
        event,
        context,
        environ=os.environ,
        storage=Storage(open_source=_open_source, open_store=_open_store, scratch=_scratch),
        is_cold=next(_invocations) == 0,
    )


def _open_source(settings: LambdaSettings) -> S3Source:
    return S3Source(
        settings.source_bucket, settings.prefix, reading_threads=settings.s3.read_concurrency
    )


def _open_store(settings: LambdaSettings) -> S3Store:
    return S3Store(
        settings.checkpoint_bucket, settings.checkpoint_key, kms_key_id=settings.s3.kms_key_id
    )


def _scratch() -> AbstractContextManager[Path]:
    """Make a folder for a run; what an invocation has left there that was killed is removed."""
    return scratch_folder(Path(tempfile.gettempdir()) / "nacc-checkpoint")
