"""Tests of the monthly report in a real browser without a screen."""
