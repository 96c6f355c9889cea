"""Finding out, before a run does, whether a source and a checkpoint can be worked with.

Every check is a small function in a table, which differs for directories and S3. They look at what a
run relies on: credentials, permissions, conditional writes that are really refused, encryption,
what would lose data. Apart from one probe beside the ledgers, which is removed again, they write
nothing; no value of an event and no secret is ever told.
"""

from checkpoint_storage.doctor._checks import checks_for
from checkpoint_storage.doctor._examination import Finding, State, Subject, examine

__all__ = ["Finding", "State", "Subject", "checks_for", "examine"]
