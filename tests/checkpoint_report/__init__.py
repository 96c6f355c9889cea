"""Tests of the monthly report, without a browser."""
