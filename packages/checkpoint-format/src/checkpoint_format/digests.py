"""Digests of files, by which damage is found before anything is built on it.

Those of a commit's files are in a small file beside its ledger. It is written with the ledger,
before the commit, and kept as long. All are BLAKE2b with 128 bits, in hexadecimal: `b2sum -l 128`
prints the same.
"""

import os
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, structs

from checkpoint_format.layout import LAYOUT_WITHOUT_LIST, DamagedFileError, Number
from checkpoint_format.names import CommitId
from checkpoint_format.parquet import digest_of

DIGEST_BYTES: Final = 16
_OWN: Final = b'"digest":"'
UNSIGNED: Final = "0" * 2 * DIGEST_BYTES
"""In the place of a file's own digest, before it has one."""


class Digests(Struct, frozen=True, kw_only=True):
    """The digests of one commit's files, and of themselves.

    `footer` is the part of the checkpoint that every load reads; `ledger` is the full ledger and,
    where there is one, the delta upon it.
    """

    layout: Number
    commit_id: CommitId
    checkpoint: str
    footer: str
    ledger: tuple[str, ...]
    own: str = ""

    def encoded(self) -> bytes:
        """Return what the file of digests holds."""
        unsigned = msgspec.json.encode(structs.replace(self, own=""))
        return msgspec.json.encode(structs.replace(self, own=_digest(unsigned)))

    def check_footer(self, tail: bytes) -> None:
        """Raise DamagedFileError unless this is the end of the checkpoint that was committed."""
        if _digest(_footer(tail)) != self.footer:
            raise DamagedFileError("its footer is not as it was committed")

    def check_checkpoint(self, file: Path) -> None:
        """Raise DamagedFileError unless this is the checkpoint that was committed."""
        if digest_of(file) != self.checkpoint:
            raise DamagedFileError("it is not as it was committed")

    def check_ledger(self, files: Sequence[Path]) -> None:
        """Raise DamagedFileError unless these are the ledger's files that were committed."""
        if tuple(map(digest_of, files)) != self.ledger:
            raise DamagedFileError("its ledger is not as it was committed")


def digests_of(
    commit_id: str, checkpoint: Path, ledger: Sequence[Path], *, known: tuple[str, ...]
) -> Digests:
    """Return the digests of a commit's files; of the ledger's, the full one first.

    `known` are those of its first files that were found before.
    """
    return Digests(
        layout=LAYOUT_WITHOUT_LIST,
        commit_id=commit_id,
        checkpoint=digest_of(checkpoint),
        footer=_digest(_read_footer(checkpoint)),
        ledger=(*known, *map(digest_of, ledger[len(known) :])),
    )


def decode_digests(data: bytes, commit_id: str) -> Digests:
    """Read what `encoded` made, for this commit; raises DamagedFileError for anything else."""
    try:
        digests = msgspec.json.decode(data, type=Digests)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError from error
    if digests.encoded() != data or digests.commit_id != commit_id:
        raise DamagedFileError
    return digests


def sign(file: Path) -> None:
    """Put the digest of a file into it, in the place of UNSIGNED in its metadata."""
    data = file.read_bytes()
    start = _start_of_own(data)
    file.write_bytes(data[:start] + _digest(data).encode() + data[start + len(UNSIGNED) :])


def check_signed(file: Path) -> bool:
    """Check a file against the digest in it, and return whether it has one.

    Raises DamagedFileError where it has another one.
    """
    data = file.read_bytes()
    start = _start_of_own(data)
    if start < 0:
        return False
    end = start + len(UNSIGNED)
    if _digest(data[:start] + UNSIGNED.encode() + data[end:]).encode() != data[start:end]:
        raise DamagedFileError
    return True


def _start_of_own(data: bytes) -> int:
    """Return where the digest in a file begins, -1 where there is none.

    Our metadata are behind everything that holds text of objects.
    """
    start = data.rfind(_OWN)
    return start if start < 0 else start + len(_OWN)


def footer_size(tail: bytes) -> int:
    """Return how many of a Parquet file's last bytes hold its footer; 0 where there is none."""
    if tail[-4:] != b"PAR1":
        return 0
    return int.from_bytes(tail[-8:-4], "little") + 8


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=DIGEST_BYTES).hexdigest()


def _footer(tail: bytes) -> bytes:
    return tail[-footer_size(tail) :]


def _read_footer(file: Path) -> bytes:
    with file.open("rb") as opened:
        opened.seek(-8, os.SEEK_END)
        opened.seek(-footer_size(opened.read()), os.SEEK_END)
        return opened.read()


def content_digest(data: bytes) -> bytes:
    """Return the digest that tells versions of an object apart: BLAKE2b with 128 bits.

    `b2sum -l 128 FILE` prints the same in hexadecimal.
    """
    return blake2b(data, digest_size=DIGEST_BYTES).digest()
