"""What is said about a failure of S3's: what is wrong, and what to do about it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import botocore.exceptions as aws

from checkpoint_format.errors import StorageError
from checkpoint_storage.s3._answers import BadAnswerError
from checkpoint_storage.s3._errors import (
    BAD_CREDENTIALS,
    CONFIGURATION,
    DAMAGED_ON_THE_WAY,
    FAILURES,
    NO_CREDENTIALS,
    UNREACHABLE,
    WRONG_REGION,
    RawFailureError,
    code_of,
    is_transient,
    is_unsupported,
    region_in,
    status_of,
    summary_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOG_IN: Final = "Log in, or set AWS_PROFILE; a Lambda function has those of its role."
_MFA: Final = (
    "the AWS profile needs the code of an MFA device, and nobody is there to type it",
    "Log in beforehand, and use the temporary credentials.",
)
_BY_TYPE: Final[tuple[tuple[tuple[type[Exception], ...], str, str], ...]] = (
    (
        (BadAnswerError,),
        "the server answered each time with something that is not S3's answer",
        "Check AWS_ENDPOINT_URL, and the proxies and gateways in between; run again.",
    ),
    (
        (aws.ProfileNotFound,),
        "the AWS profile that is asked for is not configured",
        "Correct AWS_PROFILE, or add the profile to the AWS configuration.",
    ),
    ((aws.RefreshWithMFAUnsupportedError,), *_MFA),
    (NO_CREDENTIALS, "no usable AWS credentials were found", _LOG_IN),
    (
        (aws.InvalidRegionError, aws.NoRegionError, aws.UnknownRegionError),
        "the region is not a name of one",
        "Correct AWS_REGION.",
    ),
    (
        (aws.MissingDependencyException,),
        "the AWS configuration asks for something that needs the package awscrt",
        "Install it, or change the configuration.",
    ),
    (
        CONFIGURATION,
        "something in the AWS configuration cannot be used",
        "Correct the profile, or the variables that begin with AWS_.",
    ),
    (
        (aws.SSLError,),
        "no secure connection comes about",
        "Check AWS_CA_BUNDLE, the clock, and the proxies in between.",
    ),
    (
        UNREACHABLE,
        "the endpoint cannot be reached",
        "Check the network, the region and AWS_ENDPOINT_URL; in a VPC, the route to S3.",
    ),
    (
        (
            aws.ParamValidationError,
            aws.InvalidDNSNameError,
            aws.UnsupportedS3ArnError,
            aws.UnsupportedOutpostResourceError,
        ),
        "the name cannot be one of S3's",
        "Correct the bucket or the key.",
    ),
    (
        (aws.ChecksumError, aws.FlexibleChecksumError),
        "what came each time does not have the checksum that S3 has of it",
        "Run again; if it stays so, check the proxies in between, and restore the file.",
    ),
)


def storage_error(error: BaseException, where: str, doing: str) -> StorageError:
    """Return the error to raise: where it happened, during what, what is wrong, what to do."""
    problem, advice = _explanation(error, doing)
    return StorageError(f"{where}: {doing} failed: {problem} ({summary_of(error)}). {advice}")


@contextmanager
def explained(where: str, doing: str) -> Iterator[None]:
    """Raise what a request raises as a StorageError."""
    try:
        yield
    except FAILURES as error:
        raise storage_error(error, where, doing) from error


def _explanation(error: BaseException, doing: str) -> tuple[str, str]:
    if isinstance(error, aws.ClientError):
        code, status = code_of(error), status_of(error)
        if code in WRONG_REGION or status in {301, 307}:
            region = region_in(error.response) or "the bucket's region"
            return ("the bucket is in another region", f"Set AWS_REGION to {region}.")
        return _of_answer(code, status, doing, unknown=is_unsupported(error))
    if isinstance(error, RawFailureError):
        return _of_raw(error.__cause__)
    for types, problem, advice in _BY_TYPE:
        if isinstance(error, types):
            return problem, advice
    if is_transient(error):
        return ("the connection failed each time", "Run again; if it stays so, check the network.")
    return ("the request could not be made", "Check the AWS configuration.")


def _of_raw(cause: BaseException | None) -> tuple[str, str]:
    if isinstance(cause, EOFError):
        return _MFA
    if isinstance(cause, OSError):
        file = f": {cause.filename}" if cause.filename else ""
        return (
            (
                f"something that the AWS configuration names cannot be used{file} "
                f"({cause.strerror or type(cause).__name__})"
            ),
            (
                "Correct the profile, or the variables that begin with AWS_, such as "
                "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_CA_BUNDLE."
            ),
        )
    if isinstance(cause, RuntimeError):
        return (
            "the AWS credentials have expired, and could not be renewed",
            (
                "Log in again; where AWS_CREDENTIAL_EXPIRATION or credential_process gives them, see "
                "to it that those are new ones."
            ),
        )
    return (
        "a value in the AWS configuration cannot be used",
        (
            "Correct the profile, or the variables that begin with AWS_: AWS_ENDPOINT_URL begins with "
            "https:// or http://, and credential_process prints JSON."
        ),
    )


def _of_answer(code: str, status: int, doing: str, *, unknown: bool) -> tuple[str, str]:
    if code.startswith("KMS"):
        return (
            "the KMS key could not be used",
            "Check that it is enabled, and grant kms:GenerateDataKey and kms:Decrypt.",
        )
    if code == "NoSuchBucket":
        return ("there is no bucket of this name", "Correct the bucket's name, or create it.")
    if code in BAD_CREDENTIALS:
        return (
            "the AWS credentials are expired or not valid",
            "Log in again, or correct the credentials.",
        )
    if code == "RequestTimeTooSkewed":
        return ("this machine's clock is wrong", "Set the clock.")
    if code == "InvalidObjectState":
        return ("the object is archived", "Restore it first.")
    if code == "EntityTooLarge":
        return ("the file is larger than 5 GB", "A checkpoint of this size is not supported.")
    if code in DAMAGED_ON_THE_WAY:
        return (
            "what arrived at S3 each time was not what was sent",
            "Run again; if it stays so, check the network and the proxies in between.",
        )
    if status in {401, 403}:
        return ("access was refused", _permissions(doing))
    if unknown:
        return _unsupported(doing)
    if status == 429 or code in {"SlowDown", "Throttling", "ThrottlingException"}:
        return ("S3 asked to slow down each time", "Run again later, or with fewer at a time.")
    if status >= 500 or code in {"InternalError", "RequestTimeout", "ServiceUnavailable"}:
        return ("S3 failed each time", "Run again later.")
    return ("S3 refused the request", "Check the names and the settings.")


def _unsupported(doing: str) -> tuple[str, str]:
    if doing == "writing on a condition":
        return (
            "this server does not do conditional writes",
            (
                "Without them two runs at once would lose rows. Keep the checkpoint in AWS's S3, on a "
                "server that does them, or in a directory."
            ),
        )
    return ("this server does not do what it was asked for", "Use another one.")


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
