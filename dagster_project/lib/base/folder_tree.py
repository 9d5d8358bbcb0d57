"""What lies in a folder that people write into, told entry by entry, so that one bad entry costs itself alone.

Belongs here: walking a folder of this machine; names that cannot be kept, links, and what cannot be looked into.
Does not: what folders and files mean (intake/drop.py), reading files or listing S3 (store.py).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.lib.base.store import ObjectInfo, file_tag


@dataclass
class Tree:
    """Everything below a folder by its key. Keys of links, `odd` and `closed` are printable (see `printable`).

    `odd` are entries whose names cannot be kept (nothing below an odd folder is looked at), `special` are neither file,
    folder nor link, `closed` what could not be looked into, with the operating system's reason.
    """

    files: list[ObjectInfo] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    closed: list[tuple[str, str]] = field(default_factory=list)

    def in_order(self) -> Tree:
        """The same with every list sorted."""
        for entries in (self.files, self.folders, self.links, self.odd, self.special, self.closed):
            entries.sort()
        return self


def is_odd(name: str) -> bool:
    """Whether a name holds control characters or bytes that are no UTF-8: no S3 client could list it either."""
    return any(ord(c) < 0x20 or ord(c) == 0x7F or 0xD800 <= ord(c) <= 0xDFFF for c in name)


def printable(name: str) -> str:
    """A name with control characters and bytes that are no UTF-8 written as `\\n`, `\\x01`, `\\xff`."""
    return "".join(_sign(c) if is_odd(c) else c for c in name)


def _sign(character: str) -> str:
    code = ord(character)
    # A byte that is no UTF-8 comes from the file system as a lone surrogate, U+DC80 to U+DCFF.
    return f"\\x{code - 0xDC00:02x}" if code >= 0xD800 else ascii(character)[1:-1]


def look(root: Path, prefix: str = "", deep: bool = True) -> Tree:
    """What lies below a prefix of a folder; `deep` false: directly below only. Links are told and never followed.

    Nothing below a prefix that is not there. Never raises for what lies below; OSError only where `prefix` is empty
    and the folder itself cannot be listed.
    """
    tree = Tree()
    waiting = [prefix]
    while waiting:
        above = waiting.pop()
        try:
            with os.scandir(root / above) as found:
                entries = list(found)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            if not above:
                raise
            tree.closed.append((above, str(error.strerror)))
            continue
        for entry in entries:
            key = f"{above}/{entry.name}" if above else entry.name
            if _add(tree, key, entry) and deep:
                waiting.append(key)
    return tree.in_order()


def _add(tree: Tree, key: str, entry: os.DirEntry[str]) -> bool:
    """Put one entry where it belongs; true for a folder that can be looked into."""
    try:
        if entry.is_symlink():
            tree.links.append(printable(key))
        elif is_odd(entry.name):
            tree.odd.append(printable(key))
        elif entry.is_dir(follow_symlinks=False):
            tree.folders.append(key)
            return True
        else:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                tree.files.append(ObjectInfo(key, status.st_size, file_tag(status)))
            else:
                tree.special.append(key)
    except FileNotFoundError:
        return False  # Gone between two looks.
    except OSError as error:
        tree.closed.append((printable(key), str(error.strerror)))
    return False
