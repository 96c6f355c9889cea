"""A server that answers as no S3 does, at each request of a run."""
