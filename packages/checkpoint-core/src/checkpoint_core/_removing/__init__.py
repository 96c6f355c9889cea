"""Taking participants out: what holds them, what is kept from coming back, what is purged."""
