"""Causes that many folders share: one question to the network instead of one to each folder.

Belongs here: which changes, and which groups that come or go, many folders have in common, and telling it.
Does not: what is unusual in one folder (over_years.py), answers (answers.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.ruleset import ComparisonRules
from dagster_project.lib.intake.comparing.compared_values import in_words, no_issues, text_of, told

RULE = "shared_cause"
SCOPES = ("network", "state")
"""Whose folders are counted: all of them, then those of one state."""
YEARS = ["school_year", "before_year"]
VALUE = ["indicator_id", "population_group_id", "unit", *YEARS]
GROUPS = ["indicator_id", "geography_level", "dimension", *YEARS]


@dataclass(frozen=True)
class Shared:
    """What stays a question of its own folder, and the network's issues for the rest."""

    own: pl.DataFrame
    issues: pl.DataFrame


def without_shared_changes(
    unusual: pl.DataFrame, comparable: pl.DataFrame, rule_id: str, limits: ComparisonRules
) -> Shared:
    """Takes out changes that the folders have in common (`comparable`: all pairs of the rule, unusual or not).

    Both frames have value_no, state, change and scale (columns of compared_values beside them). A cause is a change of
    one indicator and group between two school years in one direction that `shared.folder_share` of the communities
    with both years show; a group that its total's cause explains is counted there. A change that differs from the
    middle one by more than its own tolerance stays a question of its folder: a fall by 60 points where all fell by 8.
    """
    own, parts = unusual, [no_issues()]
    for scope in SCOPES:
        everyone = _in_scope(comparable.filter(pl.col("geography_level") == "community"), scope)
        key = ["_scope", *VALUE]
        could = everyone.group_by(key).agg(
            pl.col("community_id").n_unique().alias("_could"),
            (pl.col("change") / pl.col("scale")).median().alias("_shift"),
        )
        shown = everyone.join(unusual.select("value_no"), on="value_no", how="semi")
        causes = _shared(shown.with_columns(_up=pl.col("change") > 0), could, [*key, "_up"], key, limits)
        hit = _explained(_in_scope(own, scope).with_columns(_up=pl.col("change") > 0), causes, [*key, "_up"])
        parts.append(_tell(hit, rule_id, _change_in_words(rule_id), [rule_id, "_scope", *VALUE], limits))
        own = own.join(hit.select("value_no"), on="value_no", how="anti", maintain_order="left")
    return Shared(own, pl.concat(parts))


def without_shared_groups(
    changed: pl.DataFrame, could: pl.DataFrame, what: Sequence[str], rule_id: str, limits: ComparisonRules
) -> Shared:
    """Takes out groups that came or went in the folders in common.

    `changed` are places and groups that changed, `could` those that could have (community_id, state, geography_id and
    the columns of GROUPS); `what` says which columns name the cause beside GROUPS. A folder shows a cause if the same
    share of its own places do.
    """
    own, parts = changed, [no_issues()]
    for scope in SCOPES:
        key = ["_scope", *GROUPS, *(name for name in what if name in could.columns)]
        places = pl.col("geography_id").n_unique()
        each = _in_scope(could, scope).group_by(*key, "community_id").agg(places.alias("_places"))
        total = each.group_by(key).agg(pl.col("community_id").n_unique().alias("_could"))
        cause = ["_scope", *GROUPS, *what]
        shown = _in_scope(changed, scope).group_by(*cause, "community_id").agg(places.alias("_shown"))
        shown = shown.join(each, on=[*key, "community_id"])
        shown = shown.filter(pl.col("_shown") >= limits["shared.folder_share"] * pl.col("_places"))
        causes = _shared(shown, total, cause, key, limits)
        hit = _in_scope(own, scope).join(causes, on=cause, maintain_order="left")
        parts.append(_tell(hit, rule_id, _groups_in_words(rule_id, what), [rule_id, *cause], limits))
        own = own.join(hit.select(own.columns), on=own.columns, how="anti", nulls_equal=True, maintain_order="left")
    return Shared(own, pl.concat(parts))


def without_shared_totals(lacking: pl.DataFrame, groups: pl.DataFrame, limits: ComparisonRules) -> Shared:
    """Takes out totals that many folders lack for an indicator and school year, as where a state publishes none.

    `lacking` has a row for each folder, indicator and school year; `groups` are the rows of groups that stand there.
    """
    own, parts, cause = lacking, [no_issues()], ["_scope", "indicator_id", "school_year"]
    for scope in SCOPES:
        could = _in_scope(groups, scope).group_by(cause).agg(pl.col("community_id").n_unique().alias("_could"))
        hit = _in_scope(own, scope).join(
            _shared(_in_scope(lacking, scope), could, cause, cause, limits), on=cause, maintain_order="left"
        )
        words = text_of(pl.col("indicator_name"), " has groups and no total in ", pl.col("school_year"))
        parts.append(_tell(hit, "total_missing", words, ["total_missing", *cause], limits))
        own = own.join(hit.select(own.columns), on=own.columns, how="anti", nulls_equal=True, maintain_order="left")
    return Shared(own, pl.concat(parts))


def _in_scope(frame: pl.DataFrame, scope: str) -> pl.DataFrame:
    return frame.with_columns(_scope=pl.lit("the network") if scope == "network" else pl.col("state"))


def _shared(
    shown: pl.DataFrame, could: pl.DataFrame, cause: list[str], key: list[str], limits: ComparisonRules
) -> pl.DataFrame:
    """Causes with _could and _shown (communities) where enough show them."""
    counted = shown.group_by(cause).agg(pl.col("community_id").n_unique().alias("_shown"))
    joined = counted.join(could, on=key)
    enough = pl.col("_shown") >= limits["shared.folder_share"] * pl.col("_could")
    return joined.filter(enough & (pl.col("_could") >= limits["shared.min_folders"]))


def _explained(changes: pl.DataFrame, causes: pl.DataFrame, cause: list[str]) -> pl.DataFrame:
    """Changes that a cause of the total, else of their own group, explains within their tolerance, with that cause."""
    of_total = causes.filter(pl.col("population_group_id") == "all")
    whole = changes.with_columns(pl.lit("all").alias("population_group_id"))
    parts = []
    for asked, known in ((whole, of_total), (changes, causes)):
        met = asked.join(known, on=cause, maintain_order="left")
        rest = (pl.col("change") - pl.col("_shift") * pl.col("scale")).abs()
        parts.append(met.filter(rest <= pl.col("tolerance")).select(*changes.columns, "_could", "_shown"))
    return pl.concat(parts).unique("value_no", keep="first", maintain_order=True)


def _tell(hit: pl.DataFrame, rule_id: str, words: pl.Expr, subject: list[str], limits: ComparisonRules) -> pl.DataFrame:
    """One question to the network for each cause, counted once for each question that it stands for."""
    if not hit.height:
        return no_issues()
    share = f" in at least {limits['shared.folder_share']:.0%} of the folders of "
    hit = hit.with_columns(pl.lit(rule_id).alias(rule_id))
    same = pl.col("reporting_year").min().over(subject)
    # The numbers of folders grow while they arrive; they are no part of what the question is known by.
    counted = [pl.col(name).max().over(subject) for name in ("_shown", "_could")]
    numbers = text_of("a change that few folders share (", counted[0], " of ", counted[1], " communities show it)")
    issues = told(hit.with_columns(same), RULE, None, text_of(words, share, pl.col("_scope")), numbers, subject)
    own = {"community_id": pl.lit(NETWORK_FOLDER), "submission_id": pl.lit(None, pl.String)}
    return issues.with_columns(**own, value_no=pl.lit(None, pl.UInt32))


def _between() -> pl.Expr:
    return text_of("between ", pl.col("before_year"), " and ", pl.col("school_year"))


def _change_in_words(rule_id: str) -> pl.Expr:
    moved = pl.when("_up").then(pl.lit("rise")).otherwise(pl.lit("fall"))
    what = {"year_over_year_change": "the values of ", "count_change": "the counts of "}[rule_id]
    return text_of(what, in_words(), " ", moved, " ", _between())


def _groups_in_words(rule_id: str, what: Sequence[str]) -> pl.Expr:
    group = text_of(" ", pl.col("group_code")) if what else pl.lit(" (all groups)")
    moved = {"group_appears": " appears ", "group_vanishes": " vanishes "}[rule_id]
    return text_of(pl.col("dimension"), group, moved, _between(), " for ", pl.col("indicator_name"))
