"""How Parquet is written, as far as that may be set."""

from typing import Literal, Protocol

__all__ = ["Compression", "Writing"]

Compression = Literal["snappy", "zstd", "lz4", "uncompressed"]


class Writing(Protocol):
    """What is set of it; the settings of a run are such."""

    @property
    def compression(self) -> Compression:
        """The codec."""
        ...

    @property
    def row_group_rows(self) -> int:
        """The most rows in one row group."""
        ...
