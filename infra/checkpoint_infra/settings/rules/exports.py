"""Exports, held against one another and against what else is in the buckets."""

import json
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from checkpoint_infra.policies import function_policy
from checkpoint_infra.settings.paths import folder_of, key_of, may_be, may_meet, placeholders
from checkpoint_infra.settings.sections.analysis import TABLE, VIEW
from checkpoint_infra.settings.stack import Configuration

__all__ = ["export_problems", "export_source_problems", "export_table_problems", "policy_problems"]

_MOST_CHARACTERS: Final = 10_240


def export_problems(config: Configuration) -> Iterator[str]:
    """Refuse paths that meet, or that would put the checkpoint at the exports' mercy."""
    checkpoint = config.checkpoint
    keys = _keys(config)
    for number, (export, key) in enumerate(zip(config.exports or (), keys, strict=True)):
        at = f"exports[{number}].path"
        if key.startswith("../"):
            yield f"{at}: leads out of the bucket from where checkpoint.key is"
        elif may_be(key, checkpoint.key):
            yield f"{at}: may be the checkpoint's own key"
        elif placeholders(export.path) and checkpoint.folder.startswith(folder_of(key)):
            yield (
                f"{at}: needs a folder of its own before its first placeholder: the function may "
                "remove what is in there, and the checkpoint is"
            )
    for (first, one), (second, other) in combinations(enumerate(config.exports or ()), 2):
        if one.name == other.name:
            yield f"exports[{second}].name: is that of exports[{first}]"
        if may_meet(keys[first], keys[second]):
            yield f"exports[{second}].path: may give the same files as that of exports[{first}]"


def export_source_problems(config: Configuration) -> Iterator[str]:
    """Refuse files among the event objects, which the function must not remove."""
    source = config.source
    for number, key in enumerate(_keys(config)):
        if source.bucket == config.checkpoint.bucket and _overlap(folder_of(key), source.prefix):
            yield f"exports[{number}].path: must not share a folder with the event objects"


def export_table_problems(config: Configuration) -> Iterator[str]:
    """Refuse files that another table would read, and names that are taken."""
    checkpoint, athena = config.checkpoint, config.athena
    if athena is None:
        return
    folders = [folder_of(key) for key in _keys(config)]
    results = athena.workgroup
    for number, (export, folder) in enumerate(zip(config.exports or (), folders, strict=True)):
        at = f"exports[{number}]"
        if checkpoint.folder and folder.startswith(checkpoint.folder):
            yield (
                f"{at}.path: must begin with ../ and lead out of the checkpoint's folder, all of "
                "which athena's table reads"
            )
        if export.table in {TABLE, VIEW}:
            yield f"{at}.name: becomes {export.table} in Athena, which is something else there"
        if (
            results
            and results.results_bucket == checkpoint.bucket
            and _overlap(folder, results.results_prefix)
        ):
            yield f"{at}.path: must not share a folder with athena.workgroup.resultsPrefix"
    for (first, one), (second, other) in combinations(enumerate(folders), 2):
        if _overlap(one, other):
            yield (
                f"exports[{second}].path: must not share a folder with exports[{first}]: "
                "athena's table of one would read the files of both"
            )


def policy_problems(config: Configuration) -> Iterator[str]:
    """Refuse more than IAM takes for a role, which counts no spaces."""
    size = len(json.dumps(function_policy(config), separators=(",", ":")))
    if size > _MOST_CHARACTERS:
        yield (
            f"exports: the role's policy would have {size} characters, and IAM takes "
            f"{_MOST_CHARACTERS}; put exports below fewer or shorter folders"
        )


def _keys(config: Configuration) -> list[str]:
    return [key_of(each.path, config.checkpoint.folder) for each in config.exports or ()]


def _overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
