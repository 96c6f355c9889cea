"""The names of a checkpoint's files, and the ids of its commits, which stand in them."""

import re
from typing import Annotated, Final

from msgspec import Meta, Struct

_UPON: Final = ".upon."
_DIGESTS_SUFFIX: Final = ".json"
_COMMIT_ID: Final = r"\A[0-9]{8,18}-[!-.0-~]{1,90}\Z"
_GENERATION_DIGITS: Final = 17

CommitId = Annotated[str, Meta(pattern=_COMMIT_ID)]
"""Fits a file name, also twice; a name made of it leads nowhere else."""


class Names(Struct, frozen=True):
    """The names of the files beside a checkpoint, relative to its folder.

    Folders begin with `_`, which Athena and Spark do not read as data.
    """

    checkpoint: str

    @property
    def stem(self) -> str:
        """The checkpoint's name without its suffix."""
        return self.checkpoint.removesuffix(".parquet")

    @property
    def ledgers(self) -> str:
        """The folder of the ledgers."""
        return f"_ledger/{self.stem}"

    @property
    def rejects(self) -> str:
        """The rejects file."""
        return f"_rejects/{self.stem}.parquet"

    def ledger(self, commit_id: str, full: str | None = None) -> str:
        """Return the name of one commit's ledger, a delta upon the `full` one of that commit."""
        upon = f"{_UPON}{full}" if full else ""
        return f"{self.ledgers}/{commit_id}{upon}.parquet"

    def digests(self, commit_id: str) -> str:
        """Return the name of the file with the digests of one commit's files."""
        return f"{self.ledgers}/{commit_id}{_DIGESTS_SUFFIX}"

    def unclaimed(self, commit_id: str) -> str:
        """Return the name of the adopted rows that no object had claimed when a commit was made.

        It does not begin with a generation, so nothing takes it for a ledger.
        """
        return f"{self.ledgers}/unclaimed-{commit_id}.parquet"

    @property
    def withheld(self) -> str:
        """The list of participants who were taken out."""
        return f"_withheld/{self.stem}.json"

    @property
    def previous(self) -> str:
        """The folder of the checkpoints that were replaced by an adoption or a rebuild."""
        return f"_previous/{self.stem}"

    @property
    def staged(self) -> str:
        """The folder of what other machines read and judged; files there end in `.parquet`."""
        return f"_work/{self.checkpoint}"

    @property
    def exports(self) -> str:
        """What was exported from the checkpoint, and from which commit."""
        return f"_exports/{self.stem}.json"

    def replaced(self, commit_id: str) -> str:
        """Return the name under which a commit keeps the checkpoint that it replaced."""
        return f"{self.previous}/{commit_id}.parquet"


def new_commit_id(generation: int, unique: str) -> str:
    """Return a commit id: the generation, then what makes it unique. It sorts by generation.

    Raises ValueError where nobody could read what it would be written into.
    """
    commit_id = f"{generation:08d}-{unique}"
    if not re.search(_COMMIT_ID, commit_id):
        raise ValueError("an id of a run needs 1 to 80 visible characters of ASCII, and no /")
    return commit_id


def commits_of(ledger_name: str) -> tuple[str, str]:
    """Return whose commit's a ledger or a file of digests is, and that of the full ledger needed.

    Of digests that is their own commit again: what the ledger beside them needs, its name says.
    """
    name = ledger_name.rpartition("/")[2]
    stem = name.removesuffix(_DIGESTS_SUFFIX).removesuffix(".parquet")
    commit_id, _, full = stem.partition(_UPON)
    return commit_id, full or commit_id


def is_digests(name: str) -> bool:
    """Whether a file in the folder of the ledgers is one of digests."""
    return name.endswith(_DIGESTS_SUFFIX)


def generation_of(ledger_name: str) -> int:
    """Return the generation in a commit id or in a ledger's name, 0 where it has none."""
    digits = ledger_name.rpartition("/")[2].partition("-")[0]
    is_ours = digits.isascii() and digits.isdigit() and len(digits) <= _GENERATION_DIGITS
    return int(digits) if is_ours else 0
