"""Makes `python -m checkpoint_lambda` the same as `nacc-checkpoint`."""

from checkpoint_lambda.cli import main

if __name__ == "__main__":
    main()
