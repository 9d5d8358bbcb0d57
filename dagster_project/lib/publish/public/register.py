"""What the lake keeps of every public release that is or was out (RULES 8.8): for the audit of later ones.

Belongs here: the key of the keyed hash, the tables of each release, the order in which they came out, what was built.
Does not: the hash or the audit (lib/disclosure), the public files themselves (edition.py).
"""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from dagster_project.lib.base.state import StateError
from dagster_project.lib.base.store import Store

if TYPE_CHECKING:
    from dagster_project.lib.disclosure import Release

ROOT = "disclosure"
KEY_FILE = f"{ROOT}/hash.key"
ORDER = f"{ROOT}/releases.json"
BUILT = f"{ROOT}/built.json"
SOLVED = f"{ROOT}/solved.parquet"
AUDITED = f"{ROOT}/audited.parquet"
KEY_BYTES = 32
PARTS = ("public", "register", "sums", "ties", "contents")


@dataclass(frozen=True)
class Register:
    """The register of one lake. Only the holder of the home's lock writes."""

    lake: Store

    def key(self) -> bytes:
        """The key of the hash, made once; whoever holds it can tell whether two releases hide the same value."""
        held = self.lake.get_or_none(KEY_FILE)
        if held is None and self.lines():
            # Another key would take the values that two releases hide for different ones.
            raise StateError(f"{self.lake.url}/{KEY_FILE} is missing; put it back from a backup: it is made once")
        if held is None:
            self.lake.create(KEY_FILE, secrets.token_hex(KEY_BYTES).encode())
            held = self.lake.get(KEY_FILE)
            local = self.lake.local(KEY_FILE)
            if local is not None:
                local.chmod(0o600)
        return bytes.fromhex(held.decode().strip())

    def lines(self) -> list[dict[str, str]]:
        """Public releases as they came out, oldest first: public_id, release_id (internal), at (ISO day)."""
        lines: list[dict[str, str]] = json.loads(self.lake.get_or_none(ORDER) or b"[]")
        return lines

    def history(self) -> list[Release]:
        """Every public release that is or was out, oldest first; a release that was taken down was out all the same."""
        return [self._read(line["public_id"]) for line in self.lines()]

    def _read(self, public_id: str) -> Release:
        # What was made public last is asked for by commands that protect nothing.
        from dagster_project.lib.disclosure import Release

        parts = {part: pl.read_parquet(io.BytesIO(self.lake.get(_place(public_id, part)))) for part in PARTS}
        return Release(public_id, **parts)

    def keep(self, release: Release, release_id: str, at: str) -> None:
        """Keep a release before it goes out: one that is out and not kept would be unknown to every later audit."""
        for part in PARTS:
            buffer = io.BytesIO()
            frame: pl.DataFrame = getattr(release, part)
            frame.write_parquet(buffer)
            self.lake.put(_place(release.public_id, part), buffer.getvalue())
        lines = self.lines()
        if release.public_id not in {line["public_id"] for line in lines}:
            lines.append({"public_id": release.public_id, "release_id": release_id, "at": at})
            self.lake.put(ORDER, (json.dumps(lines, indent=1) + "\n").encode())

    def keep_built(self, facts: Mapping[str, Any], public_id: str) -> None:
        """Say that these facts were made public, and as which release."""
        data = (json.dumps({"public_id": public_id, "facts": dict(facts)}, indent=1, sort_keys=True) + "\n").encode()
        if self.lake.get_or_none(BUILT) != data:
            self.lake.put(BUILT, data)

    def built(self) -> tuple[dict[str, Any], str | None]:
        """The facts that were made public last, and as which release; empty where none was."""
        held = json.loads(self.lake.get_or_none(BUILT) or b"{}")
        return held.get("facts", {}), held.get("public_id")

    def keep_solved(self, solved: pl.DataFrame, audited: pl.DataFrame, code: str) -> None:
        """Keep what a protection by this code found (`Protected.solved`, `.audited`), in place of what was before."""
        for key, frame in ((SOLVED, solved), (AUDITED, audited)):
            buffer = io.BytesIO()
            frame.with_columns(pl.lit(code).alias("code")).write_parquet(buffer)
            if self.lake.get_or_none(key) != buffer.getvalue():
                self.lake.put(key, buffer.getvalue())

    def solved(self, code: str) -> pl.DataFrame | None:
        """The answers that were kept last, if this very code gave them; None where there are none."""
        return self._kept(SOLVED, code)

    def audited(self, code: str) -> pl.DataFrame | None:
        """What the audit found last of each community, if this very code found it; None where there is nothing."""
        return self._kept(AUDITED, code)

    def _kept(self, key: str, code: str) -> pl.DataFrame | None:
        held = self.lake.get_or_none(key)
        frame = None if held is None else pl.read_parquet(io.BytesIO(held)).filter(pl.col("code") == code)
        return frame.drop("code") if frame is not None and frame.height else None


def _place(public_id: str, part: str) -> str:
    return f"{ROOT}/releases/{public_id}/{part}.parquet"
