"""The questions that analysts find saved in Athena."""

from pathlib import Path
from typing import Final

__all__ = ["ANALYSTS"]

# What a submission is, is decided in one place; this is its definition in Athena's SQL.
_SUBMISSIONS: Final = (
    Path(__file__).resolve().parents[3]
    / "packages/checkpoint-queries/src/checkpoint_queries/submissions.athena.sql"
)

# Those about submissions are word for word what docs/analysing.md explains, which is tried there.
ANALYSTS: Final = {
    "create-submissions-view": _SUBMISSIONS.read_text(encoding="utf-8"),
    "errors-by-center": """\
SELECT center_label, count(*) AS errors
FROM checkpoint_submissions
WHERE outcome = 'not-pass-qc'
GROUP BY pipeline_adcid, center_label
ORDER BY errors DESC, center_label
LIMIT 3
""",
    "pass-rates": """\
SELECT study, count(*) AS checked,
  round(avg(CASE WHEN outcome = 'pass-qc' THEN 1e0 ELSE 0e0 END), 4) AS pass_rate
FROM checkpoint_submissions
WHERE outcome IS NOT NULL
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
SELECT pipeline_adcid, max_by(center_label, ROW("timestamp", center_label)) AS center_label,
  count(*) AS events, max("timestamp") AS latest
FROM checkpoint_events
GROUP BY pipeline_adcid
ORDER BY latest DESC
""",
}
