"""The sections of a stack's configuration, one module per concern."""
