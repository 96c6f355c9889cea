"""The deployed stacks of the program that the roles are for."""

from tests.infra.conftest import artifacts, everything, stacks

__all__ = ["artifacts", "everything", "stacks"]
