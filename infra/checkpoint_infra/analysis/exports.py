"""The tables through which Athena reads exports."""

import re
from typing import Final

import pulumi
import pulumi_aws as aws
from msgspec import Struct

from checkpoint_infra.analysis.table import columns, storage
from checkpoint_infra.settings.paths import folder_of, key_of, placeholders
from checkpoint_infra.settings.sections.exports import Export
from checkpoint_infra.settings.stack import Configuration

__all__ = ["ExportTables", "Layout", "export_columns", "layout"]

_SCRAPER_ORDER: Final = (
    "action",
    "study",
    "pipeline_adcid",
    "project_label",
    "center_label",
    "gear_name",
    "ptid",
    "naccid",
    "visit_date",
    "visit_number",
    "datatype",
    "module",
    "packet",
    "modality",
    "timestamp",
)
_SUBMISSION: Final = {
    "pipeline_adcid": "int",
    "ptid": "string",
    "visit_date": "date",
    "datatype": "string",
    "module": "string",
    "modality": "string",
    "study": "string",
    "center_label": "string",
    "project_label": "string",
    "visit_number": "string",
    "packet": "string",
    "naccid": "string",
    "status": "string",
    "outcome": "string",
    "first_submit": "timestamp",
    "last_submit": "timestamp",
    "open_since": "timestamp",
    "first_pass": "timestamp",
    "last_event": "timestamp",
    # Counts are unsigned in the files.
    "submits": "bigint",
    "passes": "bigint",
    "failures": "bigint",
    "duplicates": "bigint",
    "days_to_submission": "bigint",
    "days_to_qc": "bigint",
}
# What a part of a path is, as text or as a number, and which there may be: Athena asks no catalog.
_PROJECTIONS: Final[dict[str, dict[str, str]]] = {
    "study": {"type": "injected"},
    "datatype": {"type": "injected"},
    "adcid": {"type": "integer", "range": "0,9999"},
    "year": {"type": "integer", "range": "2000,2100"},
    "month": {"type": "integer", "range": "1,12", "digits": "2"},
}


class Layout(Struct, frozen=True, kw_only=True):
    """Where a table's files are, which partitions they make, and what Athena is told of those."""

    location: str
    partitions: dict[str, str]
    parameters: dict[str, str]


def export_columns(config: Configuration, export: Export) -> dict[str, str]:
    """Return the columns of an export's files in order, with their types in Athena."""
    of_events = columns(config)
    if export.kind == "submissions":
        found = {
            name: kind
            for name, kind in _SUBMISSION.items()
            if name != "naccid" or name in of_events
        }
    elif export.column_order == "scraper":
        found = {name: of_events.get(name, "string") for name in _SCRAPER_ORDER}
    else:
        found = of_events
    return found | ({"visit_date": "string"} if export.text_dates else {})


def layout(config: Configuration, export: Export) -> Layout:
    """Return where an export's files are; placeholders in names of folders are partitions."""
    checkpoint = config.checkpoint
    bucket = f"s3://{checkpoint.bucket}/"
    key = key_of(export.path, checkpoint.folder)
    folder = key[: key.rfind("/") + 1]
    partitions: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for name in placeholders(folder):
        projection = _PROJECTIONS[name]
        partitions[name] = "string" if projection["type"] == "injected" else "int"
        parameters |= {f"projection.{name}.{what}": value for what, value in projection.items()}
    if partitions:
        parameters["projection.enabled"] = "true"
        parameters["storage.location.template"] = bucket + re.sub(r"\{(\w+)\}", r"${\1}", folder)
    return Layout(location=bucket + folder_of(key), partitions=partitions, parameters=parameters)


class ExportTables(pulumi.ComponentResource):
    """A table over each export, of the export's name with _ for -.

    Partitions are computed from the path's template, so that nobody need add them to the table.
    """

    def __init__(
        self,
        config: Configuration,
        exports: list[Export],
        *,
        database: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:ExportTables", "exports", None, opts)
        for export in exports:
            where = layout(config, export)
            aws.glue.CatalogTable(
                export.name,
                name=export.table,
                database_name=database,
                description=f"The export {export.name} of the checkpoint: {export.kind}",
                table_type="EXTERNAL_TABLE",
                parameters={"EXTERNAL": "TRUE", "classification": "parquet", **where.parameters},
                storage_descriptor=storage(
                    where.location,
                    {
                        name: kind
                        for name, kind in export_columns(config, export).items()
                        if name not in where.partitions
                    },
                ),
                partition_keys=[
                    aws.glue.CatalogTablePartitionKeyArgs(name=name, type=kind)
                    for name, kind in where.partitions.items()
                ],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
