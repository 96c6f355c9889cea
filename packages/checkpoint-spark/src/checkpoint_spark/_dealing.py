"""Dealing objects to tasks: in parts that take about equally long."""

import math
from itertools import accumulate
from typing import Final

import polars as pl

__all__ = ["deal"]

# An object takes a request, however small it is; so many bytes take as long as one.
_BYTES_OF_A_REQUEST: Final = 65_536
# A few seconds of a core each: long beside what a task costs, short beside what a lost one costs.
_PART: Final = 25_000
_SMALLEST_PART: Final = 500
_PARTS_OF_A_CORE: Final = 2


def deal(portion: pl.DataFrame, *, cores: int, max_object_size_bytes: int) -> list[pl.DataFrame]:
    """Divide a portion, in its order, into parts of about as much work by number and bytes.

    Every core gets some, unless there is too little for that.
    """
    weight = 1 + portion["size"].clip(upper_bound=max_object_size_bytes) / _BYTES_OF_A_REQUEST
    total = weight.sum()
    few = min(_PARTS_OF_A_CORE * cores, math.ceil(total / _SMALLEST_PART))
    parts = max(1, few, math.ceil(total / _PART))
    number = ((weight.cum_sum() - weight) * parts / total).cast(pl.Int64)
    # Slices, which share the portion's memory.
    heights = number.rle().struct.field("len").to_list()
    begins = accumulate(heights, initial=0)
    return [portion.slice(begin, height) for begin, height in zip(begins, heights, strict=False)]
