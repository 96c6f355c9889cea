"""What was built, run as Lambda would run it: `hatch run try-artifact`.

Not part of the ordinary suite, which needs no network: pytest collects these tests only where it is
given what to try, as in `hatch run test tests/artifact_trial --built dist/lambda`.
"""
