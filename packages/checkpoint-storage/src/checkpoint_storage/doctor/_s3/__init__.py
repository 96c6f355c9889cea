"""What only a place in S3 is asked: access, the bucket's settings, its KMS key."""
