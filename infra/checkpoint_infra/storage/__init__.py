"""Where things are kept: buckets, how long, and who is told of a new checkpoint."""
