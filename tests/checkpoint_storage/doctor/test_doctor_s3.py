"""The doctor finds, in S3, what a run would fail over, and leaves nothing behind."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from checkpoint_core._files.layout import Names, generation_of
from checkpoint_storage.doctor._probing import PROBE
from checkpoint_storage.s3._clients import close_clients
from tests.checkpoint_lambda.invoking import document, object_key
from tests.checkpoint_storage.doctor.examining import Found, examined
from tests.checkpoint_storage.s3.serving import BUCKET, emptied, serving
from tests.end_to_end.commands import call
from tests.fake_s3 import FakeS3, Fault, Request

SOURCE = f"s3://{BUCKET}/prod"
CHECKPOINT = "s3://checkpoints/out/events.parquet"
# The look-alike knows neither STS nor clocks nor a bucket's settings.
UNKNOWN = {
    "credentials": "warning",
    "clock": "skipped",
    "encryption": "warning",
    "default encryption": "skipped",
    "versioning": "skipped",
    "public access": "skipped",
    "lifecycle": "skipped",
}


@pytest.fixture(scope="module")
def server() -> Iterator[FakeS3]:
    """One server for all tests, and no pauses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("checkpoint_storage.s3._retrying.backoff", lambda *_: 0.0)
        with serving(patch) as s3:
            yield s3


@pytest.fixture
def s3(server: FakeS3) -> Iterator[FakeS3]:
    """Two buckets, with three events in the one."""
    emptied(server)
    server.create_bucket("checkpoints")
    server.load(BUCKET, {object_key(number): document() for number in range(3)})
    yield server
    server.ignored_conditions = ()


def state(s3: FakeS3) -> dict[tuple[str, str], bytes]:
    """Return all that is in the buckets."""
    return {
        (bucket, key): s3.get_object(bucket, key).data
        for bucket in (BUCKET, "checkpoints")
        for key in s3.keys(bucket)
    }


def but_known(found: Found) -> dict[str, str]:
    """Return the states that are neither ok nor what the look-alike always gives."""
    return {name: state for name, state in found.but_ok().items() if UNKNOWN.get(name) != state}


def run() -> None:
    """Run successfully."""
    assert 0 == call("run", SOURCE, CHECKPOINT).status


def test_where_all_is_well_it_says_so_and_leaves_nothing_behind(s3: FakeS3) -> None:
    """Before the first run, which it does not prepare, and after it."""
    before = state(s3)
    first = examined(SOURCE, CHECKPOINT)
    assert before == state(s3)
    run()
    before = state(s3)
    second = examined(SOURCE, CHECKPOINT)

    assert ({}, {}) == (but_known(first), but_known(second))
    assert UNKNOWN == second.but_ok()
    assert before == state(s3)
    assert "3 objects, 3 of these named like event objects" in second.details["source listing"]
    assert "3 rows of 3 objects" in second.details["checkpoint"]


def test_read_only_makes_no_request_that_writes(s3: FakeS3) -> None:
    """Neither PUT nor DELETE; and what would need them is skipped."""
    run()
    s3.log.clear()
    found = examined(SOURCE, CHECKPOINT, "--read-only")

    skipped = ["writing", "conditional writes", "encryption", "removing"]
    assert dict.fromkeys(skipped, "skipped") == but_known(found)
    assert {"GET", "HEAD"} == {each.method for each in s3.log.requests if each.bucket}


def test_the_probe_is_no_ledger_by_its_name(s3: FakeS3) -> None:
    """It lies where the role may write and delete, and has no generation."""
    seen: list[str] = []
    s3.plan.on_request(lambda request: seen.append(request.key), operation="PutObject")
    examined(SOURCE, CHECKPOINT)
    [name] = set(seen)

    assert name.startswith(f"out/{Names('events.parquet').ledgers}/{PROBE}")
    assert 0 == generation_of(name)


def test_no_secret_and_no_value_is_told(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key's id is shortened; the secret, the session's token and events do not occur."""
    key, secret, token = "AKIA0123456789ABCDEF", "a-secret-of-forty", "a-session-token"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    s3.put_object(BUCKET, object_key(0), document(center_label="SECRET-CENTER"))
    ended = call("doctor", SOURCE, CHECKPOINT)

    assert "key AKIA...CDEF from env" in ended.stdout
    assert [text for text in (key, secret, token, "SECRET-CENTER") if text in ended.stdout] == []


def test_credentials_that_end_soon_are_noted(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the moment, and what to do."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2999-01-01T00:00:00Z")
    later = examined(SOURCE, CHECKPOINT).details["credentials"]
    monkeypatch.setattr("checkpoint_storage.doctor._s3.access._SOON", timedelta(days=365_000))
    soon = examined(SOURCE, CHECKPOINT)

    assert "until 2999-01-01T00:00:00Z" in later
    assert "warning" == soon.states["credentials"]
    assert "ends at 2999-01-01T00:00:00Z. Log in again," in soon.details["credentials"]


def test_without_credentials_nothing_else_is_asked(
    s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of S3 is skipped; this machine is looked at."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    s3.log.clear()
    found = examined(SOURCE, CHECKPOINT)

    assert 0 == s3.log.count()
    assert "no usable AWS credentials" in found.details["credentials"]
    assert {"versions": "ok", "credentials": "failed", "free space": "ok"} == {
        name: state for name, state in found.states.items() if state != "skipped"
    }


@pytest.mark.parametrize("which", ["source", "checkpoint"])
def test_a_bucket_that_does_not_exist_fails_and_the_other_is_looked_at(
    s3: FakeS3, which: str
) -> None:
    """What needs it is skipped."""
    places = {"source": SOURCE, "checkpoint": CHECKPOINT}
    places[which] = places[which].replace("s3://", "s3://nobodys-")
    found = examined(places["source"], places["checkpoint"])

    assert {f"{which} bucket"} == {n for n, each in found.states.items() if each == "failed"}
    assert "there is no bucket of this name" in found.details[f"{which} bucket"]
    needs = {"source": "source listing", "checkpoint": "writing"}
    assert "skipped" == found.states.pop(needs.pop(which))
    [other] = needs.values()
    assert "ok" == found.states[other]


@pytest.mark.parametrize("in_headers", [True, False])
def test_a_bucket_in_another_region_is_noted(s3: FakeS3, *, in_headers: bool) -> None:
    """Requests are redirected, and succeed, also where only a refusal's document says where to."""
    s3.bucket("checkpoints").region = "eu-central-1"
    s3.bucket("checkpoints").region_in_headers = in_headers
    found = examined(SOURCE, CHECKPOINT)
    # They keep what they have been told.
    close_clients()

    assert {"checkpoint bucket": "warning"} == but_known(found)
    assert "Set AWS_REGION to eu-central-1" in found.details["checkpoint bucket"]


@pytest.mark.parametrize(
    "bucket,failed",
    [(BUCKET, ["source listing"]), ("checkpoints", ["ledgers", "missing file", "checkpoint"])],
)
def test_a_listing_that_is_denied_fails(s3: FakeS3, bucket: str, failed: list[str]) -> None:
    """Without it a missing file is refused, too; the permission is named.

    The bucket is known to exist nevertheless: a role may list a folder and not the whole bucket.
    """
    s3.bucket(bucket).may_list = False
    found = examined(SOURCE, CHECKPOINT)
    which = "source" if bucket == BUCKET else "checkpoint"

    assert failed == [name for name, each in found.states.items() if each == "failed"]
    assert all("s3:ListBucket" in found.details[name] for name in failed)
    assert "as a whole is not allowed" in found.details[f"{which} bucket"]


@pytest.mark.parametrize("fault", [Fault.UNSUPPORTED, Fault.BAD_DIGEST])
def test_a_server_that_does_not_know_buckets_as_a_whole_is_all_right(
    s3: FakeS3, fault: Fault
) -> None:
    """A run never asks for one."""
    s3.plan.add(fault, operation="HeadBucket", times=None)

    assert {} == but_known(examined(SOURCE, CHECKPOINT))


def test_a_server_without_conditional_writes_fails(s3: FakeS3) -> None:
    """With the very words of a run."""
    s3.plan.add(
        Fault.UNSUPPORTED,
        operation="PutObject",
        where=lambda request: bool({"if-match", "if-none-match"} & request.headers.keys()),
        times=None,
    )
    found = examined(SOURCE, CHECKPOINT)
    ended = call("run", SOURCE, CHECKPOINT)

    assert "failed" == found.states["writing"]
    assert "this server does not do conditional writes (HTTP 501" in found.details["writing"]
    assert 1 == ended.status
    assert "this server does not do conditional writes (HTTP 501" in ended.stderr


def test_an_object_that_is_denied_fails(s3: FakeS3) -> None:
    """As a run would, after it has taken the others."""
    s3.deny(BUCKET, lambda _: True, "GetObject")
    found = examined(SOURCE, CHECKPOINT)

    assert {"source reading": "failed"} == but_known(found)
    assert "Grant s3:GetObject" in found.details["source reading"]


def test_archived_objects_are_not_tried(s3: FakeS3) -> None:
    """The first one that is not archived is read; where all are, there is none to try."""
    s3.archive(BUCKET, object_key(0))
    one = examined(SOURCE, CHECKPOINT)
    s3.archive(BUCKET, object_key(1))
    s3.archive(BUCKET, object_key(2))
    every = examined(SOURCE, CHECKPOINT)

    assert {} == but_known(one)
    assert "1 archived" in one.details["source listing"]
    assert object_key(1) in one.details["source reading"]
    assert {"source reading": "warning"} == but_known(every)


def test_writing_that_is_denied_fails(s3: FakeS3) -> None:
    """What needs it is skipped; the permissions are named."""
    s3.deny("checkpoints", lambda _: True, "PutObject")
    found = examined(SOURCE, CHECKPOINT)

    assert {
        "writing": "failed",
        "conditional writes": "skipped",
        "encryption": "skipped",
        "removing": "skipped",
    } == but_known(found)
    assert "Grant s3:PutObject" in found.details["writing"]


@pytest.mark.parametrize("header", ["if-none-match", "if-match"])
def test_a_server_that_ignores_a_condition_fails(s3: FakeS3, header: str) -> None:
    """Either of the two would lose rows. The probe is removed."""
    before = state(s3)
    s3.ignored_conditions = {header}
    found = examined(SOURCE, CHECKPOINT)

    assert {"conditional writes": "failed"} == but_known(found)
    assert "Two runs at once would lose rows" in found.details["conditional writes"]
    assert before == state(s3)


def test_a_server_that_refuses_the_right_condition_fails(s3: FakeS3) -> None:
    """No checkpoint could ever be replaced. The probe is removed."""
    before = state(s3)
    fault = s3.plan.add(
        Fault.CONFLICT,
        operation="PutObject",
        where=lambda request: "if-match" in request.headers,
        times=None,
    )
    found = examined(SOURCE, CHECKPOINT)

    assert 2 == fault.fired
    assert {"conditional writes": "failed"} == but_known(found)
    assert before == state(s3)


@pytest.mark.parametrize(
    "nth,check,said",
    [
        (2, "writing", "not what was written"),
        (3, "conditional writes", "took place nevertheless"),
        (4, "conditional writes", "not what was written last"),
    ],
)
def test_a_server_that_holds_something_else_fails(
    s3: FakeS3, nth: int, check: str, said: str
) -> None:
    """Whenever the probe is read; the first time is before it is written."""

    def spoil(request: Request) -> None:
        s3.put_object("checkpoints", request.key, b"spoiled")

    def reads(request: Request) -> bool:
        return PROBE in request.key

    hook = s3.plan.on_request(spoil, operation="GetObject", where=reads, nth=nth)
    found = examined(SOURCE, CHECKPOINT)

    assert hook.fired
    assert "failed" == found.states[check]
    assert said in found.details[check]
    assert [] == [key for key in s3.keys("checkpoints") if PROBE in key]


def test_a_server_that_has_what_nobody_wrote_fails(s3: FakeS3) -> None:
    """A first run relies on being told that there is nothing."""
    s3.plan.on_request(
        lambda request: s3.put_object("checkpoints", request.key, b"from nowhere"),
        operation="GetObject",
        where=lambda request: PROBE in request.key,
        times=1,
    )
    found = examined(SOURCE, CHECKPOINT, "--read-only")

    assert "failed" == found.states["missing file"]


def test_a_server_that_refuses_to_write_where_nothing_is_fails(s3: FakeS3) -> None:
    """There would never be a first checkpoint."""
    s3.plan.add(Fault.CONFLICT, operation="PutObject", times=None)
    found = examined(SOURCE, CHECKPOINT)

    assert "refused, although there is nothing" in found.details["writing"]
    assert "failed" == found.states["writing"]


def test_questions_that_no_run_asks_fail_nothing(s3: FakeS3) -> None:
    """For a bucket as a whole and for its settings; each was asked for four times."""
    buckets = s3.plan.add(Fault.FAIL_BEFORE, operation="HeadBucket", bucket=BUCKET, times=None)
    settings = s3.plan.add(
        Fault.FAIL_BEFORE, operation="NotImplemented", bucket="checkpoints", times=None
    )
    found = examined(SOURCE, CHECKPOINT)

    names = ["default encryption", "versioning", "public access", "lifecycle"]
    assert dict.fromkeys(names, "warning") == but_known(found)
    assert (2 * 4, 4 * 4) == (buckets.fired, settings.fired)
    assert "could not be looked at (HTTP 500 InternalError)" in found.details["versioning"]


def is_probe(request: Request) -> bool:
    """Tell whether it is about what the doctor writes."""
    return PROBE in request.key


@pytest.mark.parametrize("fault", [Fault.FAIL_BEFORE, Fault.RESPONSE_LOST, Fault.NO_ETAG])
def test_a_write_whose_outcome_is_not_known_is_read_back(s3: FakeS3, fault: Fault) -> None:
    """As a run does, which would not fail either."""
    planned = s3.plan.add(fault, operation="PutObject", nth=1)
    found = examined(SOURCE, CHECKPOINT)

    assert 1 == planned.fired
    assert {} == but_known(found)


def test_a_write_without_an_answer_fails_and_leaves_nothing(s3: FakeS3) -> None:
    """It took place, and reading back fails.

    The probe is removed although the check that removes it is not reached.
    """
    before = state(s3)
    fault = s3.plan.add(Fault.RESPONSE_LOST, operation="PutObject")
    s3.plan.add(Fault.FAIL_BEFORE, operation="GetObject", where=is_probe, times=None)
    found = examined(SOURCE, CHECKPOINT)

    assert 1 == fault.fired
    assert ("failed", "skipped") == (found.states["writing"], found.states["removing"])
    assert before == state(s3)


def test_a_probe_that_may_not_be_removed_is_told_and_harmless(s3: FakeS3) -> None:
    """Runs go on as if it were not there, a first one too; the next doctor tells of it."""
    s3.deny("checkpoints", lambda key: PROBE in key, "DeleteObject")
    found = examined(SOURCE, CHECKPOINT)
    [left] = s3.keys("checkpoints")
    run()
    s3.put_object(BUCKET, object_key(7), document(gear_name="another"))
    run()
    again = examined(SOURCE, CHECKPOINT)

    assert {"removing": "warning"} == but_known(found)
    assert "The probe is left behind" in found.details["removing"]
    assert {"removing": "warning", "ledgers": "warning"} == but_known(again)
    assert "2 ledgers, and 1 probes" in again.details["ledgers"]
    assert left.removeprefix("out/") in again.details["ledgers"]
    assert "4 rows of 4 objects" in again.details["checkpoint"]
    assert 0 == call("verify", CHECKPOINT, SOURCE).status


def test_a_checkpoint_that_was_removed_fails(s3: FakeS3) -> None:
    """Its later ledgers are there."""
    run()
    s3.put_object(BUCKET, object_key(7), document())
    run()
    s3.delete_object("checkpoints", "out/events.parquet")
    found = examined(SOURCE, CHECKPOINT)

    assert {"checkpoint": "failed"} == but_known(found)
    assert "there was one, of generation 2" in found.details["checkpoint"]


def test_lines_are_written_as_they_come(s3: FakeS3) -> None:
    """A failure in the middle does not keep the others from people; its line says what to do."""
    s3.bucket(BUCKET).may_list = False
    ended = call("doctor", SOURCE, CHECKPOINT)
    lines = ended.stdout.splitlines()

    assert (1, "") == (ended.status, ended.stderr)
    assert [line for line in lines if line.startswith("failed ")] == [
        line for line in lines if "Grant s3:ListBucket on the bucket." in line
    ]
    assert lines[-1].startswith("19 checks: ")
    assert json.loads(call("doctor", SOURCE, CHECKPOINT, "--json").stdout)["passed"] is False
