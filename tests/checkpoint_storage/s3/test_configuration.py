"""Where requests to S3 go and how they are signed, and what is said where they cannot be made."""

import getpass
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as aws
from botocore.credentials import AssumeRoleProvider
from botocore.response import StreamingBody
from urllib3 import exceptions as http

from checkpoint_format.errors import OutcomeUnknownError, StorageError
from checkpoint_format.stores import Condition
from checkpoint_storage.s3 import S3Source, S3Store
from checkpoint_storage.s3._clients import close_clients, current_clients
from checkpoint_storage.s3._errors import FAILURES, is_transient
from checkpoint_storage.s3._explanations import storage_error
from tests.checkpoint_storage.s3.serving import BUCKET, set_aws
from tests.fake_s3 import FakeS3, Fault, Request

ACCESS_POINT = "arn:aws:s3:us-east-1:123456789012:accesspoint/a"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Close what a test has made."""
    yield
    close_clients()


@pytest.fixture
def s3(s3: FakeS3) -> FakeS3:
    """Return the store with two pages of objects."""
    s3.load(BUCKET, {f"p/{number:04}": b"1" for number in range(1500)})
    return s3


@pytest.fixture
def profile(s3: FakeS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Return what makes a profile the only source of everything but the endpoint."""

    def write(text: str) -> None:
        (tmp_path / "config").write_text(f"[profile work]\nregion = eu-west-3\n{text}\n")
        config, url = str(tmp_path / "config"), os.environ["AWS_ENDPOINT_URL"]
        set_aws(monkeypatch, AWS_CONFIG_FILE=config, AWS_PROFILE="work", AWS_ENDPOINT_URL=url)

    return write


def use_everything() -> None:
    """List with both libraries, read, and look at a checkpoint."""
    source = S3Source(BUCKET, "p", listing_threads=4)
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
            "from checkpoint_storage.s3 import S3Source, S3Store, _clients\n"
            "S3Source('b'), S3Store('b', 'k')\n"
            "assert not _clients._made\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True)

    @pytest.mark.parametrize("whole, of_s3", [("{}", ""), ("", "{}"), ("http://127.0.0.1:9", "{}")])
    def test_the_endpoint_may_be_in_either_variable(
        self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch, whole: str, of_s3: str
    ) -> None:
        """That of S3 comes first, as the SDKs have it; an empty one is as if it were not there."""
        url = endpoint(monkeypatch)
        monkeypatch.setenv("AWS_ENDPOINT_URL", whole.format(url))
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", of_s3.format(url))
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
        assert "https://events.s3.eu-west-3.amazonaws.com" == clients.fast(BUCKET).server.url
        assert "when_supported" == clients.single.meta.config.request_checksum_calculation  # type: ignore[attr-defined] # the stubs do not know it

    @pytest.mark.parametrize(
        "variables, of_s3, bucket, url",
        [
            ({}, "", BUCKET, "https://events.s3.amazonaws.com"),
            ({}, "", "a.b", "https://s3.amazonaws.com/a.b"),
            ({}, "", ACCESS_POINT, "https://a-123456789012.s3-accesspoint.us-east-1.amazonaws.com"),
            ({"AWS_DEFAULT_REGION": "aws-global"}, "", BUCKET, "https://events.s3.amazonaws.com"),
            (
                {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
                "",
                BUCKET,
                "https://events.s3-fips.dualstack.us-east-1.amazonaws.com",
            ),
            (
                {},
                "use_accelerate_endpoint = true",
                BUCKET,
                "https://events.s3-accelerate.amazonaws.com",
            ),
            ({}, "addressing_style = path", BUCKET, "https://s3.amazonaws.com/events"),
            ({}, "addressing_style = virtual", "a.b", "https://s3.amazonaws.com/a.b"),
            (
                {"AWS_ENDPOINT_URL": "http://s3.invalid:9/a b/"},
                "",
                "a.b",
                "http://s3.invalid:9/a%20b/a.b",
            ),
            (
                {"AWS_ENDPOINT_URL": "http://s.invalid"},
                "addressing_style = virtual",
                "a.b",
                "http://a.b.s.invalid",
            ),
            (
                {"AWS_ENDPOINT_URL": "http://[::1]:9/"},
                "addressing_style = virtual",
                BUCKET,
                "http://[::1]:9/events",
            ),
        ],
    )
    def test_libcurl_asks_where_boto3_would(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        variables: dict[str, str],
        of_s3: str,
        bucket: str,
        url: str,
    ) -> None:
        """And signs for the same region, whatever decides over it."""
        config = tmp_path / "config"
        config.write_text("[default]\nregion = us-east-1\n" + f"s3 =\n  {of_s3}" * bool(of_s3))
        set_aws(monkeypatch, **KEYS, AWS_CONFIG_FILE=str(config), **variables)
        clients = current_clients()
        sent: list[Any] = []

        def keep(request: Any, **_: object) -> None:
            sent.append(request)
            raise ZeroDivisionError

        clients.single.meta.events.register_first("before-send.s3.GetObject", keep)
        with pytest.raises(ZeroDivisionError):
            clients.single.get_object(Bucket=bucket, Key="a")

        assert f"{url}/a" == sent[0].url
        assert url == clients.fast(bucket).server.url
        assert "/us-east-1/s3/" in sent[0].headers["Authorization"].decode()
        assert "us-east-1" == clients.fast(bucket).server.region

    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    def test_a_forked_process_has_clients_of_its_own(self, s3: FakeS3) -> None:
        """On a connection that both had, each would take the other's answers."""
        before = current_clients()
        read, write = os.pipe()
        child = os.fork()
        if not child:
            os.write(write, b"%d" % (current_clients() is not before))
            os._exit(0)
        os.waitpid(child, 0)

        assert b"1" == os.read(read, 1)
        assert before is current_clients()
        os.close(read)
        os.close(write)

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
        """One request of each client is refused; all others are signed for that region."""
        s3.bucket(BUCKET).region = "eu-central-1"
        current_clients().single.meta.events.register("after-call.s3.ListObjectsV2", say_region)
        source = S3Source(BUCKET, "p")
        source.list_objects(restore_states=False)
        list(source.read(["p/0001"], max_size_bytes=10))

        assert 2 == s3.log.count(status=400)

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

    @pytest.mark.parametrize(
        "variables, bucket, words",
        [
            ({}, "lost", "there is no bucket of this name"),
            ({"AWS_PROFILE": "nobody"}, BUCKET, "AWS_PROFILE"),
            ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, BUCKET, "cannot be reached .*AWS_ENDP"),
            ({"AWS_ENDPOINT_URL": "minio.example:9000"}, BUCKET, "AWS_ENDPOINT_URL begins with ht"),
            ({"AWS_MAX_ATTEMPTS": "many"}, BUCKET, "a value in the AWS configuration cannot be"),
        ],
    )
    def test_what_no_request_can_do_fails_all_of_them(
        self,
        s3: FakeS3,
        monkeypatch: pytest.MonkeyPatch,
        variables: dict[str, str],
        bucket: str,
        words: str,
    ) -> None:
        """Whatever is asked for first; nothing is said of the single objects."""
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(StorageError, match=f"s3://{bucket}/: listing failed: .*{words}"):
            S3Source(bucket).list_objects(restore_states=False)
        with pytest.raises(StorageError, match=f"s3://{bucket}/: reading failed: .*{words}"):
            list(S3Source(bucket).read(["a", "b"], max_size_bytes=1))
        with pytest.raises(StorageError, match=f"s3://{bucket}/a: reading failed: .*{words}"):
            S3Store(bucket, "a").read_tail("a", 1)

    def test_no_possible_bucket(self, s3: FakeS3) -> None:
        """Refused without being sent."""
        with pytest.raises(StorageError, match="cannot be one of S3's"):
            S3Source("no bucket!").list_objects(restore_states=False)
        assert 0 == s3.log.count()

    def test_no_permission(self, s3: FakeS3) -> None:
        """The one that is missing is named."""
        s3.bucket(BUCKET).may_list = False
        with pytest.raises(StorageError, match=r"access was refused .*s3:ListBucket"):
            S3Source(BUCKET).list_objects(restore_states=False)

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

    @pytest.mark.parametrize("where", ["header", "document"])
    def test_the_region_that_a_refusal_names_is_told(self, where: str) -> None:
        """So that nobody has to look for it."""
        answer: dict[str, Any] = {
            "Error": {"Code": "PermanentRedirect"},
            "ResponseMetadata": {"HTTPStatusCode": 301, "HTTPHeaders": {}},
        }
        if where == "header":
            answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] = "eu-central-1"
        else:
            answer["Error"]["Region"] = "eu-central-1"
        error = aws.ClientError(answer, "GetObject")  # type: ignore[arg-type] # as much of it as matters

        assert "Set AWS_REGION to eu-central-1." in str(storage_error(error, "s3://b/k", "reading"))


CREDENTIALS = "no usable AWS credentials|AWS profile that is asked for"
MFA = "needs the code of an MFA device"
CONFIGURATION = "something in the AWS configuration|the region is not|needs the package awscrt"
CONNECTION = "the connection failed each time|cannot be reached|no secure connection"
NAME = "the name cannot be one of S3's"
CHECKSUM = "does not have the checksum"
MISUSE = "the request could not be made"
"""What cannot come about by what anybody configured: boto3 would have been used in a wrong way."""

BOTOCORE = {
    CREDENTIALS: """CredentialRetrievalError LoginAuthorizationCodeError LoginError
        LoginInsufficientPermissions LoginRefreshRequired LoginTokenLoadError MetadataRetrievalError
        NoAuthTokenError NoCredentialsError PartialCredentialsError ProfileNotFound
        SSOError SSOTokenLoadError TokenRetrievalError
        UnauthorizedSSOTokenError UnknownCredentialError UnknownTokenProviderError""",
    MFA: "RefreshWithMFAUnsupportedError",
    CONFIGURATION: """BaseEndpointResolverError ConfigNotFound ConfigParseError
        EndpointProviderError EndpointResolutionError EndpointVariantError InfiniteLoopConfigError
        InvalidChecksumConfigError InvalidConfigError InvalidDefaultsMode
        InvalidEndpointConfigurationError InvalidHostLabelError InvalidIMDSEndpointError
        InvalidIMDSEndpointModeError InvalidMaxRetryAttemptsError InvalidProxiesConfigError
        InvalidRegionError InvalidRetryConfigurationError InvalidRetryModeError
        InvalidS3AddressingStyleError InvalidS3UsEast1RegionalEndpointConfigError
        InvalidSTSRegionalEndpointsConfigError MissingDependencyException NoRegionError
        ServiceNotInRegionError UnknownEndpointError UnknownEndpointResolutionBuiltInName
        UnknownFIPSEndpointError UnknownRegionError UnknownSignatureVersionError
        UnsupportedS3AccesspointConfigurationError UnsupportedS3ConfigurationError
        UnsupportedSignatureVersionError""",
    CONNECTION: """ConnectTimeoutError ConnectionClosedError ConnectionError EndpointConnectionError
        HTTPClientError IncompleteReadError ProxyConnectionError ReadTimeoutError
        ResponseStreamingError SSLError""",
    CHECKSUM: "ChecksumError FlexibleChecksumError",
    NAME: """InvalidDNSNameError ParamValidationError UnsupportedOutpostResourceError
        UnsupportedS3ArnError""",
    MISUSE: """AliasConflictParameterError ApiVersionNotFoundError AwsChunkedWrapperError
        BotoCoreError CapacityNotAvailableError DataNotFoundError
        InvalidEndpointDiscoveryConfigurationError InvalidExpressionError MD5UnavailableError
        MissingParametersError OperationNotPageableError PaginationError RangeError
        StubAssertionError StubResponseError UnStubbedResponseError UnknownClientMethodError
        UnknownKeyError UnknownParameterError UnknownServiceError UnknownServiceStyle
        UnseekableStreamError UnsupportedS3ControlArnError UnsupportedS3ControlConfigurationError
        UnsupportedServiceProtocolsError ValidationError WaiterConfigError WaiterError""",
    "answers, which say what they are": "ClientError EventStreamError",
    "no errors of requests": "MissingServiceIdError UndefinedModelAttributeError",
}
URLLIB3 = {
    CONNECTION: """BodyNotHttplibCompatible ClosedPoolError ConnectTimeoutError ConnectionError
        DecodeError EmptyPoolError FullPoolError HTTPError HeaderParsingError HostChangedError
        IncompleteRead InvalidChunkLength InvalidHeader MaxRetryError NameResolutionError
        NewConnectionError PoolError ProtocolError ProxyError ReadTimeoutError RequestError
        ResponseError ResponseNotChunked SSLError TimeoutError TimeoutStateError
        UnrewindableBodyError""",
    CONFIGURATION: "LocationParseError LocationValueError ProxySchemeUnknown URLSchemeUnknown",
    "a value, see below": "ProxySchemeUnsupported",
}


def own_errors(module: Any) -> dict[str, type[Exception]]:
    """Return the exceptions that a module defines."""
    return {
        name: each
        for name, each in vars(module).items()
        if isinstance(each, type)
        and issubclass(each, Exception)
        and not issubclass(each, Warning)
        and each.__module__ == module.__name__
    }


class TestExceptions:
    """Whatever botocore and urllib3 raise is one of a few things, each with what to do."""

    @pytest.mark.parametrize("module, expected", [(aws, BOTOCORE), (http, URLLIB3)])
    def test_every_class_of_theirs_is_classified(
        self, module: Any, expected: dict[str, str]
    ) -> None:
        """A new one fails here, so that somebody says what it means."""
        kinds = {name: kind for kind, names in expected.items() for name in names.split()}
        known = own_errors(module)
        assert sorted(kinds) == sorted(known)

        for name, each in known.items():
            if issubclass(each, FAILURES) and not issubclass(each, aws.ClientError):
                error = each.__new__(each)
                message = str(storage_error(error, "s3://b/k", "reading"))
                assert re.search(kinds[name], message), name
                assert message.startswith("s3://b/k: reading failed: ")
                assert message.endswith(".")
                # Nobody asks again where the configuration is wrong, everybody where it is not.
                repeated = kinds[name] in {CONNECTION, CHECKSUM}
                assert is_transient(error) is repeated, name
            else:
                assert kinds[name] not in {CREDENTIALS, CONFIGURATION, CONNECTION, NAME}, name


class TestRawFailures:
    """What comes out of boto3 and is no error of its own: one line that says what to do."""

    @staticmethod
    def assert_told(words: str) -> None:
        """List, read, look at a checkpoint and write one: each says the same."""
        store = S3Store(BUCKET, "out/a.parquet")
        source = S3Source(BUCKET, "p")
        with pytest.raises(StorageError, match=words):
            source.list_objects(restore_states=False)
        with pytest.raises(StorageError, match=words):
            list(source.read(["p/0001"], max_size_bytes=10))
        with pytest.raises(StorageError, match=words):
            store.read_tail("a.parquet", 10)
        with pytest.raises(StorageError, match=words):
            store.fetch("a.parquet", Path(os.devnull).with_name("nothing"))
        with pytest.raises(StorageError, match=words) as raised:
            store.put_if("a.parquet", Path(__file__), Condition(None))
        assert not isinstance(raised.value, OutcomeUnknownError)

    @pytest.mark.parametrize(
        "variables, words",
        [
            # Somebody has forgotten the date.
            (
                {
                    **KEYS,
                    "AWS_SESSION_TOKEN": "token",
                    "AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z",
                },
                r"have expired, and could not be renewed \(RuntimeError\)\. Log in again",
            ),
            # A container has lost its mount.
            (
                {
                    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token",
                    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/a",
                },
                r"cannot be used: /nowhere/token .*AWS_WEB_IDENTITY_TOKEN_FILE",
            ),
        ],
    )
    def test_variables_that_give_no_usable_credentials(
        self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
    ) -> None:
        """Expired, or in a file that is not there."""
        set_aws(monkeypatch, AWS_ENDPOINT_URL=os.environ["AWS_ENDPOINT_URL"], **variables)
        self.assert_told(words)

    @pytest.mark.parametrize(
        "process, words",
        [
            ("cat {}", "have expired, and could not be renewed|no usable AWS credentials"),
            ("/nowhere/at-all", r"cannot be used: /nowhere/at-all \(No such file.*AWS_"),
            ("echo hello", "credential_process prints JSON"),
        ],
    )
    def test_a_process_that_gives_no_usable_credentials(
        self, profile: Callable[[str], None], tmp_path: Path, process: str, words: str
    ) -> None:
        """Expired ones, or none: `credential_process` is not there, or prints something else."""
        answer = tmp_path / "answer"
        answer.write_text(
            '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c",'
            ' "Expiration": "2020-01-01T00:00:00Z"}'
        )
        profile(f"credential_process = {process.format(answer)}")
        self.assert_told(words)

    def test_a_profile_that_asks_for_a_code(
        self, profile: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And nobody is there."""
        profile(
            "role_arn = arn:aws:iam::123456789012:role/a\nmfa_serial = arn:aws:iam::1:mfa/b\n"
            "source_profile = base\n[profile base]\naws_access_key_id = a\n"
            "aws_secret_access_key = b"
        )

        def nobody(_: str) -> str:
            raise EOFError

        made = AssumeRoleProvider.__init__
        defaults = tuple(
            nobody if each is getpass.getpass else each for each in made.__defaults__ or ()
        )
        assert nobody in defaults
        monkeypatch.setattr(made, "__defaults__", defaults)
        self.assert_told(r"needs the code of an MFA device.*Log in beforehand")

    def test_an_error_in_the_middle_of_a_body_is_repeated(
        self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """urllib3's own, as boto3 lets it through; then it is told as what it is."""
        s3.put_object(BUCKET, "a", b"data")
        failures = iter([True, True, True, False, *[True] * 9])
        read = StreamingBody.read

        def broken(body: StreamingBody, amount: int | None = None) -> bytes:
            if next(failures):
                raise http.SSLError
            return read(body, amount)

        monkeypatch.setattr(StreamingBody, "read", broken)
        store = S3Store(BUCKET, "a")
        found = store.read_tail("a", 10)
        assert found is not None
        assert found.data == b"data"
        with pytest.raises(StorageError, match=r"the connection failed each time \(SSLError\)"):
            store.read_tail("a", 10)


class TestOverriding:
    """What the user has configured comes before our defaults, on any server."""

    @pytest.mark.parametrize("style", [None, "virtual", "auto", "path"])
    def test_the_addressing_style(self, profile: Callable[[str], None], style: str | None) -> None:
        """Which both clients have."""
        keys = "aws_access_key_id = a\naws_secret_access_key = b\n"
        profile(keys + (f"s3 =\n  addressing_style = {style}" if style else ""))
        clients = current_clients()
        config: Any = clients.single.meta.config
        assert (style or "path") == config.s3["addressing_style"]

    @pytest.mark.parametrize("where", ["environment", "profile"])
    def test_checksums(
        self, profile: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, where: str
    ) -> None:
        """Of what is written."""
        profile("request_checksum_calculation = when_supported" if where == "profile" else "")
        if where == "environment":
            monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_supported")
        config: Any = current_clients().single.meta.config

        assert "when_supported" == config.request_checksum_calculation
        assert "when_required" == config.response_checksum_validation

    @pytest.mark.parametrize("attempts", [1, 2, 6])
    def test_how_often_is_asked(
        self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch, attempts: int
    ) -> None:
        """By listings and reads; a conditional write is asked for once all the same."""
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", str(attempts))
        s3.plan.add(Fault.FAIL_BEFORE, times=None)
        store = S3Store(BUCKET, "a")
        with pytest.raises(StorageError):
            store.read_tail("a", 1)
        assert attempts == s3.log.count("GetObject")
        with pytest.raises(StorageError):
            store.list_files("x")
        assert attempts == s3.log.count("ListObjectsV2")
        with pytest.raises(OutcomeUnknownError):
            store.put_if("a", Path(__file__), Condition(None))
        assert 1 == s3.log.count("PutObject")
