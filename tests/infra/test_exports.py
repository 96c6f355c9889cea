"""The exports of a stack: what is refused, what the role may do for them, and Athena's tables."""

from typing import Any

import polars as pl
import pytest

from checkpoint_format.event_columns import event_schema
from checkpoint_format.names import Names as CheckpointNames
from checkpoint_infra.analysis.exports import export_columns, layout
from checkpoint_infra.compute.environment import function_variables
from checkpoint_infra.monitoring.thresholds import alarm_rules
from checkpoint_infra.policies import function_policy
from checkpoint_queries.exports import export_rows, read_exports
from nacc_event_model import EventFormat
from tests.infra.evaluating import Access, allows
from tests.infra.refusing import problems, read
from tests.infra.test_export_definitions import of_stack
from tests.infra.test_storage import ATHENA_TYPES

FOLDER = {"checkpoint.key": "data/sets/events.parquet", "checkpoint.bucket": "checkpoints"}
SHARED = {**FOLDER, "source.bucket": "checkpoints", "checkpoint.create": False}
ATHENA = {
    **FOLDER,
    "athena.database": "d",
    "athena.workgroup.resultsBucket": "checkpoints",
    "athena.workgroup.resultsPrefix": "results/",
}


def test_exports_are_left_alone_where_none_are_given() -> None:
    """No variable, no rights, no alarm; with an empty list the function has its manifest."""
    without, empty = read({}), read({"exports": []})
    named = [{each["Sid"] for each in function_policy(c)["Statement"]} for c in (without, empty)]

    assert "EXPORTS" not in function_variables(without)
    assert function_variables(empty)["EXPORTS"] == "[]"
    assert named[1] - named[0] == {"RememberExports"}
    alarms = [{rule.name for rule in alarm_rules(config)} for config in (without, empty)]
    assert alarms[1] - alarms[0] == {"failed-exports"}


@pytest.mark.parametrize(
    "changes,paths,said",
    [
        (FOLDER, ["../../../x/a.parquet"], "exports[0].path: leads out of the bucket"),
        (FOLDER, ["../sets/events.parquet"], "exports[0].path: may be the checkpoint's own key"),
        (FOLDER, ["{study}/a.parquet"], "exports[0].path: needs a folder of its own"),
        (FOLDER, ["../../data/{study}.parquet"], "exports[0].path: needs a folder of its own"),
        (FOLDER, ["../x/{study}/*.parquet"], "exports[0].path: may have letters, digits"),
        (FOLDER, ["../x/a?.parquet"], "exports[0].path: may have letters, digits"),
        (FOLDER, ["../x/${study}/a.parquet"], "exports[0].path: may have letters, digits"),
        (
            FOLDER,
            ["../sets/a.parquet", "a.parquet"],
            "exports[1].path: may give the same files as that of exports[0]",
        ),
        (
            {**SHARED, "source.prefix": "data/log/"},
            ["../log/x/{study}.parquet"],
            "exports[0].path: must not share a folder with the event objects",
        ),
        (
            {**SHARED, "source.prefix": "in/log/"},
            ["../../in/{study}.parquet"],
            "exports[0].path: must not share a folder with the event objects",
        ),
        (ATHENA, ["x/{study}.parquet"], "exports[0].path: must begin with ../ and lead out"),
        (ATHENA, ["../sets/x/{study}.parquet"], "exports[0].path: must begin with ../ and lead"),
        (
            ATHENA,
            ["../../results/x/a.parquet"],
            "exports[0].path: must not share a folder with athena.workgroup.resultsPrefix",
        ),
        (
            ATHENA,
            ["../x/{study}/a.parquet", "../x/y/b.parquet"],
            "exports[1].path: must not share a folder with exports[0]",
        ),
    ],
)
def test_a_path_that_would_do_harm_is_refused(
    changes: dict[str, Any], paths: list[str], said: str
) -> None:
    """To the checkpoint, to event objects, to what a table reads; or that a policy cannot say."""
    exports = [{"name": f"e{at}", "path": path} for at, path in enumerate(paths)]

    [problem] = problems({**changes, "exports": exports})
    assert problem.startswith(said)


@pytest.mark.parametrize("name", ["checkpoint-events", "checkpoint-submissions"])
def test_the_name_of_another_table_is_refused_where_there_is_one(name: str) -> None:
    """The checkpoint's own, and the view that analysts make."""
    exports = [{"name": name, "path": "../x/a.parquet"}]
    [problem] = problems({**ATHENA, "exports": exports})

    assert problem.startswith("exports[0].name: becomes checkpoint_")
    assert read({**FOLDER, "exports": exports}).exports


def test_every_mistake_of_exports_is_told_at_once() -> None:
    """Of every definition, with those of other sections."""
    exports = [
        {"name": "Not so", "path": "/{nobody}/_x/{study.csv"},
        {"name": "a", "path": "{month}.parquet", "kind": "submissions", "columnOrder": "scraper"},
        3,
    ]
    told = problems({"exports": exports, "function.memoryMb": 1})

    assert [each.partition(":")[0] for each in told] == [
        "function.memoryMb",
        "exports[0].name",
        *["exports[1].path", "exports[1].columnOrder", "exports[2]"],
    ]


def test_more_exports_than_lambda_and_iam_take_are_refused() -> None:
    """4 KB of environment, 10,240 characters of the role's policies; both are told."""
    paths = [f"../{'x' * 400}{at}/{{study}}.parquet" for at in range(12)]
    exports = [{"name": f"e{at}", "path": path} for at, path in enumerate(paths)]
    told = problems({"exports": exports})

    assert [each.partition(" would")[0] for each in told] == [
        "exports: the function's environment",
        "exports: the role's policy",
    ]
    assert "shorten what becomes EXPORTS" in told[0]


EXPORTS = [
    {"name": "a", "path": "../out/a/{study}/x/{adcid}.parquet"},
    {"name": "b", "path": "../out/b/all.parquet", "kind": "submissions"},
]


@pytest.mark.parametrize(
    "key,actions",
    [
        ("data/out/a/adrc/x/1.parquet", {"Get", "Put", "Delete", "List"}),
        ("data/out/b/all.parquet", {"Get", "Put", "Delete", "List"}),
        ("data/out/b/other.parquet", {"List"}),
        ("data/out/c.parquet", set()),
        ("data/out/", set()),
        (f"data/sets/{CheckpointNames('events.parquet').exports}", {"Get", "Put", "List"}),
        (f"data/sets/{CheckpointNames('other.parquet').exports}", {"List"}),
        ("data/sets/events.parquet", {"Get", "Put", "List"}),
        ("data/sets/_ledger/other/1.parquet", {"List"}),
    ],
)
def test_the_role_keeps_exports_where_they_are_and_nothing_else(
    key: str, actions: set[str]
) -> None:
    """Below the folder before the first placeholder, or one file; and what was exported."""
    policy = function_policy(read({**FOLDER, "exports": EXPORTS}))
    wanted = {
        action: Access(action=f"s3:{action}Object", resource=f"arn:aws:s3:::checkpoints/{key}")
        for action in ("Get", "Put", "Delete")
    }
    wanted["List"] = Access(
        action="s3:ListBucket", resource="arn:aws:s3:::checkpoints", context={"s3:prefix": key}
    )

    assert {action for action, access in wanted.items() if allows(policy, access)} == actions


def test_what_the_function_lists_it_may_list() -> None:
    """An export's folder, also where that has one file."""
    policy = function_policy(read({**FOLDER, "exports": EXPORTS}))

    for folder in ("data/out/a/", "data/out/b/"):
        access = Access(
            action="s3:ListBucket",
            resource="arn:aws:s3:::checkpoints",
            context={"s3:prefix": folder},
        )
        assert allows(policy, access)


SHAPES = [
    {"kind": "events"},
    {"kind": "latest-events", "text_dates": True, "column_order": "scraper"},
    {"kind": "submissions", "text_dates": True},
    {"kind": "submissions"},
]


@pytest.mark.parametrize("event_format", list(EventFormat))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_table_has_the_columns_of_its_exports_files(
    event_format: EventFormat, shape: dict[str, Any]
) -> None:
    """In their order, with the types that Athena has for them."""
    definition = {"name": "a", "path": "../x/a.parquet", **shape}
    [export] = read_exports([definition], checkpoint="events.parquet")
    schema = export_rows(pl.LazyFrame(schema=event_schema(event_format)), export).collect_schema()
    types = ATHENA_TYPES | {"UInt32": "bigint", "Int64": "bigint"}
    expected = [(name, types[str(kind)]) for name, kind in schema.items()]

    config = read({"run.eventFormat": str(event_format), "exports": of_stack([definition])})
    assert config.exports
    assert list(export_columns(config, config.exports[0]).items()) == expected


@pytest.mark.parametrize(
    "path,partitions,template",
    [
        ("../x/all-{study}.parquet", {}, None),
        ("../x/{study}/{datatype}/a.parquet", {"study": "string", "datatype": "string"}, None),
        ("../x/adcid={adcid}/y/{study}.parquet", {"adcid": "int"}, "adcid=${adcid}/y/"),
        ("../x/{year}/{month}/a.parquet", {"year": "int", "month": "int"}, "${year}/${month}/"),
    ],
)
def test_placeholders_in_folders_are_partitions(
    path: str, partitions: dict[str, str], template: str | None
) -> None:
    """Projected from the template; those in a file's name are none."""
    config = read({**ATHENA, "exports": [{"name": "a", "path": path}]})
    assert config.exports
    found = layout(config, config.exports[0])
    told = found.parameters.get("storage.location.template", "")

    assert found.location == "s3://checkpoints/data/x/"
    assert found.partitions == partitions
    assert told.startswith(found.location) == bool(partitions)
    if template:
        assert told == found.location + template
    for name in partitions:
        assert f"projection.{name}.type" in found.parameters
