"""The infrastructure of the visit-event checkpoint, one folder per concern.

Imports none of the packages that it deploys: it knows their archives by path, and the names that
both sides use (environment variables, metrics, columns) are held together by tests.
"""
