"""A checkpoint in S3, with the files that belong to it beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Literal, TypeVar

from botocore.exceptions import ClientError

from checkpoint_format.errors import ChangedWhileReadingError, OutcomeUnknownError, StorageError
from checkpoint_format.stores import Condition, PutOutcome, StoredFile, StoredVersion, Tail
from checkpoint_storage.explanations import replaced_meanwhile
from checkpoint_storage.s3._clients import S3Clients, current_clients
from checkpoint_storage.s3._errors import (
    FAILURES,
    is_missing,
    is_transient,
    is_unsupported,
    status_of,
    was_never_sent,
)
from checkpoint_storage.s3._explanations import explained, storage_error
from checkpoint_storage.s3._files import download, tail
from checkpoint_storage.s3._pages import answers
from checkpoint_storage.s3._retrying import retrying
from checkpoint_storage.s3._versions import older_versions
from checkpoint_storage.scratch import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import BinaryIO, TypedDict

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2RequestTypeDef, ObjectTypeDef

    class _Options(TypedDict, total=False):
        ServerSideEncryption: Literal["aws:kms"]
        SSEKMSKeyId: str
        IfMatch: str
        IfNoneMatch: str


_Answer = TypeVar("_Answer")


class S3Store:
    """A checkpoint object and its folder as a checkpoint store.

    S3 replaces an object whole and judges conditions at that very moment, so that of all writes
    on one condition exactly one succeeds. Every request but the conditional write is repeated up to
    three times where that may help.

    Args:
        bucket: the bucket's name.
        key: the checkpoint's key; neither it nor anything beside it need exist.
        kms_key_id: the KMS key that everything written is encrypted with; the bucket's default
            otherwise.
        first_pause_s: how long to wait before asking again; doubles each time.

    """

    def __init__(
        self,
        bucket: str,
        key: str,
        kms_key_id: str | None = None,
        *,
        first_pause_s: float = 0.5,
    ) -> None:
        folder, slash, name = key.rpartition("/")
        if not name:
            raise ValueError("a checkpoint's key ends with a name")
        self._bucket = bucket
        self._folder = folder + slash
        self._name = name
        self._first_pause_s = first_pause_s
        self._encryption: _Options = {}
        if kms_key_id:
            self._encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id}

    @property
    def location(self) -> str:
        """The checkpoint's `s3://` URI."""
        return self._uri(self._key(self._name))

    @property
    def checkpoint_name(self) -> str:
        """The last part of the checkpoint's key."""
        return self._name

    def scratch(self) -> AbstractContextManager[Path]:
        """Make an empty folder for one run where the system keeps temporary files (TMPDIR)."""
        return temporary_folder()

    def read_tail(self, name: str, length_bytes: int) -> Tail | None:
        """Return the last bytes of a file with the version that they belong to, None without one.

        Raises StorageError where it cannot be read.
        """
        key = self._key(name)
        with explained(self._uri(key), "reading"):
            try:
                return self._retrying(
                    lambda: tail(self._clients().single, self._bucket, key, length_bytes)
                )
            except ClientError as error:
                if is_missing(error):
                    return None
                raise

    def fetch(self, name: str, to: Path, *, etag: str | None = None) -> bool:
        """Copy the file to `to`, of one version and whole; returns False where there is none.

        After an error nothing is left at `to`. Raises ChangedWhileReadingError where `etag` is
        given and that version is no longer there, and StorageError where it cannot be read or kept.
        """
        key = self._key(name)
        to.unlink(missing_ok=True)
        part = to.with_name(f"{to.name}.part")
        try:
            with explained(self._uri(key), "reading"):
                found = self._retrying(
                    lambda: download(self._clients().single, self._bucket, key, part, etag)
                )
            if etag is not None and found.strip('"') != etag.strip('"'):
                # The server does not know the condition.
                raise replaced_meanwhile(self._uri(key))
            part.replace(to)
        except ChangedWhileReadingError:
            raise
        except StorageError as error:
            cause = error.__cause__
            gone = isinstance(cause, ClientError) and is_missing(cause)
            if gone and etag is None:
                return False
            if gone or (cause and status_of(cause) == 412):
                raise replaced_meanwhile(self._uri(key)) from cause
            raise
        except OSError as error:
            raise StorageError(
                f"{self._uri(key)}: cannot be copied to {to} ({error.strerror}). "
                "Make room there, or set TMPDIR to a folder with more."
            ) from error
        finally:
            part.unlink(missing_ok=True)
        return True

    def put(self, name: str, file: Path) -> None:
        """Write the local file under the name, whatever is there; atomic, idempotent.

        Raises StorageError where that fails; what was there before is then still there, unless
        only the answer was lost.
        """
        key = self._key(name)
        with explained(self._uri(key), "writing"):
            self._retrying(lambda: self._put(key, file))

    def put_if(self, name: str, file: Path, condition: Condition) -> PutOutcome:
        """Write the local file under the name if its version is still the given one; asks once.

        Raises OutcomeUnknownError where it may have been written: no answer, one of S3's own
        failures, or an answer that does not say so; and StorageError where it certainly was not,
        for another reason than the condition.
        """
        key = self._key(name)
        with file.open("rb") as body, explained(self._uri(key), "writing"):
            client = self._clients().single
            try:
                self._put_if(client, key, body, condition)
            except FAILURES as error:
                return self._outcome(key, condition, error)
        return PutOutcome.WRITTEN

    def list_files(self, folder: str) -> list[StoredFile]:
        """List the files directly in a folder, by name. Raises StorageError where that fails."""
        inside = self._key(f"{folder.rstrip('/')}/")
        with explained(self._uri(inside), "listing"):
            found = [
                StoredFile(
                    name=each["Key"].removeprefix(self._folder),
                    last_modified=each["LastModified"].astimezone(UTC),
                )
                for each in self._list(inside, delimiter="/")
            ]
        return sorted(found, key=lambda file: file.name)

    def list_tree(self, folder: str) -> dict[str, str]:
        """Return the etag of each file in a folder and in those below it, by its name.

        As the protocol has it. Raises StorageError where that fails.
        """
        inside = self._key(f"{folder}/") if folder else self._folder
        above = f"{folder}/" if folder else ""
        with explained(self._uri(inside), "listing"):
            found = {
                above + each["Key"].removeprefix(inside): each["ETag"]
                for each in self._list(inside)
            }
        return {name: etag for name, etag in found.items() if folder or name[0] not in "_."}

    def delete(self, name: str) -> None:
        """Remove a file; no error where there is none. Raises StorageError where that fails."""
        key = self._key(name)
        with explained(self._uri(key), "removing"):
            self._retrying(
                lambda: self._clients().single.delete_object(Bucket=self._bucket, Key=key)
            )

    def list_versions(self, name: str) -> list[StoredVersion]:
        """List noncurrent versions and marks of deletion; raises StorageError where that fails."""
        key = self._key(name) if name else self._folder
        above = name.rpartition("/")[0] + "/" if "/" in name else ""
        inside = key.rpartition("/")[0] + "/" if "/" in key else ""
        with explained(self._uri(key), "listing"):
            found = self._retrying(
                lambda: older_versions(self._clients().single, self._bucket, key)
            )
        return [
            StoredVersion(name=above + each.removeprefix(inside), version_id=version_id)
            for each, version_id in found
        ]

    def delete_version(self, version: StoredVersion) -> None:
        """Remove a version for good. Raises StorageError where that fails."""
        key, which = self._key(version.name), version.version_id
        with explained(self._uri(key), "removing"):
            self._retrying(
                lambda: self._clients().single.delete_object(
                    Bucket=self._bucket, Key=key, VersionId=which
                )
            )

    def _put(self, key: str, file: Path) -> None:
        with file.open("rb") as body:
            self._clients().single.put_object(
                Bucket=self._bucket, Key=key, Body=body, **self._encryption
            )

    def _list(self, inside: str, *, delimiter: str = "") -> Iterator[ObjectTypeDef]:
        """Yield what is below a folder, or with a delimiter in it."""
        wanted: ListObjectsV2RequestTypeDef = {"Bucket": self._bucket, "Prefix": inside}
        if delimiter:
            wanted["Delimiter"] = delimiter
        for page in answers(self._clients(), wanted, first_pause_s=self._first_pause_s):
            for each in page.get("Contents", []):
                # What a console creates to show a folder has the folder's own key.
                if not each["Key"].endswith("/"):
                    yield each

    def _put_if(self, client: S3Client, key: str, body: BinaryIO, condition: Condition) -> None:
        options: _Options = {**self._encryption}
        if condition.etag is None:
            options["IfNoneMatch"] = "*"
        else:
            options["IfMatch"] = condition.etag
        client.put_object(Bucket=self._bucket, Key=key, Body=body, **options)

    def _outcome(self, key: str, condition: Condition, error: Exception) -> PutOutcome:
        status = status_of(error)
        if status in {409, 412} or (condition.etag is not None and is_missing(error)):
            return PutOutcome.REFUSED
        if is_unsupported(error):
            raise storage_error(error, self._uri(key), "writing on a condition") from error
        failed = storage_error(error, self._uri(key), "writing")
        if is_transient(error) or not (isinstance(error, ClientError) or was_never_sent(error)):
            raise OutcomeUnknownError(str(failed)) from error
        raise failed from error

    def _retrying(self, ask: Callable[[], _Answer]) -> _Answer:
        attempts = self._clients().attempts
        return retrying(ask, first_pause_s=self._first_pause_s, attempts=attempts)

    def _clients(self) -> S3Clients:
        return current_clients()

    def _key(self, name: str) -> str:
        folders = self._folder.split("/")[:-1]
        inside = name
        while inside.startswith("../"):
            if not folders:
                raise StorageError(
                    f"{self.location}: {name} leads out of the bucket. Nothing was done with it."
                )
            inside = inside.removeprefix("../")
            folders.pop()
        if inside.startswith("/") or ".." in inside.split("/"):
            raise ValueError("a stored file's name is relative to the checkpoint's folder")
        return "/".join([*folders, inside])

    def _uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"
