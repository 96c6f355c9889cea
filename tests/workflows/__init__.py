"""Tests of what a hosted CI does."""
