"""What a release leaves behind for the next ones (RULES 8.8): keys, kinds, keyed hashes, sums that held.

Belongs here: the keyed hash of a row, the hash of a family's content, a release as later audits read it.
Does not: where any of it is stored, or the key of the hash, which is passed in.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.disclosure.cells import bounds_of, facts_of
from dagster_project.lib.disclosure.sums import Sum, Tie, sums_from, ties_from
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


def earlier_by_community(release: Release) -> dict[str, Earlier]:
    """A release as the search reads it, one part a community."""
    found: dict[str, Earlier] = defaultdict(lambda: Earlier({}, {}, []))
    for row in facts_of(release.public, release.register).iter_rows(named=True):
        key: Key = tuple(row[name] for name in CELL)
        found[key[0]].cells[key] = Known(row["kind"], bounds_of(row), row["token"])
    for held in sums_from(release.sums):
        found[held.total[0]].sums.setdefault(family_of(held.total), []).append(held)
    for tie in ties_from(release.ties):
        found[tie.cell[0]].ties.append(tie)
    for *family, content in release.contents.select(*FAMILY, "content").iter_rows():
        name: FamilyKey = tuple(family)
        found[name[0]].contents[name] = content
    return found
