"""Rules of single registers that look past one cell: what fits the dictionary, persons in stories.

Belongs here: issues of a coded row that the dictionary or the words of its text give.
Does not: kinds, choices and keys of columns (contracts, registers.py), questions between years (comparing).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.findings import in_words, issues_where, no_issues
from dagster_project.lib.intake.reading.person_level.text import persons_in_text

EDUCATION, LOCAL, TOTAL = "education", "local:", "all"
WHOLE = "a whole number of at least 0"
A_GROUP = "a group of the dimension; the total is none of its groups"
FACT_DAYS = {
    "benchmark_evidence": ("as_of",),
    "burdened_groups": ("approved_on",),
    "communications": ("date",),
    "community_reviews": ("day",),
    "confirmations": ("day",),
    "definitions": ("approved_on",),
    "examples": ("first_evidenced_on", "as_of"),
    "report_card_items": ("release_date",),
}
"""Days of what has happened, by table; they count from their own day on (RULES 6), a mistyped one for years not."""
PERCENT, IN_PERCENT = "percent", ", written as 95 for 95 percent"
HIT_WORDS = {
    "birth_date": "a birth date",
    "mail": "an e-mail address",
    "name_with_date": "a name beside a date or an age",
    "person_id": "a person's id",
    "phone": "a phone number",
    "social_security_number": "a social security number",
    "street": "a street address",
}
"""What a question about a story says for each kind of hit: never the words of the story itself."""


def register_issues(table: str, coded: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Issues of the rows of one register; `coded` has `row`, `folder_id`, `reporting_year` and its columns typed, with
    codes in place of labels."""
    rule = RULES.get(table)
    own = no_issues() if rule is None else rule(coded, reference)
    return pl.concat([own, *(_ahead(coded, column) for column in FACT_DAYS.get(table, ()))])


def _ahead(coded: pl.DataFrame, column: str) -> pl.DataFrame:
    """day_ahead: the day of something that happened lies beyond the year after the reporting year."""
    day = pl.col(column)
    found = day.cast(pl.String)
    ahead = day.dt.year() > pl.col("reporting_year") + 1
    return issues_where(coded, ahead, "day_ahead", column, found, None, found)


def _selections(coded: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """outcome_of_another_sector (RULES 5: an indicator counts for the seven or as adjacent, never both),
    contributing_as_core: what the dictionary has as contributing is to decide, and only_one_holds: two decide."""
    is_seven = reference.outcomes.select("outcome_id", is_seven=pl.col("sector") == EDUCATION)
    homes = reference.indicators.join(is_seven, on="outcome_id", how="left").select(
        indicator="indicator_id", _home="outcome_id", _home_is_seven="is_seven", _known_role="role"
    )
    given = is_seven.rename({"outcome_id": "outcome", "is_seven": "_given_is_seven"})
    rows = coded.join(homes, on="indicator", how="left", maintain_order="left")
    rows = rows.join(given, on="outcome", how="left", maintain_order="left")
    from_outside = ~pl.col("_home_is_seven") & pl.col("_given_is_seven")
    to_outside = pl.col("_home_is_seven") & (pl.col("_known_role") == "core") & ~pl.col("_given_is_seven")
    found = pl.concat_str("outcome", pl.lit(" for "), "indicator")
    allowed = pl.concat_str(pl.lit("blank, or "), "_home", pl.lit(", or another outcome of the same kind"))
    raised = (pl.col("role") == "core") & (pl.col("_known_role") == "contributing")
    parts = [
        issues_where(rows, from_outside | to_outside, "outcome_of_another_sector", "outcome", found, allowed),
        issues_where(
            rows, raised, "contributing_as_core", "role", pl.col("indicator"), pl.lit("contributing"),
            pl.col("indicator"),
        ),
    ]  # fmt: skip
    of = pl.coalesce("outcome", "_home")
    primary = rows.with_columns(_of=of).filter(pl.col("primary").fill_null(False) & (pl.col("role") == "core"))
    return pl.concat([*parts, _only_one(primary, ["_of"], "indicator", "primary", "both decide")])


def _standings(coded: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """not_allowed: the total, which is no group of a dimension, and only_one_holds: two groups of a dimension that all
    others are to be compared with, from one day on."""
    total = pl.col("group") == TOTAL
    to_compare = coded.filter(~total & (pl.col("standing") == "reference"))
    return pl.concat(
        [
            issues_where(coded, total, "not_allowed", "group", pl.col("group"), A_GROUP),
            _only_one(to_compare, ["dimension", "effective_from"], "group", "standing", "are both the reference of"),
        ]
    )


def _only_one(rows: pl.DataFrame, of: list[str], name: str, column: str, says: str) -> pl.DataFrame:
    """The later rows of those that cannot hold beside each other: same folder, same `of`, another `name`."""
    named = rows.drop_nulls(of[0]).with_columns(
        pl.col(name).first().over("folder_id", "reporting_year", *of, order_by="row").alias("_first")
    )
    found = pl.format("{} and {} {} {}", "_first", name, pl.lit(says), of[0])
    return issues_where(named, pl.col(name) != pl.col("_first"), "only_one_holds", column, found, None, found)


def _measures(coded: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """measure_without_action: it judges nothing that the partnership does."""
    return issues_where(coded, pl.col("action").is_null(), "measure_without_action", "action", pl.col("name"))


def _results(coded: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """population_unknown: a population of focus that is no group of the dictionary and is not marked as a local one."""
    groups = reference.groups
    alone = groups.filter(~pl.col("label").is_duplicated())
    names = {*alone["label"], *groups.select(pl.format("{}:{}", "dimension", "group_code")).to_series()}
    said = pl.col("population").str.strip_chars().str.to_lowercase()
    known = said.is_in(sorted(name.lower() for name in names if name)) | said.str.starts_with(LOCAL)
    return issues_where(coded, said.is_not_null() & ~known, "population_unknown", "population", pl.col("population"))


def _compositions(coded: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """count_not_whole, and composition_sum: groups of a dimension that cannot be shares of one whole, because they
    hold more than the total beside them or no total stands beside them. Groups that hold less are no fault: not
    everybody is in one of them. A row without a count says nothing."""
    parts = []
    is_total = pl.col("group") == TOTAL
    body = ["folder_id", "reporting_year", "body"]
    for column in ("people", "community_people"):
        count = pl.col(column)
        parts.append(issues_where(coded, count != count.floor(), "count_not_whole", column, count, WHOLE))
        totals = coded.filter(is_total).group_by(body).agg(count.max().alias("_total"))
        groups = coded.filter(~is_total & count.is_not_null()).group_by(*body, "dimension", maintain_order=True)
        sums = groups.agg(pl.col("row").first(), count.sum().alias("_sum")).join(totals, on=body, how="left")
        total = pl.coalesce(pl.format("the total {}", _whole("_total")), pl.lit("the row of the total has no count"))
        said = pl.format("the groups of {} of the {} hold {} people, {}", "dimension", "body", _whole("_sum"), total)
        wrong = pl.col("_total").is_null() | (pl.col("_sum") > pl.col("_total"))
        subject = pl.concat_str("body", "dimension", separator=" ")
        parts.append(issues_where(sums, wrong, "composition_sum", column, said, None, subject))
    return pl.concat(parts)


def _whole(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64)


def _stories(coded: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """story_names_persons: words that may name or reach one person.

    The question speaks of these very words, told by their hash: another text under the same title is asked about anew.
    """
    words = coded.select("row", text=pl.concat_str("title", "text", "author_role", separator="\n", ignore_nulls=True))
    hits = [
        (row, ", ".join(sorted({HIT_WORDS[hit.kind] for hit in persons_in_text(text)})), _hash(text))
        for row, text in words.iter_rows()
    ]
    schema = {"row": pl.UInt32, "_found": pl.String, "_subject": pl.String}
    frame = pl.DataFrame(hits, schema=schema, orient="row").filter(pl.col("_found") != "")
    return issues_where(frame, None, "story_names_persons", "text", pl.col("_found"), None, pl.col("_subject"))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _targets(coded: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """target_off_scale: beyond what the indicator's unit can hold, or a share such as 0.95 where percent is meant: any
    value would meet it."""
    units = reference.units.select("minimum", "maximum", unit="unit")
    scales = reference.indicators.select("unit", indicator="indicator_id").join(units, on="unit", how="left")
    rows = coded.join(scales, on="indicator", how="left", maintain_order="left")
    beyond = (pl.col("value") < pl.col("minimum")) | (pl.col("value") > pl.col("maximum"))
    share = (pl.col("unit") == PERCENT) & (pl.col("value") > 0) & (pl.col("value") < 1)
    low, high = (in_words(pl.col(bound)) for bound in ("minimum", "maximum"))
    allowed = pl.format("from {} to {}{}", low, high, pl.when(share).then(pl.lit(IN_PERCENT)).otherwise(pl.lit("")))
    found = pl.format("{} for {}, which is in {}", in_words(pl.col("value")), "indicator", "unit")
    return issues_where(rows, beyond | share, "target_off_scale", "value", found, allowed, found)


RULES: Mapping[str, Callable[[pl.DataFrame, Reference], pl.DataFrame]] = {
    "burdened_groups": _standings,
    "indicator_selection": _selections,
    "measures": _measures,
    "results": _results,
    "staff_composition": _compositions,
    "stories": _stories,
    "targets": _targets,
}
