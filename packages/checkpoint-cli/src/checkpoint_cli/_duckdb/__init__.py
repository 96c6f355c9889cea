"""SQL over a checkpoint: DuckDB in a process of its own."""
