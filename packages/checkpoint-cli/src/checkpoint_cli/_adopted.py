"""Files of other systems whose rows a run adopts, as the option names them."""

import typer

from checkpoint_storage.errors import UnsupportedLocationError
from checkpoint_storage.foreign import open_foreign
from checkpoint_storage.locations import OpenStore

__all__ = ["foreign_files"]


def foreign_files(texts: list[str] | None, checkpoint: OpenStore) -> list[OpenStore]:
    """Return where the files that were named are; anything else, or one twice, is wrong usage."""
    try:
        return open_foreign(texts or (), checkpoint)
    except UnsupportedLocationError as error:
        raise typer.BadParameter(str(error), param_hint="--adopt-from") from error
