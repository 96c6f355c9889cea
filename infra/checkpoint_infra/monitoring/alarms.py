"""The alarms, and the topic that they are told to."""

import hashlib
import re

import pulumi
import pulumi_aws as aws

from checkpoint_infra.monitoring.metrics import Metric
from checkpoint_infra.monitoring.thresholds import MANUAL, AlarmRule, Both, Share, alarm_rules
from checkpoint_infra.naming import Names
from checkpoint_infra.settings.stack import Configuration

__all__ = ["Alarms"]


class Alarms(pulumi.ComponentResource):
    """All alarms of a stack; `topic_arn` is None where nobody is told."""

    topic_arn: pulumi.Output[str] | None
    arns: list[pulumi.Output[str]]

    def __init__(self, config: Configuration, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("nacc:checkpoint:Alarms", "alarms", None, opts)
        self._config = config
        self._names = Names(config)
        self.topic_arn = self._topic(config)
        made: dict[str, pulumi.Resource] = {}
        self.arns = []
        for rule in alarm_rules(config):
            if isinstance(rule.watched, Both):
                composite = self._composite(rule, rule.watched, made)
                self.arns.append(composite.arn)
            else:
                alarm = self._alarm(rule, rule.watched)
                made[rule.name] = alarm
                self.arns.append(alarm.arn)
        self.register_outputs({"topic_arn": self.topic_arn})

    def _topic(self, config: Configuration) -> pulumi.Output[str] | None:
        wanted = config.alarms
        if wanted.topic_arn is not None:
            return pulumi.Output.from_input(wanted.topic_arn)
        if not wanted.emails:
            return None
        topic = aws.sns.Topic(
            "topic",
            name=self._names.alarm_topic,
            # CloudWatch cannot use the account's default key; an alarm holds nothing of the data.
            kms_master_key_id=wanted.topic_kms_key_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        for address in wanted.emails:
            # Named by the address: one more or one fewer must not touch the others. A subscription
            # that is made again for the same address ends in none.
            aws.sns.TopicSubscription(
                f"email-{hashlib.sha256(address.encode()).hexdigest()[:12]}",
                topic=topic.arn,
                protocol="email",
                endpoint=address,
                opts=pulumi.ResourceOptions(parent=topic),
            )
        return topic.arn

    def _actions(self, rule: AlarmRule) -> list[pulumi.Output[str]]:
        return [self.topic_arn] if self.topic_arn is not None and rule.told else []

    def _description(self, rule: AlarmRule) -> str:
        """Where it is explained: the link, or the manual's name and section."""
        if self._config.alarms.runbook_url is None:
            return f'What to do: {MANUAL}, section "{rule.section}".'
        anchor = re.sub(r"[^a-z0-9 -]", "", rule.section.lower()).replace(" ", "-")
        return f"What to do: {self._config.alarms.runbook_url}#{anchor}"

    def _composite(
        self, rule: AlarmRule, both: Both, made: dict[str, pulumi.Resource]
    ) -> aws.cloudwatch.CompositeAlarm:
        parts = [both.first, both.second]
        return aws.cloudwatch.CompositeAlarm(
            rule.name,
            alarm_name=self._names.alarm(rule.name),
            alarm_description=self._description(rule),
            alarm_rule=" AND ".join(f'ALARM("{self._names.alarm(part)}")' for part in parts),
            alarm_actions=self._actions(rule),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[made[part] for part in parts]),
        )

    def _alarm(self, rule: AlarmRule, watched: Metric | Share) -> aws.cloudwatch.MetricAlarm:
        threshold = rule.above if rule.above is not None else rule.below
        how = "GreaterThanThreshold" if rule.above is not None else "LessThanThreshold"
        args = aws.cloudwatch.MetricAlarmArgs(
            name=self._names.alarm(rule.name),
            alarm_description=self._description(rule),
            comparison_operator=how,
            threshold=threshold,
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.datapoints,
            treat_missing_data=rule.missing,
            alarm_actions=self._actions(rule),
            ok_actions=self._actions(rule) if rule.tells_recovery else [],
        )
        if isinstance(watched, Share):
            args.metric_queries = _queries(watched, rule.period_s)
        else:
            args.namespace = watched.namespace
            args.metric_name = watched.name
            args.dimensions = watched.dimensions
            args.statistic = watched.stat
            args.period = rule.period_s
        options = pulumi.ResourceOptions(parent=self)
        return aws.cloudwatch.MetricAlarm(rule.name, args, opts=options)


def _queries(share: Share, period_s: int) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    return [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id="share", expression=share.expression, label="percent", return_data=True
        ),
        _query("part", share.part, period_s),
        _query("whole", share.whole, period_s),
    ]


def _query(name: str, metric: Metric, period_s: int) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=name,
        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=metric.dimensions,
            stat=metric.stat,
            period=period_s,
        ),
        return_data=False,
    )
