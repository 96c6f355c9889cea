-- Submissions, in Athena's SQL: the definition of docs/analysing.md.
-- Rows have no number there: of equal versions of an event the one with more fields counts as the
-- later, and of as many the one that stands later in the alphabet. The table must be of event format 1.1. Leave out the last line for the test site, too.
CREATE OR REPLACE VIEW checkpoint_submissions AS
WITH numbered AS (
  SELECT *,
    CASE WHEN visit_number IS NULL THEN 0 ELSE 1 END
    + CASE WHEN module IS NULL THEN 0 ELSE 1 END
    + CASE WHEN packet IS NULL THEN 0 ELSE 1 END
    + CASE WHEN naccid IS NULL THEN 0 ELSE 1 END
    + CASE WHEN modality IS NULL THEN 0 ELSE 1 END AS place
  FROM checkpoint_events
),
keyed AS (
  SELECT *,
    coalesce(nullif(trim(LEADING '0' FROM ptid), ''), '0') AS participant,
    upper(nullif(CASE WHEN datatype = 'form' THEN module ELSE modality END, '')) AS own_part,
    CASE action
      WHEN 'submit' THEN 1
      WHEN 'duplicate-submit' THEN 2
      WHEN 'not-pass-qc' THEN 3
      WHEN 'pass-qc' THEN 4
      ELSE 5
    END AS precedence,
    first_value(center_label) OVER (
      PARTITION BY pipeline_adcid ORDER BY "timestamp" DESC, place DESC, center_label DESC
    ) AS latest_label
  FROM numbered
),
-- Which modules or modalities are there, of the same event and of the same date?
neighbours AS (
  SELECT *,
    min(own_part) OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype, action, "timestamp"
    ) AS first_of_event,
    max(own_part) OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype, action, "timestamp"
    ) AS last_of_event,
    min(own_part) OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype
    ) AS first_of_date,
    max(own_part) OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype
    ) AS last_of_date
  FROM keyed
),
identified AS (
  SELECT *,
    coalesce(
      own_part,
      CASE WHEN first_of_event = last_of_event THEN first_of_event END,
      CASE WHEN first_of_date = last_of_date THEN first_of_date END
    ) AS part
  FROM neighbours
),
versions AS (
  SELECT *,
    row_number() OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype, part, action, "timestamp"
      ORDER BY place DESC, study DESC, visit_number DESC, module DESC, modality DESC, packet DESC,
        naccid DESC, ptid DESC, project_label DESC, gear_name DESC, center_label DESC
    ) AS version
  FROM identified
),
steps AS (
  SELECT *,
    row_number() OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype, part
      ORDER BY "timestamp", precedence
    ) AS step,
    CASE WHEN action = 'delete' THEN 1 ELSE 0 END AS is_delete,
    CASE WHEN action IN ('pass-qc', 'not-pass-qc') THEN 1 ELSE 0 END AS is_outcome,
    CASE action WHEN 'submit' THEN 1 WHEN 'duplicate-submit' THEN -1 ELSE 0 END AS up_or_down
  FROM versions
  WHERE version = 1
),
-- What has come until each event, and what comes in all.
counted AS (
  SELECT *,
    sum(is_delete) OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype, part
      ORDER BY step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS deletes_until,
    sum(is_delete) OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype, part
    ) AS deletes,
    sum(is_outcome) OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype, part
      ORDER BY step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS outcomes_until,
    sum(is_outcome) OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype, part
    ) AS outcomes,
    sum(up_or_down) OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype, part
      ORDER BY step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS height,
    max(step) OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype, part
    ) AS last_step,
    max(CASE WHEN study <> 'adrc' THEN step END) OVER (
      PARTITION BY pipeline_adcid, participant, visit_date, datatype, part
    ) AS last_other_study
  FROM steps
),
-- A duplicate takes back the latest open submit: after it there are fewer than before that one.
weighed AS (
  SELECT *,
    min(height) OVER (
      PARTITION BY
        pipeline_adcid, participant, visit_date, datatype, part, deletes_until, outcomes_until
      ORDER BY step ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    ) AS least_height
  FROM counted
),
told AS (
  SELECT *,
    CASE WHEN deletes_until = deletes AND is_delete = 0 THEN 1 ELSE 0 END AS is_alive,
    CASE WHEN action = 'submit' AND least_height < height THEN 1 ELSE 0 END AS is_dismissed
  FROM weighed
),
found AS (
  SELECT
    pipeline_adcid,
    participant AS ptid,
    visit_date,
    datatype,
    CASE WHEN datatype = 'form' THEN part END AS module,
    CASE WHEN datatype <> 'form' THEN part END AS modality,
    coalesce(max(CASE WHEN step = last_other_study THEN study END), 'adrc') AS study,
    max(latest_label) AS center_label,
    max(CASE WHEN step = last_step THEN project_label END) AS project_label,
    max(CASE WHEN step = last_step THEN visit_number END) AS visit_number,
    max(CASE WHEN step = last_step THEN packet END) AS packet,
    max(CASE WHEN step = last_step THEN naccid END) AS naccid,
    max(
      CASE WHEN is_alive = 1 AND is_outcome = 1 AND outcomes_until = outcomes THEN action END
    ) AS outcome,
    min(
      CASE WHEN is_alive = 1 AND action = 'submit' AND is_dismissed = 0 THEN "timestamp" END
    ) AS first_submit,
    max(
      CASE WHEN is_alive = 1 AND action = 'submit' AND is_dismissed = 0 THEN "timestamp" END
    ) AS last_submit,
    min(
      CASE WHEN is_alive = 1 AND action = 'submit' AND is_dismissed = 0
        AND outcomes_until = outcomes THEN "timestamp" END
    ) AS open_since,
    min(CASE WHEN is_alive = 1 AND action = 'pass-qc' THEN "timestamp" END) AS first_pass,
    max("timestamp") AS last_event,
    sum(
      CASE WHEN is_alive = 1 AND action = 'submit' AND is_dismissed = 0 THEN 1 ELSE 0 END
    ) AS submits,
    sum(CASE WHEN is_alive = 1 AND action = 'pass-qc' THEN 1 ELSE 0 END) AS passes,
    sum(CASE WHEN is_alive = 1 AND action = 'not-pass-qc' THEN 1 ELSE 0 END) AS failures,
    sum(CASE WHEN is_alive = 1 AND is_dismissed = 1 THEN 1 ELSE 0 END) AS duplicates,
    max(deletes) AS deletes,
    max(
      CASE WHEN is_alive = 1 AND action <> 'duplicate-submit' THEN 1 ELSE 0 END
    ) AS is_begun,
    min(
      CASE WHEN is_alive = 1 AND action = 'submit' AND is_dismissed = 0 THEN step END
    ) AS first_submit_step,
    min(CASE WHEN is_alive = 1 AND action = 'pass-qc' THEN step END) AS first_pass_step
  FROM told
  GROUP BY pipeline_adcid, participant, visit_date, datatype, part
)
SELECT
  pipeline_adcid, ptid, visit_date, datatype, module, modality,
  study, center_label, project_label, visit_number, packet, naccid,
  CASE
    WHEN open_since IS NOT NULL AND outcome IS NULL THEN 'waiting'
    WHEN open_since IS NOT NULL THEN 'resubmitted'
    WHEN outcome IS NOT NULL THEN outcome
    WHEN deletes > 0 AND is_begun = 0 THEN 'deleted'
    ELSE 'duplicate'
  END AS status,
  outcome, first_submit, last_submit, open_since, first_pass, last_event,
  CAST(submits AS BIGINT) AS submits,
  CAST(passes AS BIGINT) AS passes,
  CAST(failures AS BIGINT) AS failures,
  CAST(duplicates AS BIGINT) AS duplicates,
  date_diff('day', visit_date, CAST(first_submit AS DATE)) AS days_to_submission,
  CASE WHEN first_submit_step < first_pass_step
    THEN date_diff('day', visit_date, CAST(first_pass AS DATE)) END AS days_to_qc
FROM found
WHERE pipeline_adcid <> 0
