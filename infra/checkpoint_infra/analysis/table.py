"""The table through which Athena reads the checkpoint."""

from typing import Final

import pulumi
import pulumi_aws as aws

from checkpoint_infra.settings.sections.analysis import TABLE, Athena
from checkpoint_infra.settings.stack import Configuration

__all__ = ["CheckpointTable", "columns", "storage"]

_HIVE: Final = "org.apache.hadoop.hive.ql.io.parquet"
_COLUMNS: Final = {
    "action": "string",
    "study": "string",
    "pipeline_adcid": "int",
    "project_label": "string",
    "center_label": "string",
    "gear_name": "string",
    "ptid": "string",
    "visit_date": "date",
    "visit_number": "string",
    "datatype": "string",
    "module": "string",
    "packet": "string",
    "timestamp": "timestamp",
}
_COLUMNS_1_1: Final = {"naccid": "string", "modality": "string"}


def columns(config: Configuration) -> dict[str, str]:
    """Return the checkpoint's columns in order, with their types in Athena."""
    return _COLUMNS | (_COLUMNS_1_1 if config.run.event_format == "1.1" else {})


class CheckpointTable(pulumi.ComponentResource):
    """A table over the checkpoint's folder, and its database where it is to be made.

    Athena leaves out what is below `_ledger/`, `_rejects/` and `_previous/`, as it does with every
    name that begins with `_`. Nothing else may be in the folder.
    """

    database: pulumi.Input[str]

    def __init__(
        self,
        config: Configuration,
        athena: Athena,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:CheckpointTable", "athena", None, opts)
        inside = pulumi.ResourceOptions(parent=self)
        self.database = athena.database
        if athena.create_database:
            # Removed, it would take along what analysts have made in it.
            kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
            made = aws.glue.CatalogDatabase("database", name=athena.database, opts=kept)
            self.database = made.name
        self.table = aws.glue.CatalogTable(
            "table",
            name=TABLE,
            database_name=self.database,
            description="One row per accepted visit event, sorted by timestamp",
            table_type="EXTERNAL_TABLE",
            parameters={"EXTERNAL": "TRUE", "classification": "parquet"},
            storage_descriptor=storage(
                f"s3://{config.checkpoint.bucket}/{config.checkpoint.folder}", columns(config)
            ),
            opts=inside,
        )
        self.register_outputs({})


def storage(location: str, columns: dict[str, str]) -> aws.glue.CatalogTableStorageDescriptorArgs:
    """Return how Parquet files at a location are read, and as which columns."""
    return aws.glue.CatalogTableStorageDescriptorArgs(
        location=location,
        input_format=f"{_HIVE}.MapredParquetInputFormat",
        output_format=f"{_HIVE}.MapredParquetOutputFormat",
        ser_de_info=aws.glue.CatalogTableStorageDescriptorSerDeInfoArgs(
            serialization_library=f"{_HIVE}.serde.ParquetHiveSerDe",
            parameters={"serialization.format": "1"},
        ),
        columns=[
            aws.glue.CatalogTableStorageDescriptorColumnArgs(name=name, type=kind)
            for name, kind in columns.items()
        ],
    )
