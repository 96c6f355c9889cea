"""Whatever is answered to any request of a run, the run is right, or fails and says what it was.

Each answer at each request of an incremental run, and from the first request of each kind on. Of
a first and of an adopting run those that are most like an answer: what the adapters make of each
answer by itself is in their own tests.
Right is: the multiset of rows is that of an undisturbed run, and every listed object is accounted
for. After a run that failed the checkpoint is as it was or complete, and the next undisturbed run
is right.
"""

import re
from functools import partial

import pytest

from checkpoint_core import CheckpointError, Request, RunReport, Settings, run
from checkpoint_format.stores import QuietObserver
from checkpoint_storage.s3._source import S3Source
from checkpoint_storage.s3._store import S3Store
from tests.end_to_end.s3_worlds import (
    CHECKPOINT,
    LEDGERS,
    SOURCE,
    TARGET,
    Undisturbed,
    World,
    before_a_first_run,
    before_an_incremental_run,
    host_without_pauses,
    undisturbed,
)
from tests.fake_s3 import Fault, LoggedRequest
from tests.fake_s3.faults import INSTEAD, OF_LISTINGS

pytestmark = [pytest.mark.on_one_python, pytest.mark.usefixtures("deltas")]

PAGE_SIZE = 3

FAILED = [Fault.FAIL_BEFORE, Fault.RESPONSE_LOST]
"""Not hostile: no answer, or one that says that it failed, before or after the effect."""
ANYWHERE = [*FAILED, *INSTEAD, Fault.NO_ETAG, Fault.HTML_AFTER, Fault.UNSUPPORTED]
OF_WRITES = [Fault.BAD_DIGEST, Fault.INCOMPLETE_BODY, Fault.SHA256_MISMATCH, Fault.TIME_SKEWED]
ENDLESS = {Fault.EMPTY_TRUNCATED, Fault.LEADS_BACK}
"""From then on they would lead to no end, and only the time that a run has ends them."""
LIKELY = [Fault.STATIC_HTML, Fault.EMPTY_WITH_200, Fault.UNSUPPORTED, Fault.NO_TOKEN]
"""The most like an answer: with an ETag, without a word, in S3's own words, with half the keys."""
CASES = [
    ("incremental", fault, times)
    for fault in sorted({*ANYWHERE, *OF_WRITES, *OF_LISTINGS}, key=lambda fault: fault.name)
    for times in (1, None)
    if times or fault not in ENDLESS
] + [(scenario, fault, 1) for scenario in ("first", "adopting") for fault in (*FAILED, *LIKELY)]
CAUSE = re.compile(
    r"HTTP \d\d\d|[Cc]onnection|that is not S3's answer|does not do|clock is wrong|not what was sent"
)
"""What a message must have of the server's answer."""


def adopting(world: World) -> None:
    """A checkpoint that has lost its ledgers, and an object more."""
    before_a_first_run(world)
    take(world)
    for key in world.s3.keys(TARGET, LEDGERS):
        world.s3.delete_object(TARGET, key)
    world.write(5)


SCENARIOS = {
    "first": before_a_first_run,
    "incremental": before_an_incremental_run,
    "adopting": adopting,
}


def take(world: World, *, adopt: bool = False) -> RunReport:
    """Run once, as the function does, with few keys to a page."""
    world.s3.page_size = PAGE_SIZE
    store = S3Store(TARGET, CHECKPOINT)
    source = S3Source(SOURCE, "prod", page_size=PAGE_SIZE, listing_threads=1, reading_threads=1)
    with store.scratch() as folder:
        return run(
            source,
            store,
            settings=Settings(),
            request=Request(mode="adopt" if adopt else "incremental"),
            host=host_without_pauses(folder, QuietObserver()),
        )


@pytest.fixture(scope="module")
def prepared(served: World, deltas: None) -> dict[str, Undisturbed]:
    """Every scenario, and what an undisturbed run makes of it."""
    return {
        name: undisturbed(served, prepare, partial(take, adopt=name == "adopting"))
        for name, prepare in SCENARIOS.items()
    }


def test_runs_make_every_kind_of_request(prepared: dict[str, Undisturbed]) -> None:
    """Those of the scenarios are what is disturbed below."""
    made = {
        (request.operation, request.bucket)
        for scenario in prepared.values()
        for request in scenario.requests
    }

    assert made == {
        ("GetObject", TARGET),
        ("ListObjectsV2", TARGET),
        ("ListObjectsV2", SOURCE),
        ("GetObject", SOURCE),
        ("PutObject", TARGET),
        ("DeleteObject", TARGET),
    }
    assert any(".upon." in request.key for request in prepared["incremental"].requests)


def concerns(fault: Fault, request: LoggedRequest) -> bool:
    """Tell whether this can be the answer to such a request."""
    if fault in OF_LISTINGS:
        return request.operation == "ListObjectsV2"
    if fault in OF_WRITES:
        return request.operation == "PutObject"
    return True


def assert_right(world: World, plain: Undisturbed, report: RunReport, where: object) -> None:
    """Compare the rows with those of an undisturbed run, and the counts with what is there."""
    counted = sum(getattr(report.counts, name) for name in report.counts.__struct_fields__)
    assert len(world.s3.keys(SOURCE)) == counted, where
    unread = report.counts.unreadable
    assert (world.rows() == plain.rows) or (unread and world.rows() < plain.rows), where


@pytest.mark.parametrize("scenario, fault, times", CASES)
def test_a_run_is_right_or_says_what_was_answered(
    world: World,
    prepared: dict[str, Undisturbed],
    scenario: str,
    fault: Fault,
    times: int | None,
) -> None:
    """Exhaustively: at each request once, or from the first of its kind on.

    Of the event objects at the first, which are all read alike.
    """
    plain, adopts = prepared[scenario], scenario == "adopting"
    tried: set[tuple[str, str]] = set()
    for nth, request in enumerate(plain.requests, start=1):
        kind = (request.operation, request.bucket)
        is_alike = times is None or kind == ("GetObject", SOURCE)
        if not concerns(fault, request) or (is_alike and kind in tried):
            continue
        tried.add(kind)
        world.restore(plain.before)
        checkpoint = world.checkpoint()
        world.s3.plan.add(
            fault,
            operation=request.operation,
            bucket=request.bucket,
            nth=sum(same(each, request) for each in plain.requests[:nth]),
            times=times,
        )
        message: str | None = None
        try:
            report = take(world, adopt=adopts)
        except CheckpointError as error:
            message = str(error)
        else:
            assert_right(world, plain, report, request)
            if request.method == "GET" and world.rows() == plain.rows:
                # It has left behind what the undisturbed run leaves.
                assert [] == world.ledger_problems(), request
                continue
        if message is not None:
            assert times is None or fault is Fault.UNSUPPORTED, (request, message)
            assert CAUSE.search(message), (request, message)
            assert "bug" not in message
            assert world.rows() in (plain.old_rows, plain.rows), request
        world.s3.plan.clear()
        again = take(world, adopt=adopts and world.checkpoint() == checkpoint)
        assert plain.rows == world.rows(), request
        assert again.complete
    assert tried


def same(one: LoggedRequest, other: LoggedRequest) -> bool:
    """Tell whether two requests are of the same kind."""
    return (one.operation, one.bucket) == (other.operation, other.bucket)
