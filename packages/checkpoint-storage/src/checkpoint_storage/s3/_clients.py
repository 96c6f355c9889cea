"""The connections to S3: made when first needed, once per process and configuration.

boto3 decides the configuration (profiles, regions, endpoints, credentials); obstore is given the
same one, and is only used for what has to be fast.
"""

from __future__ import annotations

import functools
import os
import re
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import boto3
import boto3.session
import botocore.session
from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.store import S3Store as FastStore

from checkpoint_storage.s3._answers import examine_answers
from checkpoint_storage.s3._errors import raw_failures, region_in
from checkpoint_storage.s3._retrying import ATTEMPTS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from obstore.store import ClientConfig

_CONNECT_TIMEOUT_S: Final = 5
_READ_TIMEOUT_S: Final = 30
_CONNECTIONS: Final = 64
# obstore asks again five minutes before this is over, and botocore renews credentials a quarter
# of an hour before they end.
_CREDENTIALS_TTL: Final = timedelta(minutes=10)
# What obstore looks at when it is first used. On one core it would take one thread, which waits for
# the network and works by turns, and reading would take a quarter longer.
_RUNTIME_THREADS: Final = 4
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
        known = botocore.session.get_session()
        self._session = boto3.session.Session(botocore_session=known)
        self._lock = threading.Lock()
        self._fast: dict[str, FastStore] = {}
        self._regions: dict[str, str] = {}
        self.attempts = max(1, known.get_config_variable("max_attempts") or ATTEMPTS)
        self.single = self._client(region, Config())
        if not _AWS_HOST.fullmatch(self.single.meta.endpoint_url):
            self.single.close()
            self.single = self._client(region, _for_other_servers(known.get_scoped_config()))

    @property
    def region(self) -> str:
        """The region that requests are signed for."""
        return self.single.meta.region_name

    def told_region(self, bucket: str) -> str | None:
        """Return the region that a refusal has named, which boto3 has followed by itself."""
        return self._regions.get(bucket)

    def fast(self, bucket: str) -> FastStore:
        """Return obstore's view of a bucket, which asks each thing once.

        It has no retries, because it would repeat after a refusal too, and resume a body that was
        cut short; whoever uses it asks again through `single`.
        Raises NoCredentialsError and RawFailureError.
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
        client = self._session.client("s3", region_name=region, config=config.merge(special))
        examine_answers(client)
        client.meta.events.register("needs-retry.*.*", self._keep_region)
        return cast("S3Client", _Careful(client))

    def _keep_region(
        self, request_dict: dict[str, Any], response: tuple[object, dict[str, Any]] | None, **_: Any
    ) -> None:
        bucket = request_dict["context"].get("s3_redirect", {}).get("bucket")
        region = region_in(response[1]) if response and "Error" in response[1] else None
        if bucket and region:
            self._regions[bucket] = region

    def _make_fast(self, bucket: str) -> FastStore:
        os.environ.setdefault(
            "TOKIO_WORKER_THREADS", str(max(_RUNTIME_THREADS, os.cpu_count() or 1))
        )
        endpoint = self.single.meta.endpoint_url
        if self._session.get_credentials() is None:
            raise NoCredentialsError
        options_of_s3: Any = self.single.meta.config
        by_host = (options_of_s3.s3 or {}).get("addressing_style") == "virtual"
        if by_host:
            parts = urlsplit(endpoint)
            endpoint = parts._replace(netloc=f"{bucket}.{parts.netloc}").geturl()
        options: ClientConfig = {
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=_CONNECT_TIMEOUT_S),
            "timeout": timedelta(seconds=_READ_TIMEOUT_S),
        }
        authorities = os.environ.get("AWS_CA_BUNDLE")
        if authorities and endpoint.startswith("https://"):
            options["root_certificate"] = Path(authorities).read_bytes()
        return FastStore(
            bucket,
            # Both names of the endpoint, or the environment's would take precedence over ours; an
            # empty variable would even end the process.
            config={
                "aws_endpoint_url_s3": endpoint,
                "endpoint": endpoint,
                "region": self.region,
                "virtual_hosted_style_request": by_host,
            },
            client_options=options,
            retry_config={"max_retries": 0},
            credential_provider=Boto3CredentialProvider(self._session, ttl=_CREDENTIALS_TTL),
        )


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

    The same ones at every call, also in later invocations of a warm function.
    Raises what is in FAILURES where the configuration is wrong.
    """
    with raw_failures():
        return _clients(tuple(sorted(_configuration())), region)


def close_clients() -> None:
    """Close and forget all clients; the next call makes new ones."""
    _clients.cache_clear()
    while _made:
        _made.pop().close()


def _configuration() -> list[tuple[str, str]]:
    return [(name, value) for name, value in os.environ.items() if name.startswith("AWS_")]


_made: Final[list[S3Clients]] = []


@functools.cache
def _clients(configuration: tuple[tuple[str, str], ...], region: str | None) -> S3Clients:  # noqa: ARG001 - the cache's key
    clients = S3Clients(region)
    _made.append(clients)
    return clients
