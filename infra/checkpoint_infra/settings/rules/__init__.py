"""Rules of AWS that a stack's configuration is held to before anything is asked for.

Each rule yields sentences that begin with the setting and say what to do.
"""
