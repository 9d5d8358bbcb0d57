"""Local labels and the codes they stand for.

Belongs here: looking labels up in the governed crosswalks (narrowest scope wins) and in the dictionary itself.
Does not: deciding what happens to rows without a code (values.py, registers.py), or proposing codes (suggest.py).
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence

import polars as pl

from dagster_project.lib.base.reference import Reference

SCOPE_RANK = {"community": 0, "layout": 1, "global": 2, "dictionary": 3}
NEAREST_SHOWN = 3
MOST_SEARCHED = 50
"""Distinct labels of one submission and column for which the nearest known ones are looked for."""
LONGEST_SEARCHED = 80
NOT_SEARCHED = f"not looked for (more than {MOST_SEARCHED} labels of the folder are not known)"


def composed(column: str | pl.Expr) -> pl.Expr:
    """`normalised`, with letters in their composed form (NFC), as the cells of files have them."""
    return normalised(column).str.normalize("NFC")


def normalised(column: str | pl.Expr) -> pl.Expr:
    """The form in which labels are compared: trimmed, one blank between words, case folded."""
    expression = pl.col(column) if isinstance(column, str) else column
    return expression.str.strip_chars().str.replace_all(r"\s+", " ").str.to_lowercase()


def code_table(reference: Reference, kind: str) -> pl.DataFrame:
    """All known labels of one kind: scope, scope_id, dimension (null: any), label, code, valid_from, valid_to.

    `kind` is indicator, dimension, group or outcome. The dictionary's own codes and labels are the widest scope.
    """
    lines = _dictionary(reference, kind)
    if kind == "outcome":
        return _finish(lines)
    crosswalk = reference.crosswalk(kind)
    dimension = pl.col("dimension") if kind == "group" else pl.lit(None, pl.String)
    code = {"indicator": "indicator_id", "dimension": "dimension", "group": "group_code"}[kind]
    given = crosswalk.select(
        "scope",
        "scope_id",
        dimension.alias("dimension"),
        "label",
        pl.col(code).alias("code"),
        "valid_from",
        "valid_to",
    )
    return _finish(pl.concat([lines, given]))


def _dictionary(reference: Reference, kind: str) -> pl.DataFrame:
    source, dimension, code, label = {
        "indicator": (reference.indicators, pl.lit(None, pl.String), "indicator_id", "name"),
        "outcome": (reference.outcomes, pl.lit(None, pl.String), "outcome_id", "name"),
        "dimension": (reference.dimensions, pl.lit(None, pl.String), "dimension", "label"),
        "group": (reference.groups, pl.col("dimension"), "group_code", "label"),
    }[kind]
    lines = [
        source.select(
            pl.lit("dictionary").alias("scope"),
            pl.lit(None, pl.String).alias("scope_id"),
            dimension.alias("dimension"),
            pl.col(text).alias("label"),
            pl.col(code).alias("code"),
            pl.lit(0, pl.Int32).alias("valid_from"),
            pl.lit(9999, pl.Int32).alias("valid_to"),
        )
        for text in (code, label)
    ]
    total = (
        lines[0]
        .clear()
        .vstack(pl.DataFrame([("dictionary", None, None, "all", "all", 0, 9999)], schema=lines[0].schema, orient="row"))
    )
    return pl.concat([*lines, total]) if kind in ("group", "dimension") else pl.concat(lines)


def _finish(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.with_columns(
        label=composed("label"), rank=pl.col("scope").replace_strict(SCOPE_RANK, return_dtype=pl.Int32)
    ).unique(maintain_order=True)


def place_table(reference: Reference) -> pl.DataFrame:
    """All known labels of places, in the form that `resolve` reads; `dimension` is the kind of place.

    A crosswalk line comes first, in its own years. Then a place's id, name and code: in the years the place is valid,
    so that two places that bore one name one after the other are told apart, and last in any year.
    """
    places = reference.geographies.rename({"community_id": "scope_id"}).with_columns(
        pl.col("valid_from").cast(pl.Int32).fill_null(0), pl.col("valid_to").cast(pl.Int32).fill_null(9999)
    )
    always = places.with_columns(valid_from=pl.lit(0, pl.Int32), valid_to=pl.lit(9999, pl.Int32))
    kinds = places.select("scope_id", "geography_id", "geography_level").unique(maintain_order=True)
    given = reference.crosswalk("geography").filter(scope="community").join(kinds, on=["scope_id", "geography_id"])
    own = [
        vintage.with_columns(label=pl.col(text))
        for vintage in (places, always)
        for text in ("geography_id", "name", "code")
    ]
    columns = ("scope_id", "geography_level", "label", "geography_id", "valid_from", "valid_to")
    lines = pl.concat(
        part.select(*columns, pl.lit(rank, pl.Int32).alias("rank")) for rank, part in enumerate([given, *own])
    )
    named = {"geography_level": "dimension", "geography_id": "code"}
    return lines.rename(named).with_columns(scope=pl.lit("community"), label=composed("label")).drop_nulls("label")


def resolve(
    rows: pl.DataFrame, label: str, table: pl.DataFrame, dimension: str | None = None, exact: bool = False
) -> pl.Series:
    """The code of each row's label, or null. Rows need community_id, layout_id, school_year (null: any year).

    The narrowest scope that holds in the row's school year wins: community, layout, global, dictionary.
    `exact` compares labels as they stand (trimmed) instead of in their normalised form.
    """
    asked = [label, "community_id", "layout_id", "school_year", *([dimension] if dimension else [])]
    distinct = (
        rows.select(asked)
        .unique(maintain_order=True)
        .with_columns(_label=pl.col(label).str.strip_chars() if exact else normalised(label))
    )
    known = table.rename({"dimension": "_known_dimension"})
    found = distinct.join(known, left_on="_label", right_on="label", how="inner", maintain_order="left").filter(
        ((pl.col("scope") != "community") | (pl.col("scope_id") == pl.col("community_id")))
        & ((pl.col("scope") != "layout") | (pl.col("scope_id") == pl.col("layout_id")))
        & (pl.col("school_year").fill_null(pl.col("valid_from")).is_between("valid_from", "valid_to"))
    )
    if dimension:
        own = pl.col("_known_dimension")
        found = found.filter(own.is_null() | (own == pl.col(dimension)))
    best = found.sort("rank", "code", maintain_order=True).unique(asked, keep="first", maintain_order=True)
    joined = rows.select(asked).join(
        best.select(*asked, "code"), on=asked, how="left", nulls_equal=True, maintain_order="left"
    )
    return joined["code"]


def nearest(label: str, known: Sequence[str]) -> str:
    """Up to three known labels nearest to an unknown one, for a finding's text."""
    text = label.strip().lower()[:LONGEST_SEARCHED]
    return ", ".join(difflib.get_close_matches(text, known, n=NEAREST_SHOWN, cutoff=0.4)) or "none"


def with_nearest(rows: pl.DataFrame, label: str, table: pl.DataFrame, dimension: str | None = None) -> pl.DataFrame:
    """The rows with `nearest`: the known labels nearest to each row's own, of its dimension where one is given.

    A label that another dimension knows is told with that dimension: the row's dimension is at fault, not the label.
    Rows need community_id and submission_id. Labels of other communities and of layouts are no answer. The search costs
    much more than anything else that is done for a label: each is looked for once, and of one submission the first
    MOST_SEARCHED in the order of its rows, so that what a folder hears never hangs on which others are read with it.
    """
    asked = [label, "community_id", "submission_id", *([dimension] if dimension else [])]
    distinct = rows.select(asked).drop_nulls(label).unique(maintain_order=True)
    known = _Known(table)
    met: Counter[str] = Counter()
    found = []
    for text, community, submission, *kind in distinct.iter_rows():
        met[submission] += 1
        searched = met[submission] <= MOST_SEARCHED
        found.append(known.nearest(text, community, kind[0] if kind else None) if searched else NOT_SEARCHED)
    lines = distinct.with_columns(pl.Series("nearest", found, pl.String))
    return rows.join(lines, on=asked, how="left", nulls_equal=True, maintain_order="left")


def _usable(owner: str | None) -> pl.Expr:
    """Labels that a community may use: its own and those of everybody."""
    return (pl.col("scope") != "community") | (pl.col("scope_id") == pl.lit(owner, pl.String))


class _Known:
    """Known labels by community and dimension, and what was found for a label among them."""

    def __init__(self, table: pl.DataFrame) -> None:
        own = table["scope"] == "community"
        self.table = table.filter(own | (table["scope"] != "layout"))
        self.communities = frozenset(table.filter(own)["scope_id"])
        self.labels: dict[tuple[str | None, str | None], list[str]] = {}
        self.found: dict[tuple[str, str | None, str | None], str] = {}

    def nearest(self, label: str, community: str, dimension: str | None) -> str:
        """The nearest labels that may be used in a community (a dimension's, unless it is not known)."""
        owner = community if community in self.communities else None
        key = (label, owner, dimension)
        if key not in self.found:
            others = [f"{label.strip()} under {other}" for other in self._elsewhere(label, owner, dimension)]
            self.found[key] = ", ".join(others) or nearest(label, self._among(owner, dimension))
        return self.found[key]

    def _elsewhere(self, label: str, owner: str | None, dimension: str | None) -> list[str]:
        """Other dimensions that know the very label, the first few in the order of names."""
        if dimension is None:
            return []
        text = pl.select(composed(pl.lit(label))).item()
        other = (pl.col("label") == text) & (pl.col("dimension") != dimension)
        return sorted(set(self.table.filter(_usable(owner) & other)["dimension"]))[:NEAREST_SHOWN]

    def _among(self, owner: str | None, dimension: str | None) -> list[str]:
        key = (owner, dimension)
        if key not in self.labels:
            usable = _usable(owner)
            if dimension is not None:
                usable = usable & (pl.col("dimension").is_null() | (pl.col("dimension") == dimension))
            self.labels[key] = sorted(set(self.table.filter(usable)["label"].drop_nulls()))
        return self.labels[key]
