"""The visit-event checkpoint as an AWS Lambda function: `checkpoint_lambda.handler.lambda_handler`."""

from checkpoint_lambda._version import __version__

__all__ = ["__version__"]
