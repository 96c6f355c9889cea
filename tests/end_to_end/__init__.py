"""The command line on real directories, in real processes."""
