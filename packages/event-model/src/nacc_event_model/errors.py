"""What this package raises about an event."""

from __future__ import annotations


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

    """

    def __init__(self, field: str | None, rule: str) -> None:
        super().__init__(field, rule)
        self.field = field
        self.rule = rule

    def __str__(self) -> str:  # type: ignore[explicit-override]  # override is new in Python 3.12
        return self.rule if self.field is None else f"{self.field}: {self.rule}"
