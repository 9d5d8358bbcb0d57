"""What a release leaves behind for the next ones (RULES 8.8): keys, kinds, keyed hashes, sums that held.

Belongs here: the keyed hash of a row, the hash of a family's content, a release as later audits read it.
Does not: where any of it is stored, or the key of the hash, which is passed in.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.disclosure.cells import PUBLIC_COLUMNS, REGISTER_COLUMNS, bounds_of, facts_of
from dagster_project.lib.disclosure.sums import SUM_SCHEMA, TIE_SCHEMA, Sum, Tie, sums_from, ties_from
from dagster_project.lib.disclosure.unit import Earlier, Known
from dagster_project.lib.disclosure.words import CELL, FAMILY, FamilyKey, Key, family_of

TOKEN_CHARACTERS = 32
_HASHED = ("value", "value_low", "value_high", "numerator", "denominator", "value_status")
CONTENT_SCHEMA = {
    "community_id": pl.String,
    "indicator_id": pl.String,
    "series": pl.String,
    "school_year": pl.Int64,
    "period": pl.String,
    "content": pl.String,
}


@dataclass(frozen=True, eq=False)
class Release:
    """One public release that is or was out, as the audit of later ones needs it.

    public: `cells.PUBLIC_COLUMNS` of its fct_indicator_value as it went out (kept inside the house also when the
    release is taken down).
    register: `cells.REGISTER_COLUMNS`, no value among them. sums, ties: `sums.SUM_SCHEMA`, `sums.TIE_SCHEMA`.
    contents: CONTENT_SCHEMA, the hash of each family's rows, kinds and sums.
    """

    public_id: str
    public: pl.DataFrame
    register: pl.DataFrame
    sums: pl.DataFrame
    ties: pl.DataFrame
    contents: pl.DataFrame


def tokens(values: pl.DataFrame, key: bytes) -> pl.Series:
    """The keyed hash of each row's value, counts and status together with its cell; equal hash is the same unknown.

    values: CELL and the columns of fct_indicator_value. Floats count at 10 significant digits, so that noise of a
    conversion makes no new unknown. HMAC-SHA-256, cut to 128 bits.
    """
    texts = values.select(pl.col(name) for name in (*CELL, *_HASHED)).iter_rows()
    return pl.Series("token", [_token(row, key) for row in texts], dtype=pl.String)


def _token(row: tuple[object, ...], key: bytes) -> str:
    text = "\x1f".join("" if part is None else f"{part:.9e}" if isinstance(part, float) else str(part) for part in row)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:TOKEN_CHARACTERS]


def content_of(
    family: FamilyKey, rows: Sequence[tuple[Key, str, str, int]], sums: Sequence[Sum], ties: Sequence[Tie]
) -> str:
    """The hash of one family: its cells (key, token, primary kind, min_n), the sums that hold, its ties."""
    digest = hashlib.sha256(repr(family).encode())
    for part in (*sorted(rows), *map(repr, sums), *map(repr, ties)):
        digest.update(repr(part).encode())
        digest.update(b"\x1e")
    return digest.hexdigest()[:TOKEN_CHARACTERS]


def contents_frame(contents: Mapping[FamilyKey, str]) -> pl.DataFrame:
    """CONTENT_SCHEMA, sorted."""
    rows = [(*family, content) for family, content in sorted(contents.items())]
    return pl.DataFrame(rows, schema=CONTENT_SCHEMA, orient="row")


class Readings:
    """Releases as the search reads them, read one after the other, oldest first.

    What a release says of a community as the one before it did is not read again: both are then one object, which is
    what `unit.distinct` goes by. Most communities are the same from release to release, and every release is read
    again for each new one.
    """

    def __init__(self) -> None:
        self._parts: dict[str, Parts] = {}
        self._read: dict[str, Earlier] = {}

    def read(self, release: Release) -> dict[str, Earlier]:
        """The next release, one part a community."""
        parts = _parts(release)
        known = {name for name, held in parts.items() if name in self._parts and _equal(held, self._parts[name])}
        read = {name: _earlier(held) for name, held in parts.items() if name not in known}
        self._read = {name: self._read[name] if name in known else read[name] for name in parts}
        self._parts = parts
        return dict(self._read)


Parts = tuple[pl.DataFrame, ...]
"""What a release says of one community: its rows of `public`, `register`, `sums`, `ties` and `contents`."""


def _parts(release: Release) -> dict[str, Parts]:
    community = pl.col("community_id")
    frames = (
        (release.public.select(PUBLIC_COLUMNS), community),
        (release.register.select(REGISTER_COLUMNS), community),
        (release.sums.select(list(SUM_SCHEMA)), pl.col("total").list.first()),
        (release.ties.select(list(TIE_SCHEMA)), pl.col("cell").list.first()),
        (release.contents.select(list(CONTENT_SCHEMA)), community),
    )
    split = [
        frame.with_columns(of.alias(_OWNER)).partition_by(_OWNER, as_dict=True, include_key=False)
        for frame, of in frames
    ]
    names = sorted({str(name) for part in split for (name,) in part})
    empty = [frame.clear() for frame, _ in frames]
    return {name: tuple(part.get((name,), none) for part, none in zip(split, empty, strict=True)) for name in names}


_OWNER = "_owner"


def _equal(one: Parts, other: Parts) -> bool:
    return all(left.equals(right) for left, right in zip(one, other, strict=True))


def _earlier(parts: Parts) -> Earlier:
    public, register, sums, ties, contents = parts
    found = Earlier({}, {}, [], digest=hashlib.sha256(repr([part.rows() for part in parts]).encode()).hexdigest())
    for row in facts_of(public, register).iter_rows(named=True):
        key: Key = tuple(row[name] for name in CELL)
        found.cells[key] = Known(row["kind"], bounds_of(row), row["token"])
    for held in sums_from(sums):
        found.sums.setdefault(family_of(held.total), []).append(held)
    found.ties.extend(ties_from(ties))
    for *family, content in contents.select(*FAMILY, "content").iter_rows():
        name: FamilyKey = tuple(family)
        found.contents[name] = content
    return found
