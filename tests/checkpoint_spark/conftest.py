"""A Spark application with executors of its own, and an S3 that they and the driver reach."""

import os
import sys
import warnings
from collections.abc import Iterator

import pytest
from msgspec import Struct
from pyspark.sql import SparkSession

from checkpoint_storage.s3._clients import close_clients
from tests.checkpoint_storage.s3.serving import set_aws
from tests.fake_s3 import FakeS3, serve


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what needs the application first, so that one worker has it all.

    Workers that are done take tests over from the end of what others have before them.
    """
    items.sort(key=lambda item: "cluster" not in getattr(item, "fixturenames", ()))


class Cluster(Struct, frozen=True):
    """Two executors, each a process with one core, and what they read."""

    spark: SparkSession
    s3: FakeS3
    environ: dict[str, str]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Give the application; starting it takes far longer than any run."""
    s3 = FakeS3()
    with (
        serve(s3, latency_s={"GetObject": 0.01}) as server,
        pytest.MonkeyPatch.context() as patch,
        warnings.catch_warnings(action="ignore"),
    ):
        environ = {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ENDPOINT_URL": server.endpoint_url,
        }
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("tests")
        for name, value in {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.memory": "512m",
            **{f"spark.executorEnv.{name}": value for name, value in environ.items()},
        }.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        try:
            yield Cluster(session, s3, environ)
        finally:
            session.stop()


@pytest.fixture
def s3(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    """Give two empty buckets, which this process reaches too."""
    s3 = cluster.s3
    s3._buckets.clear()
    s3.plan.clear()
    s3.log.clear()
    for bucket in ("events", "checkpoints"):
        s3.create_bucket(bucket)
    set_aws(monkeypatch, **cluster.environ)
    yield s3
    close_clients()
