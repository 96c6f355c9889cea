"""The archives: known by what is in them, and within what Lambda takes."""

import hashlib
import zipfile
from pathlib import Path

from artifacts.toolchain import BuildError, execute
from artifacts.trees import unzipped_bytes

__all__ = [
    "FUNCTION_LIMIT_BYTES",
    "MEGABYTE",
    "check_function_size",
    "digest",
    "strip_to_fit",
    "write_archive",
]

MEGABYTE = 1_048_576
# What Lambda takes, unzipped, of the function and all layers together.
_LIMIT_BYTES = 250 * MEGABYTE
# Ours: a function that is larger has something in it that belongs into a layer.
FUNCTION_LIMIT_BYTES = 4 * MEGABYTE
_DATE = (1980, 1, 1, 0, 0, 0)
_COMPRESSION_LEVEL = 6


def write_archive(tree: Path, path: Path, *, below: str = "", compressed: bool = True) -> str:
    """Write all files of a tree; return the digest of what is in the archive, in hexadecimal.

    Guarantee: the digest is that of names, modes and contents alone: not of dates, the order in
    which the file system lists files, or how they are compressed. Uncompressed, so are the bytes;
    what zlib makes of the same contents differs between its versions and kinds.

    Args:
        tree: what to write.
        path: the archive; its folder exists.
        below: a folder of the archive that the tree is put into, such as python/.
        compressed: by zlib.

    """
    files = {file.relative_to(tree).as_posix(): file for file in tree.rglob("*") if file.is_file()}
    contents = hashlib.sha256()
    with zipfile.ZipFile(path, "w") as archive:
        for name, file in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{below}{name}", date_time=_DATE)
            entry.create_system = 3  # Unix, also where this runs on another: it decides on modes
            mode, data = 0o100755 if ".so" in file.suffixes else 0o100644, file.read_bytes()
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
            archive.writestr(entry, data, compresslevel=_COMPRESSION_LEVEL)
            contents.update(f"{entry.filename}\0{mode:o}\0{len(data)}\0".encode() + data)
    return contents.hexdigest()


def digest(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_function_size(size_bytes: int) -> None:
    """Raise BuildError when the function's archive is too large."""
    if size_bytes >= FUNCTION_LIMIT_BYTES:
        raise BuildError(
            f"function.zip has {size_bytes:,} bytes and must stay below {FUNCTION_LIMIT_BYTES:,}. "
            "It holds our packages alone: look for data files in packages/*/src."
        )


def strip_to_fit(trees: list[Path], strip: Path | None, *, reserved_mb: int) -> list[str]:
    """Take the symbols out of libraries, largest first, until everything fits; return which.

    Raises BuildError, saying what to do, when it does not fit.
    """
    limit = _LIMIT_BYTES - reserved_mb * MEGABYTE
    libraries = [path for tree in trees for path in tree.rglob("*.so")]
    stripped: list[str] = []
    for library in sorted(libraries, key=lambda path: (-path.stat().st_size, path.name)):
        if strip is None or sum(map(unzipped_bytes, trees)) <= limit:
            break
        execute(
            [strip, "--strip-unneeded", library],
            remedy=f"{strip} cannot strip this; put LLVM's llvm-strip on PATH.",
        )
        stripped.append(library.name)
    size = sum(map(unzipped_bytes, trees))
    if size > limit:
        advice = "Install LLVM (llvm-strip), which" if strip is None else f"{strip}"
        raise BuildError(
            f"Function and layers have {size / MEGABYTE:.1f} MB unzipped; Lambda takes 250, less "
            f"{reserved_mb} for AWS's tracing layer. {advice} takes the symbols out of the "
            f"libraries ({', '.join(stripped) or 'none'} so far). Without a tracing layer build "
            "with --reserve-mb 0; or do without a dependency."
        )
    return stripped
