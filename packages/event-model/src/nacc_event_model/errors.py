"""What this package raises about an event."""

from __future__ import annotations

from typing import NamedTuple


class Violation(NamedTuple):
    """A rule that is broken, and the field that breaks it; None for the document as a whole."""

    field: str | None
    rule: str


class EventModelError(ValueError):
    """Base of every error that this package raises."""


class InvalidEvent(EventModelError):  # noqa: N818  the name says what is wrong with the data
    """An event, or one of its fields, breaks a rule.

    *Guarantee:* neither the text nor the attributes nor a chained exception hold anything of
    the event but the names of the contract's own fields.
    So it may be logged, stored and shown.

    Args:
        field: Name of the field that breaks the rule; None for the document as a whole.
        rule: The rule, a sentence without a subject, such as ``must be a string, not empty``.
        violations: All that are known to be broken, in the order of the fields; usually this one.

    """

    def __init__(
        self, field: str | None, rule: str, violations: tuple[Violation, ...] | None = None
    ) -> None:
        super().__init__(field, rule, violations)
        self.field = field
        self.rule = rule
        self.violations = violations or (Violation(field, rule),)

    def __str__(self) -> str:  # type: ignore[explicit-override]  # override is new in Python 3.12
        return "; ".join(
            rule if field is None else f"{field}: {rule}" for field, rule in self.violations
        )
