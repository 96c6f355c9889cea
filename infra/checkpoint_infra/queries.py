"""Queries that are kept where they are asked: in Athena for analysts, in Logs for operators."""

from typing import Final

__all__ = ["ANALYSTS", "OPERATORS"]

# Word for word what docs/analysing.md explains, which is tried there: what a status is, is decided
# in one place.
_RANKED: Final = """\
WITH ranked AS (
  SELECT *, row_number() OVER (
    PARTITION BY study, pipeline_adcid, ptid, visit_date, visit_number, datatype
    ORDER BY "timestamp" DESC, module IS NULL, packet IS NULL
  ) AS place
  FROM checkpoint_events
)
"""

# ruff: noqa: S608 - nothing but constants is put together here

ANALYSTS: Final = {
    "errors-by-center": f"""\
{_RANKED}SELECT center_label, count(*) AS errors
FROM ranked
WHERE place = 1 AND action = 'not-pass-qc'
GROUP BY center_label
ORDER BY errors DESC, center_label
LIMIT 3
""",
    "pass-rates": f"""\
{_RANKED}SELECT study, count(*) AS checked,
  round(avg(CASE WHEN action = 'pass-qc' THEN 1e0 ELSE 0e0 END), 4) AS pass_rate
FROM ranked
WHERE place = 1 AND action IN ('pass-qc', 'not-pass-qc')
GROUP BY study
ORDER BY study
""",
    "events-by-month": """\
SELECT date_trunc('month', "timestamp") AS month, action, count(*) AS events
FROM checkpoint_events
GROUP BY 1, 2
ORDER BY 1 DESC, 2
""",
    "latest-event-by-center": """\
SELECT pipeline_adcid, max_by(center_label, "timestamp") AS center_label,
  count(*) AS events, max("timestamp") AS latest
FROM checkpoint_events
GROUP BY pipeline_adcid
ORDER BY latest DESC
""",
}

OPERATORS: Final = {
    "failed-runs": """\
fields @timestamp, run_id, stage, error, message
| filter event = 'run_failed'
| sort @timestamp desc
| limit 20""",
    "runs": """\
fields @timestamp, run_id, new_events_processed, events_failed, execution_time_ms, complete
| filter event = 'run_completed'
| sort @timestamp desc
| limit 100""",
    "rejected-objects": """\
filter event = 'object_rejected'
| stats count(*) as objects by outcome, reason
| sort objects desc""",
    "warnings": """\
fields @timestamp, event, warning, message
| filter level = 'WARNING' and event != 'object_rejected'
| sort @timestamp desc
| limit 100""",
}
