"""Two roles for each stack: one that looks, for previews and drift, and one that deploys."""

# ruff: noqa: INP001, E402 - Pulumi runs it, from its own folder, and its modules are beside that

import json
import sys
from pathlib import Path

import pulumi
import pulumi_aws as aws

INFRA = Path(__file__).resolve().parents[1]
sys.path.append(str(INFRA))

from checkpoint_delivery.deployed import PROJECT, read_deployed
from checkpoint_delivery.policies import ISSUER, boundary, deployment, preview, state_access, trust

config = pulumi.Config()
stack = pulumi.get_stack()
deployed = read_deployed(INFRA / f"Pulumi.{stack}.yaml")
repository, state = config.require("repository"), config.require("stateBucket")
secrets_key = config.require("secretsKeyArn")

provider = aws.Provider(
    "aws",
    region=deployed.region,
    allowed_account_ids=[deployed.account],
    default_tags={"tags": {"service": deployed.service, "managed-by": "pulumi"}},
)
options = pulumi.ResourceOptions(provider=provider)

if config.get_bool("createProvider"):
    aws.iam.OpenIdConnectProvider(
        "github",
        url=f"https://{ISSUER}",
        client_id_lists=["sts.amazonaws.com"],
        opts=pulumi.ResourceOptions(provider=provider, protect=True),
    )
limits = aws.iam.Policy(
    "boundary",
    name=f"{deployed.name}-boundary",
    description=f"What the roles of {deployed.name} may do at most",
    policy=json.dumps(boundary(deployed)),
    opts=pulumi.ResourceOptions(provider=provider, protect=True),
)
roles = {
    "deploy": (deployed.environment, deployment(deployed), True),
    "preview": (f"{deployed.environment}-preview", preview(deployed), False),
}
for kind, (environment, rights, writes) in roles.items():
    role = aws.iam.Role(
        kind,
        # Not among the roles that the role itself may change, which begin with the stack's name.
        name=f"{kind}-{deployed.name}",
        description=f"{kind} of {deployed.name}, for jobs of {repository} in {environment}",
        assume_role_policy=json.dumps(trust(deployed, repository, environment)),
        max_session_duration=3_600,
        opts=options,
    )
    policies = {
        "resources": rights,
        "state": state_access(deployed, state, secrets_key, project=PROJECT, writes=writes),
    }
    for name, policy in policies.items():
        aws.iam.RolePolicy(
            f"{kind}-{name}",
            name=name,
            role=role.name,
            policy=json.dumps(policy),
            opts=pulumi.ResourceOptions(parent=role),
        )
    pulumi.export(f"{kind}_role_arn", role.arn)
pulumi.export("permissions_boundary_arn", limits.arn)
