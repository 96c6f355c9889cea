"""When the function runs, and who is told of what."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, field
from typing_extensions import override

from checkpoint_infra.settings.kinds import Email, Expression, KmsKeyArn, TargetArn, TopicArn, Url
from checkpoint_infra.settings.rules.expressions import expression_problems
from checkpoint_infra.settings.rules.zones import is_unknown_zone
from checkpoint_infra.settings.sections.base import Section

__all__ = ["Alarms", "Notification", "Schedule"]


class Schedule(Section, frozen=True):
    """When the function runs, and how long a delivery that failed is tried again."""

    expression: Expression
    time_zone: Annotated[str, Meta(min_length=1)] = "UTC"
    enabled: bool = True
    max_retries: Annotated[int, Meta(ge=0, le=185)] = 5
    max_event_age_s: Annotated[int, Meta(ge=60, le=86_400)] = 3_600

    @override
    def problems(self) -> Iterator[str]:
        """Refuse what the scheduler would refuse."""
        yield from (f"expression: {each}" for each in expression_problems(self.expression))
        if is_unknown_zone(self.time_zone):
            yield "timeZone: must be a name such as America/New_York"


class Alarms(Section, frozen=True):
    """The thresholds, and who is told: an existing topic, or a topic made for e-mail addresses.

    A success is expected every `expected_run_hours`, which must be longer than the schedule's
    longest pause; CloudWatch looks back a week at most. For a schedule that pauses longer,
    `deadline` says when a run must have succeeded that began within these hours.
    `runbook_url` is where this repository's docs/operating.md can be read.
    """

    topic_arn: TopicArn | None = None
    emails: list[Email] = field(default_factory=list)
    topic_kms_key_arn: KmsKeyArn | None = None
    require_actions: bool = False
    duration_minutes: Annotated[float, Meta(gt=0, le=15)] = 10
    failed_percent: Annotated[float, Meta(ge=0, lt=100)] = 10
    expected_run_hours: Annotated[int, Meta(ge=1, le=168)] = 26
    deadline: Expression | None = None
    stale_days: Annotated[int, Meta(ge=1, le=365)] = 7
    runbook_url: Url | None = None

    @override
    def problems(self) -> Iterator[str]:
        """Refuse alarms that nobody hears where somebody must, and two answers to one question."""
        if self.topic_arn and self.emails:
            yield "give topicArn or emails, not both: subscribe addresses to that topic instead"
        if self.topic_kms_key_arn and not self.emails:
            yield "topicKmsKeyArn belongs to a topic made for emails"
        if self.require_actions and not (self.topic_arn or self.emails):
            yield "requireActions is on and nobody is told: give topicArn or emails"
        if len({address.lower() for address in self.emails}) < len(self.emails):
            yield "emails: names an address twice"
        if self.deadline:
            yield from (f"deadline: {each}" for each in expression_problems(self.deadline))


class Notification(Section, frozen=True):
    """Who is told of each new checkpoint, through EventBridge: existing targets, or a topic.

    The checkpoint's bucket must send its events to EventBridge: a created one does. For an existing
    one `owns_bucket_notifications` replaces whatever notifications it has; without it, its owner
    turns them on. Targets must let `events.amazonaws.com` in.
    """

    target_arns: Annotated[list[TargetArn], Meta(max_length=4)] = field(default_factory=list)
    create_topic: bool = False
    topic_kms_key_arn: KmsKeyArn | None = None
    owns_bucket_notifications: bool = False

    @override
    def problems(self) -> Iterator[str]:
        """Refuse a notification that reaches nobody, or somebody twice."""
        if not (self.target_arns or self.create_topic):
            yield "give targetArns, or createTopic"
        if self.topic_kms_key_arn and not self.create_topic:
            yield "topicKmsKeyArn belongs to createTopic"
        if len(set(self.target_arns)) < len(self.target_arns):
            yield "targetArns: names a target twice"
