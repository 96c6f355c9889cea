"""The one provider that everything goes through."""

import pulumi_aws as aws

from checkpoint_infra.settings.stack import Configuration

__all__ = ["make_provider"]


def make_provider(config: Configuration) -> aws.Provider:
    """Return a provider for this account and region and no other, with tags on everything.

    It takes its credentials as the stack says, then as the environment does. Pulumi's own settings
    for AWS are for a provider that is not used here.
    """
    role = config.credentials.assume_role
    roles = None
    if role:
        # Not a dictionary: the provider gets it as JSON, in which its keys would stay as they are.
        assumed = aws.ProviderAssumeRoleArgs(
            role_arn=role.role_arn,
            session_name=f"{config.service}-{config.environment}",
            external_id=role.external_id,
            duration=f"{role.duration_minutes}m",
        )
        roles = [assumed]
    return aws.Provider(
        "aws",
        region=config.region,
        profile=config.credentials.profile,
        assume_roles=roles,
        allowed_account_ids=[config.account],
        default_tags={"tags": {**config.tags, **config.default_tags}},
    )
