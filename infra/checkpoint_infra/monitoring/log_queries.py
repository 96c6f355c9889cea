"""What operators ask the function's log, saved in Logs Insights."""

from typing import Final

import pulumi
import pulumi_aws as aws

from checkpoint_infra.naming import Names
from checkpoint_infra.settings.stack import Configuration

__all__ = ["OPERATORS", "LogQueries"]

OPERATORS: Final = {
    "failed-runs": """\
fields @timestamp, run_id, stage, error, message
| filter event = 'run_failed'
| sort @timestamp desc
| limit 20""",
    "runs": """\
fields @timestamp, run_id, new_events_processed, events_failed, execution_time_ms, complete
| filter event = 'run_completed'
| sort @timestamp desc
| limit 100""",
    "rejected-objects": """\
filter event = 'object_rejected'
| stats count(*) as objects by outcome, reason
| sort objects desc""",
    "warnings": """\
fields @timestamp, event, warning, message
| filter level = 'WARNING' and event != 'object_rejected'
| sort @timestamp desc
| limit 100""",
}


class LogQueries(pulumi.ComponentResource):
    """What operators ask the log, saved in Logs Insights below the function's name."""

    def __init__(
        self,
        config: Configuration,
        *,
        log_group: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("nacc:checkpoint:LogQueries", "log-queries", None, opts)
        for name, query in OPERATORS.items():
            aws.cloudwatch.QueryDefinition(
                name,
                name=f"{Names(config).function}/{name}",
                log_group_names=[log_group],
                query_string=query,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
