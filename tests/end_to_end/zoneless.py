"""Runs command lines, one after the other, where Python finds no time zone database.

As on a bare machine: PYTHONTZPATH must be empty; the package tzdata, should it be installed, is
hidden. Ends with the status of the first that fails.
"""

import sys
import zoneinfo

sys.modules["tzdata"] = None  # type: ignore[assignment]  # makes importing it fail

import checkpoint_cli  # noqa: E402 - after the hiding


def main() -> None:
    """Run each argument as a command line."""
    for command in sys.argv[1:]:
        sys.argv[1:] = command.split()
        try:
            checkpoint_cli.main()
        except SystemExit as ended:
            if ended.code:
                sys.exit(f"{command} ended with {ended.code}")


if __name__ == "__main__":
    try:
        zoneinfo.ZoneInfo("UTC")
    except zoneinfo.ZoneInfoNotFoundError:
        main()
    else:
        sys.exit("there is a time zone database after all")
