"""One build: from the locks and our sources to the archives and their manifest."""

import json
import platform
import shutil
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from artifacts.archives import (
    MEGABYTE,
    check_function_size,
    digest,
    strip_to_fit,
    write_archive,
)
from artifacts.locks import LAYERS, check_locks, layer_resolution, read_lock
from artifacts.projects import deployed_projects
from artifacts.targets import Target
from artifacts.toolchain import execute, find_interpreter, find_strip, find_uv, say
from artifacts.trees import compile_tree, copy_sources, install, unzipped_bytes
from artifacts.wheels import check_complete, check_installed

__all__ = ["Build"]

_FUNCTION = "function"


@dataclass(frozen=True, kw_only=True)
class Build:
    """What to build: `reserved_mb` is left for a layer that is not ours."""

    target: Target
    output: Path
    has_bytecode: bool = True
    reserved_mb: int = 40

    def make(self) -> None:
        """Build; raises BuildError.

        Guarantee: the output folder has a manifest only when the archives beside it are whole and
        the ones that it speaks of; the same sources, locks and tools give the same `content_sha256`.
        """
        check_locks()
        interpreter = find_interpreter(self.target.runtime) if self.has_bytecode else None
        strip = find_strip(self.target.machine)
        with tempfile.TemporaryDirectory(prefix="artifacts-") as folder:
            trees = {name: Path(folder, name) for name in (*LAYERS, _FUNCTION)}
            versions = self._fill(trees)
            if interpreter is not None:
                self._compile(trees, interpreter)
            stripped = strip_to_fit(list(trees.values()), strip, reserved_mb=self.reserved_mb)
            archives = Path(folder, "archives")
            contents = self._pack(trees, archives)
            manifest = self._describe(archives, trees, versions, contents)
            manifest["toolchain"] = _toolchain(interpreter, strip if stripped else None)
            manifest["stripped"] = stripped
            check_function_size(manifest["files"]["function.zip"]["size_bytes"])
            self._put_in_place(archives, manifest)
        self._report(manifest)

    def _fill(self, trees: dict[str, Path]) -> dict[str, dict[str, str]]:
        copy_sources(trees[_FUNCTION], deployed_projects())
        versions: dict[str, dict[str, str]] = {}
        for layer in LAYERS:
            say(f"{layer}: installing for {self.target.architecture}, {self.target.runtime}")
            install(layer, self.target, trees[layer])
            versions[layer] = check_installed(trees[layer], read_lock(layer), self.target)
        needs = chain.from_iterable(layer_resolution(deployed_projects()).files.values())
        check_complete([trees[layer] for layer in LAYERS], needs, self.target)
        return versions

    def _compile(self, trees: dict[str, Path], interpreter: Path) -> None:
        say(f"compiling with {interpreter}")
        with ThreadPoolExecutor() as executor:
            running = [
                executor.submit(
                    compile_tree,
                    tree,
                    interpreter,
                    mounted_at="/var/task" if name == _FUNCTION else "/opt/python",
                )
                for name, tree in trees.items()
            ]
            for each in running:
                each.result()

    def _pack(self, trees: dict[str, Path], archives: Path) -> dict[str, str]:
        """Write the archives; return the digests of their contents by the trees' names."""
        (archives / "layers").mkdir(parents=True)
        with ThreadPoolExecutor() as executor:
            running = {
                layer: executor.submit(
                    write_archive,
                    trees[layer],
                    archives / "layers" / f"{layer}.zip",
                    below="python/",
                )
                for layer in LAYERS
            }
            # Pulumi compares the function's archive byte by byte: no zlib must have a say in them.
            function = write_archive(trees[_FUNCTION], archives / "function.zip", compressed=False)
            return {_FUNCTION: function} | {name: each.result() for name, each in running.items()}

    def _describe(
        self,
        archives: Path,
        trees: dict[str, Path],
        versions: dict[str, dict[str, str]],
        contents: dict[str, str],
    ) -> dict[str, Any]:
        names = {"function.zip": _FUNCTION} | {f"layers/{name}.zip": name for name in LAYERS}
        files = {
            path: {
                "sha256": digest(archives / path),
                "content_sha256": contents[name],
                "size_bytes": (archives / path).stat().st_size,
                "unzipped_bytes": unzipped_bytes(trees[name]),
                "distributions": versions.get(name, {}),
            }
            for path, name in names.items()
        }
        return {
            "runtime": f"python{self.target.runtime}",
            "architecture": self.target.architecture,
            "bytecode": self.has_bytecode,
            "unzipped_bytes": sum(map(unzipped_bytes, trees.values())),
            "files": files,
        }

    def _put_in_place(self, archives: Path, manifest: dict[str, Any]) -> None:
        """Replace what is there: the manifest goes first and comes last."""
        final = self.output / "manifest.json"
        final.unlink(missing_ok=True)
        (self.output / "layers").mkdir(parents=True, exist_ok=True)
        for path in manifest["files"]:
            shutil.move(archives / path, self.output / path)
        partial = final.with_suffix(".partial")
        partial.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        partial.replace(final)

    def _report(self, manifest: dict[str, Any]) -> None:
        for path, file in manifest["files"].items():
            say(
                f"{path:28} {file['size_bytes'] / MEGABYTE:6.1f} MB zipped"
                f" {file['unzipped_bytes'] / MEGABYTE:6.1f} MB unzipped"
            )
        total = manifest["unzipped_bytes"] / MEGABYTE
        say(f"{total:.1f} MB unzipped of 250, {self.reserved_mb} of them left for tracing")
        say(f"{self.output}: done")


def _toolchain(interpreter: Path | None, strip: Path | None) -> dict[str, str | None]:
    """Name the versions of the programs whose output depends on their version."""

    def version(program: Path | None) -> str | None:
        if program is None:
            return None
        lines = execute([program, "--version"], remedy="").splitlines()
        return next((line.strip() for line in lines if "version" in line or "Python" in line), "")

    return {
        "python": version(interpreter),
        "strip": version(strip),
        "uv": execute([find_uv(), "--version"], remedy="").strip().split(" (")[0],
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "built_with": f"Python {platform.python_version()}",
    }
