"""Measurements of what comes before any work: imports, and starts of processes."""
