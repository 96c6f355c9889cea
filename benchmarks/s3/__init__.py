"""Measurements against an S3, or a look-alike of it."""
