"""What can go wrong with a location, beyond what the format knows."""

__all__ = ["UnsupportedLocationError"]


class UnsupportedLocationError(ValueError):
    """A source or a checkpoint is named in a way that this version cannot use."""
