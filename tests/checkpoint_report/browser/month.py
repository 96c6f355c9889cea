"""A month of forty centers, as varied as they come."""

import polars as pl

from tests.checkpoint_report.visits import event, frame, reject, visits

LONG = "A center whose name is much longer than any name that anybody has foreseen, " * 3
HOSTILE = "<script>document.title='taken over'</script>"


REJECTS = [*[reject()] * 15, *[reject(reason="not valid JSON")] * 12]


def month() -> pl.DataFrame:
    """Return it, with a center without data, a long name and a hostile one."""
    labels = {5: HOSTILE, 6: LONG}
    events = [
        each
        for center in range(1, 40)
        for group in (
            visits(7 * center, center, "submit", "pass-qc", day=3 + center % 20),
            visits(center, center, "submit", "not-pass-qc", day=9),
            visits(center // 2, center, "submit", day=20, packet=None),
            visits(center % 4, center, "submit", "delete", day=26),
        )
        for each in group
    ]
    for each in events:
        each["center_label"] = labels.get(each["pipeline_adcid"], each["center_label"])
    return frame([*events, event(40, "OLD", day=-30)])
