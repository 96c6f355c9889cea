"""Settings of Hypothesis, quick where a person waits, thorough in CI; and what is not measured."""

import os

from hypothesis import HealthCheck, settings

# No deadline and no complaint about slowness: a busy machine is not a defect of the code.
settings.register_profile(
    "quick", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# Derandomized: in CI one commit has one result. The search for new cases happens locally.
settings.register_profile(
    "repeatable", settings.get_profile("quick"), derandomize=True, print_blob=True
)
settings.register_profile("thorough", settings.get_profile("repeatable"), max_examples=150)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Hatch has coverage started in every process that a test starts. It would slow them down and leave
# files where they run, and what they do is not measured.
os.environ.pop("COVERAGE_PROCESS_START", None)
