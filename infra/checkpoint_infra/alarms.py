"""The alarms, and the topic that they are told to."""

import pulumi
import pulumi_aws as aws

from checkpoint_infra.alarm_rules import AlarmRule, Share, alarm_rules
from checkpoint_infra.config import Configuration
from checkpoint_infra.metrics import Metric
from checkpoint_infra.naming import Names

__all__ = ["Alarms"]


class Alarms(pulumi.ComponentResource):
    """All alarms of a stack; `topic_arn` is None where nobody is told."""

    topic_arn: pulumi.Output[str] | None
    arns: list[pulumi.Output[str]]

    def __init__(self, config: Configuration, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("nacc:checkpoint:Alarms", "alarms", None, opts)
        self._names = Names(config)
        self.topic_arn = self._topic(config)
        self.arns = [self._alarm(rule) for rule in alarm_rules(config)]
        self.register_outputs({"topic_arn": self.topic_arn})

    def _topic(self, config: Configuration) -> pulumi.Output[str] | None:
        wanted = config.alarms
        if wanted.topic_arn is not None:
            return pulumi.Output.from_input(wanted.topic_arn)
        if not wanted.emails:
            return None
        topic = aws.sns.Topic(
            "topic",
            name=f"{self._names.function}-alarms",
            # CloudWatch cannot use the account's default key; an alarm holds nothing of the data.
            kms_master_key_id=wanted.topic_kms_key_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        for number, address in enumerate(wanted.emails, start=1):
            aws.sns.TopicSubscription(
                f"email-{number}",
                topic=topic.arn,
                protocol="email",
                endpoint=address,
                opts=pulumi.ResourceOptions(parent=topic),
            )
        return topic.arn

    def _alarm(self, rule: AlarmRule) -> pulumi.Output[str]:
        actions = [] if self.topic_arn is None else [self.topic_arn]
        threshold = rule.above if rule.above is not None else rule.below
        how = "GreaterThanThreshold" if rule.above is not None else "LessThanThreshold"
        args = aws.cloudwatch.MetricAlarmArgs(
            name=f"{self._names.function}-{rule.name}",
            alarm_description=rule.description,
            comparison_operator=how,
            threshold=threshold,
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.periods,
            treat_missing_data=rule.missing,
            alarm_actions=actions,
            ok_actions=actions if rule.tells_recovery else [],
        )
        if isinstance(rule.watched, Share):
            args.metric_queries = _queries(rule.watched, rule.period_s)
        else:
            args.namespace = rule.watched.namespace
            args.metric_name = rule.watched.name
            args.dimensions = rule.watched.dimensions
            args.statistic = rule.watched.stat
            args.period = rule.period_s
        options = pulumi.ResourceOptions(parent=self)
        return aws.cloudwatch.MetricAlarm(rule.name, args, opts=options).arn


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
