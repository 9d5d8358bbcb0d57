"""Findings: from a rule that fired on rows to a finding a member can act on.

Belongs here: the catalogue, the frame of issues that checks return, and how issues become findings.
Does not: any rule itself (values.py, registers.py, comparisons.py), or how a receipt looks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path

import polars as pl

import contracts
from dagster_project.lib.base.shown import visible
from dagster_project.lib.base.successions import NO_RENAMES, CommunityIds

BLOCKING = ("fatal", "error")

ISSUES = pl.Schema(
    {
        "row": pl.UInt32(),
        "rule_id": pl.String(),
        "column": pl.String(),
        "found": pl.String(),
        "allowed": pl.String(),
        "subject": pl.String(),
    }
)
"""`row` is the position in the checked frame; `subject` names the value an explainable finding speaks of."""

FINDINGS = pl.Schema(
    {
        "finding_id": pl.String(),
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "submission_id": pl.String(),
        "rule_id": pl.String(),
        "severity": pl.String(),
        "dimension": pl.String(),
        "source_file": pl.String(),
        "source_sheet": pl.String(),
        "source_row": pl.Int32(),
        "source_column": pl.String(),
        "found": pl.String(),
        "allowed": pl.String(),
        "message": pl.String(),
        "remedy": pl.String(),
        "n_rows": pl.Int32(),
        "status": pl.String(),
        "explanation": pl.String(),
    }
)

LONGEST_QUOTE = 300
MOST_ALIKE = 200
"""Findings of one rule in one column of a sheet that are written out; the rest is counted."""
MOST_ASKED = 1_000
"""The same of questions, since each is answered by itself: so many that no real file reaches it."""


@dataclass(frozen=True)
class Catalogue:
    """The finding catalogue as a text frame, one line a rule.

    `place` is `cell` where a rule speaks of a workbook's cell: the column it names is then a letter of the sheet.
    `row_counts` is `yes` where a question says that the row counts as it stands, so that it is none of a refused row.
    """

    rules: pl.DataFrame

    @property
    def severities(self) -> dict[str, str]:
        """rule_id to severity."""
        return dict(self.rules.select("rule_id", "severity").iter_rows())

    @cached_property
    def titles(self) -> dict[str, str]:
        """rule_id to what the rule is about."""
        return dict(self.rules.select("rule_id", "title").iter_rows())

    @cached_property
    def asked_of_rows_that_count(self) -> pl.DataFrame:
        """rule_id of the questions whose words say that the row counts as it stands."""
        return self.rules.filter(pl.col("row_counts") == "yes").select("rule_id")


@cache
def catalogue(path: Path = contracts.CATALOGUE) -> Catalogue:
    """Load the finding catalogue."""
    frame = pl.read_csv(path, infer_schema=False).with_columns(pl.col("allowed").fill_null(""))
    return Catalogue(frame)


def rule_title(rule_id: str) -> str:
    """What a rule is about; one that today's catalogue does not list, as in an older release, by its own words."""
    return catalogue().titles.get(rule_id, rule_id.replace("_", " ").capitalize())


@lru_cache(maxsize=8)
def catalogue_in(code: str) -> Mapping[str, Mapping[str, str]]:
    """Title, message, allowed and remedy of each rule in another language; none where the catalogue is not in it."""
    path = contracts.LANGUAGES / f"{code}.csv"
    if not path.is_file():
        return {}
    return {row["rule_id"]: row for row in pl.read_csv(path, infer_schema=False).fill_null("").to_dicts()}


def no_issues() -> pl.DataFrame:
    """An empty frame of issues."""
    return pl.DataFrame(schema=ISSUES)


def in_words(number: pl.Expr) -> pl.Expr:
    """A number as text; a whole one without its decimal."""
    return number.cast(pl.String).str.strip_suffix(".0")


def issues_where(
    frame: pl.DataFrame,
    condition: pl.Expr | None,
    rule_id: str,
    column: str,
    found: pl.Expr | None = None,
    allowed: pl.Expr | str | None = None,
    subject: pl.Expr | None = None,
) -> pl.DataFrame:
    """The issues of one rule: a line for each row of `frame` (it has an index `row`) where the condition holds."""
    hit = frame if condition is None else frame.filter(condition.fill_null(False))
    if not hit.height:
        return no_issues()
    return hit.select(
        pl.col("row").cast(pl.UInt32),
        pl.lit(rule_id).alias("rule_id"),
        pl.lit(column).alias("column"),
        (found if found is not None else pl.lit(None)).cast(pl.String).alias("found"),
        (allowed if isinstance(allowed, pl.Expr) else pl.lit(allowed)).cast(pl.String).alias("allowed"),
        (subject if subject is not None else pl.lit(None)).cast(pl.String).alias("subject"),
    )


def blocked_rows(issues: pl.DataFrame) -> pl.DataFrame:
    """Rows kept out by an issue, with the first rule in the catalogue's order: columns row, row_reason."""
    order = catalogue().rules.with_row_index("order").filter(pl.col("severity").is_in(BLOCKING))
    hits = issues.join(order.select("rule_id", "order"), on="rule_id")
    first = hits.sort("row", "order").unique("row", keep="first", maintain_order=True)
    return first.select("row", pl.col("rule_id").alias("row_reason"))


ROOT_CAUSE = ["community_id", "reporting_year", "submission_id", "rule_id", "source_file", "source_sheet"]


def to_findings(issues: pl.DataFrame, names: CommunityIds = NO_RENAMES) -> pl.DataFrame:
    """Turn located issues into findings: one root cause (rule, file, sheet, column, text found) is one finding.

    `issues` has columns community_id, reporting_year, submission_id, source_file, source_sheet, source_row,
    source_column, rule_id, found, allowed, subject. The finding points at its first row and counts all (n_rows).
    An explainable finding's id depends on what it speaks of alone, so one answer survives resubmissions and years, and,
    by the first id of its community (`names`), a rename.
    """
    if not issues.height:
        return pl.DataFrame(schema=FINDINGS)
    if "source_cell" not in issues.columns:
        issues = issues.with_columns(pl.lit(None, pl.String).alias("source_cell"))
    quoted = issues.with_columns(pl.col("found").str.slice(0, LONGEST_QUOTE))
    keys = [*ROOT_CAUSE, "source_column", "found", "allowed", "subject"]
    grouped = (
        quoted.sort("source_row", nulls_last=False, maintain_order=True)
        .group_by(keys, maintain_order=True)
        .agg(pl.col("source_row").first(), pl.col("source_cell").first(), pl.len().cast(pl.Int32).alias("n_rows"))
    )
    grouped = _bounded(grouped)
    told = grouped.join(catalogue().rules, on="rule_id", how="left", suffix="_rule", maintain_order="left")
    unknown = told.filter(pl.col("severity").is_null())
    if unknown.height:
        raise LookupError(f"rules without a line in contracts/findings.csv: {sorted(set(unknown['rule_id']))}")
    told = told.with_columns(allowed=pl.coalesce("allowed", pl.col("allowed_rule").replace("", None)))
    told = told.with_columns(
        allowed=pl.when(pl.col("allowed") == "{allowed}").then(None).otherwise(pl.col("allowed")),
    ).with_columns(message=_message())
    return (
        told.with_columns(
            finding_id=_finding_ids(names.begun(told), names.first),
            status=pl.when(pl.col("severity") == "explainable").then(pl.lit("open")).otherwise(pl.lit("closed")),
            explanation=pl.lit(None, pl.String),
            source_row=pl.col("source_row").cast(pl.Int32),
            reporting_year=pl.col("reporting_year").cast(pl.Int32),
        )
        .with_columns(
            status=pl.when(pl.col("severity").is_in(BLOCKING)).then(pl.lit("open")).otherwise(pl.col("status"))
        )
        .select(list(FINDINGS))
        .cast(FINDINGS)
    )


def _bounded(grouped: pl.DataFrame) -> pl.DataFrame:
    """Of findings of one rule in one column of a sheet the first MOST_ALIKE (questions: MOST_ASKED), then one that
    counts the rest; a column `rest` says which that is.
    """
    kind = [*ROOT_CAUSE, "source_column"]
    asked = catalogue().rules.filter(pl.col("severity") == "explainable")["rule_id"]
    numbered = grouped.with_columns(_no=pl.int_range(pl.len()).over(kind))
    most = pl.when(pl.col("rule_id").is_in(asked.to_list())).then(MOST_ASKED).otherwise(MOST_ALIKE)
    beyond = pl.col("_no") >= most
    rest = numbered.filter(beyond)
    if not rest.height:
        return grouped.with_columns(rest=pl.lit(False))
    n_rows = pl.col("n_rows").sum()
    more = rest.group_by(kind, maintain_order=True).agg(
        pl.format("{} more rows of this kind", n_rows).alias("found"),
        pl.col("allowed").first(),
        pl.lit(None, pl.String).alias("subject"),
        pl.col("source_row").first(),
        pl.col("source_cell").first(),
        n_rows.cast(pl.Int32).alias("n_rows"),
        pl.lit(True).alias("rest"),
    )
    kept = numbered.filter(~beyond).drop("_no").with_columns(rest=pl.lit(False))
    return pl.concat([kept, more.select(kept.columns).cast(kept.schema)])


def _message() -> pl.Expr:
    text = pl.col("message")
    for name in ("found", "allowed"):
        said = pl.col(name).fill_null("nothing").map_elements(visible, return_dtype=pl.String)
        text = text.str.replace_all("{" + name + "}", said, literal=True)
    place = pl.concat_str(
        pl.when(pl.col("source_file").is_not_null()).then(pl.concat_str(pl.lit("File "), "source_file")),
        pl.when(pl.col("source_sheet").fill_null("") != "").then(pl.concat_str(pl.lit(", sheet "), "source_sheet")),
        pl.when(pl.col("source_cell").is_not_null())
        .then(pl.concat_str(pl.lit(", cell "), "source_cell"))
        .when(pl.col("source_row").is_not_null())
        .then(pl.concat_str(pl.lit(", row "), "source_row")),
        pl.when(pl.col("source_column").is_not_null()).then(pl.concat_str(pl.lit(", column "), "source_column")),
        ignore_nulls=True,
    )
    more = pl.when((pl.col("n_rows") > 1) & ~pl.col("rest")).then(
        pl.concat_str(pl.lit(" ("), pl.col("n_rows").cast(pl.String), pl.lit(" rows in all)"))
    )
    left_out = pl.concat_str(
        pl.col("n_rows").map_elements("{:,}".format, return_dtype=pl.String),
        pl.lit(" more rows have the same fault ("),
        pl.col("title"),
        pl.lit("); they are counted here and not listed one by one."),
    )
    body = pl.when("rest").then(left_out).otherwise(pl.concat_str(text, more, ignore_nulls=True))
    return pl.when(place != "").then(pl.concat_str(place, pl.lit(": "), body)).otherwise(body)


def _finding_ids(told: pl.DataFrame, first: Mapping[str, str]) -> pl.Series:
    """The ids of findings. `first`: by a community's id of now the one it began with, also as a place of a subject."""
    lasting = ("community_id", "rule_id", "subject", "found")
    local = (*ROOT_CAUSE, "source_column", "source_row", "found", "allowed", "subject")
    ids = []
    for line in told.iter_rows(named=True):
        if line["subject"] is not None:
            line["subject"] = "|".join(first.get(part, part) for part in str(line["subject"]).split("|"))
        explainable = line["severity"] == "explainable"
        names = lasting if explainable else tuple(name for name in local if name != "submission_id")
        text = "\x1f".join("" if line[name] is None else str(line[name]) for name in names)
        ids.append(hashlib.sha256(text.encode()).hexdigest()[:16])
    return pl.Series("finding_id", ids, dtype=pl.String)
