"""Rows of indicator_values: from text to typed observations and issues (RULES 1).

Belongs here: the order of a row's checks, its arithmetic, and identical or conflicting rows of one submission.
Does not: labels (codes.py), places (places.py), comparisons (comparing), effective values (dbt).
"""

from __future__ import annotations

import polars as pl

from contracts.base import TableContract, whole_number
from dagster_project.lib.base.names import VALUE_KEY
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import JudgingRules
from dagster_project.lib.intake.findings import ISSUES, blocked_rows, in_words, issues_where
from dagster_project.lib.intake.layouts.telling import unit_spellings
from dagster_project.lib.intake.rows.cells import DECIMAL_COMMA, DOT_THOUSANDS, ONE_COMMA, cast_texts, parse_cells
from dagster_project.lib.intake.rows.codes import CodeTables, coded
from dagster_project.lib.intake.rows.contract_check import (
    cast_column,
    contract_issues,
    required_issues,
    told_as_dates,
)
from dagster_project.lib.intake.rows.labels import normalised
from dagster_project.lib.intake.rows.repeated import settle_repeats
from dagster_project.lib.intake.rows.topics import of_another_topic
from dagster_project.lib.intake.tables import OBSERVATIONS, POPULATION, added_columns

ALLOWED_CELL = "a number, a mask such as * or <5, or nothing"


WHOLE_UNITS = ("count", "usd")
"""Units whose values are mostly printed without decimals."""
KEPT_AS_MISSING = ("all_empty", "count_without_value")
"""What is told of rows that stay without a value."""
SIGNS = (("percent", "percent"), ("money", "usd"))
"""Signs beside a number, and the unit that each belongs to."""


LARGEST_WHOLE = 2**53  # up to which a float holds every whole number


PLACE = ["community_id", "reporting_year"]


KEY = [*PLACE, *VALUE_KEY[1:], "data_level"]


CONTENT = ["numerator", "denominator", "value", "value_low", "value_high", "value_status"]


SAME = [*CONTENT[:-1], pl.col("value_status").replace("derived", "reported")]
"""A rate that is printed beside its counts and one that was made from them say the same."""


def _key_words() -> pl.Expr:
    """The key of a row as its member reads it; the usual place, period and series need no words."""
    parts = [
        pl.when(pl.col(name) != usual).then(pl.col(name))
        for name, usual in (
            ("population_group_id", pl.lit("")),
            ("geography_id", pl.col("community_id")),
            ("period", pl.lit("annual")),
            ("series", pl.lit("default")),
        )
    ]
    return pl.concat_str(
        "indicator_id", *parts[:1], pl.col("school_year").cast(pl.String), *parts[1:], separator=", ", ignore_nulls=True
    )


def _content_words() -> pl.Expr:
    """What the row says, in numbers; without one the word for why there is none."""
    number = in_words(pl.col("value").round(4))
    counts = pl.when(pl.col("numerator").is_not_null() & pl.col("denominator").is_not_null()).then(
        pl.format("{} of {}", "numerator", "denominator")
    )
    alone = pl.coalesce(
        pl.when(pl.col("numerator").is_not_null()).then(pl.format("numerator {}", "numerator")),
        pl.when(pl.col("denominator").is_not_null()).then(pl.format("denominator {}", "denominator")),
    )
    value = pl.when(pl.col("value").is_not_null()).then(pl.format("value {}", number))
    bounds = pl.when(pl.col("value_low").is_not_null() | pl.col("value_high").is_not_null()).then(
        pl.format("{} to {}", *(pl.col(end).cast(pl.String).fill_null("any") for end in ("value_low", "value_high")))
    )
    said = pl.concat_str(pl.coalesce(counts, alone), pl.coalesce(value, bounds), separator=", ", ignore_nulls=True)
    return pl.when(said != "").then(said).otherwise(pl.col("value_status").str.replace_all("_", " "))


def check_values(
    texts: pl.DataFrame,
    contract: TableContract,
    reference: Reference,
    codes: CodeTables,
    reading: pl.DataFrame,
    rules: JudgingRules,
    own: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Check rows of many files at once; `reading` are issues of rows found while their files were read.

    `texts` has row (UInt32, its position), the source columns of OBSERVATIONS and the contract's columns as text
    (null where empty). `rules`: what the ruleset says of agreement and of the largest count; `own`: the
    headers of the files (own_columns.OWN_COLUMNS). Returns the rows with the
    columns of OBSERVATIONS (row_status accepted, waiting, rejected or duplicate) plus row, and the issues.
    """
    typed, issues = _typed(texts, contract, reference)
    typed, waiting = coded(typed, texts, reference, codes)
    topics = of_another_topic(typed, own, reference.indicators)
    typed, unit_issues = _units(typed, texts, reference)
    typed, cell_issues = _cells(typed, texts, reference, rules)
    checked = contract_issues(_contract_frame(typed, contract), texts, contract)
    typed, value_issues = _values(typed, rules)
    issues = pl.concat([reading, issues, waiting, topics, unit_issues, cell_issues, checked, value_issues]).cast(ISSUES)
    issues = _lines_that_are_no_rows(told_as_dates(issues, texts, contract), contract)
    rows = _statuses(typed, issues)
    # Exact comparison of content: floats that come from the same text are the same bits.
    rows, repeated = settle_repeats(rows, KEY, pl.struct(SAME), "indicator", (_key_words(), _content_words()))
    return rows.select("row", *OBSERVATIONS).cast(OBSERVATIONS), pl.concat([issues, repeated])


def _lines_that_are_no_rows(issues: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    """A total or note below the table is told once, by its words where the school year belongs, not by every blank."""
    blank = pl.col("rule_id") == "missing_required"
    needed = [column.name for column in contract.columns if column.required and column.name != "school_year"]
    lacking = issues.filter(blank & pl.col("column").is_in(needed)).group_by("row").agg(pl.col("column").n_unique())
    worded = issues.filter(pl.col("rule_id") == "bad_school_year").select("row").unique()
    notes = lacking.filter(pl.col("column") == len(needed)).join(worded, on="row", how="semi")["row"]
    issues = issues.filter(~(blank & pl.col("row").is_in(notes.implode())))
    # A row that is refused is not kept as a missing value.
    kept = ~pl.col("row").is_in(blocked_rows(issues)["row"].implode())
    return issues.filter(kept | ~pl.col("rule_id").is_in(KEPT_AS_MISSING))


def _typed(texts: pl.DataFrame, contract: TableContract, reference: Reference) -> tuple[pl.DataFrame, pl.DataFrame]:
    issues = [required_issues(texts, contract)]
    typed = texts
    for name in added_columns():
        if name in contract.names:
            values, bad = cast_column(texts, contract.column(name))
            typed = typed.with_columns(values.alias(name))
            issues.append(bad)
    for name in ("school_year", "period", "participation_rate"):
        if name not in contract.names:
            typed = typed.with_columns(pl.lit(None, OBSERVATIONS[name]).alias(name))
            continue
        column = contract.column(name)
        given = texts
        if name == "participation_rate":  # A masked or bounded participation rate is simply not known.
            masked = parse_cells(texts[name], reference.masks)["kind"].is_in(["mask", "range"])
            given = texts.with_columns(pl.when(~masked).then(pl.col(name)).alias(name))
        cast = cast_texts(given[name], column.kind, column.polars_type)
        bad = given.with_columns(cast["bad"].alias("_bad"))
        issues.append(issues_where(bad, pl.col("_bad"), f"bad_{column.kind}", name, pl.col(name), column.allowed))
        typed = typed.with_columns(cast["typed"].alias(name))
    typed = typed.with_columns(
        period=pl.col("period").fill_null("annual"),
        geography_level=pl.col("geography_level").str.to_lowercase().fill_null("community"),
        series=pl.col("series").fill_null("default"),
        data_level=pl.col("data_level").str.to_lowercase().fill_null(POPULATION),
    )
    return typed, pl.concat(issues)


def _units(typed: pl.DataFrame, texts: pl.DataFrame, reference: Reference) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The unit each row's value is given in, its factor and range; issues where it does not fit the indicator."""
    dictionary = reference.indicators.select("indicator_id", pl.col("unit").alias("indicator_unit"))
    spellings = unit_spellings().items()
    meant = {spelling: unit for spelling, unit in spellings if spelling not in set(reference.units["unit"])}
    rows = typed.with_columns(given_unit=normalised("unit").replace(meant)).join(
        dictionary, on="indicator_id", how="left", maintain_order="left"
    )
    rows = rows.with_columns(value_unit=pl.coalesce("given_unit", "indicator_unit"))
    units = reference.units.rename({"unit": "value_unit"})
    rows = rows.join(units, on="value_unit", how="left", maintain_order="left")
    stored = reference.units.select(
        pl.col("unit").alias("indicator_unit"), pl.col("stored_unit").alias("indicator_stored")
    )
    rows = rows.join(stored, on="indicator_unit", how="left", maintain_order="left")
    known = ", ".join(sorted(reference.units["unit"]))
    unknown = pl.col("given_unit").is_not_null() & pl.col("stored_unit").is_null()
    conflict = pl.col("stored_unit") != pl.col("indicator_stored")
    issues = [
        issues_where(rows, unknown, "unknown_unit", "unit", pl.col("unit"), known),
        issues_where(rows, conflict, "unit_conflict", "unit", pl.col("unit"), pl.col("indicator_unit")),
    ]
    return rows, pl.concat(issues)


def _cells(
    typed: pl.DataFrame, texts: pl.DataFrame, reference: Reference, rules: JudgingRules
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Numerator, denominator and value as numbers, intervals or masks, each speaking for its own cell."""
    issues, rows = [], typed
    for name in ("numerator", "denominator", "value"):
        cells = parse_cells(texts[name], reference.masks)
        cells.columns = [f"{name}_{column}" for column in cells.columns]
        rows = rows.hstack(cells)
        issues += _unread_cells(rows, name)
    issues.append(_dotted(rows))
    allowed = whole_number(rules.largest_count, grouped=False)
    for name in ("numerator", "denominator"):
        number = pl.col(f"{name}_number")
        whole = (number == number.round(0)) & ~pl.col(f"{name}_percent") & ~pl.col(f"{name}_money")
        issues.append(issues_where(rows, ~whole, "count_not_whole", name, pl.col(name), allowed))
        # A count beyond any sense is held at a number that the contract's range still refuses.
        held = number.clip(-LARGEST_WHOLE, LARGEST_WHOLE)
        rows = rows.with_columns(pl.when(whole).then(held).cast(pl.Int64).alias(name))
    for sign, unit in SIGNS:
        other = _signed(sign, unit)
        issues.append(issues_where(rows, other, "unit_conflict", "value", pl.col("value"), pl.col("value_unit")))
    factor = pl.col("factor").fill_null(1.0)
    rows = rows.with_columns(
        printed=pl.col("value"),
        value=pl.col("value_number") * factor,
        printed_tolerance=0.5 * factor * pl.lit(10.0).pow(-pl.col("value_decimals").fill_null(0)),
        value_low=pl.when(pl.col("value_kind") == "range").then(
            pl.coalesce(pl.col("value_low") * factor, pl.col("minimum"))
        ),
        value_high=pl.when(pl.col("value_kind") == "range").then(
            pl.coalesce(pl.col("value_high") * factor, pl.col("maximum"))
        ),
    )
    issues.append(_range_issues(rows, rules.epsilon))
    return rows, pl.concat(issues)


def _unread_cells(rows: pl.DataFrame, name: str) -> list[pl.DataFrame]:
    """Cells of one column that are no number and no mask, and those whose comma may stand before decimals.

    `1,204` is a grouped number, unless other cells of the file's column of values show that its commas stand before
    decimals. A count has none: there it is a grouped number whatever its neighbours are.
    """
    text = pl.col(name).str.strip_chars()
    comma = text.str.contains(DECIMAL_COMMA)
    bad = (pl.col(f"{name}_kind") == "bad").fill_null(False)
    decimal = rows.with_columns(_bad=bad & comma.fill_null(False))
    decimal = decimal.with_columns(_alike=pl.col("_bad").any().over("submission_id", "source_file"))
    doubtful = pl.col("_alike") & text.str.contains(ONE_COMMA) & pl.lit(name == "value")
    told = pl.col("_bad") | doubtful
    return [
        issues_where(decimal, told, "decimal_comma", name, pl.col(name)),
        issues_where(decimal, bad & ~comma, "bad_cell", name, pl.col(name), ALLOWED_CELL),
    ]


def _dotted(rows: pl.DataFrame) -> pl.DataFrame:
    """Counts and amounts with three digits behind a point: in some countries these are thousands."""
    parts = []
    for name in ("numerator", "denominator", "value"):
        dotted = pl.col(name).str.strip_chars().str.contains(DOT_THOUSANDS)
        if name == "value":
            dotted = dotted & pl.col("value_unit").is_in(WHOLE_UNITS)
        parts.append(issues_where(rows, dotted, "dot_thousands", name, pl.col(name), subject=pl.lit(name)))
    return pl.concat(parts)


def _signed(sign: str, unit: str) -> pl.Expr:
    """Whether the value's sign is that of another unit than the row's."""
    return pl.col(f"value_{sign}") & (pl.col("value_unit") != unit)


def _range_issues(rows: pl.DataFrame, epsilon: float) -> pl.DataFrame:
    """out_of_range, in the unit that the row is given in; a cell whose sign is of another unit is told for that."""
    rows = rows.filter(~pl.any_horizontal(_signed(*sign).fill_null(False) for sign in SIGNS))
    parts = []
    for name in ("value", "value_low", "value_high"):
        below = pl.col(name) < pl.col("minimum") - epsilon
        above = pl.col(name) > pl.col("maximum") + epsilon
        low, high = (in_words(pl.col(bound) / pl.col("factor")) for bound in ("minimum", "maximum"))
        allowed = pl.concat_str(pl.lit("from "), low.fill_null("any"), pl.lit(" to "), high.fill_null("any"))
        parts.append(issues_where(rows, below | above, "out_of_range", "value", pl.col("printed"), allowed))
    return pl.concat(parts).unique(["row", "rule_id"], maintain_order=True)


def _contract_frame(typed: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    """The typed columns as the contract names them, for pandera."""
    own = [pl.col(column.name).cast(column.polars_type).alias(column.name) for column in contract.columns]
    return typed.select(*own, "reporting_year")


def _values(typed: pl.DataFrame, rules: JudgingRules) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The row's value and status: counts count, a printed value must agree with them, masks make no number."""
    counts = pl.col("numerator").is_not_null() & pl.col("denominator").is_not_null()
    rate = (pl.col("stored_unit") == "percent").fill_null(False)
    made = counts & rate & (pl.col("denominator") > 0)
    computed = pl.when(made).then(100.0 * pl.col("numerator") / pl.col("denominator"))
    rows = typed.with_columns(computed=computed, _made=made, _zero=(pl.col("denominator") == 0).fill_null(False))
    tolerance = rules.agreement + pl.col("printed_tolerance") + rules.epsilon
    differs = pl.col("_made") & ((pl.col("value") - pl.col("computed")).abs() > tolerance)
    hundredfold = (100.0 * pl.col("value") - pl.col("computed")).abs()
    fraction = ~pl.col("value_percent") & (hundredfold <= rules.agreement + 100.0 * pl.col("printed_tolerance"))
    unit = pl.when(fraction).then(pl.lit("; as it stands with fraction in the column unit")).otherwise(pl.lit(""))
    should = pl.concat_str(pl.col("computed").round(2).cast(pl.String), pl.lit(" from the counts of the row"), unit)
    masked = pl.col("value_kind").is_in(["mask", "range"])
    empty = pl.all_horizontal(pl.col(f"{name}_kind") == "empty" for name in ("numerator", "denominator", "value"))
    issues = [
        issues_where(rows, differs, "value_mismatch", "value", pl.col("printed"), should),
        issues_where(rows, pl.col("_made") & masked, "masked_rate_with_counts", "value", pl.col("printed")),
        issues_where(rows, empty, "all_empty", "value"),
    ]
    # Without a number the status is what the value cell says; an empty value cell leaves the word to the counts' masks.
    said = pl.coalesce(
        pl.when(masked).then(pl.col("value_status")),
        pl.when(pl.col("numerator_kind").is_in(["mask", "range"])).then(_count_status("numerator")),
        pl.when(pl.col("denominator_kind").is_in(["mask", "range"])).then(_count_status("denominator")),
        pl.lit("missing"),
    )
    printed = (pl.col("value_kind") == "number") & ~pl.col("_zero")
    status = (
        pl.when(pl.col("_zero"))
        .then(pl.lit("not_applicable"))
        .when(printed)
        .then(pl.lit("reported"))
        .when(pl.col("_made"))
        .then(pl.lit("derived"))
        .otherwise(said)
    )
    rows = rows.with_columns(status.alias("_status"))
    # Of a row that waits for its indicator nobody knows yet what would give a value.
    known = pl.col("stored_unit").is_not_null()
    alone = known & (pl.col("_status") == "missing") & pl.col("numerator").is_not_null()
    issues.append(issues_where(rows, alone, "count_without_value", "numerator", pl.col("numerator").cast(pl.String)))
    interval = pl.col("_status") == "range"
    rows = rows.with_columns(
        value=pl.when(pl.col("_made")).then(pl.col("computed")).when(printed).then(pl.col("value")),
        value_low=pl.when(interval).then(pl.col("value_low")),
        value_high=pl.when(interval).then(pl.col("value_high")),
        value_status=pl.col("_status"),
    )
    return rows, pl.concat(issues)


def _count_status(name: str) -> pl.Expr:
    """A bound on a count says only that the count was hidden: no interval of the rate is made from it."""
    ranged = pl.col(f"{name}_kind") == "range"
    return pl.when(ranged).then(pl.lit("suppressed_at_source")).otherwise(pl.col(f"{name}_status"))


def _statuses(typed: pl.DataFrame, issues: pl.DataFrame) -> pl.DataFrame:
    rows = typed.with_columns(
        raw_indicator=pl.col("indicator"),
        raw_dimension=pl.col("dimension"),
        dimension=pl.col("dimension_code"),
        unit=pl.coalesce("stored_unit", "indicator_stored"),
    ).join(blocked_rows(issues), on="row", how="left", maintain_order="left")
    waits = pl.any_horizontal(
        pl.col(name).is_null() for name in ("indicator_id", "population_group_id", "geography_id")
    )
    return rows.with_columns(
        row_status=pl.when(pl.col("row_reason").is_not_null())
        .then(pl.lit("rejected"))
        .when(waits)
        .then(pl.lit("waiting"))
        .otherwise(pl.lit("accepted")),
        row_reason=pl.when(pl.col("row_reason").is_null() & waits)
        .then(pl.lit("unmapped_label"))
        .otherwise(pl.col("row_reason")),
    )
