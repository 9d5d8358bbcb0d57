"""One object store interface for a folder and for S3.

Belongs here: opening a store from a URL, listing, getting, putting whole objects, and nothing partial.
Does not: what objects mean (ledger, lake, outbox), or retries by hand: the client retries with backoff itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

LONGEST_ERROR = 400


class StoreError(RuntimeError):
    """The store cannot be reached or refuses; the message names its address and what was asked."""


class OddKeyError(StoreError):
    """A listing holds a key that cannot be read as a path; `found` says which, without the store's own address."""

    def __init__(self, message: str, found: str) -> None:
        super().__init__(message)
        self.found = found


@dataclass(frozen=True, order=True)
class ObjectInfo:
    """One object as listed: key below the store's root, size in bytes, and the store's own version tag."""

    key: str
    size: int
    etag: str


class Store:
    """A folder or an S3 prefix. Every put is atomic: readers see the old object or the new one."""

    def __init__(self, url: str, endpoint: str | None = None) -> None:
        """Open `url`. Credentials and region of S3 come from the standard AWS_* environment variables."""
        self.url = url
        self.folder: Path | None = None
        self._store: Any
        if url.startswith("s3://"):
            self._store = _open_s3(url, endpoint)
            return
        self.folder = Path(url)
        try:
            self._store = LocalStore(self.folder, mkdir=True)
        except (BaseError, OSError) as error:
            raise StoreError(f"cannot open the folder {url}: {_one_line(error)}") from error

    def objects(self, prefix: str = "") -> list[ObjectInfo]:
        """All objects below a prefix, sorted by key; OddKeyError for one odd key, StoreError if the store fails."""
        try:
            found = obstore.list(self._store, prefix or None).collect()
        except BaseError as error:
            raise self._listing_error(prefix, error) from error
        return self._infos(found)

    def folders(self, prefix: str = "") -> list[str]:
        """Names of the folders directly below a prefix, sorted."""
        return sorted(path.rsplit("/", 1)[-1] for path in self._level(prefix)["common_prefixes"])

    def files(self, prefix: str = "") -> list[ObjectInfo]:
        """Objects directly below a prefix, sorted by key."""
        return self._infos(self._level(prefix)["objects"])

    def _level(self, prefix: str) -> Any:
        try:
            return obstore.list_with_delimiter(self._store, prefix or None)
        except BaseError as error:
            raise self._listing_error(prefix, error) from error

    def _listing_error(self, prefix: str, error: Exception) -> StoreError:
        line = _one_line(error)
        message = f"cannot list {self.url}/{prefix}: {line}"
        # A folder's listing fails for what lies in it; that of S3 also where the service is out of reach.
        if self.folder is None and "invalid path" not in line:
            return StoreError(message)
        own = f"{self.folder}/" if self.folder is not None else f"{split_s3(self.url)[1]}/"
        return OddKeyError(message, line if own == "/" else line.replace(own, ""))

    def _infos(self, found: Iterable[Any]) -> list[ObjectInfo]:
        infos = []
        for entry in found:
            tag = self._changed(entry["path"], entry["e_tag"] or "")
            if entry["path"] and tag is not None:
                infos.append(ObjectInfo(entry["path"], int(entry["size"]), tag))
        return sorted(infos)

    def _changed(self, key: str, tag: str) -> str | None:
        """The tag of an object, for a folder with the moment of its last change; None if it is gone.

        A folder's own tag is made from inode, size and time of modification, which unpacking an archive over an older
        copy can leave as they were.
        """
        if self.folder is None:
            return tag
        try:
            return f"{tag}-{(self.folder / key).stat().st_ctime_ns:x}"
        except OSError:
            return None

    def get(self, key: str) -> bytes:
        """The whole object; FileNotFoundError if it is not there, StoreError if it cannot be read."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (NotFoundError, FileNotFoundError) as error:
            raise FileNotFoundError(f"{self.url}/{key}") from error
        except BaseError as error:
            raise StoreError(f"cannot read {self.url}/{key}: {_one_line(error)}") from error

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
            raise StoreError(f"cannot write {self.url}/{key}: {_one_line(error)}") from error

    def create(self, key: str, data: bytes) -> bool:
        """Write the object only if there is none of that key; False if there was one."""
        try:
            obstore.put(self._store, key, data, mode="create")
        except AlreadyExistsError:
            return False
        except BaseError as error:
            raise StoreError(f"cannot write {self.url}/{key}: {_one_line(error)}") from error
        return True

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; a key that is not there is no error."""
        for key in keys:
            try:
                obstore.delete(self._store, key)
            except (NotFoundError, FileNotFoundError):
                continue
            except BaseError as error:
                raise StoreError(f"cannot delete {self.url}/{key}: {_one_line(error)}") from error

    def upload_url(self, key: str, seconds: int) -> str:
        """A signed address that takes one PUT of exactly this key for so many seconds; StoreError for a folder."""
        if self.folder is not None:
            raise StoreError(f"{self.url} is a folder; only S3 signs addresses")
        try:
            return str(obstore.sign(self._store, "PUT", key, dt.timedelta(seconds=seconds)))
        except BaseError as error:
            raise StoreError(f"cannot sign {self.url}/{key}: {_one_line(error)}") from error

    def local(self, key: str = "") -> Path | None:
        """Where a key lies on this machine, or None for S3."""
        return None if self.folder is None else self.folder / key


def split_s3(url: str) -> tuple[str, str]:
    """Bucket and prefix (without slashes around it) of an s3:// address."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return bucket, prefix.strip("/")


def _open_s3(url: str, endpoint: str | None) -> S3Store:
    bucket, prefix = split_s3(url)
    options: dict[str, Any] = {"virtual_hosted_style_request": False}
    if endpoint:
        options |= {"endpoint": endpoint, "client_options": {"allow_http": endpoint.startswith("http://")}}
    try:
        # Conditional puts make `create` safe: of two writers of one key the server refuses the second.
        return S3Store(bucket, prefix=prefix or None, conditional_put="etag", **options)
    except (BaseError, ValueError) as error:
        raise StoreError(f"cannot open {url}: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    """The error in one line, without the document that an S3 server sends along."""
    text = " ".join(str(error).split("<?xml")[0].split("Debug source:")[0].split())
    return text[:LONGEST_ERROR].rstrip(" :") or type(error).__name__
