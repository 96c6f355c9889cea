"""What went wrong with S3, and what to do about it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import botocore.exceptions as aws
from botocore.parsers import ResponseParserError

from checkpoint_core.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "FAILURES",
    "NEVER_SENT",
    "NO_CREDENTIALS",
    "code_of",
    "explained",
    "is_store_wide",
    "is_transient",
    "status_of",
    "storage_error",
    "summary_of",
]

FAILURES: Final = (aws.BotoCoreError, aws.ClientError, ResponseParserError)
"""Everything that boto3 raises for a request."""

NO_CREDENTIALS: Final = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.ProfileNotFound,
    aws.SSOError,
    aws.TokenRetrievalError,
    aws.InvalidConfigError,
    aws.ConfigParseError,
    aws.ConfigNotFound,
)
"""There is nothing to sign a request with."""

NEVER_SENT: Final = (*NO_CREDENTIALS, aws.ParamValidationError, aws.InvalidRegionError)
"""The request was refused before it was sent."""

_UNREACHABLE: Final = (
    aws.EndpointConnectionError,
    aws.ConnectTimeoutError,
    aws.SSLError,
    aws.ProxyConnectionError,
)
_TRANSIENT_TYPES: Final = (
    aws.ConnectionError,
    aws.HTTPClientError,
    aws.IncompleteReadError,
    ResponseParserError,
)
_TRANSIENT_CODES: Final = {
    "InternalError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_BAD_CREDENTIALS: Final = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
_WRONG_REGION: Final = {
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "TemporaryRedirect",
}
_STORE_WIDE: Final = (
    _BAD_CREDENTIALS
    | _WRONG_REGION
    | {"AccountProblem", "InvalidBucketName", "NoSuchBucket", "RequestTimeTooSkewed"}
)
_WELL_FORMED_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,60}")


def code_of(error: BaseException) -> str:
    """Return S3's code of an error, empty where S3 gave none."""
    if not isinstance(error, aws.ClientError):
        return ""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code if _WELL_FORMED_CODE.fullmatch(code) else ""


def status_of(error: BaseException) -> int:
    """Return the HTTP status of an error, 0 where there was no answer."""
    if not isinstance(error, aws.ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_transient(error: BaseException) -> bool:
    """Tell whether asking again may help; of a write: whether it may have taken place."""
    if isinstance(error, aws.ClientError):
        status = status_of(error)
        return status >= 500 or status == 429 or code_of(error) in _TRANSIENT_CODES
    return isinstance(error, _TRANSIENT_TYPES)


def is_store_wide(error: BaseException) -> bool:
    """Tell whether every other request would fail in the same way."""
    return isinstance(error, NO_CREDENTIALS + _UNREACHABLE) or code_of(error) in _STORE_WIDE


def summary_of(error: BaseException) -> str:
    """Return the kind of an error in a few words: status, code or class, never a message."""
    status = status_of(error)
    if status:
        return f"HTTP {status} {code_of(error)}".strip()
    return type(error).__name__


def storage_error(error: BaseException, where: str, doing: str) -> StorageError:
    """Return the error to raise: where it happened, during what, what is wrong, what to do."""
    problem, advice = _explanation(error, doing)
    return StorageError(f"{where}: {doing} failed: {problem} ({summary_of(error)}). {advice}")


@contextmanager
def explained(where: str, doing: str) -> Iterator[None]:
    """Raise what boto3 raises as a StorageError."""
    try:
        yield
    except FAILURES as error:
        raise storage_error(error, where, doing) from error


def _explanation(error: BaseException, doing: str) -> tuple[str, str]:
    if isinstance(error, aws.ClientError):
        return _of_answer(code_of(error), status_of(error), doing)
    if isinstance(error, aws.ProfileNotFound):
        return (
            "the AWS profile that is asked for is not configured",
            "Correct AWS_PROFILE, or add the profile to the AWS configuration.",
        )
    if isinstance(error, NO_CREDENTIALS):
        return (
            "no usable AWS credentials were found",
            "Log in, or set AWS_PROFILE; a Lambda function has those of its role.",
        )
    if isinstance(error, _UNREACHABLE):
        return (
            "the endpoint cannot be reached",
            "Check the network, the region and AWS_ENDPOINT_URL; in a VPC, the route to S3.",
        )
    if isinstance(error, aws.ParamValidationError):
        return ("the name cannot be one of S3's", "Correct the bucket or the key.")
    if isinstance(error, aws.InvalidRegionError):
        return ("the region is not a name of one", "Correct AWS_REGION.")
    if is_transient(error):
        return ("the connection failed each time", "Run again; if it stays so, check the network.")
    return ("the request could not be made", "Check the AWS configuration.")


def _of_answer(code: str, status: int, doing: str) -> tuple[str, str]:
    if code.startswith("KMS"):
        return (
            "the KMS key could not be used",
            "Check that it is enabled, and grant kms:GenerateDataKey and kms:Decrypt.",
        )
    if code == "NoSuchBucket":
        return ("there is no bucket of this name", "Correct the bucket's name, or create it.")
    if code in _BAD_CREDENTIALS:
        return (
            "the AWS credentials are expired or not valid",
            "Log in again, or correct the credentials.",
        )
    if code == "RequestTimeTooSkewed":
        return ("this machine's clock is wrong", "Set the clock.")
    if code in _WRONG_REGION or status in {301, 307}:
        return ("the bucket is in another region", "Set AWS_REGION to the bucket's region.")
    if code == "InvalidObjectState":
        return ("the object is archived", "Restore it first.")
    if code == "EntityTooLarge":
        return ("the file is larger than 5 GB", "A checkpoint of this size is not supported.")
    if status in {401, 403}:
        return ("access was refused", _permissions(doing))
    if status == 429 or code in {"SlowDown", "Throttling", "ThrottlingException"}:
        return ("S3 asked to slow down each time", "Run again later, or with fewer at a time.")
    if status >= 500 or code in _TRANSIENT_CODES:
        return ("S3 failed each time", "Run again later.")
    return ("S3 refused the request", "Check the names and the settings.")


def _permissions(doing: str) -> str:
    if doing.startswith("listing"):
        return "Grant s3:ListBucket on the bucket."
    if doing.startswith("writing"):
        return (
            "Grant s3:PutObject, and s3:GetObject, which a conditional write needs too, on the "
            "bucket's objects; with a KMS key, kms:GenerateDataKey and kms:Decrypt."
        )
    if doing.startswith("removing"):
        return "Grant s3:DeleteObject on the bucket's objects."
    return (
        "Grant s3:GetObject on the bucket's objects, with a KMS key kms:Decrypt, and "
        "s3:ListBucket, without which S3 answers so for a missing object too."
    )
