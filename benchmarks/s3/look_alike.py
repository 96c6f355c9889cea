"""The S3 that the benchmarks talk to: a look-alike that they start, or any other."""

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import msgspec
from msgspec import Struct

from benchmarks.watching import SERVER_CORE, pinned

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LONGEST_S = 7_200
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "benchmark",
    "AWS_SECRET_ACCESS_KEY": "benchmark",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Latency(Struct, frozen=True):
    """How long answers wait, besides what it takes to make them."""

    get_ms: float = 15.0
    list_ms: float = 50.0


class Endpoint(Struct, frozen=True, kw_only=True):
    """An S3 with event objects below a prefix, and a bucket for checkpoints."""

    bucket: str
    prefix: str
    checkpoint_bucket: str
    environ: Mapping[str, str]

    def upload(self, key: str, pair: Path, ledger: str) -> None:
        """Put a prepared pair where a checkpoint of that key, and its ledger, would be."""
        folder = key.rpartition("/")[0]
        client = self._client()
        digests = ledger.removesuffix(".parquet") + ".json"
        files = {"ledger.parquet": ledger, "digests.json": digests}
        names = {file: f"{folder}/{name}" for file, name in files.items()}
        for file, name in {**names, "checkpoint.parquet": key}.items():
            with Path(pair, file).open("rb") as body:
                client.put_object(Bucket=self.checkpoint_bucket, Key=name, Body=body)

    def put(self, objects: Iterable[tuple[str, bytes]]) -> None:
        """Put event objects into the source."""
        client = self._client()
        for key, body in objects:
            client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def files(self, folder: str) -> dict[str, tuple[str, int]]:
        """Return the etag and the size of everything below a folder of the checkpoints' bucket."""
        pages = self._client().get_paginator("list_objects_v2")
        return {
            each["Key"]: (each["ETag"], each["Size"])
            for page in pages.paginate(Bucket=self.checkpoint_bucket, Prefix=f"{folder}/")
            for each in page.get("Contents", [])
        }

    def remove(self, folder: str) -> None:
        """Remove everything below a folder of the checkpoints' bucket."""
        client = self._client()
        pages = client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.checkpoint_bucket, Prefix=f"{folder}/"):
            for each in page.get("Contents", []):
                client.delete_object(Bucket=self.checkpoint_bucket, Key=each["Key"])

    def _client(self) -> "S3Client":
        environ = {**os.environ, **self.environ}
        return boto3.session.Session(
            aws_access_key_id=environ.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=environ.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=environ.get("AWS_SESSION_TOKEN"),
            region_name=environ.get("AWS_DEFAULT_REGION"),
        ).client("s3", endpoint_url=environ.get("AWS_ENDPOINT_URL"))


@contextmanager
def look_alike(objects: int, latency: Latency) -> Iterator[Endpoint]:
    """Serve so many synthetic event objects from a process of its own, on a core of its own."""
    with counted_look_alike(objects, latency) as served:
        yield served.endpoint


class LookAlike(Struct, frozen=True):
    """An S3 that counts: `counts` returns the requests of each operation since it was last asked."""

    endpoint: Endpoint
    counts: Callable[[], dict[str, int]]


@contextmanager
def counted_look_alike(objects: int, latency: Latency) -> Iterator[LookAlike]:
    """Serve as `look_alike` does, and tell how many requests there were."""
    command = pinned(SERVER_CORE, "-m", "tests.fake_s3", "--bucket", "events")
    command += ["--bucket", "checkpoints", "--objects", str(objects), "--prefix", "prod/"]
    command += ["--get-latency-ms", str(latency.get_ms), "--put-latency-ms", str(latency.get_ms)]
    command += ["--list-latency-ms", str(latency.list_ms)]
    command += ["--seconds", str(_LONGEST_S), "--until-eof"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            url = server.stdout.readline().strip()
            server.stdout.readline()
            endpoint = Endpoint(
                bucket="events",
                prefix="prod/",
                checkpoint_bucket="checkpoints",
                environ={"AWS_ENDPOINT_URL": url, "AWS_ENDPOINT_URL_S3": url, **_CREDENTIALS},
            )
            yield LookAlike(endpoint, partial(_counts, server))
        finally:
            server.stdin.close()


def _counts(server: "subprocess.Popen[str]") -> dict[str, int]:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write("\n")
    server.stdin.flush()
    return msgspec.json.decode(server.stdout.readline(), type=dict[str, int])


def endpoint_at(url: str, bucket: str, prefix: str, checkpoint_bucket: str) -> Endpoint:
    """Return an endpoint that others run; credentials and region are the environment's."""
    return Endpoint(
        bucket=bucket,
        prefix=prefix,
        checkpoint_bucket=checkpoint_bucket,
        environ={"AWS_ENDPOINT_URL": url, "AWS_ENDPOINT_URL_S3": url},
    )
