"""What the commands do, a module for each, loaded when it is done: with it come polars and S3."""
