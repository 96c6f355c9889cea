"""The connections to S3: made when first needed, once per process and configuration.

boto3 decides the configuration (profiles, regions, endpoints, credentials, certificates, proxies);
libcurl is given the same one, and is only used for what has to be fast.
"""

from __future__ import annotations

import functools
import os
import re
import threading
from typing import TYPE_CHECKING, Any, Final, cast

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from checkpoint_storage.s3._answers import examine_answers
from checkpoint_storage.s3._errors import raw_failures, region_in
from checkpoint_storage.s3._http import FastClient, Server
from checkpoint_storage.s3._retrying import ATTEMPTS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CONNECT_TIMEOUT_S: Final = 5
_READ_TIMEOUT_S: Final = 30
_CONNECTIONS: Final = 64
_AWS_HOST: Final = re.compile(r"https?://[^/]*\.(amazonaws\.com(\.cn)?|api\.aws)(:\d+)?/?")


class S3Clients:
    """What talks to S3 under one configuration; may be shared by threads.

    `single` asks once, and raises no answer's failure but those of `FAILURES`. What may be repeated
    is repeated by its callers, with `retrying` and so many `attempts` in all: botocore's own
    retries have a quota for each client, which runs out in a function that stays warm.

    Args:
        region: instead of the configured one.

    """

    def __init__(self, region: str | None = None) -> None:
        self._session = session = botocore.session.get_session()
        self._authorities = str(
            session.get_config_variable("ca_bundle")
            or os.environ.get("REQUESTS_CA_BUNDLE")
            or get_cert_path(verify=True)
        )
        self._lock = threading.Lock()
        self._fast: dict[str, FastClient] = {}
        self._regions: dict[str, str] = {}
        self.attempts = max(1, session.get_config_variable("max_attempts") or ATTEMPTS)
        self.single = self._client(region, Config())
        if not _AWS_HOST.fullmatch(self.single.meta.endpoint_url):
            self.single.close()
            self.single = self._client(region, _for_other_servers(session.get_scoped_config()))

    @property
    def region(self) -> str:
        """The region that requests are signed for."""
        return self.single.meta.region_name

    def told_region(self, bucket: str) -> str | None:
        """Return the region that a refusal has named, which boto3 has followed by itself."""
        return self._regions.get(bucket)

    def fast(self, bucket: str) -> FastClient:
        """Return what asks for a bucket's objects and pages quickly, and for each once.

        Whoever uses it asks again through `single`.
        Raises NoCredentialsError, RawFailureError, and ParamValidationError for no possible name.
        """
        with self._lock, raw_failures():
            if bucket not in self._fast:
                self._fast[bucket] = self._make_fast(bucket)
            return self._fast[bucket]

    def close(self) -> None:
        """Close the connections."""
        self.single.close()
        self._fast.clear()

    def _client(self, region: str | None, special: Config) -> S3Client:
        config = Config(
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=_READ_TIMEOUT_S,
            max_pool_connections=_CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": 1},
        )
        # As boto3 makes it, but for its methods for transfers, which take a third of the time.
        made = self._session.create_client("s3", region, config=config.merge(special))
        client = cast("S3Client", made)
        examine_answers(client)
        client.meta.events.register("needs-retry.*.*", self._keep_region)
        # An operation that is not used otherwise.
        client.meta.events.register("before-call.s3.ListObjects", _tell_where)
        return cast("S3Client", _Careful(client))

    def _keep_region(
        self, request_dict: dict[str, Any], response: tuple[object, dict[str, Any]] | None, **_: Any
    ) -> None:
        bucket = request_dict["context"].get("s3_redirect", {}).get("bucket")
        region = region_in(response[1]) if response and "Error" in response[1] else None
        if bucket and region:
            self._regions[bucket] = region

    def _make_fast(self, bucket: str) -> FastClient:
        told: Any = self.single.list_objects(Bucket=bucket)
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        server = Server(
            url=told["url"],
            region=told["region"] or self.region,
            authorities=self._authorities,
            proxy=get_environ_proxies(told["url"]).get(told["url"].partition(":")[0], ""),
            connect_timeout_s=_CONNECT_TIMEOUT_S,
            timeout_s=_READ_TIMEOUT_S,
        )
        return FastClient(server, credentials)


def _tell_where(params: dict[str, Any], context: dict[str, Any], **_: Any) -> Any:
    """Answer in place of S3: where it would have been asked, and for which region signed."""
    url, region = params["url"].partition("?")[0], context.get("signing", {}).get("region")
    return AWSResponse(url, 200, HTTPHeaders(), None), {"url": url.rstrip("/"), "region": region}


class _Careful:
    """A client whose calls raise what else comes out of boto3 as RawFailureError."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def call(*given: Any, **named: Any) -> Any:
            with raw_failures():
                return found(*given, **named)

        return call


def _for_other_servers(profile: dict[str, Any]) -> Config:
    """Return what servers other than AWS need, unless the user has decided otherwise.

    They know buckets by path, and may refuse today's checksums.
    """
    options: dict[str, Any] = {
        name: "when_required"
        for name in ("request_checksum_calculation", "response_checksum_validation")
        if not (os.environ.get(f"AWS_{name.upper()}") or profile.get(name))
    }
    if "addressing_style" not in (profile.get("s3") or {}):
        options["s3"] = {"addressing_style": "path"}
    return Config(**options)


def current_clients(region: str | None = None) -> S3Clients:
    """Return the clients for the configuration that the environment names now.

    The same ones at every call, also in later invocations of a warm function; in a forked process
    others, because two that share a connection take each other's answers.
    Raises what is in FAILURES where the configuration is wrong.
    """
    with raw_failures():
        return _clients(tuple(sorted(_configuration())), region, os.getpid())


def close_clients() -> None:
    """Close and forget all clients; the next call makes new ones."""
    _clients.cache_clear()
    while _made:
        _made.pop().close()


def _configuration() -> list[tuple[str, str]]:
    return [(name, value) for name, value in os.environ.items() if name.startswith("AWS_")]


_made: Final[list[S3Clients]] = []


@functools.cache
def _clients(
    configuration: tuple[tuple[str, str], ...],  # noqa: ARG001 - the cache's key
    region: str | None,
    process: int,  # noqa: ARG001 - likewise
) -> S3Clients:
    clients = S3Clients(region)
    _made.append(clients)
    return clients
