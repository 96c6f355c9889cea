"""From a path template and the values of a group to the name of the group's file."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

import polars as pl

_TIME: Final = pl.col("timestamp")
_PLACEHOLDERS: Final = {
    "study": pl.col("study"),
    "datatype": pl.col("datatype"),
    "adcid": pl.col("pipeline_adcid").cast(pl.String),
    "year": _TIME.dt.to_string("%Y"),
    "month": _TIME.dt.to_string("%m"),
}
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_UPWARDS: Final = re.compile(r"\A(\.\./)+")
"""Out of the checkpoint's folder, to files beside it."""
_UNSAFE: Final = re.compile(rb"[^A-Za-z0-9_.-]")
_NONE: Final = "__none__"
_LONGEST: Final = 80
_DIGEST_BYTES: Final = 8


def placeholders(template: str) -> list[str]:
    """Return the names of the template's placeholders, each once."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(template)))


def mistakes_of(template: str) -> list[str]:
    """Return what is wrong with a template."""
    mistakes = []
    unknown = [name for name in placeholders(template) if name not in _PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
        mistakes.append(f"path has an unknown placeholder; those are {known}")
    literal = _PLACEHOLDER.sub("x", template)
    if "{" in literal or "}" in literal:
        mistakes.append("path has a brace without its other")
    if not re.search(r"[^/]\.parquet\Z", literal):
        mistakes.append("path must end with a name and .parquet")
    parts = _UPWARDS.sub("", literal).split("/")
    if any(part == "" for part in parts):
        mistakes.append("path must not begin with a slash or have two of them side by side")
    if _UPWARDS.match(template) and (
        "{" in _UPWARDS.sub("", template).split("/")[0] or not parts[1:]
    ):
        # Or all that is beside the checkpoint's folder would have to be listed.
        mistakes.append("path must go on into a folder after ../, such as ../exports/")
    if any(part.startswith(("_", ".")) for part in parts):
        mistakes.append("no part of path may begin with _ or . : readers pass over such names")
    if re.search(r"[^ -~]", literal):
        mistakes.append("path has a character that is not printable ASCII")
    return mistakes


def root(template: str) -> str:
    """Return the deepest folder that all files of the template are below; empty: the top."""
    return template.partition("{")[0].rpartition("/")[0]


def shape(template: str) -> str:
    """Return a regular expression for the names of all files that the template may give."""
    pieces = _PLACEHOLDER.split(template)
    # The odd ones are the names of placeholders.
    return "".join("[^/]*" if at % 2 else re.escape(text) for at, text in enumerate(pieces))


def is_named(name: str, template: str) -> bool:
    """Tell whether a file may have its name from the template."""
    return re.fullmatch(shape(template), name) is not None


def called_from(name: str, checkpoint: str) -> str:
    """Return what the checkpoint at a location is called where a file's name leaves its folder.

    So that two of one name in different folders are told apart in a folder that they share.
    """
    up = _UPWARDS.match(name)
    folders_up = up[0].count("/") if up else 0
    return "/".join(checkpoint.split("/")[-1 - folders_up :])


def group_keys(template: str) -> dict[str, pl.Expr]:
    """Return, by placeholder, the text by which rows are grouped."""
    return {f"key_{name}": _PLACEHOLDERS[name] for name in placeholders(template)}


def file_name(template: str, values: Mapping[str, str | None]) -> str:
    """Return the name of a group's file, by the values of `group_keys`.

    A name leads nowhere but below `root`. Different groups have different names, unless nothing in
    the template tells where one value ends and the next begins.
    """
    return _PLACEHOLDER.sub(lambda found: _encoded(values[f"key_{found[1]}"]), template)


def _encoded(value: str | None) -> str:
    """Encode a value as one part of a name; it never begins with _ or . and is never empty."""
    if value is None:
        return _NONE
    text = _UNSAFE.sub(lambda byte: b"%%%02X" % byte[0][0], value.encode()).decode() or "%"
    if text[0] in "_.":
        text = f"%{ord(text[0]):02X}{text[1:]}"
    if len(text) > _LONGEST:
        digest = blake2b(value.encode(), digest_size=_DIGEST_BYTES).hexdigest()
        text = f"{text[: _LONGEST - 2 * _DIGEST_BYTES - 1]}~{digest}"
    return text
