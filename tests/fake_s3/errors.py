"""The errors that the store answers with, by S3's codes."""

from collections.abc import Mapping

_ERRORS = {
    "AccessDenied": (403, "Access Denied"),
    "AuthorizationHeaderMalformed": (400, "The authorization header is malformed"),
    "BadDigest": (400, "The checksum you specified did not match what we received."),
    "ConditionalRequestConflict": (409, "A conflicting operation took place. Please retry."),
    "IncompleteBody": (400, "You did not provide the number of bytes that was announced."),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidArgument": (400, "Invalid Argument"),
    "InvalidObjectState": (403, "The operation is not valid for the object's storage class"),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NotImplemented": (501, "This look-alike does not do what you asked for."),
    "NotModified": (304, ""),
    "PreconditionFailed": (412, "At least one of the preconditions did not hold"),
    "RequestTimeTooSkewed": (403, "The request is too old, or of the future."),
    "SlowDown": (503, "Please reduce your request rate."),
    "XAmzContentSHA256Mismatch": (400, "The digest that came is not that of the content."),
}


class S3Error(Exception):
    """One of S3's errors: `code` decides status and message.

    `elements` are further elements of its XML document, `headers` of its response.
    """

    def __init__(
        self,
        code: str,
        *,
        headers: Mapping[str, str] | None = None,
        elements: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.status, self.message = _ERRORS[code]
        self.headers = dict(headers or {})
        self.elements = dict(elements or {})
        super().__init__(f"{code} ({self.status}): {self.message}")
