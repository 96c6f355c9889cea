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
from typing import TYPE_CHECKING, Final

import boto3
import boto3.session
from botocore.config import Config
from botocore.exceptions import NoCredentialsError
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.store import S3Store as FastStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from obstore.store import ClientConfig

__all__ = ["S3Clients", "close_clients", "current_clients"]

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

    `single` asks once. What may be repeated is repeated by its callers, with `retrying`: botocore's
    own retries have a quota for each client, which runs out in a function that stays warm.

    Args:
        region: instead of the configured one.

    """

    def __init__(self, region: str | None = None) -> None:
        self._session = boto3.session.Session()
        self._lock = threading.Lock()
        self._fast: dict[str, FastStore] = {}
        self.single = self._client(region, Config())
        special = Config()
        if not _AWS_HOST.fullmatch(self.single.meta.endpoint_url):
            # Servers other than AWS know buckets by path, and may refuse today's checksums.
            special = Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            )
            self.single.close()
            self.single = self._client(region, special)

    @property
    def region(self) -> str:
        """The region that requests are signed for."""
        return self.single.meta.region_name

    def fast(self, bucket: str) -> FastStore:
        """Return obstore's view of a bucket, which asks each thing once.

        It has no retries, because it would repeat after a refusal too, and resume a body that was
        cut short; whoever uses it asks again through `single`.
        Raises NoCredentialsError.
        """
        with self._lock:
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
        return self._session.client("s3", region_name=region, config=config.merge(special))

    def _make_fast(self, bucket: str) -> FastStore:
        os.environ.setdefault(
            "TOKIO_WORKER_THREADS", str(max(_RUNTIME_THREADS, os.cpu_count() or 1))
        )
        endpoint = self.single.meta.endpoint_url
        if self._session.get_credentials() is None:
            raise NoCredentialsError
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
                "virtual_hosted_style_request": False,
            },
            client_options=options,
            retry_config={"max_retries": 0},
            credential_provider=Boto3CredentialProvider(self._session, ttl=_CREDENTIALS_TTL),
        )


def current_clients(region: str | None = None) -> S3Clients:
    """Return the clients for the configuration that the environment names now.

    The same ones at every call, also in later invocations of a warm function.
    Raises botocore's errors where the configuration is wrong.
    """
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
