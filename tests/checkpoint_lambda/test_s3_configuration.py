"""Where requests to S3 go and how they are signed, and what is said where they cannot be made."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as aws

from checkpoint_core.errors import StorageError
from checkpoint_lambda._s3_clients import close_clients, current_clients
from checkpoint_lambda._s3_errors import FAILURES
from checkpoint_lambda._s3_explanations import storage_error
from checkpoint_lambda._s3_source import S3Source
from checkpoint_lambda._s3_store import S3Store
from tests.checkpoint_lambda.s3_serving import BUCKET, serving, set_aws
from tests.fake_s3 import FakeS3, Request

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Close what a test has made."""
    yield
    close_clients()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    """Serve two pages of objects and one checkpoint."""
    with serving(monkeypatch) as s3:
        s3.load(BUCKET, {f"p/{number:04}": b"1" for number in range(1500)})
        yield s3


@pytest.mark.parametrize("given, cores, expected", [(None, 1, "4"), (None, 9, "9"), ("2", 9, "2")])
def test_obstore_has_some_threads_on_any_machine(
    s3: FakeS3,
    monkeypatch: pytest.MonkeyPatch,
    given: str | None,
    cores: int,
    expected: str,
) -> None:
    """Unless somebody has decided otherwise."""
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    # So that it is as before afterwards.
    monkeypatch.setenv("TOKIO_WORKER_THREADS", given or "")
    if given is None:
        monkeypatch.delenv("TOKIO_WORKER_THREADS")

    current_clients().fast(BUCKET)

    assert os.environ["TOKIO_WORKER_THREADS"] == expected


def use_everything() -> None:
    """List with both libraries, read, and look at a checkpoint."""
    source = S3Source(BUCKET, "p", listing_threads=4, first_pause_s=0.001)
    assert 1500 == source.list_objects(restore_states=False).height
    [answer] = source.read(["p/0001"], max_size_bytes=10)
    assert "p/0001" == answer.key
    assert S3Store(BUCKET, "out/a.parquet").read_tail("a.parquet", 10) is None


def endpoint(monkeypatch: pytest.MonkeyPatch) -> str:
    """Take the endpoint that the look-alike has out of the environment."""
    url = os.environ["AWS_ENDPOINT_URL"]
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    return url


def say_region(parsed: dict[str, Any], **_: object) -> None:
    """Add the header that S3 sends with every listing."""
    parsed["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] = "eu-central-1"


class TestConfiguration:
    """The usual AWS environment."""

    def test_clients_are_made_once(self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
        """For as long as the configuration stays the same."""
        first = current_clients()

        assert first is current_clients()
        assert first.fast(BUCKET) is first.fast(BUCKET)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
        assert first is not current_clients()

    def test_no_client_is_made_at_import(self) -> None:
        """An import reads no configuration, not even a wrong one."""
        code = (
            "import os; os.environ['AWS_PROFILE'] = 'nobody'\n"
            "from checkpoint_lambda import _s3_clients, _s3_source, _s3_store\n"
            "_s3_source.S3Source('b'), _s3_store.S3Store('b', 'k')\n"
            "assert not _s3_clients._made\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True)

    @pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
    def test_the_endpoint_may_be_in_either_variable(
        self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        """The other one is empty, which is as if it were not there."""
        url = endpoint(monkeypatch)
        monkeypatch.setenv("AWS_ENDPOINT_URL", "")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "")
        monkeypatch.setenv(variable, url)
        use_everything()

    def test_the_endpoint_of_s3_comes_first(
        self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As the SDKs have it."""
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint(monkeypatch))
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        use_everything()

    def test_a_profile_has_it_all(
        self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Endpoint, region and credentials, for both libraries."""
        signed: list[str] = []
        s3.plan.on_request(lambda request: signed.append(request.headers["authorization"]))
        (tmp_path / "config").write_text(
            "[profile work]\n"
            f"endpoint_url = {endpoint(monkeypatch)}\nregion = eu-west-3\n"
            "aws_access_key_id = PROFILE\naws_secret_access_key = secret\n"
        )
        set_aws(monkeypatch, AWS_CONFIG_FILE=str(tmp_path / "config"), AWS_PROFILE="work")
        use_everything()

        assert signed
        assert all("PROFILE/" in each and "/eu-west-3/s3/" in each for each in signed)

    def test_aws_itself_is_used_where_there_is_no_endpoint(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By both libraries, in the region that is configured."""
        set_aws(monkeypatch, **KEYS, AWS_REGION="eu-west-3", AWS_DEFAULT_REGION="eu-west-3")
        clients = current_clients()

        assert "https://s3.eu-west-3.amazonaws.com" == clients.single.meta.endpoint_url
        assert "https://s3.eu-west-3.amazonaws.com" == clients.fast(BUCKET).config["endpoint"]
        assert "when_supported" == clients.single.meta.config.request_checksum_calculation  # type: ignore[attr-defined] # the stubs do not know it

    def test_other_servers_get_no_checksums(self, s3: FakeS3, tmp_path: Path) -> None:
        """Those of today's SDKs come in a form that other servers may refuse."""
        seen: list[Request] = []
        s3.plan.on_request(seen.append, operation="PutObject")
        (tmp_path / "a").write_bytes(b"data")
        S3Store(BUCKET, "a").put("a", tmp_path / "a")

        assert not [name for name in seen[0].headers if "checksum" in name or "trailer" in name]


class TestRegions:
    """A bucket in another region than the configured one."""

    def test_its_region_is_taken_from_the_first_answer(self, s3: FakeS3) -> None:
        """One request is refused, whose repetition tells; all others are signed for that region."""
        s3.bucket(BUCKET).region = "eu-central-1"
        current_clients().single.meta.events.register("after-call.s3.ListObjectsV2", say_region)
        source = S3Source(BUCKET, "p")
        source.list_objects(restore_states=False)
        list(source.read(["p/0001"], max_size_bytes=10))

        assert 1 == s3.log.count(status=400)

    def test_a_server_that_does_not_tell_is_used_all_the_same(self, s3: FakeS3) -> None:
        """By boto3, which finds out by itself."""
        s3.bucket(BUCKET).region = "eu-central-1"
        use_everything()


class TestExplanations:
    """What an operator reads: where, what, and what to do."""

    def test_no_credentials(self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
        """Said before anything is sent."""
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(
            StorageError,
            match=r"s3://events/p/: listing failed: no usable AWS credentials .*Log in",
        ):
            S3Source(BUCKET, "p").list_objects(restore_states=False)
        with pytest.raises(StorageError, match="reading failed: no usable AWS credentials"):
            list(S3Source(BUCKET, "p").read(["p/0001"], max_size_bytes=1))
        assert 0 == s3.log.count()

    def test_no_such_profile(self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever is asked for first."""
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        with pytest.raises(StorageError, match="AWS_PROFILE"):
            S3Store(BUCKET, "a").read_tail("a", 1)
        with pytest.raises(StorageError, match="AWS_PROFILE"):
            list(S3Source(BUCKET).read(["a"], max_size_bytes=1))

    def test_no_such_bucket(self, s3: FakeS3) -> None:
        """The name is in the message."""
        with pytest.raises(
            StorageError, match=r"s3://lost/: listing failed: there is no bucket of this name"
        ):
            S3Source("lost").list_objects(restore_states=False)

    def test_no_possible_bucket(self, s3: FakeS3) -> None:
        """Refused without being sent."""
        with pytest.raises(StorageError, match="cannot be one of S3's"):
            S3Source("no bucket!").list_objects(restore_states=False)

    def test_no_permission(self, s3: FakeS3) -> None:
        """The one that is missing is named."""
        s3.bucket(BUCKET).may_list = False
        with pytest.raises(StorageError, match=r"access was refused .*s3:ListBucket"):
            S3Source(BUCKET).list_objects(restore_states=False)

    def test_no_connection(self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
        """What to check is said."""
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(StorageError, match=r"cannot be reached .*AWS_ENDPOINT_URL"):
            S3Source(BUCKET, first_pause_s=0.001).list_objects(restore_states=False)

    @pytest.mark.parametrize(
        "code, status, words",
        [
            ("ExpiredToken", 400, "Log in again"),
            ("InvalidAccessKeyId", 403, "Log in again"),
            ("RequestTimeTooSkewed", 403, "Set the clock"),
            ("PermanentRedirect", 301, "Set AWS_REGION"),
            ("KMS.DisabledException", 400, "kms:Decrypt"),
            ("EntityTooLarge", 400, "5 GB"),
            ("InvalidObjectState", 403, "Restore it"),
            ("SlowDown", 503, "slow down"),
            ("InternalError", 500, "Run again later"),
            ("<script>", 400, "HTTP 400"),
        ],
    )
    def test_every_refusal_is_explained(self, code: str, status: int, words: str) -> None:
        """With what to do; S3's own text is left out."""
        answer = {"Error": {"Code": code, "Message": "SECRET"}}
        error = aws.ClientError(
            {**answer, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item] # as much of it as matters
            "GetObject",
        )
        message = str(storage_error(error, "s3://b/k", "reading"))

        assert words in message
        assert "SECRET" not in message
        assert "<" not in message

    def test_everything_that_botocore_raises_is_explained(self) -> None:
        """Also what nobody has thought of."""
        names = [name for name in vars(aws) if name[0].isupper()]
        classes = [each for each in (getattr(aws, name) for name in names) if type(each) is type]
        assert len(classes) > 50

        for each in classes:
            if issubclass(each, FAILURES) and not issubclass(each, aws.ClientError):
                message = str(storage_error(each.__new__(each), "s3://b/k", "reading"))
                assert message.startswith("s3://b/k: reading failed: ")
                assert message.endswith(".")
