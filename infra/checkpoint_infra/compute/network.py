"""The gateway endpoint by which a function in a VPC reaches S3."""

import json

import pulumi
import pulumi_aws as aws

from checkpoint_infra.policies import endpoint_policy
from checkpoint_infra.settings.sections.function import Endpoint
from checkpoint_infra.settings.stack import Configuration

__all__ = ["StorageEndpoint"]


class StorageEndpoint(pulumi.ComponentResource):
    """A gateway endpoint of the VPC for S3, which lets the function's role reach its buckets."""

    def __init__(
        self,
        config: Configuration,
        endpoint: Endpoint,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:StorageEndpoint", "network", None, opts)
        aws.ec2.VpcEndpoint(
            "s3",
            vpc_id=endpoint.vpc_id,
            service_name=f"com.amazonaws.{config.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=endpoint.route_table_ids,
            policy=json.dumps(endpoint_policy(config)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
