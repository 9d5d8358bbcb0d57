"""What registers hold on file beside a criterion that somebody else decides: factors by kind, terms, staff by groups.

Belongs here: words for reviewers, printed with the evidence of the criteria that the rubric names for them.
Does not: decide anything: no status depends on these words (facts, criteria).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from dagster_project.lib.analysis.rubric.context import FactContext
from dagster_project.lib.analysis.rubric.registers import AT, plain
from dagster_project.lib.analysis.rubric.rules.common import filled

ON_FILE = "on_file"
"""Optional column of rubric/rubric.csv: a name of SHOWN, and after a colon what it looks for."""
COLUMNS = [*AT, "criterion_id", ON_FILE]
EVIDENCE_KINDS = ("quantitative", "qualitative", "community_voice")


def words_on_file(context: FactContext, rubric: pl.DataFrame) -> pl.DataFrame:
    """COLUMNS: words for each community, reporting year and criterion of `rubric` that names what to show.

    A register that was never submitted shows nothing. KeyError for a name that is not in SHOWN.
    """
    parts = [pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String) | {"reporting_year": pl.Int32})]
    asked = rubric.filter(pl.col(ON_FILE).is_not_null()) if ON_FILE in rubric.columns else rubric.clear()
    for row in asked.iter_rows(named=True):
        name, _, argument = row[ON_FILE].partition(":")
        found = SHOWN[name](context, argument.strip())
        parts.append(found.with_columns(criterion_id=pl.lit(row["criterion_id"])).select(COLUMNS))
    return pl.concat(parts)


def factors(context: FactContext, argument: str) -> pl.DataFrame:
    """Factors on file by kind of evidence."""
    if "factors" not in context.known:
        return _nothing(context)
    kinds = [(plain("evidence") == kind).sum().cast(pl.String).alias(kind) for kind in EVIDENCE_KINDS]
    counts = context.known["factors"].filter(filled("factor")).group_by(AT).agg(kinds)
    words = ", ".join(f"{{}} {kind.replace('_', ' ')}" for kind in EVIDENCE_KINDS)
    return counts.select(
        *AT, pl.format(f"factors on file by kind of evidence: {words}", *EVIDENCE_KINDS).alias(ON_FILE)
    )


def definition(context: FactContext, argument: str) -> pl.DataFrame:
    """The partnership's own definition of a term, as approved."""
    if "definitions" not in context.known:
        return _nothing(context)
    rows = context.known["definitions"].filter((plain("term") == argument) & filled("text"))
    last = rows.sort(*AT, "approved_on", "submitted_in", nulls_last=False).unique(AT, keep="last", maintain_order=True)
    day = pl.coalesce(pl.col("approved_on").cast(pl.String), pl.lit("a day that is not told"))
    told = pl.format(f"definition of {argument} on file, approved on {{}}: {{}}", day, pl.col("text").str.strip_chars())
    return last.select(*AT, told.alias(ON_FILE))


def composition(context: FactContext, argument: str) -> pl.DataFrame:
    """By which dimensions staff, leadership and board are on file beside the community; never how many they are."""
    if "staff_composition" not in context.known:
        return _nothing(context)
    rows = context.known["staff_composition"].filter(
        (pl.col("group") != "all") & pl.col("people").is_not_null() & pl.col("community_people").is_not_null()
    )
    bodies = rows.group_by(*AT, "body").agg(pl.col("dimension").unique().sort().str.join(", "))
    words = bodies.sort(*AT, "body").group_by(AT, maintain_order=True).agg(pl.format("{} by {}", "body", "dimension"))
    return words.select(
        *AT, pl.format("on file beside the community: {}", pl.col("body").list.join("; ")).alias(ON_FILE)
    )


def _nothing(context: FactContext) -> pl.DataFrame:
    return context.scaffold.select(AT).clear().with_columns(pl.lit(None, pl.String).alias(ON_FILE))


SHOWN: Mapping[str, Callable[[FactContext, str], pl.DataFrame]] = {
    "composition": composition,
    "definition": definition,
    "factors": factors,
}
