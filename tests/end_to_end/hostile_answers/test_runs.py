"""Whatever is answered to any request of a run, the run is right, or fails and says what it was.

Each answer at each request of a first, an incremental and an adopting run; and from the first
request of each kind on.
Right is: the multiset of rows is that of an undisturbed run, and every listed object is accounted
for. After a run that failed the checkpoint is as it was or complete, and the next undisturbed run
is right.
"""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from msgspec import Struct

from checkpoint_core import CheckpointError, Request, RunReport, Settings, run
from checkpoint_core.stores import QuietObserver
from checkpoint_storage.local import local_host
from checkpoint_storage.s3._source import S3Source
from checkpoint_storage.s3._store import S3Store
from tests.checkpoint_core.world import Row
from tests.end_to_end.s3_worlds import CHECKPOINT, LEDGERS, SOURCE, TARGET, Saved, World
from tests.fake_s3 import Fault, LoggedRequest
from tests.fake_s3.faults import INSTEAD, OF_LISTINGS

pytestmark = pytest.mark.on_one_python

ANYWHERE = [*INSTEAD, Fault.NO_ETAG, Fault.HTML_AFTER, Fault.UNSUPPORTED]
OF_WRITES = [Fault.BAD_DIGEST, Fault.INCOMPLETE_BODY, Fault.SHA256_MISMATCH, Fault.TIME_SKEWED]
ENDLESS = {Fault.EMPTY_TRUNCATED, Fault.LEADS_BACK}
"""From then on they would lead to no end, and only the time that a run has ends them."""
FAULTS = [
    pytest.param(fault, times, id=f"{fault.name}, {'once' if times else 'from then on'}")
    for fault in sorted({*ANYWHERE, *OF_WRITES, *OF_LISTINGS}, key=lambda fault: fault.name)
    for times in (1, None)
    if times or fault not in ENDLESS
]
CAUSE = re.compile(
    r"HTTP \d\d\d|that is not S3's answer|does not do|clock is wrong|not what was sent"
)
"""What a message must have of the server's answer."""


class Undisturbed(Struct, frozen=True):
    """What is there before a run, and what the run does when nothing goes wrong."""

    before: Saved
    old_rows: Counter[Row]
    rows: Counter[Row]
    adopt: bool
    requests: list[LoggedRequest]


def first(world: World) -> bool:
    """Three events and an invalid one."""
    world.write(1, 2, 3)
    world.put(4, b"{}")
    return False


def incremental(world: World) -> bool:
    """New and rewritten ones, after a run."""
    first(world)
    take(world)
    world.write(5, 6)
    world.write(1, module="FTLD")
    return False


def adopting(world: World) -> bool:
    """A checkpoint that has lost its ledgers, and an object more."""
    first(world)
    take(world)
    for key in world.s3.keys(TARGET, LEDGERS):
        world.s3.delete_object(TARGET, key)
    world.write(5)
    return True


SCENARIOS: list[Callable[[World], bool]] = [first, incremental, adopting]


def take(world: World, *, adopt: bool = False) -> RunReport:
    """Run once, as the function does, with few keys to a page."""
    store = S3Store(TARGET, CHECKPOINT)
    source = S3Source(SOURCE, "prod", page_size=2, listing_threads=1, reading_threads=1)
    with store.scratch() as folder:
        return run(
            source,
            store,
            settings=Settings(),
            request=Request(mode="adopt" if adopt else "incremental"),
            host=local_host(folder, QuietObserver()),
        )


@pytest.fixture(scope="module")
def prepared(world: World) -> dict[str, Undisturbed]:
    """Every scenario, and what an undisturbed run makes of it."""
    found = {}
    for prepare in SCENARIOS:
        world.clear()
        adopt = prepare(world)
        before, old_rows = world.save(), world.rows()
        requests = world.requests(lambda adopt=adopt: take(world, adopt=adopt))  # type: ignore[misc] # a default
        found[prepare.__name__] = Undisturbed(before, old_rows, world.rows(), adopt, requests)
    return found


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


@pytest.mark.parametrize("fault, times", FAULTS)
@pytest.mark.parametrize("scenario", [prepare.__name__ for prepare in SCENARIOS])
def test_a_run_is_right_or_says_what_was_answered(
    world: World,
    prepared: dict[str, Undisturbed],
    scenario: str,
    fault: Fault,
    times: int | None,
) -> None:
    """Exhaustively: at each request once, or from the first of its kind on."""
    plain = prepared[scenario]
    tried: set[tuple[str, str]] = set()
    for nth, request in enumerate(plain.requests, start=1):
        kind = (request.operation, request.bucket)
        if not concerns(fault, request) or (times is None and kind in tried):
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
            report = take(world, adopt=plain.adopt)
        except CheckpointError as error:
            message = str(error)
        else:
            assert_right(world, plain, report, request)
        if message is not None:
            assert times is None or fault is Fault.UNSUPPORTED, (request, message)
            assert CAUSE.search(message), (request, message)
            assert "bug" not in message
            assert world.rows() in (plain.old_rows, plain.rows), request
        world.s3.plan.clear()
        again = take(world, adopt=plain.adopt and world.checkpoint() == checkpoint)
        assert plain.rows == world.rows(), request
        assert again.complete
    assert tried


def same(one: LoggedRequest, other: LoggedRequest) -> bool:
    """Tell whether two requests are of the same kind."""
    return (one.operation, one.bucket) == (other.operation, other.bucket)
