"""The doctor finds, in S3, what a run would fail over, and leaves nothing behind."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from checkpoint_format.names import Names, generation_of
from checkpoint_storage.doctor._probing import PROBE
from checkpoint_storage.s3._clients import close_clients
from tests.checkpoint_lambda.invoking import document, object_key
from tests.checkpoint_storage.doctor.examining import Found, examined
from tests.checkpoint_storage.s3.serving import BUCKET
from tests.end_to_end.commands import call
from tests.fake_s3 import FakeS3, Fault, Request
from tests.fake_s3.faults import Match

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


@pytest.fixture
def s3(s3: FakeS3) -> FakeS3:
    """Two buckets, with three events in the one."""
    s3.create_bucket("checkpoints")
    s3.load(BUCKET, {object_key(number): document() for number in range(3)})
    return s3


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


def is_replacement(request: Request) -> bool:
    """Tell whether it is a write on the condition that a version is there."""
    return "if-match" in request.headers


def spoiled(s3: FakeS3, nth: int) -> Match:
    """Let another content be there when the probe is read for the nth time."""
    return s3.plan.on_request(
        lambda request: s3.put_object("checkpoints", request.key, b"spoiled"),
        operation="GetObject",
        where=is_probe,
        nth=nth,
    )


def unanswered(s3: FakeS3) -> Match:
    """Let the first write take place without an answer, and no reading back."""
    s3.plan.add(Fault.FAIL_BEFORE, operation="GetObject", where=is_probe, times=None)
    return s3.plan.add(Fault.RESPONSE_LOST, operation="PutObject")


WRITING = {
    "writing": "failed",
    "conditional writes": "skipped",
    "encryption": "skipped",
    "removing": "skipped",
}
CONDITIONS = {"conditional writes": "failed"}
LOST = "Two runs at once would lose rows"


@pytest.mark.parametrize(
    "spoil, states, words",
    [
        # A run never asks for a bucket as a whole.
        *(
            (lambda s3, fault=fault: s3.plan.add(fault, operation="HeadBucket", times=None), {}, "")
            for fault in (Fault.UNSUPPORTED, Fault.BAD_DIGEST)
        ),
        # A write whose outcome is not known is read back, as a run does.
        *(
            (lambda s3, fault=fault: s3.plan.add(fault, operation="PutObject", nth=1), {}, "")
            for fault in (Fault.FAIL_BEFORE, Fault.RESPONSE_LOST, Fault.NO_ETAG)
        ),
        # As a run would, after it has taken the others.
        (
            lambda s3: s3.deny(BUCKET, lambda _: True, "GetObject"),
            {"source reading": "failed"},
            "Grant s3:GetObject",
        ),
        (
            lambda s3: s3.deny("checkpoints", lambda _: True, "PutObject"),
            WRITING,
            "Grant s3:PutObject",
        ),
        # There would never be a first checkpoint.
        (
            lambda s3: s3.plan.add(Fault.CONFLICT, operation="PutObject", times=None),
            WRITING,
            "refused, although there is nothing",
        ),
        # No checkpoint could ever be replaced.
        (
            lambda s3: s3.plan.add(
                Fault.CONFLICT, operation="PutObject", where=is_replacement, times=None
            ),
            CONDITIONS,
            "",
        ),
        (lambda s3: setattr(s3, "ignored_conditions", {"if-none-match"}), CONDITIONS, LOST),
        (lambda s3: setattr(s3, "ignored_conditions", {"if-match"}), CONDITIONS, LOST),
        # The first time that the probe is read is before it is written.
        (lambda s3: spoiled(s3, 2), WRITING, "not what was written"),
        (lambda s3: spoiled(s3, 3), CONDITIONS, "took place nevertheless"),
        (lambda s3: spoiled(s3, 4), CONDITIONS, "not what was written last"),
        # It is removed although the check that removes it is not reached.
        (unanswered, {"missing file": "failed", **WRITING}, ""),
    ],
)
def test_what_a_run_would_fail_over_fails(
    s3: FakeS3, spoil: Callable[[FakeS3], Match | None], states: dict[str, str], words: str
) -> None:
    """With what to do, and nothing else; the probe is removed in any case."""
    before = state(s3)
    planned = spoil(s3)
    found = examined(SOURCE, CHECKPOINT)

    assert states == but_known(found)
    assert words in "".join(found.details[name] for name in [*states][:1])
    assert planned is None or planned.fired
    s3.bucket(BUCKET).denied.clear()
    assert before == state(s3)


@pytest.mark.parametrize(
    "bucket, failed",
    [(BUCKET, ["source listing"]), ("checkpoints", ["ledgers", "missing file", "checkpoint"])],
)
def test_a_listing_that_is_denied_fails(s3: FakeS3, bucket: str, failed: list[str]) -> None:
    """Without it a missing file is refused, too; the permission is named, on a line for each.

    The bucket is known to exist nevertheless: a role may list a folder and not the whole bucket.
    """
    s3.bucket(bucket).may_list = False
    found = examined(SOURCE, CHECKPOINT)
    lines = call("doctor", SOURCE, CHECKPOINT).stdout.splitlines()
    which = "source" if bucket == BUCKET else "checkpoint"

    assert failed == [name for name, each in found.states.items() if each == "failed"]
    assert all("s3:ListBucket" in found.details[name] for name in failed)
    assert "as a whole is not allowed" in found.details[f"{which} bucket"]
    assert len(failed) == len([line for line in lines if line.startswith("failed ")])
    assert lines[-1].startswith("19 checks: ")


def test_a_server_that_has_what_nobody_wrote_fails(s3: FakeS3) -> None:
    """A first run relies on being told that there is nothing."""
    spoiled(s3, 1)
    found = examined(SOURCE, CHECKPOINT, "--read-only")

    assert "failed" == found.states["missing file"]


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
