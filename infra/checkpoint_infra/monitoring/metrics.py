"""The metrics that alarms and the dashboard look at, and where CloudWatch has them."""

from typing import Final

from msgspec import Struct

from checkpoint_infra.naming import Names
from checkpoint_infra.settings.stack import Configuration

__all__ = ["NAMESPACE", "RUN_EXPECTED", "Metric", "Metrics"]

NAMESPACE: Final = "NACC/EventCheckpoint"

# Put there by a schedule of its own at the time when a run must have succeeded.
RUN_EXPECTED: Final = "RunExpected"


class Metric(Struct, frozen=True, kw_only=True):
    """One metric and how the values of a period are made into one."""

    namespace: str
    name: str
    dimensions: dict[str, str]
    stat: str


class Metrics(Struct, frozen=True):
    """This stack's metrics: the function's own, Lambda's and the queues'."""

    config: Configuration

    @property
    def dimensions(self) -> dict[str, str]:
        """What tells this stack's metrics from another's."""
        return {"service": self.config.service, "environment": self.config.environment}

    def of_runs(self, name: str, stat: str) -> Metric:
        """Return one that the function emits once per run."""
        return Metric(namespace=NAMESPACE, name=name, dimensions=self.dimensions, stat=stat)

    @property
    def by_study(self) -> str:
        """A search for the events that runs took, by study and datatype: whichever there are."""
        names = ",".join([NAMESPACE, *self.dimensions, "study", "datatype"])
        wanted = {"MetricName": "NewEventsProcessed", **self.dimensions}
        terms = " ".join(f'{name}="{value}"' for name, value in wanted.items())
        return f"SEARCH('{{{names}}} {terms}', 'Sum', 3600)"

    def of_lambda(self, name: str, stat: str) -> Metric:
        """Return one that Lambda emits for every invocation, whatever version it is of."""
        dimensions = {"FunctionName": Names(self.config).function}
        return Metric(namespace="AWS/Lambda", name=name, dimensions=dimensions, stat=stat)

    def of_queue(self, queue: str, name: str, stat: str) -> Metric:
        """Return one that SQS emits for a queue."""
        return Metric(namespace="AWS/SQS", name=name, dimensions={"QueueName": queue}, stat=stat)
