"""The configuration of a stack: every setting with its type, bounds, default and meaning.

In `Pulumi.<stack>.yaml` a section is one key of the project's namespace and names are in camelCase.
Stacks differ here and nowhere else.
"""

from typing import Annotated, Final

from msgspec import Meta, field

from checkpoint_infra.settings.kinds import (
    AccountId,
    Environment,
    PolicyArn,
    Region,
    RoleArn,
    Service,
    Text,
)
from checkpoint_infra.settings.sections.analysis import Athena
from checkpoint_infra.settings.sections.base import Section
from checkpoint_infra.settings.sections.exports import Export
from checkpoint_infra.settings.sections.function import Function, Run, Vpc
from checkpoint_infra.settings.sections.layers import Layers
from checkpoint_infra.settings.sections.operation import Alarms, Notification, Schedule
from checkpoint_infra.settings.sections.storage import (
    AccessLogs,
    Artifacts,
    Checkpoint,
    Source,
)

__all__ = ["SERVICE", "Configuration"]

# The first part of every name. Not `event-log-checkpoint`: so is the system called that this one
# takes over from, and both run side by side for a while.
SERVICE: Final = "visit-event-checkpoint"


class AssumeRole(Section, frozen=True):
    """A role that is taken before anything is asked for."""

    role_arn: RoleArn
    external_id: Text | None = None
    duration_minutes: Annotated[int, Meta(ge=15, le=720)] = 60


class Credentials(Section, frozen=True):
    """Who deploys, beside what the environment says (AWS_PROFILE, a role of the machine).

    Pulumi's own `aws:profile` and `aws:assumeRole` are for its default provider, which nothing here
    uses. A `profile` exists on one person's machine: not for stacks that a pipeline deploys.
    """

    profile: Text | None = None
    assume_role: AssumeRole | None = None


class Configuration(Section, frozen=True):
    """Everything that a stack is told.

    `account` is where it may be deployed, and nowhere else. `service` and `environment` are the
    dimensions of every metric; joined they are the function's name, and `environment` the alias.
    `exports` that are given, also as an empty list, are all that there are: others are removed.
    """

    environment: Environment
    region: Region
    account: AccountId
    source: Source
    checkpoint: Checkpoint
    schedule: Schedule
    service: Service = SERVICE
    tags: dict[str, str] = field(default_factory=dict)
    credentials: Credentials = Credentials()
    permissions_boundary_arn: PolicyArn | None = None
    artifacts: Artifacts = Artifacts()
    layers: Layers = Layers()
    function: Function = Function()
    run: Run = Run()
    alarms: Alarms = Alarms()
    vpc: Vpc | None = None
    access_logs: AccessLogs | None = None
    notification: Notification | None = None
    athena: Athena | None = None
    exports: list[Export] | None = None

    @property
    def default_tags(self) -> dict[str, str]:
        """The tags that everything has without being told."""
        return {
            "service": self.service,
            "environment": self.environment,
            "managed-by": "pulumi",
        }
