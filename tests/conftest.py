"""Settings of Hypothesis, quick where a person waits, thorough in CI; and what tests share."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# No deadline and no complaint about slowness: a busy machine is not a defect of the code.
settings.register_profile(
    "quick", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# Derandomized: in CI one commit has one result. The search for new cases happens locally.
settings.register_profile(
    "repeatable", settings.get_profile("quick"), derandomize=True, print_blob=True
)
# On the second Python and the third: whether it works there too, not whether it works.
settings.register_profile("elsewhere", settings.get_profile("repeatable"), max_examples=20)
settings.register_profile("thorough", settings.get_profile("repeatable"), max_examples=150)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Hatch has coverage started in every process that a test starts. It would slow them down and leave
# files where they run, and what they do is not measured.
os.environ.pop("COVERAGE_PROCESS_START", None)


@pytest.fixture(scope="module")
def deltas() -> Iterator[None]:
    """Let small ledgers have deltas too, as long as these have no more rows than the full one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("checkpoint_format.ledger._FULL_BY_DELTA", 1)
        yield
