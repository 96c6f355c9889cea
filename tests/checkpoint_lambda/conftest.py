"""A function in a small world, for the tests of one module after the other."""

from collections.abc import Iterator

import pytest

from tests.checkpoint_lambda.invoking import Function, function


@pytest.fixture
def lambda_() -> Iterator[Function]:
    """Give a function with an empty source and no checkpoint."""
    with function() as made:
        yield made
