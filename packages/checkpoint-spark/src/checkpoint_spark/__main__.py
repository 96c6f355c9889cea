"""Makes `python -m checkpoint_spark` the same as `nacc-checkpoint-spark`."""

from checkpoint_spark._command import main

if __name__ == "__main__":
    main()
