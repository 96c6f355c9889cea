"""Where charts are drawn."""
