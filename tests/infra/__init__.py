"""Tests of the infrastructure: the Pulumi program, without an account and without its CLI."""
