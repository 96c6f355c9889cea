"""Exports: Parquet files in the shapes that readers need, derived from the checkpoint.

The checkpoint stays the one truth. An export may be thrown away: the next update makes it again.
"""

from checkpoint_queries.exports._definitions import (
    ColumnOrder,
    Export,
    InvalidExportsError,
    Kind,
    read_exports,
)
from checkpoint_queries.exports._rows import export_rows
from checkpoint_queries.exports._updating import ExportResult, update_exports

__all__ = [
    "ColumnOrder",
    "Export",
    "ExportResult",
    "InvalidExportsError",
    "Kind",
    "export_rows",
    "read_exports",
    "update_exports",
]
