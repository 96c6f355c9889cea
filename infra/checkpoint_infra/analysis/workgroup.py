"""Where analysts ask Athena: a workgroup with limits and saved questions."""

import pulumi
import pulumi_aws as aws

from checkpoint_infra.analysis.queries import ANALYSTS
from checkpoint_infra.naming import Names
from checkpoint_infra.settings.sections.analysis import Athena, Workgroup
from checkpoint_infra.settings.stack import Configuration

__all__ = ["AnalystsWorkgroup"]


class AnalystsWorkgroup(pulumi.ComponentResource):
    """A workgroup whose settings hold for everybody in it, with the usual questions saved.

    Results are encrypted, and a query that would read more than is allowed is stopped.
    """

    name: pulumi.Output[str]

    def __init__(
        self,
        config: Configuration,
        athena: Athena,
        wanted: Workgroup,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:AnalystsWorkgroup", "workgroup", None, opts)
        names = Names(config)
        encryption: (
            aws.athena.WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgsDict
        )
        encryption = {"encryption_option": "SSE_S3"}
        if wanted.kms_key_arn:
            encryption = {"encryption_option": "SSE_KMS", "kms_key_arn": wanted.kms_key_arn}
        workgroup = aws.athena.Workgroup(
            "workgroup",
            name=names.function,
            description=f"Questions about {names.checkpoint_location}",
            configuration={
                "enforce_workgroup_configuration": True,
                "publish_cloudwatch_metrics_enabled": True,
                "bytes_scanned_cutoff_per_query": wanted.scan_limit_mb * 1_000_000,
                "result_configuration": {
                    "output_location": f"s3://{wanted.results_bucket}/{wanted.results_prefix}",
                    "encryption_configuration": encryption,
                },
            },
            # Athena removes none that anybody has worked in.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        for name, query in ANALYSTS.items():
            aws.athena.NamedQuery(
                name,
                name=name,
                description=f"{name.replace('-', ' ')}; see docs/analysing.md",
                database=athena.database,
                workgroup=workgroup.name,
                query=query,
                opts=pulumi.ResourceOptions(parent=workgroup),
            )
        self.name = workgroup.name
        self.register_outputs({"name": self.name})
