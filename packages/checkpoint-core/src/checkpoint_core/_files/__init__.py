"""The files that a checkpoint consists of: names, columns, digests, reading and writing."""
