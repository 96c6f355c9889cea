"""Makes `python -m checkpoint_cli` the same as `nacc-checkpoint`."""

from checkpoint_cli import main

if __name__ == "__main__":
    main()
