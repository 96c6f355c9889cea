"""The sections of a report: what each says, its table, and which chart it has."""
