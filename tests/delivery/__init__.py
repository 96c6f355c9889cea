"""Tests of the roles by which the stacks are deployed."""
