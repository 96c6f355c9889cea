"""The evaluation of policies that other tests rely on."""

from typing import Any

import pytest

from tests.infra.evaluating import Access, allows


def statement(effect: str = "Allow", **parts: Any) -> dict[str, Any]:
    """Return a statement about reading what is below a folder."""
    return {"Effect": effect, "Action": ["s3:Get*"], "Resource": ["arn:aws:s3:::a/b/*"], **parts}


def may(
    *statements: dict[str, Any],
    action: str = "s3:GetObject",
    key: str = "b/c",
    context: dict[str, str] | None = None,
) -> bool:
    """Say whether these statements allow an access to a key of bucket a."""
    access = Access(action=action, resource=f"arn:aws:s3:::a/{key}", context=context or {})
    return allows({"Statement": statements}, access)


def test_only_what_a_statement_allows_is_allowed() -> None:
    """Action and resource must both fit; actions in any case, resources in this one."""
    assert may(statement())
    assert may(statement(), action="s3:getobject")
    assert not may()
    assert not may(statement(), action="s3:PutObject")
    assert not may(statement(), key="c")
    assert not may(statement(), key="B/c")


def test_a_statement_that_refuses_wins() -> None:
    """Whatever the order."""
    assert not may(statement(), statement("Deny"))
    assert not may(statement("Deny"), statement())
    assert may(statement(), statement("Deny", Resource=["arn:aws:s3:::a/x/*"]))


@pytest.mark.parametrize(
    "condition,context,is_met",
    [
        ({"StringEquals": {"k": "a*"}}, {"k": "a*"}, True),
        ({"StringEquals": {"k": "a*"}}, {"k": "ab"}, False),
        ({"StringLike": {"k": "a?c*"}}, {"k": "abc/[d]"}, True),
        ({"StringLike": {"k": "[ab]"}}, {"k": "a"}, False),
        ({"StringLike": {"k": ["x", "y*"]}}, {"k": "yes"}, True),
        ({"StringLike": {"k": "*"}}, {}, False),
        ({"StringLike": {"k": "*"}, "StringEquals": {"j": "1"}}, {"k": "x", "j": "2"}, False),
        ({"StringLike": {"k": "*", "j": "1"}}, {"k": "x", "j": "1"}, True),
    ],
)
def test_all_conditions_must_be_met(
    condition: dict[str, Any], context: dict[str, str], *, is_met: bool
) -> None:
    """By one of the values of each key; a key that the request lacks meets none."""
    assert may(statement(Condition=condition), context=context) is is_met


def test_what_is_not_known_here_is_an_error() -> None:
    """Neither allowed nor refused by a guess."""
    with pytest.raises(KeyError, match="IpAddress"):
        may(statement(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    with pytest.raises(AssertionError):
        may(statement(NotAction=["s3:*"]))
