"""What `preparing` has made for an endpoint: pairs to start runs from, and what is new to them."""

import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from benchmarks.s3.look_alike import Endpoint
from benchmarks.watching import watch


class Prepared(Struct, frozen=True):
    """Pairs in a folder, made of so many objects, and what the ledger of each is called."""

    folder: Path
    objects: int
    ledgers: dict[str, str]

    def keys(self, pair: str) -> list[str]:
        """Return the keys that are new to a pair, oldest first."""
        text = Path(self.folder, f"{pair}.txt").read_text(encoding="utf-8")
        return text.split("\n") if text else []

    def checkpoint(self, pair: str) -> Path:
        """Return the checkpoint of a pair."""
        return Path(self.folder, pair, "checkpoint.parquet")

    def upload(self, endpoint: Endpoint, key: str, pair: str) -> None:
        """Put a pair where a checkpoint of that key is."""
        endpoint.upload(key, Path(self.folder, pair), self.ledgers[pair])

    @contextmanager
    def uploaded(self, endpoint: Endpoint, pair: str) -> Iterator[str]:
        """Put a pair into a folder of its own, give its key, and remove all that is there then."""
        folder = f"benchmark-{secrets.token_hex(8)}"
        key = f"{folder}/events.parquet"
        try:
            self.upload(endpoint, key, pair)
            yield key
        finally:
            endpoint.remove(folder)


@contextmanager
def prepared(endpoint: Endpoint, new: int, *pairs: str) -> Iterator[Prepared]:
    """Prepare these pairs, of which so many objects are new, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = (endpoint.bucket, endpoint.prefix, str(new), folder, *pairs)
        made = watch("-m", "benchmarks.s3.preparing", *arguments, environ=endpoint.environ)
        said = json.loads(made.lines[-1])
        yield Prepared(Path(folder), said["objects"], said["ledgers"])
