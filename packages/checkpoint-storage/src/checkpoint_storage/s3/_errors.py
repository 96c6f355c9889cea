"""What went wrong with S3: what kind of failure it is, and whether asking again may help."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import botocore.exceptions as aws
import urllib3.exceptions as http
from botocore.parsers import ResponseParserError

from checkpoint_storage.s3._answers import WELL_FORMED_CODE, BadAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class RawFailureError(Exception):
    """Something that is no error of boto3's own came out of it; that is the cause of this one."""


FAILURES: Final = (
    aws.BotoCoreError,
    aws.ClientError,
    ResponseParserError,
    # In the middle of a body these are not boto3's.
    http.HTTPError,
    BadAnswerError,
    RawFailureError,
)
"""Everything that a request may raise; see `raw_failures`."""

NO_CREDENTIALS: Final = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.MetadataRetrievalError,
    aws.NoAuthTokenError,
    aws.ProfileNotFound,
    aws.RefreshWithMFAUnsupportedError,
    aws.SSOError,
    aws.LoginError,
    aws.TokenRetrievalError,
    aws.UnknownCredentialError,
    aws.UnknownTokenProviderError,
)
"""There is nothing to sign a request with."""

CONFIGURATION: Final = (
    aws.BaseEndpointResolverError,
    aws.ConfigNotFound,
    aws.ConfigParseError,
    aws.EndpointProviderError,
    aws.InvalidChecksumConfigError,
    aws.InvalidConfigError,
    aws.InvalidDefaultsMode,
    aws.InvalidEndpointConfigurationError,
    aws.InvalidHostLabelError,
    aws.InvalidIMDSEndpointError,
    aws.InvalidIMDSEndpointModeError,
    aws.InvalidProxiesConfigError,
    aws.InvalidRegionError,
    aws.InvalidRetryConfigurationError,
    aws.InvalidS3AddressingStyleError,
    aws.InvalidS3UsEast1RegionalEndpointConfigError,
    aws.InvalidSTSRegionalEndpointsConfigError,
    aws.MissingDependencyException,
    aws.ServiceNotInRegionError,
    aws.UnknownRegionError,
    aws.UnknownSignatureVersionError,
    aws.UnsupportedS3ConfigurationError,
    aws.UnsupportedS3AccesspointConfigurationError,
    aws.UnsupportedSignatureVersionError,
    http.LocationValueError,
)
"""Something in the AWS configuration cannot be used."""

UNREACHABLE: Final = (
    aws.EndpointConnectionError,
    aws.ConnectTimeoutError,
    aws.ProxyConnectionError,
)
DAMAGED_ON_THE_WAY: Final = {
    "BadDigest",
    "IncompleteBody",
    "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch",
}
"""S3 says that what arrived is not what was sent."""

BAD_CREDENTIALS: Final = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
WRONG_REGION: Final = {
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "TemporaryRedirect",
}
_TRANSIENT_TYPES: Final = (
    aws.ConnectionError,
    aws.HTTPClientError,
    aws.IncompleteReadError,
    aws.ChecksumError,
    aws.FlexibleChecksumError,
    ResponseParserError,
    http.HTTPError,
    BadAnswerError,
)
_TRANSIENT_CODES: Final = DAMAGED_ON_THE_WAY | {
    "InternalError",
    # Of one request: it waited somewhere. The next one is signed anew.
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_STORE_WIDE: Final = (
    BAD_CREDENTIALS
    | WRONG_REGION
    | {"AccountProblem", "InvalidBucketName", "NoSuchBucket", "RequestTimeTooSkewed"}
)
_REGION: Final = re.compile(r"[a-z0-9-]{1,40}")
_RAW: Final = (EOFError, LookupError, OSError, RuntimeError, ValueError)


@contextmanager
def raw_failures() -> Iterator[None]:
    """Raise what boto3 lets through of its own dependencies and of the system as RawFailureError.

    Only around boto3: what is raised in here is taken for a failure of its configuration.
    """
    try:
        yield
    except FAILURES:
        raise
    except _RAW as error:
        raise RawFailureError from error


def code_of(error: BaseException) -> str:
    """Return S3's code of an error, empty where S3 gave none."""
    if not isinstance(error, aws.ClientError):
        return ""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return code if WELL_FORMED_CODE.fullmatch(code) else ""


def status_of(error: BaseException) -> int:
    """Return the HTTP status of an error, 0 where there was no answer."""
    if not isinstance(error, aws.ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_missing(error: BaseException) -> bool:
    """Whether it says that there is no such object."""
    return status_of(error) == 404 and code_of(error) != "NoSuchBucket"


def region_in(answer: Mapping[str, Any]) -> str | None:
    """Return where S3 says that a bucket is: in a header, or in the document of a refusal."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = headers.get("x-amz-bucket-region") or answer.get("Error", {}).get("Region") or ""
    return str(region) if _REGION.fullmatch(str(region)) else None


def is_transient(error: BaseException) -> bool:
    """Tell whether asking again may help; of a write: whether it may have taken place."""
    if isinstance(error, aws.ClientError):
        if is_unsupported(error):
            return False
        status = status_of(error)
        return status >= 500 or status == 429 or code_of(error) in _TRANSIENT_CODES
    return isinstance(error, _TRANSIENT_TYPES) and not isinstance(error, CONFIGURATION)


def is_unsupported(error: BaseException) -> bool:
    """Tell whether the server says that it never does what it was asked for."""
    return status_of(error) in {501, 505} or code_of(error) == "NotImplemented"


def is_store_wide(error: BaseException) -> bool:
    """Tell whether every other request would fail in the same way."""
    wide = (*NO_CREDENTIALS, *CONFIGURATION, *UNREACHABLE, aws.SSLError, RawFailureError)
    return isinstance(error, wide) or code_of(error) in _STORE_WIDE


def was_never_sent(error: BaseException) -> bool:
    """Tell whether a request was certainly refused before it was sent."""
    if isinstance(error, RawFailureError):
        # A value may be one of an answer's.
        return not isinstance(error.__cause__, ValueError)
    return isinstance(error, (*NO_CREDENTIALS, *CONFIGURATION, aws.ParamValidationError))


def summary_of(error: BaseException) -> str:
    """Return the kind of an error in a few words: status, code or class, never a message."""
    status = status_of(error)
    if status:
        return f"HTTP {status} {code_of(error)}".strip()
    if isinstance(error, BadAnswerError):
        return str(error)
    if isinstance(error, RawFailureError):
        return type(error.__cause__).__name__
    return type(error).__name__
