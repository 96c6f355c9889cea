"""What libcurl sends: signed as botocore would sign it, to where boto3 would send it."""

import ipaddress
import itertools
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from checkpoint_format.errors import StorageError
from checkpoint_format.stores import Content
from checkpoint_storage.s3 import S3Source, _http
from checkpoint_storage.s3._clients import close_clients, current_clients
from checkpoint_storage.s3._http import LARGEST_BYTES, Answer
from tests.checkpoint_storage.s3.serving import BUCKET, set_aws
from tests.fake_s3 import FakeS3, Request, serve

KEYS = [
    "p/a",
    "p/a b%20+&?#ü",
    "p//b",
    "/a",
    "p/",
    "p/a\tb",
    "p/\U0001f600",
    "p/=;,:@!$'()*~-._",
    "p/%2F%7e",
]
SECRET = "sec:ret/+=é"


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Close what a test has made."""
    yield
    close_clients()


@pytest.fixture
def sent(s3: FakeS3) -> list[Request]:
    """Return the requests that come to the server."""
    found: list[Request] = []
    s3.plan.on_request(found.append)
    return found


def read(*keys: str) -> list[bytes]:
    """Read these objects, and return their contents in the order of their keys."""
    answers = S3Source(BUCKET, "").read(keys, max_size_bytes=1_000_000)
    found = {answer.key: answer.data for answer in answers if isinstance(answer, Content)}
    return [found[key] for key in keys]


def signature_by_botocore(request: Request, token: str | None) -> str:
    """Return how botocore signs the request that was sent, in its own words."""
    auth = S3SigV4Auth(Credentials("key", SECRET, token), "s3", "us-east-1")
    names = request.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    path, _, query = request.target.partition("?")
    signed = AWSRequest("GET", f"http://{request.headers['host']}{request.target}")
    signed.context["timestamp"] = request.headers["x-amz-date"]
    canonical = [
        "GET",
        path,
        "&".join(sorted(query.split("&"))),
        *(f"{name}:{' '.join(request.headers[name].split())}" for name in names),
        "",
        ";".join(names),
        request.headers["x-amz-content-sha256"],
    ]
    return str(auth.signature(auth.string_to_sign(signed, "\n".join(canonical)), signed))


class TestSignatures:
    """Of every path and query that our keys make."""

    @pytest.mark.parametrize("token", [None, "tok/en+=="])
    def test_they_are_those_of_botocore(
        self,
        s3: FakeS3,
        sent: list[Request],
        monkeypatch: pytest.MonkeyPatch,
        token: str | None,
    ) -> None:
        """Of objects and of pages, with the token of temporary credentials."""
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        if token:
            monkeypatch.setenv("AWS_SESSION_TOKEN", token)
        s3.load(BUCKET, {key: key.encode() for key in KEYS})

        assert [key.encode() for key in KEYS] == read(*KEYS)
        for key in KEYS:
            answer = (
                current_clients()
                .fast(BUCKET)
                .page({"list-type": "2", "prefix": "p/", "start-after": key, "max-keys": "1"})
            )
            assert answer.status == 200
        assert {f"/{BUCKET}/{quote(key, safe='/~')}" for key in KEYS} < {
            request.target for request in sent
        }
        assert len(sent) == 2 * len(KEYS)
        for request in sent:
            assert request.headers["authorization"].endswith(
                f"Signature={signature_by_botocore(request, token)}"
            )
            assert request.headers.get("x-amz-security-token") == token

    def test_renewed_credentials_sign_what_comes_next(
        self, s3: FakeS3, sent: list[Request], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With the connections that are there."""
        s3.load(BUCKET, {"a": b"1"})
        read("a")
        fast = current_clients().fast(BUCKET)
        monkeypatch.setattr(fast, "_credentials", Credentials("renewed", "secret", "token"))
        read("a")
        monkeypatch.setattr(fast, "_credentials", Credentials("again", "secret"))
        read("a")

        assert ["key", "renewed", "again"] == [
            request.headers["authorization"].split("Credential=")[1].split("/")[0]
            for request in sent
        ]
        assert [None, "token", None] == [
            request.headers.get("x-amz-security-token") for request in sent
        ]


class TestSizes:
    """How much of an object libcurl takes."""

    @pytest.mark.parametrize("size, requests", [(LARGEST_BYTES, 1), (LARGEST_BYTES + 1, 2)])
    def test_a_large_object_is_left_to_boto3(self, s3: FakeS3, size: int, requests: int) -> None:
        """Which waits until there is room for it."""
        s3.put_object(BUCKET, "a", b"x" * size)

        assert [b"x" * size] == read("a")
        assert {"GetObject": requests} == s3.log.operations()


class TestAnswers:
    """What is told of one."""

    @pytest.mark.parametrize("before", ["200 Connection established", "103 Early Hints"])
    def test_a_header_is_that_of_the_answer_itself(self, before: str) -> None:
        """Not of a proxy's, or a preliminary one."""
        head = (
            f"HTTP/1.1 {before}\r\nETag: early\r\nVia: early\r\n\r\n"
            "HTTP/1.1 200 OK\r\nServer: x ETag: y\r\nETAG:  e \r\n\r\n"
        )
        answer = Answer(200, head.encode())

        assert ("e", "") == (answer.header(b"etag"), answer.header(b"via"))


class TestInterruptions:
    """As by Ctrl-C, or by a timer that raises."""

    def test_whatever_it_comes_amidst_of_the_next_ones_ask_as_ever(self, s3: FakeS3) -> None:
        """Before each line of the client's code."""
        s3.load(BUCKET, {"a": b"1", "b": b"2"})
        fast = current_clients().fast(BUCKET)
        interrupted = 0

        def ask() -> dict[str, bytes]:
            found = fast.objects(["a", "b"], at_once=2, remaining_s=lambda: 9)
            return {key: answer.body for key, answer in found}

        def interrupting(at: int) -> Any:
            lines = itertools.count()

            def trace(frame: FrameType, event: str, _: object) -> Any:
                if frame.f_code.co_filename != _http.__file__:
                    return None
                if event == "line" and next(lines) == at:
                    sys.settrace(None)
                    raise KeyboardInterrupt
                return trace

            return trace

        tracing = sys.gettrace()
        for at in itertools.count():
            sys.settrace(interrupting(at))
            try:
                ask()
            except KeyboardInterrupt:
                interrupted += 1
            else:
                break
            finally:
                sys.settrace(tracing)
            assert {"a": b"1", "b": b"2"} == ask()

        assert interrupted > 20


class TestProxies:
    """Where the environment says, for both libraries alike."""

    def test_requests_go_through_the_proxy(
        self, s3: FakeS3, sent: list[Request], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With the name of the server that is meant, which nobody here could find."""
        monkeypatch.setenv("http_proxy", current_clients().single.meta.endpoint_url)
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://s3.invalid")
        s3.load(BUCKET, {"a": b"1", "b": b"x" * (LARGEST_BYTES + 1)})

        assert [b"1", b"x" * (LARGEST_BYTES + 1)] == read("a", "b")
        assert 2 == S3Source(BUCKET).list_objects(restore_states=False).height
        assert {"http://s3.invalid"} == {
            request.target.rpartition(f"/{BUCKET}")[0] for request in sent
        }

    def test_only_what_boto3_excepts_is_excepted(
        self, s3: FakeS3, sent: list[Request], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Masks of addresses, which libcurl knows, are none to boto3."""
        url = current_clients().single.meta.endpoint_url
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.setenv("no_proxy", "127.0.0.0/8")
        s3.put_object(BUCKET, "a", b"1")

        assert [b"1"] == read("a")
        assert [f"{url}/{BUCKET}/a"] == [request.target for request in sent]

    def test_a_bucket_may_be_part_of_the_host_s_name(
        self, s3: FakeS3, sent: list[Request], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Then what is signed is the path without it."""
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        (tmp_path / "config").write_text("[default]\ns3 =\n  addressing_style = virtual\n")
        monkeypatch.setenv("http_proxy", current_clients().single.meta.endpoint_url)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://s3.invalid")
        fast = current_clients().fast(BUCKET)
        fast.page({"list-type": "2"})
        list(fast.objects(["a"], at_once=1, remaining_s=lambda: 9))

        host = f"http://{BUCKET}.s3.invalid"
        assert [f"{host}/?list-type=2", f"{host}/a"] == [request.target for request in sent]
        for request in sent:
            request.target = request.target.removeprefix(host)
            assert request.headers["authorization"].endswith(
                f"Signature={signature_by_botocore(request, None)}"
            )

    def test_not_for_what_is_excepted(self, s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
        """By its name."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        s3.put_object(BUCKET, "a", b"1")

        assert [b"1"] == read("a")


class TestCertificates:
    """Of a server that only a private authority vouches for."""

    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        """Return a certificate that vouches for itself, with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([here]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path / "certificate.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        return file

    @pytest.mark.parametrize("where", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "profile", "nowhere"])
    def test_it_is_trusted_where_the_configuration_says_so(
        self, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
    ) -> None:
        """And by nobody otherwise."""
        s3 = FakeS3()
        s3.create_bucket(BUCKET)
        s3.load(BUCKET, {"a": b"1", "b": b"x" * (LARGEST_BYTES + 1)})
        with serve(s3, certificate=certificate) as server:
            variables = {"AWS_ENDPOINT_URL": server.endpoint_url, "AWS_DEFAULT_REGION": "us-east-1"}
            if where.isupper():
                variables[where] = str(certificate)
            if where == "profile":
                config = tmp_path / "config"
                config.write_text(f"[default]\nca_bundle = {certificate}\n")
                variables["AWS_CONFIG_FILE"] = str(config)
            set_aws(
                monkeypatch, AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", **variables
            )
            if where == "nowhere":
                for other in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
                    monkeypatch.setenv(other, str(certificate))
                with pytest.raises(StorageError, match="no secure connection"):
                    read("a")
                assert 0 == s3.log.count()
            else:
                assert [b"1", b"x" * (LARGEST_BYTES + 1)] == read("a", "b")
                assert {"GetObject": 3} == s3.log.operations()
