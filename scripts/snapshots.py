"""Writes anew what each stack deploys, as kept in tests/infra/snapshots/; `git diff` shows changes."""

import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Run the program for every stack under mocks, and write what it registers."""
    # As pytest has it; pulumi-aws warns of its own classes.
    sys.path[:0] = [str(ROOT), str(ROOT / "infra")]
    warnings.simplefilter("ignore", DeprecationWarning)
    from tests.infra.snapshots import write  # noqa: PLC0415 - the path comes first

    write()


if __name__ == "__main__":
    main()
