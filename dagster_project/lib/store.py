"""One object store interface for a folder and for S3.

Belongs here: opening a store from a URL, listing, getting, putting whole objects, and nothing partial.
Does not: what objects mean (ledger, lake, outbox), or retries by hand: the client retries with backoff itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, S3Store


class StoreError(RuntimeError):
    """The store cannot be reached or refuses; the message names its address and what was asked."""


@dataclass(frozen=True, order=True)
class ObjectInfo:
    """One object as listed: key below the store's root, size in bytes, and the store's own version tag."""

    key: str
    size: int
    etag: str


class Store:
    """A folder or an S3 prefix. Every put is atomic: readers see the old object or the new one."""

    def __init__(self, url: str, endpoint: str | None = None) -> None:
        self.url = url
        if url.startswith("s3://"):
            options: dict[str, Any] = {"virtual_hosted_style_request": False}
            if endpoint:
                options |= {"endpoint": endpoint, "allow_http": endpoint.startswith("http://")}
            bucket, _, prefix = url.removeprefix("s3://").partition("/")
            client = options.pop("allow_http", None)
            self.folder: Path | None = None
            self._store: Any = S3Store(
                bucket, prefix=prefix or None, client_options={"allow_http": True} if client else None, **options
            )
        else:
            self.folder = Path(url)
            try:
                self._store = LocalStore(self.folder, mkdir=True)
            except (BaseError, OSError) as error:
                raise StoreError(f"cannot open the folder {url}: {error}") from error

    def objects(self, prefix: str = "") -> list[ObjectInfo]:
        """All objects below a prefix, sorted by key; StoreError if the listing fails."""
        try:
            found = obstore.list(self._store, prefix or None).collect()
        except BaseError as error:
            raise StoreError(f"cannot list {self.url}/{prefix}: {_first_line(error)}") from error
        return sorted(ObjectInfo(o["path"], int(o["size"]), o["e_tag"] or "") for o in found)

    def folders(self, prefix: str = "") -> list[str]:
        """Names of the folders directly below a prefix, sorted."""
        try:
            found = obstore.list_with_delimiter(self._store, prefix or None)
        except BaseError as error:
            raise StoreError(f"cannot list {self.url}/{prefix}: {_first_line(error)}") from error
        return sorted(path.rsplit("/", 1)[-1] for path in found["common_prefixes"])

    def files(self, prefix: str = "") -> list[ObjectInfo]:
        """Objects directly below a prefix, sorted by key."""
        try:
            found = obstore.list_with_delimiter(self._store, prefix or None)
        except BaseError as error:
            raise StoreError(f"cannot list {self.url}/{prefix}: {_first_line(error)}") from error
        return sorted(ObjectInfo(o["path"], int(o["size"]), o["e_tag"] or "") for o in found["objects"])

    def get(self, key: str) -> bytes:
        """The whole object; FileNotFoundError if it is not there, StoreError if it cannot be read."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (NotFoundError, FileNotFoundError) as error:
            raise FileNotFoundError(f"{self.url}/{key}") from error
        except BaseError as error:
            raise StoreError(f"cannot read {self.url}/{key}: {_first_line(error)}") from error

    def get_or_none(self, key: str) -> bytes | None:
        """The whole object, or None if it is not there."""
        try:
            return self.get(key)
        except FileNotFoundError:
            return None

    def put(self, key: str, data: bytes) -> None:
        """Write the whole object, replacing what was there."""
        try:
            obstore.put(self._store, key, data)
        except BaseError as error:
            raise StoreError(f"cannot write {self.url}/{key}: {_first_line(error)}") from error

    def create(self, key: str, data: bytes) -> bool:
        """Write the object only if there is none of that key; False if there was one."""
        try:
            obstore.put(self._store, key, data, mode="create")
        except AlreadyExistsError:
            return False
        except BaseError as error:
            raise StoreError(f"cannot write {self.url}/{key}: {_first_line(error)}") from error
        return True

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; a key that is not there is no error."""
        for key in keys:
            try:
                obstore.delete(self._store, key)
            except (NotFoundError, FileNotFoundError):
                continue
            except BaseError as error:
                raise StoreError(f"cannot delete {self.url}/{key}: {_first_line(error)}") from error

    def local(self, key: str = "") -> Path | None:
        """Where a key lies on this machine, or None for S3."""
        return None if self.folder is None else self.folder / key


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
