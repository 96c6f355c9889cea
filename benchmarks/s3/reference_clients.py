"""What a user would have otherwise, each in its usual form; run as a process of its own.

    python -m benchmarks.s3.reference_clients WAY BUCKET KEYS_FILE [CHECKPOINT [PREFIX PAGES]]

Prints seconds as JSON: `reading` from the first request to the last valid event, `merging` of the
events into the whole checkpoint by reading, concatenating, sorting and writing it, `listing` of so
many pages below a prefix, one after the other.
Connections and credentials come from the environment.
"""

import itertools
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import boto3
import obstore
import polars as pl
from botocore.config import Config
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.store import S3Store

from benchmarks.judging import PydanticEvent
from benchmarks.measuring import seconds_of
from checkpoint_core import event_schema
from nacc_event_model import EventFormat

_Rows = list[dict[str, Any]]


def one_client_in_sequence(bucket: str, keys: list[str]) -> _Rows:
    """Stands for a script: one boto3 client, one object after the other, Pydantic."""
    client = boto3.client("s3")
    return [_valid(_body(client, bucket, key)) for key in keys]


def client_for_each_object(bucket: str, keys: list[str]) -> _Rows:
    """Stands for the system in use: a new boto3 client for each object, 50 threads, Pydantic."""
    with ThreadPoolExecutor(50) as pool:
        return list(pool.map(lambda key: _valid(_body(boto3.client("s3"), bucket, key)), keys))


def shared_client(bucket: str, keys: list[str]) -> _Rows:
    """Stands for that system with its worst fault mended: one boto3 client, 64 threads, Pydantic."""
    client = boto3.client("s3", config=Config(max_pool_connections=64))
    with ThreadPoolExecutor(64) as pool:
        return list(pool.map(lambda key: _valid(_body(client, bucket, key)), keys))


def bare_gets(bucket: str, keys: list[str], *, threads: int) -> _Rows:
    """The ceiling: obstore in threads; nothing is retried, looked at or kept."""
    session = boto3.session.Session()
    endpoint = session.client("s3").meta.endpoint_url
    store = S3Store(
        bucket,
        config={
            "endpoint": endpoint,
            "aws_endpoint_url_s3": endpoint,
            "region": session.region_name,
            "virtual_hosted_style_request": False,
        },
        client_options={"allow_http": endpoint.startswith("http://")},
        retry_config={"max_retries": 0},
        credential_provider=Boto3CredentialProvider(session),
    )
    counter = itertools.count()

    def work() -> None:
        while (number := next(counter)) < len(keys):
            obstore.get(store, keys[number]).bytes().to_bytes()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return []


WAYS: dict[str, Callable[[str, list[str]], _Rows]] = {
    "one-client-in-sequence": one_client_in_sequence,
    "client-for-each-object": client_for_each_object,
    "shared-client": shared_client,
    "bare-gets-128": lambda bucket, keys: bare_gets(bucket, keys, threads=128),
    "bare-gets-256": lambda bucket, keys: bare_gets(bucket, keys, threads=256),
}


def _body(client: Any, bucket: str, key: str) -> bytes:
    body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def _valid(data: bytes) -> dict[str, Any]:
    return PydanticEvent(**json.loads(data)).model_dump()


def _merge(rows: _Rows, checkpoint: Path) -> None:
    incoming = pl.DataFrame(rows, schema=event_schema(EventFormat.V1_0))
    merged = pl.concat([pl.read_parquet(checkpoint), incoming]).sort("timestamp")
    with tempfile.TemporaryDirectory() as folder:
        merged.write_parquet(Path(folder, "next.parquet"), compression="snappy")


def _list(bucket: str, prefix: str, pages: int) -> int:
    """Look at so many pages as that system does: boto3's paginator, an item for each object."""
    found = boto3.client("s3").get_paginator("list_objects_v2")
    listed = islice(found.paginate(Bucket=bucket, Prefix=prefix), pages)
    return sum(each["Key"].endswith(".json") for page in listed for each in page["Contents"])


def main(way: str, bucket: str, keys_file: str, checkpoint: str = "", *listing: str) -> None:
    """Do it one way, and print how long it took."""
    text = Path(keys_file).read_text(encoding="utf-8")
    rows: _Rows = []
    took = dict.fromkeys(("reading", "merging", "listing"), 0.0)
    if text:
        took["reading"] = seconds_of(lambda: rows.extend(WAYS[way](bucket, text.split("\n"))))
    if rows and checkpoint:
        took["merging"] = seconds_of(lambda: _merge(rows, Path(checkpoint)))
    if listing:
        prefix, pages = listing
        took["listing"] = seconds_of(lambda: _list(bucket, prefix, int(pages)))
    print(json.dumps(took))
    sys.stdout.flush()
    # Thousands of clients take their time to be thrown away.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
