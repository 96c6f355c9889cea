"""Runs the command line where Python finds no time zone database, as on a bare machine.

PYTHONTZPATH must be empty; the package tzdata, should it be installed, is hidden.
"""

import sys
import zoneinfo

sys.modules["tzdata"] = None  # type: ignore[assignment]  # makes importing it fail

import checkpoint_cli  # noqa: E402 - after the hiding

if __name__ == "__main__":
    try:
        zoneinfo.ZoneInfo("UTC")
    except zoneinfo.ZoneInfoNotFoundError:
        checkpoint_cli.main()
    sys.exit("there is a time zone database after all")
