"""Where a run keeps what it knows: a folder on a laptop, a bucket on AWS. A document is there whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from validator.errors import ValidatorError
from validator.model import batches

JSON = "application/json"
# Of the 10 connections that a client of boto3 keeps; and how many documents are in memory at once.
_AT_ONCE, _AHEAD = 8, 64
# What S3 says of an object that is not there; without the right to list it will not say so but refuse.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
_ABSENT = ("NoSuchKey", "404")
_REFUSED = ("AccessDenied", "403")


class StoreError(ValidatorError):
    """A document could not be kept or read back."""


class Store(Protocol):
    """Documents by key, keys like `runs/<id>/plan.json`. A write replaces all of what was there, at once."""

    def read(self, key: str) -> dict[str, Any] | None:
        """The document, None when there is none. Raises `StoreError`."""

    def write(self, key: str, document: Mapping[str, Any]) -> None:
        """Keep a document. Raises `StoreError`."""

    def write_text(self, key: str, text: str, content_type: str) -> None:
        """Keep a text. Raises `StoreError`."""

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin so, in order. Raises `StoreError`."""


def read_all(store: Store, keys: Sequence[str]) -> Iterator[dict[str, Any] | None]:
    """The documents of these keys, in their order; several are asked for at once, for S3 takes its time to answer."""
    if len(keys) == 1:
        yield store.read(keys[0])
        return
    with ThreadPoolExecutor(_AT_ONCE) as readers:
        for some in batches(keys, _AHEAD):
            yield from readers.map(store.read, some)


class Folder:
    """A store of files under one folder, which is made when first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, key: str) -> dict[str, Any] | None:
        """See `Store`."""
        file = self._path / key
        with _told("read", str(file)):
            try:
                text = file.read_text(encoding="utf-8", errors="replace")
            except (FileNotFoundError, NotADirectoryError):
                return None
        return parsed(text, str(file))

    def write(self, key: str, document: Mapping[str, Any]) -> None:
        """See `Store`."""
        self.write_text(key, written(document), JSON)

    def write_text(self, key: str, text: str, content_type: str) -> None:  # noqa: ARG002 - a file has no type
        """See `Store`; onto the disk, so that a crash leaves the old file or the new one."""
        file = self._path / key
        with _told("write", str(file)):
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(prefix=".", dir=file.parent)
            try:
                with open(descriptor, "w", encoding="utf-8") as output:
                    output.write(text)
                    output.flush()
                    os.fsync(output.fileno())
                os.replace(temporary, file)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary)
                raise

    def keys(self, prefix: str) -> Iterator[str]:
        """See `Store`."""
        found = (file.relative_to(self._path).as_posix() for file in self._path.rglob("[!.]*") if file.is_file())
        with _told("list", str(self._path)):
            yield from sorted(key for key in found if key.startswith(prefix))


class Bucket:
    """A store of objects in an S3 bucket, encrypted as the bucket's default says."""

    def __init__(self, s3: Any, name: str) -> None:
        self._s3 = s3
        self._name = name

    def read(self, key: str) -> dict[str, Any] | None:
        """See `Store`."""
        place = f"s3://{self._name}/{key}"
        with _told("read", place):
            try:
                body = self._s3.get_object(Bucket=self._name, Key=key)["Body"].read()
            except self._s3.exceptions.ClientError as error:
                code = error.response["Error"]["Code"]
                if code in _ABSENT or (code in _REFUSED and key not in self._listed(key)):
                    return None
                raise
        return parsed(body.decode(errors="replace"), place)

    def write(self, key: str, document: Mapping[str, Any]) -> None:
        """See `Store`."""
        self.write_text(key, written(document), JSON)

    def write_text(self, key: str, text: str, content_type: str) -> None:
        """See `Store`."""
        with _told("write", f"s3://{self._name}/{key}"):
            self._s3.put_object(Bucket=self._name, Key=key, Body=text.encode(), ContentType=content_type)

    def keys(self, prefix: str) -> Iterator[str]:
        """See `Store`."""
        with _told("list", f"s3://{self._name}/{prefix}"):
            yield from self._listed(prefix)

    def _listed(self, prefix: str) -> Iterator[str]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix):
            yield from (entry["Key"] for entry in page.get("Contents", ()))


def written(document: Mapping[str, Any]) -> str:
    """A document as it is kept."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def parsed(text: str, place: str) -> dict[str, Any]:
    """The document that was kept at `place`. Raises `StoreError`."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise StoreError(f"{place} is not a JSON object", hint="it is cut short or no file of ours: remove it")
    return document


@contextmanager
def _told(doing: str, place: str) -> Iterator[None]:
    """What the disk or S3 says, as one sentence that names the file."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot {doing} {place}: {error.strerror or error}") from None
    except Exception as error:
        # botocore is not there on a laptop, so its errors are known by their names.
        if not type(error).__module__.startswith("botocore"):
            raise
        answer = getattr(error, "response", None)
        told = f"{answer['Error']['Code']}: {answer['Error'].get('Message', '')}" if answer else str(error)
        raise StoreError(f"cannot {doing} {place}: {told}") from None
