"""The same questions in SQL, written by hand, for DuckDB.

The tables: `events`, with the number of its row in the file as `n`, and `ledger`. In braces stand
conditions: `{visit}` on what identifies a visit and on the end of the time, `{event}` on the rest;
and `{by}`, the columns to group by, `{keys}`, their names.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

import duckdb
import polars as pl

from checkpoint_core.queries import Filters

VISIT = "study, pipeline_adcid, ptid, visit_date, visit_number, datatype"
IN_VISIT_ORDER = """
    study NULLS FIRST, pipeline_adcid NULLS FIRST, ptid NULLS FIRST,
    visit_date NULLS FIRST, visit_number NULLS FIRST, datatype NULLS FIRST
"""
PERIODS = {
    name: f"CAST(date_trunc('{name}', timestamp) AS DATE) AS {name}"
    for name in ("day", "week", "month")
}

LATEST = f"""
    latest AS (
        SELECT * EXCLUDE place FROM (
            SELECT *, row_number() OVER (
                PARTITION BY {VISIT} ORDER BY timestamp DESC, n DESC
            ) AS place
            FROM events WHERE {{visit}}
        ) WHERE place = 1 AND {{event}}
    )
"""
SINCE_DELETE = f"""
    since_delete AS (
        SELECT * EXCLUDE deleted FROM (
            SELECT *, max(CASE WHEN action = 'delete' THEN n END) OVER (
                PARTITION BY {VISIT}
            ) AS deleted
            FROM events WHERE {{visit}}
        ) WHERE deleted IS NULL OR n > deleted
    ),
    visits AS (
        SELECT * FROM (
            SELECT {VISIT},
                last(action ORDER BY n) AS action,
                last(project_label ORDER BY n) AS project_label,
                last(center_label ORDER BY n) AS center_label,
                last(gear_name ORDER BY n) AS gear_name,
                last(module ORDER BY n) AS module,
                last(packet ORDER BY n) AS packet,
                min(timestamp) FILTER (WHERE action = '{{first}}') AS timestamp,
                count(*) FILTER (WHERE action = 'pass-qc') AS passes
            FROM since_delete GROUP BY {VISIT}
        ) WHERE timestamp IS NOT NULL AND {{event}}
    )
"""


def spread(value: str, unit: str) -> str:
    """Return the columns of a distribution."""
    return f"""
        count(*) FILTER (WHERE {value} < 0) AS negative,
        min({value}) AS minimum_{unit},
        quantile_cont({value}, 0.25) AS p25_{unit},
        quantile_cont({value}, 0.5) AS median_{unit},
        quantile_cont({value}, 0.75) AS p75_{unit},
        quantile_cont({value}, 0.9) AS p90_{unit},
        max({value}) AS maximum_{unit}
    """


DAYS = f"""
    WITH {SINCE_DELETE},
    timed AS (
        SELECT *, date_diff('day', visit_date, CAST(timestamp AS DATE)) AS days FROM visits
    )
    SELECT {{by}} count(*) AS visits, {spread("days", "days")}
    FROM timed {{grouped}}
"""


def changes(names: Sequence[str]) -> str:
    """Return the twin of `changes` for a checkpoint that has these fields besides a visit's."""
    cases = ", ".join(
        f"CASE WHEN previous_{name} IS DISTINCT FROM {name} THEN '{name}' END"
        for name in names
        if name != "timestamp"
    )
    lags = ", ".join(f"lag({name}) OVER steps AS previous_{name}" for name in names)
    pairs = ", ".join(f"previous_{name}, {name}" for name in names)
    return f"""
        WITH paired AS (
            SELECT *, row_number() OVER steps AS step, {lags}
            FROM events WHERE {{visit}}
            WINDOW steps AS (PARTITION BY {VISIT} ORDER BY n)
        )
        SELECT {VISIT}, step, list_filter([{cases}], lambda name: name IS NOT NULL) AS changed,
            {pairs}
        FROM paired WHERE step > 1 AND {{event}} ORDER BY {IN_VISIT_ORDER}, step
    """


TWINS = {
    "events": "SELECT * EXCLUDE n FROM events WHERE {visit} AND {event} ORDER BY n",
    "latest": f"WITH {LATEST} SELECT * EXCLUDE n FROM latest ORDER BY {IN_VISIT_ORDER}",
    "status": f"""
        WITH {LATEST}
        SELECT {{by}} action AS status, count(*) AS visits FROM latest
        GROUP BY {{keys}} action ORDER BY {{sorted}} action
    """,
    "timeline": f"""
        WITH {LATEST}
        SELECT {VISIT}, row_number() OVER (PARTITION BY {VISIT} ORDER BY n) AS step,
            * EXCLUDE (n, {VISIT})
        FROM events AS event WHERE {{visit}} AND EXISTS (
            SELECT 1 FROM latest
            WHERE latest.study = event.study
                AND latest.pipeline_adcid = event.pipeline_adcid
                AND latest.ptid = event.ptid
                AND latest.visit_date = event.visit_date
                AND latest.visit_number IS NOT DISTINCT FROM event.visit_number
                AND latest.datatype = event.datatype
        ) ORDER BY {IN_VISIT_ORDER}, step
    """,
    "completeness": f"""
        WITH per_visit AS (
            SELECT {VISIT}, count(*) AS events, max(n) AS latest_n,
                count(DISTINCT module) AS module_versions,
                count(DISTINCT packet) AS packet_versions,
                first(module ORDER BY n) AS first_module, last(module ORDER BY n) AS last_module,
                first(packet ORDER BY n) AS first_packet, last(packet ORDER BY n) AS last_packet
            FROM events WHERE {{visit}} GROUP BY {VISIT} HAVING count(*) >= {{min_events}}
        ),
        known AS (
            SELECT per_visit.*, center_label,
                first_module IS NULL AND last_module IS NOT NULL AS module_filled,
                first_packet IS NULL AND last_packet IS NOT NULL AS packet_filled
            FROM per_visit JOIN events ON n = latest_n WHERE {{event}}
        )
        SELECT {VISIT}, center_label, events, module_versions, packet_versions,
            CASE WHEN module_filled AND packet_filled THEN ['module', 'packet']
                WHEN module_filled THEN ['module'] WHEN packet_filled THEN ['packet']
                ELSE [] END AS filled,
            CASE WHEN last_module IS NULL AND last_packet IS NULL THEN ['module', 'packet']
                WHEN last_module IS NULL THEN ['module'] WHEN last_packet IS NULL THEN ['packet']
                ELSE [] END AS missing
        FROM known ORDER BY {IN_VISIT_ORDER}
    """,
    "errors-by-center": f"""
        WITH {LATEST}
        SELECT center_label, count(*) FILTER (WHERE action <> 'delete') AS visits,
            count(*) FILTER (WHERE action = 'not-pass-qc') AS errors
        FROM latest GROUP BY center_label ORDER BY center_label
    """,
    "counts": """
        SELECT {by} count(*) AS events FROM events WHERE {visit} AND {event} {grouped}
    """,
    "pass-rates": f"""
        WITH {LATEST}
        SELECT {{by}} count(*) FILTER (WHERE action <> 'delete') AS visits,
            count(*) FILTER (WHERE action = 'pass-qc') AS passed,
            count(*) FILTER (WHERE action = 'not-pass-qc') AS not_passed,
            count(*) FILTER (WHERE action IN ('submit', 'duplicate-submit')) AS unchecked,
            avg(CASE action WHEN 'pass-qc' THEN 1.0 WHEN 'not-pass-qc' THEN 0.0 END) AS pass_rate
        FROM latest {{grouped}}
    """,
    "days-to-submission": DAYS.replace("{first}", "submit"),
    "days-to-qc": DAYS.replace("{first}", "pass-qc"),
    "lateness": f"""
        WITH timed AS (
            SELECT *, CASE WHEN state = 'accepted' AND versions = 1
                THEN (epoch_us(last_modified) - epoch_us(timestamp)) / 3600000000.0 END AS hours
            FROM ledger WHERE {{visit}} AND {{event}}
        )
        SELECT {{by}} count(*) AS objects, count(hours) AS timed, {spread("hours", "hours")}
        FROM timed {{grouped}}
    """,
    "waiting": f"""
        WITH {SINCE_DELETE.replace("{first}", "submit")},
        aged AS (
            SELECT *, (epoch_us({{as_of}}) - epoch_us(timestamp)) // 86400000000 AS days_waiting
            FROM visits WHERE passes = 0
        )
        SELECT {VISIT}, center_label, action AS status, timestamp AS submitted, days_waiting,
            CASE WHEN days_waiting < 7 THEN 'under 7 days'
                WHEN days_waiting BETWEEN 7 AND 29 THEN '7 to 29 days'
                WHEN days_waiting BETWEEN 30 AND 89 THEN '30 to 89 days'
                ELSE '90 days or more' END AS age
        FROM aged ORDER BY days_waiting DESC, {IN_VISIT_ORDER}
    """,
}


def twin(
    name: str,
    frame: pl.DataFrame,
    filters: Filters,
    *,
    by: Sequence[str] = (),
    min_events: int = 2,
    as_of: datetime | None = None,
) -> pl.DataFrame:
    """Answer a query in SQL."""
    fields = [column for column in frame.columns if column not in VISIT.split(", ")]
    text = changes(fields) if name == "changes" else TWINS[name]
    keys = ", ".join(by)
    ordered = ", ".join(f"{key} NULLS FIRST" for key in by)
    statement = text.format(
        visit=" AND ".join(["true", *visit_conditions(filters, as_of)]),
        event=" AND ".join(["true", *event_conditions(filters)]),
        by="".join(f"{PERIODS.get(key, key)}, " for key in by),
        keys=keys and f"{keys}, ",
        sorted=ordered and f"{ordered}, ",
        grouped=f"GROUP BY {keys} ORDER BY {ordered}" if by else "",
        min_events=min_events,
        as_of=as_of and literal(as_of),
    )
    table = "ledger" if name == "lateness" else "events"
    database().register(table, frame.with_row_index("n").to_arrow())
    return pl.DataFrame(database().sql(statement).to_arrow_table())


@cache
def database() -> duckdb.DuckDBPyConnection:
    """Open the one database of this process: opening one takes longer than a question."""
    connection = duckdb.connect(config={"threads": 1})
    return connection.execute("SET TimeZone = 'UTC'")


def visit_conditions(filters: Filters, as_of: datetime | None) -> Iterator[str]:
    """Give the conditions on whole visits, and on the end of the time."""
    for name in ("study", "pipeline_adcid", "ptid", "visit_number", "datatype"):
        yield from among(name, getattr(filters, name))
    if filters.visit_date_from:
        yield f"visit_date >= {literal(filters.visit_date_from)}"
    if filters.visit_date_to:
        yield f"visit_date <= {literal(filters.visit_date_to)}"
    for end in (filters.timestamp_to, as_of):
        if end:
            yield f"timestamp < {literal(end)}"


def event_conditions(filters: Filters) -> Iterator[str]:
    """Give the conditions on single events."""
    for name in ("center_label", "project_label", "gear_name", "action", "module", "packet"):
        yield from among(name, getattr(filters, name))
    if filters.timestamp_from:
        yield f"timestamp >= {literal(filters.timestamp_from)}"


def among(name: str, values: Sequence[Any]) -> Iterator[str]:
    """Give the condition that a field has one of the values, if there are any."""
    if values:
        yield "(" + " OR ".join(f"{name} IS NOT DISTINCT FROM {literal(v)}" for v in values) + ")"


def literal(value: Any) -> str:
    """Write a value in SQL."""
    if isinstance(value, datetime):
        return f"TIMESTAMPTZ '{value.isoformat()}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return "NULL" if value is None else repr(value)
