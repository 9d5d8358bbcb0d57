"""One object store interface for a folder and for S3.

Belongs here: opening a store from a URL, listing, getting, putting whole objects, and nothing partial.
Does not: what objects mean (ledger, lake, outbox), or retries that the client makes itself, with backoff.
"""

from __future__ import annotations

import datetime as dt
import errno
import io
import os
import re
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, S3Store

LONGEST_ERROR = 400
SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")
REFUSED = (PermissionDeniedError, UnauthenticatedError)
PIECE_BYTES = 4 * 1024 * 1024
"""How much of an object is held at once while it is streamed."""


class StoreError(RuntimeError):
    """The store cannot be reached or refuses; the message names its address and what was asked."""


class DeniedError(StoreError):
    """One key or folder is refused (rights, a disk's fault, a file where a folder should be); others may be fine.

    `reason` says why, without the store's own address.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


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


_REPLACING = threading.Lock()
PRIVATE, FOR_ALL = 0o700, 0o755
"""Rights of a folder that a store makes: for its user alone, or to be read by everybody."""
CUT = "response body"
"""What the client says of an answer that began and broke off."""
UNHEARD = "error sending request"
"""What it says of a connection that broke off before there was an answer."""
GIVEN_UP = "uploadId="
"""What stands in its word of an upload in parts that it could neither end nor take back."""
LOST = (CUT, UNHEARD, GIVEN_UP)
AGAIN_SECONDS = (0.1, 0.5, 2.0)
"""How long to wait before each further try to list a bucket, to read a whole object or to write one."""


class Source(Protocol):
    """What objects are read from: a store, or what a test holds."""

    def stream(self, key: str) -> Iterator[bytes]:
        """The object piece by piece; FileNotFoundError if it is not there."""

    def open(self, key: str) -> BinaryIO:
        """The object for looking at some places of it; FileNotFoundError if it is not there."""


@dataclass(frozen=True)
class Given:
    """Objects that a function gives whole by their key, as a source."""

    read: Callable[[str], bytes]

    def stream(self, key: str) -> Iterator[bytes]:
        """The object in one piece."""
        yield self.read(key)

    def open(self, key: str) -> BinaryIO:
        """The object, held in memory."""
        return io.BytesIO(self.read(key))


class Store:
    """A folder or an S3 prefix. Every put is atomic: readers see the old object or the new one.

    Without `follow_links` nothing behind a link below a folder can be read, whatever it points to. The folder itself
    may be one. What lies in a folder that people write into is listed by folder_tree.py, entry by entry.
    """

    def __init__(
        self,
        url: str,
        endpoint: str | None = None,
        follow_links: bool = True,
        create: bool = True,
        mode: int | None = PRIVATE,
    ) -> None:
        """Open `url`. Credentials and region of S3 come from the standard AWS_* environment variables.

        A folder that is not there is made, unless `create` is false: then it is a StoreError. It is made for its user
        alone, or with `mode` (None: as the user's umask says); one that is there keeps its rights. What is put into
        one for all is to be read by all, whatever the umask says.
        """
        self.url = url
        self.follow_links = follow_links
        self.folder: Path | None = None
        self._for_all = mode == FOR_ALL
        self._store: Any
        if url.startswith("s3://"):
            self._store = _open_s3(url, endpoint)
            return
        self.folder = Path(url)
        try:
            if not create and not self.folder.is_dir():
                raise StoreError(f"the folder {url} does not exist")
            is_new = not self.folder.exists()
            self._store = LocalStore(self.folder, mkdir=create)
            if is_new and mode is not None:
                self.folder.chmod(mode)
        except (BaseError, OSError) as error:
            raise StoreError(f"cannot open the folder {url}: {_one_line(error)}") from error

    def objects(self, prefix: str = "") -> list[ObjectInfo]:
        """All objects below a prefix, sorted by key; OddKeyError for one odd key, StoreError if the store fails."""
        return self._infos(self._listed(prefix, lambda: obstore.list(self._store, prefix or None).collect()))

    def folders(self, prefix: str = "") -> list[str]:
        """Names of the folders directly below a prefix, sorted."""
        return sorted(path.rsplit("/", 1)[-1] for path in self._level(prefix)["common_prefixes"])

    def files(self, prefix: str = "") -> list[ObjectInfo]:
        """Objects directly below a prefix, sorted by key."""
        return self._infos(self._level(prefix)["objects"])

    def _link_on_the_way(self, key: str) -> str | None:
        """The first part of a key that is a link, as a key; None where links are followed or there is none."""
        if self.folder is None or self.follow_links:
            return None
        parts = [part for part in key.split("/") if part]
        ways = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        return next((way for way in ways if (self.folder / way).is_symlink()), None)

    def _level(self, prefix: str) -> Any:
        return self._listed(prefix, lambda: obstore.list_with_delimiter(self._store, prefix or None))

    def _listed(self, prefix: str, ask: Callable[[], Any]) -> Any:
        """A listing, asked for again where its answer broke off."""
        try:
            return _until_whole(ask)
        except BaseError as error:
            raise self._listing_error(prefix, error) from error

    def _listing_error(self, prefix: str, error: Exception) -> StoreError:
        line = _one_line(error)
        message = f"cannot list {self.url}/{prefix}: {line}"
        if isinstance(error, REFUSED):
            return DeniedError(message, "access denied")
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
        with self._told(f"cannot read {self.url}/{key}"):
            if self._link_on_the_way(key):
                raise FileNotFoundError(f"{self.url}/{key}")
            return bytes(_until_whole(lambda: obstore.get(self._store, key).bytes()))

    def stream(self, key: str) -> Iterator[bytes]:
        """The object piece by piece, as it is at one moment, never more than a few pieces held; errors as of `get`."""
        if self.folder is not None:
            with self.open(key) as file, self._told(f"cannot read {self.url}/{key}"):
                while piece := file.read(PIECE_BYTES):
                    yield piece
            return
        with self._told(f"cannot read {self.url}/{key}"):
            for piece in obstore.get(self._store, key).stream(min_chunk_size=PIECE_BYTES):
                yield bytes(piece)

    def open(self, key: str) -> BinaryIO:
        """The object for looking at some places of it, in bounded memory; errors as of `get`."""
        with self._told(f"cannot read {self.url}/{key}"):
            if self.folder is None:
                return io.BufferedReader(_Ranges(obstore.open_reader(self._store, key)), PIECE_BYTES)
            if self._link_on_the_way(key):
                raise FileNotFoundError(f"{self.url}/{key}")
            flags = os.O_RDONLY | (0 if self.follow_links else os.O_NOFOLLOW)
            return os.fdopen(os.open(self.folder / key, flags), "rb")

    def tag(self, key: str) -> str | None:
        """The version of a file of a folder as folder_tree.py lists it, or of an object; None if it is not there."""
        try:
            with self._told(f"cannot read {self.url}/{key}"):
                if self.folder is None:
                    return str(obstore.head(self._store, key)["e_tag"] or "")
                return file_tag((self.folder / key).stat(follow_symlinks=False))
        except FileNotFoundError:
            return None

    def size(self, key: str) -> int | None:
        """How many bytes the object has, or None if it is not there."""
        try:
            with self._told(f"cannot read {self.url}/{key}"):
                return int(obstore.head(self._store, key)["size"])
        except FileNotFoundError:
            return None

    def get_or_none(self, key: str) -> bytes | None:
        """The whole object, or None if it is not there."""
        try:
            return self.get(key)
        except FileNotFoundError:
            return None

    def put(self, key: str, data: bytes) -> None:
        """Write the whole object, replacing what was there."""
        try:
            self._written(lambda: obstore.put(self._store, key, data))
            self.open_to_readers(key)
        except (BaseError, OSError, ValueError) as error:
            raise self._writing_error("write", key, error) from error

    def create(self, key: str, data: bytes) -> bool:
        """Write the object only if there is none of that key; False if there was one."""
        tries: list[None] = []
        try:
            self._written(lambda: obstore.put(self._store, key, data, mode="create"), tries)
        except AlreadyExistsError:
            return len(tries) > 1 and self.get_or_none(key) == data
        except BaseError as error:
            raise StoreError(f"cannot write {self.url}/{key}: {_one_line(error)}") from error
        return True

    def replace(self, key: str, data: bytes, etag: str) -> bool:
        """Write the object only where it still is the version that was listed (`files`, `listed`); else False.

        S3 itself compares. Of a folder the versions are compared right before the file is put in the old one's place,
        one of these at a time; somebody else's copy in that very moment would go unseen.
        """
        if self.folder is not None:
            with _REPLACING:
                now = self.listed(key)
                if now is None or now.etag != etag:
                    return False
                self.put(key, data)
                return True
        tries: list[None] = []
        try:
            self._written(lambda: obstore.put(self._store, key, data, mode={"e_tag": etag}), tries)
        except (PreconditionError, NotFoundError, FileNotFoundError):
            return len(tries) > 1 and self.get_or_none(key) == data
        except BaseError as error:
            raise self._writing_error("write", key, error) from error
        return True

    def listed(self, key: str) -> ObjectInfo | None:
        """One object as `files` lists it; None if it is not there."""
        folder = f"{key.rpartition('/')[0]}/" if "/" in key else ""
        return next((info for info in self.files(folder) if info.key == key), None)

    def put_pieces(self, key: str, pieces: Callable[[], Iterator[bytes]]) -> None:
        """Write an object that comes piece by piece, from the first one for each try, holding a few pieces at once.

        It appears whole or not at all: where `pieces` raises, nothing is written and the error goes on.
        """

        def put() -> None:
            own = _read_elsewhere(pieces())
            obstore.put(self._store, key, own, use_multipart=True, chunk_size=2 * PIECE_BYTES, max_concurrency=1)

        try:
            self._written(put)
        except (BaseError, FileNotFoundError) as error:
            if isinstance(error, FileNotFoundError) and GIVEN_UP not in str(error):
                raise
            raise StoreError(f"cannot write {self.url}/{key}: {_one_line(error)}") from error

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; a key that is not there is no error."""
        for key in keys:
            try:
                self._written(partial(obstore.delete, self._store, key))
            except (NotFoundError, FileNotFoundError):
                continue
            except (BaseError, OSError, ValueError) as error:
                raise self._writing_error("delete", key, error) from error

    def _written(self, write: Callable[[], Any], tries: list[None] | None = None) -> None:
        """Do something to the store; a bucket is asked again where its word of it was lost (`tries`: one for each).

        The client itself asks again for a service's own errors only, since it cannot know whether what was lost was
        done. Here the same bytes are put under the same key, and `create` and `replace` look whose bytes are there.
        """
        tries = [] if tries is None else tries

        def once() -> None:
            tries.append(None)
            write()

        if self.folder is None:
            _until_whole(once, LOST)
        else:
            once()

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """What a client raises as FileNotFoundError or as StoreError, which says what was asked."""
        try:
            yield
        except (NotFoundError, FileNotFoundError, IsADirectoryError) as error:
            raise FileNotFoundError(what) from error
        except REFUSED as error:
            raise DeniedError(f"{what}: {_one_line(error)}", "access denied") from error
        except (BaseError, ValueError) as error:
            line = _one_line(error)
            if self.folder is not None and (reason := _system_reason(line, "")):
                raise DeniedError(f"{what}: {line}", reason) from error
            raise StoreError(f"{what}: {line}") from error
        except OSError as error:
            # A link where a file was listed, met by O_NOFOLLOW: the file is gone.
            if error.errno == errno.ELOOP:
                raise FileNotFoundError(what) from error
            raise DeniedError(f"{what}: {error.strerror}", str(error.strerror)) from error

    def _writing_error(self, what: str, key: str, error: Exception) -> StoreError:
        line = _one_line(error)
        message = f"cannot {what} {self.url}/{key}: {line}"
        if self.folder is None and not isinstance(error, REFUSED):
            return StoreError(message)
        return DeniedError(message, "access denied" if self.folder is None else _system_reason(line))

    def upload_url(self, key: str, seconds: int) -> str:
        """A signed address that takes one PUT of exactly this key for so many seconds; StoreError for a folder."""
        if self.folder is not None:
            raise StoreError(f"{self.url} is a folder; only S3 signs addresses")
        try:
            return str(obstore.sign(self._store, "PUT", key, dt.timedelta(seconds=seconds)))
        except BaseError as error:
            raise StoreError(f"cannot sign {self.url}/{key}: {_one_line(error)}") from error

    def open_to_readers(self, key: str) -> None:
        """Let everybody read what lies under a key of a folder that is for all: a service's umask may be closed."""
        if self.folder is None or not self._for_all:
            return
        at = self.folder / key
        inside = list(at.rglob("*")) if at.is_dir() else []
        above = [folder for folder in at.parents if folder.is_relative_to(self.folder) and folder != self.folder]
        for path in (*above, at, *inside):
            mode = path.stat().st_mode
            wanted = mode | (0o055 if stat.S_ISDIR(mode) else 0o044)
            if wanted != mode:
                path.chmod(wanted)

    def local(self, key: str = "") -> Path | None:
        """Where a key lies on this machine, or None for S3."""
        return None if self.folder is None else self.folder / key


class _Ranges(io.RawIOBase):
    """An object of S3 as a file that fetches what is read of it."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._reader.seek(offset, whence))

    def readinto(self, buffer: Any) -> int:
        piece = bytes(self._reader.read(len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def _until_whole(ask: Callable[[], Any], signs: Sequence[str] = (CUT,)) -> Any:
    """An answer, asked for again where its body broke off: the client goes on with some bodies and not with others."""
    waits = iter(AGAIN_SECONDS)
    while True:
        try:
            return ask()
        except (BaseError, OSError) as error:
            wait = next(waits, None) if any(sign in str(error) for sign in signs) else None
            if wait is None:
                raise
            time.sleep(wait)


def _read_elsewhere(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces, each read by another thread: a client cannot read from a store in the middle of a put."""
    with ThreadPoolExecutor(1) as reader:
        while piece := reader.submit(next, pieces, b"").result():
            yield piece


def file_tag(status: os.stat_result) -> str:
    """The version of a file of a folder, from inode, size and the moments of its last changes.

    The moment of modification alone would not do: unpacking an archive over an older copy can leave it as it was.
    """
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ctime_ns:x}"


def make_private(folder: Path) -> Path:
    """Make a folder, and those above it that are missing, for its user alone; what is there keeps its rights.

    Whoever makes a folder below the home may be the first to make what is above it: `parents=True` would
    give that the rights of the user's umask, whatever mode it is told.
    """
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(mode=PRIVATE, exist_ok=True)
    return folder


def remove_whole(folder: Path) -> None:
    """Delete a folder of this machine and all in it that can be deleted; nothing there is nothing to do.

    StoreError if anything stays, naming the first of it: who says that bytes are gone has to know.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        left = sorted(path for path in folder.rglob("*") if not path.is_dir()) or [folder]
        raise StoreError(f"{left[0]} could not be deleted ({len(left):,} left below {folder})")


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


def _system_reason(line: str, otherwise: str = "it cannot be written") -> str:
    """The operating system's words in a client's message about a folder (`...: Permission denied (os error 13)`)."""
    found = SYSTEM_ERROR.search(line)
    return os.strerror(int(found[1])) if found else otherwise


def _one_line(error: Exception) -> str:
    """The error in one line, without the document that an S3 server sends along."""
    text = " ".join(str(error).split("<?xml")[0].split("Debug source:")[0].split())
    return text[:LONGEST_ERROR].rstrip(" :") or type(error).__name__
