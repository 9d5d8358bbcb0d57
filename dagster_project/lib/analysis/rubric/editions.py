"""Editions of the rubric: which lines of it a reporting year is judged by.

Belongs here: cutting seeds/rubric/rubric.csv into editions, and running a step edition by edition.
Does not: what a line asks for (criteria.py, facts.py), or the rules' own versions (rulesets).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import polars as pl

from dagster_project.lib.analysis.rubric.registers import AT

EDITION, FIRST_YEAR = "edition", "from_reporting_year"
EVER = 9999

Edition = tuple[int, int, pl.DataFrame]
"""First and last reporting year that an edition holds for, and its lines."""


def editions(rubric: pl.DataFrame) -> list[Edition]:
    """The editions of a rubric, oldest first; one for all years where it names none.

    `rubric`: seeds/rubric/rubric.csv as text. Its optional columns `edition` and `from_reporting_year` say which lines
    belong together and from which reporting year on; a blank year is the first. Each edition states all of its lines.
    ValueError where an edition has two first years, or two editions have one.
    """
    if EDITION not in rubric.columns or FIRST_YEAR not in rubric.columns:
        return [(0, EVER, rubric)]
    years = pl.col(FIRST_YEAR).cast(pl.String).str.strip_chars().replace("", None).cast(pl.Int32).fill_null(0)
    marked = rubric.with_columns(years.alias("_first"), pl.col(EDITION).fill_null("").alias("_edition"))
    named = marked.select("_first", "_edition").unique().sort("_first", "_edition")
    if named["_edition"].n_unique() < named.height or named["_first"].n_unique() < named.height:
        raise ValueError("rubric/rubric.csv: each edition needs one first reporting year of its own")
    starts = [(first, name) for first, name in named.iter_rows()]
    ends = [later - 1 for (_, _), (later, _) in pairwise(starts)] + [EVER]
    return [
        (first if position else 0, last, rubric.filter(marked["_edition"] == name))
        for position, ((first, name), last) in enumerate(zip(starts, ends, strict=True))
    ]


def edition_of(rubric: pl.DataFrame, reporting_year: int) -> pl.DataFrame:
    """The lines of the edition that a reporting year is judged by."""
    return next(lines for first, last, lines in editions(rubric) if first <= reporting_year <= last)


def in_editions(rubric: pl.DataFrame, make: Callable[[pl.DataFrame, pl.Expr], pl.DataFrame]) -> pl.DataFrame:
    """What `make` gives for each edition and the years it holds for, together in the order of community and year.

    `make` takes the edition's lines and an expression that keeps its rows of a frame with `reporting_year`.
    """
    found = editions(rubric)
    parts = [make(lines, pl.col("reporting_year").is_between(first, last)) for first, last, lines in found]
    return parts[0] if len(parts) == 1 else pl.concat(parts).sort(AT, maintain_order=True)
