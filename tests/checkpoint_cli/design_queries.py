"""The four queries that the original design promises to analysts, as they stand there."""

LATEST_EVENT = """
-- Get the most recent event for each visit (most complete data)
SELECT *
FROM (
  SELECT *,
         ROW_NUMBER() OVER (
           PARTITION BY ptid, visit_date, visit_number 
           ORDER BY timestamp DESC
         ) as rn
  FROM checkpoint_events
) ranked
WHERE rn = 1
"""  # noqa: W291

TIMELINE = """
-- See how an event evolved over time
SELECT ptid, visit_date, visit_number, action, timestamp, module, packet
FROM checkpoint_events
WHERE ptid = 'ABC123' AND visit_date = '2024-01-15' AND visit_number = '01'
ORDER BY timestamp ASC
"""

COMPLETENESS = """
-- Find events where data became more complete over time
SELECT ptid, visit_date, visit_number,
       COUNT(*) as event_count,
       COUNT(DISTINCT module) as module_versions,
       COUNT(DISTINCT packet) as packet_versions
FROM checkpoint_events
GROUP BY ptid, visit_date, visit_number
HAVING COUNT(*) > 1
"""

ERRORS_BY_CENTER = """
-- Count of visits with errors (using latest status)
WITH latest_events AS (
  SELECT *,
         ROW_NUMBER() OVER (
           PARTITION BY ptid, visit_date, visit_number 
           ORDER BY timestamp DESC
         ) as rn
  FROM checkpoint_events
)
SELECT center_label, COUNT(*) as error_count
FROM latest_events
WHERE rn = 1 AND action = 'not-pass-qc'
GROUP BY center_label
"""  # noqa: W291
