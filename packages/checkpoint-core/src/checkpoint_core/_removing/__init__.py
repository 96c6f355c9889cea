"""Taking participants out, and keeping them out: the list, what is left by it, what is purged."""
