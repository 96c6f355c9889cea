"""Where sources and checkpoints are: what names one, which lies in which, and ids of runs."""

import re
from pathlib import Path

import pytest

from checkpoint_storage.errors import UnsupportedLocationError
from checkpoint_storage.local import new_id
from checkpoint_storage.locations import familiar, lies_inside, open_checkpoint, open_source


def test_locations_are_paths_or_uris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command prints as the source can be given as the source."""
    folder = tmp_path / "with space"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)

    assert folder.as_uri() == open_source("with space").location
    assert folder.as_uri() == open_source(folder.as_uri()).location
    assert str(folder / "e.parquet") == open_checkpoint(f"{folder.as_uri()}/e.parquet").location
    assert "with space" == familiar(folder.as_uri())
    assert "/elsewhere" == familiar("file:///elsewhere")
    assert "s3://bucket/prefix" == familiar("s3://bucket/prefix")
    assert "s3://bucket/prod/" == open_source("s3://bucket/prod").location
    assert "s3://bucket/" == open_source("s3://bucket").location
    assert "s3://bucket/a/e.parquet" == open_checkpoint("s3://bucket/a/e.parquet").location
    for text in ("", "s3://", "s3://b/key", "S3://bucket/key", "file://host/path"):
        with pytest.raises(UnsupportedLocationError):
            open_source(text)
    assert "file:///a%23b%3Fc" == open_source("file:///a%23b%3Fc").location
    assert "file:///a%23b" == open_source("/a#b").location
    for text in ("file:///a#", "file:///a?b", "file:///a#b.parquet", "file:///.parquet"):
        with pytest.raises(UnsupportedLocationError):
            open_checkpoint(text)
    for text in ("", ".", "..", "/", "out/", "out/events", "s3://bucket/key", ".parquet"):
        with pytest.raises(UnsupportedLocationError):
            open_checkpoint(text)


@pytest.mark.parametrize(
    "checkpoint, source, is_inside",
    [
        ("/a/b c/e.parquet", "/a/b c", True),
        ("/a/b/x/e.parquet", "/a/b", True),
        ("/e.parquet", "/", True),
        ("/a/b-2/e.parquet", "/a/b", False),
        ("/a/e.parquet", "/a/b", False),
        ("s3://bucket/prod/out/e.parquet", "s3://bucket/prod", True),
        ("s3://bucket/e.parquet", "s3://bucket", True),
        ("s3://bucket/prod-2/e.parquet", "s3://bucket/prod", False),
        ("s3://bucket/e.parquet", "/bucket", False),
    ],
)
def test_a_checkpoint_inside_the_source_is_noticed(
    checkpoint: str, source: str, *, is_inside: bool
) -> None:
    """Its name begins with the source's, and with a slash after it."""
    assert is_inside == lies_inside(open_checkpoint(checkpoint), open_source(source))


def test_ids_are_unique_and_fit_a_file_name() -> None:
    """A time to the second and eight digits of chance."""
    ids = {new_id() for _ in range(100)}

    assert 100 == len(ids)
    assert [] == [text for text in ids if not re.fullmatch(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}", text)]
