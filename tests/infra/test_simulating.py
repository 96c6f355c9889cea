"""The simulation of alarms that other tests rely on, held against the documented examples."""

import pytest

from tests.infra.simulating import MINUTE, Datum, State, decide, rises, states

POINTS = {"0": False, "X": True, "-": None}


@pytest.mark.parametrize(
    "points,needed,missing,expected",
    [
        # Three out of three; the newest point is the last.
        ("0-X-X", 3, "breaching", "OK"),
        ("----0", 3, "ignore", "OK"),
        ("----0", 3, "breaching", "OK"),
        ("-----", 3, "ignore", "RETAINED"),
        ("-----", 3, "breaching", "ALARM"),
        ("-----", 3, "notBreaching", "OK"),
        ("0XX-X", 3, "notBreaching", "ALARM"),
        ("--X--", 3, "ignore", "RETAINED"),
        ("--X--", 3, "breaching", "ALARM"),
        ("--X--", 3, "notBreaching", "OK"),
        # Two out of three.
        ("0-X-X", 2, "notBreaching", "ALARM"),
        ("00X0X", 2, "notBreaching", "ALARM"),
        ("0-X--", 2, "ignore", "OK"),
        ("0-X--", 2, "breaching", "ALARM"),
        ("0-X--", 2, "notBreaching", "OK"),
        ("----0", 2, "breaching", "ALARM"),
        ("----0", 2, "notBreaching", "OK"),
        ("---X-", 2, "ignore", "RETAINED"),
        ("---X-", 2, "breaching", "ALARM"),
        ("---X-", 2, "notBreaching", "OK"),
    ],
)
@pytest.mark.parametrize("before", ["OK", "ALARM"])
def test_missing_points_are_treated_as_documented(
    points: str, needed: int, missing: str, expected: str, before: State
) -> None:
    """Three periods, for which CloudWatch looks at five points."""
    newest_first = [POINTS[each] for each in reversed(points)]
    found = decide(newest_first, needed=needed, periods=3, missing=missing, before=before)

    assert found == (before if expected == "RETAINED" else expected)


def test_windows_slide_by_the_minute_and_nothing_is_known_before_it_arrives() -> None:
    """Two minutes late, then in sight until its window has passed."""
    alarm = {
        "metricName": "m",
        "statistic": "Sum",
        "period": 300,
        "evaluationPeriods": 1,
        "datapointsToAlarm": 1,
        "treatMissingData": "notBreaching",
        "comparisonOperator": "GreaterThanThreshold",
        "threshold": 0,
    }
    found = states(alarm, [Datum("m", 60, 1, 180)], end_s=20 * MINUTE, more=0)

    assert found == [(0, "INSUFFICIENT_DATA"), (60, "OK"), (180, "ALARM"), (420, "OK")]
    assert rises(found) == [180]
