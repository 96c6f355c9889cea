"""The archives that `hatch run build-artifacts` made, checked before anything is deployed."""

import base64
import hashlib
from pathlib import Path
from typing import Final, NoReturn

import msgspec
from msgspec import Struct

from checkpoint_infra.settings.stack import Configuration

__all__ = ["Archive", "ArtifactError", "Artifacts", "Identity"]

_FUNCTION: Final = "function.zip"
_REMEDY: Final = "Run `hatch run build-artifacts` and try again."


class ArtifactError(Exception):
    """An archive is missing, or is not the one that the manifest speaks of."""


class Identity(Struct, frozen=True):
    """What tells one archive from another.

    Archives are the same where their contents are: what packed them may differ.
    """

    sha256: str
    content_sha256: str | None = None

    @property
    def digest(self) -> str:
        """The digest of what is in the archive, of its bytes where the former is not known."""
        return self.content_sha256 or self.sha256

    @property
    def code_hash(self) -> str:
        """The digest of the bytes as Lambda writes it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


class Archive(Struct, frozen=True):
    """One archive of the build."""

    path: Path
    identity: Identity


class _Manifest(Struct, frozen=True):
    """What the manifest must say; it may say more."""

    runtime: str
    architecture: str
    files: dict[str, Identity]


class Artifacts:
    """The folder of the archives; what is asked for is checked against its manifest.

    Args:
        folder: where they are.
        config: the runtime and the architecture that they must be for.

    """

    def __init__(self, folder: Path, config: Configuration) -> None:
        self._folder = folder
        self._config = config
        self._manifest: _Manifest | None = None

    def function(self) -> Archive:
        """Return the function's archive; raises ArtifactError."""
        return self._archive(_FUNCTION)

    def layer(self, name: str) -> Archive:
        """Return a layer's archive; raises ArtifactError."""
        return self._archive(_layer(name))

    def identity(self, name: str) -> Identity:
        """Return what a layer of this build is; its archive need not be here."""
        found = self._checked_manifest().files.get(_layer(name))
        if found is None:
            _refuse(self._folder / "manifest.json", f"does not speak of the layer {name}")
        return found

    def _archive(self, name: str) -> Archive:
        path = self._folder / name
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            _refuse(path, f"cannot be read ({error.strerror})", error)
        expected = self._checked_manifest().files.get(name)
        if expected is None or expected.sha256 != digest:
            _refuse(path, "is not the archive that manifest.json speaks of")
        return Archive(path, expected)

    def _checked_manifest(self) -> _Manifest:
        if self._manifest is None:
            self._manifest = self._read_manifest()
        return self._manifest

    def _read_manifest(self) -> _Manifest:
        path = self._folder / "manifest.json"
        try:
            manifest = msgspec.json.decode(path.read_bytes(), type=_Manifest)
        except (OSError, msgspec.MsgspecError) as error:
            _refuse(path, f"cannot be read ({error})", error)
        wanted = self._config.function
        for what, built, configured in (
            ("runtime", manifest.runtime, wanted.runtime),
            ("architecture", manifest.architecture, wanted.architecture),
        ):
            if built != configured:
                _refuse(path, f"was built for {what} {built}, and the stack is for {configured}")
        return manifest


def _layer(name: str) -> str:
    return f"layers/{name}.zip"


def _refuse(path: Path, problem: str, error: Exception | None = None) -> NoReturn:
    raise ArtifactError(f"{path}: {problem}. {_REMEDY}") from error
