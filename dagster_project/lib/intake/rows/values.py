"""Rows of indicator_values: from text to coded, typed observations and issues (RULES 1).

Belongs here: the arithmetic and codes within one row, and identical or conflicting rows of one submission.
Does not: comparisons between years or members (comparisons.py), or effective values (dbt).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

import contracts
from contracts.base import TableContract
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.findings import ISSUES, blocked_rows, issues_where, no_issues
from dagster_project.lib.intake.rows.cells import cast_texts, parse_cells
from dagster_project.lib.intake.rows.contract_check import cast_column, contract_issues, required_issues
from dagster_project.lib.intake.rows.labels import code_table, nearest_labels, normalised, place_table, resolve
from dagster_project.lib.intake.rows.repeated import settle_repeats

EPSILON = 1e-9
LARGEST_WHOLE = 2**53  # up to which a float holds every whole number
AGREEMENT = 0.05  # RULES 1: a printed value may differ by this plus half a unit of its last digit.
PLACE = ["community_id", "reporting_year"]
KEY = [
    *PLACE,
    "indicator_id",
    "series",
    "geography_id",
    "population_group_id",
    "school_year",
    "period",
]
CONTENT = ["numerator", "denominator", "value", "value_low", "value_high", "value_status"]

RAW = {name: f"raw_{name}" for name in ("indicator", "dimension", "group", "geography")}
"""Columns of the contract that are kept as they were written, beside the codes made of them."""

_OWN = pl.Schema(
    {
        "community_id": pl.String(),
        "reporting_year": pl.Int32(),
        "submission_id": pl.String(),
        "source_file": pl.String(),
        "source_sheet": pl.String(),
        "source_row": pl.Int32(),
        "source_column": pl.String(),
        "layout_id": pl.String(),
        "contract_version": pl.Int32(),
        "raw_indicator": pl.String(),
        "raw_dimension": pl.String(),
        "raw_group": pl.String(),
        "raw_geography": pl.String(),
        "raw_series": pl.String(),
        "indicator_id": pl.String(),
        "dimension": pl.String(),
        "group_code": pl.String(),
        "population_group_id": pl.String(),
        "geography_id": pl.String(),
        "geography_level": pl.String(),
        "school_year": pl.Int32(),
        "series": pl.String(),
        "period": pl.String(),
        "unit": pl.String(),
        "numerator": pl.Int64(),
        "denominator": pl.Int64(),
        "value": pl.Float64(),
        "value_low": pl.Float64(),
        "value_high": pl.Float64(),
        "value_status": pl.String(),
        "participation_rate": pl.Float64(),
        "data_source": pl.String(),
        "note": pl.String(),
        "row_status": pl.String(),
        "row_reason": pl.String(),
    }
)


def added_columns() -> dict[str, pl.DataType]:
    """Columns of the values table beyond those of version 1, by the type they are kept with."""
    columns = contracts.landed()[contracts.VALUES_TABLE].columns
    return {column.name: column.polars_type for column in columns if RAW.get(column.name, column.name) not in _OWN}


OBSERVATIONS = pl.Schema({**_OWN, **added_columns()})
"""A row of values as it is kept; columns that only some contract versions have are null in rows of the others."""


@dataclass(frozen=True)
class CodeTables:
    """The label tables that rows are resolved with, built once a run."""

    indicator: pl.DataFrame
    dimension: pl.DataFrame
    group: pl.DataFrame
    outcome: pl.DataFrame

    @classmethod
    def of(cls, reference: Reference) -> CodeTables:
        """Build all label tables from the seeds."""
        kinds = ("indicator", "dimension", "group", "outcome")
        return cls(**{kind: code_table(reference, kind) for kind in kinds})


def check_values(
    texts: pl.DataFrame, contract: TableContract, reference: Reference, codes: CodeTables, reading: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Check rows of many files at once; `reading` are issues of rows found while their files were read.

    `texts` has row (UInt32, its position), the source columns of OBSERVATIONS and the contract's columns as text
    (null where empty). Returns the rows with the columns of OBSERVATIONS (row_status accepted, waiting, rejected or
    duplicate) plus row, and the issues.
    """
    typed, issues = _typed(texts, contract, reference)
    typed, waiting = _coded(typed, texts, reference, codes)
    typed, unit_issues = _units(typed, texts, reference)
    typed, cell_issues = _cells(typed, texts, reference)
    checked = contract_issues(_contract_frame(typed, contract), texts, contract)
    typed, value_issues = _values(typed, texts)
    issues = pl.concat([reading, issues, waiting, unit_issues, cell_issues, checked, value_issues]).cast(ISSUES)
    rows = _statuses(typed, issues)
    # Exact comparison of content: floats that come from the same text are the same bits.
    rows, repeated = settle_repeats(rows, KEY, pl.struct(CONTENT), "indicator")
    return rows.select("row", *OBSERVATIONS).cast(OBSERVATIONS), pl.concat([issues, repeated])


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
    )
    return typed, pl.concat(issues)


def _coded(
    typed: pl.DataFrame, texts: pl.DataFrame, reference: Reference, codes: CodeTables
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Indicator, dimension, group and place as codes; issues for labels that wait."""
    rows = typed.with_columns(
        indicator_id=resolve(typed, "indicator", codes.indicator),
        dimension_code=resolve(typed, "dimension", codes.dimension),
        raw_group=pl.col("group"),
        raw_geography=pl.col("geography"),
    )
    kinds = reference.dimensions.select(
        pl.col("dimension").alias("dimension_code"), "kind", pl.col("geography_level").alias("place_level")
    )
    rows = rows.join(kinds, on="dimension_code", how="left", maintain_order="left")
    # The total of a geographic dimension is the total, and names no place.
    rows = rows.with_columns(_all=pl.lit("all"))
    rows = rows.with_columns(_is_total=resolve(rows, "group", codes.group, "_all") == "all")
    rows = rows.with_columns(
        dimension_code=pl.when((pl.col("kind") == "geographic") & pl.col("_is_total"))
        .then(pl.lit("all"))
        .otherwise(pl.col("dimension_code"))
    )
    place = ((pl.col("kind") == "geographic") & (pl.col("dimension_code") != "all")).fill_null(False)
    rows = rows.with_columns(
        geography=pl.when(place).then(pl.col("group")).otherwise(pl.col("geography")),
        geography_level=pl.when(place).then(pl.col("place_level")).otherwise(pl.col("geography_level")),
        group=pl.when(place).then(pl.lit("all")).otherwise(pl.col("group")),
        dimension_code=pl.when(place).then(pl.lit("all")).otherwise(pl.col("dimension_code")),
    )
    rows = rows.with_columns(group_code=resolve(rows, "group", codes.group, "dimension_code"))
    total = pl.col("group_code") == "all"
    rows = rows.with_columns(
        population_group_id=pl.when(total)
        .then(pl.lit("all"))
        .otherwise(pl.concat_str("dimension_code", pl.lit(":"), "group_code")),
    )
    rows, place_issues = _placed(rows, reference)
    rows = _renamed_series(rows, reference)
    return rows, pl.concat([_waiting(rows, codes), place_issues])


def _waiting(rows: pl.DataFrame, codes: CodeTables) -> pl.DataFrame:
    # The group `all` is the total, whatever its dimension is called.
    total = (pl.col("group_code") == "all").fill_null(False)
    missing_dimension = pl.col("dimension").is_not_null() & pl.col("dimension_code").is_null() & ~total
    asked = {
        "indicator": pl.col("indicator").is_not_null() & pl.col("indicator_id").is_null(),
        "dimension": missing_dimension,
        "group": pl.col("group").is_not_null() & pl.col("group_code").is_null() & ~missing_dimension,
    }
    parts = [no_issues()]
    for kind, unknown in asked.items():
        hit = rows.filter(unknown)
        if hit.height:
            near = nearest_labels(hit[kind], getattr(codes, kind))
            hit = hit.join(near, left_on=kind, right_on="label", how="left", maintain_order="left")
            subject = (
                normalised(kind)
                if kind != "group"
                else pl.concat_str("dimension_code", normalised("group"), separator=":")
            )
            parts.append(issues_where(hit, None, f"unmapped_{kind}", kind, pl.col(kind), pl.col("nearest"), subject))
    return pl.concat(parts)


def slug(name: str) -> pl.Expr:
    """A place's name as part of an id."""
    return pl.col(name).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "_").str.strip_chars("_")


def _placed(rows: pl.DataFrame, reference: Reference) -> tuple[pl.DataFrame, pl.DataFrame]:
    """geography_id of each row: the community itself, a governed place, or the place as the member names it.

    A place waits only where the network governs a list of such places for the community and it is not on it.
    """
    own = pl.col("geography_level") == "community"
    places = reference.geographies
    governed = places.select("community_id", "geography_level").unique().with_columns(governed=pl.lit(True))
    rows = rows.with_columns(
        _place=normalised("geography"),
        geography_id=resolve(rows, "geography", place_table(reference), dimension="geography_level"),
    ).join(governed, on=["community_id", "geography_level"], how="left", maintain_order="left")
    invented = pl.concat_str("community_id", "geography_level", slug("geography"), separator=":")
    rows = rows.with_columns(
        geography_id=pl.when(own)
        .then(pl.col("community_id"))
        .when(pl.col("geography_id").is_not_null())
        .then(pl.col("geography_id"))
        .when(pl.col("governed").is_null())
        .then(invented)
    )
    return rows, _place_issues(rows, places, reference)


def _place_issues(rows: pl.DataFrame, places: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    own = pl.col("geography_level") == "community"
    named = pl.col("geography").is_not_null()
    unmapped = rows.filter(~own & named & pl.col("geography_id").is_null())
    parts = [
        issues_where(rows, ~own & ~named, "missing_geography", "geography"),
        _other_place(rows.filter(own & named), reference),
    ]
    if unmapped.height:
        near = nearest_labels(unmapped["geography"], places.select(normalised("name").alias("label")))
        unmapped = unmapped.join(near, left_on="geography", right_on="label", how="left", maintain_order="left")
        found, subject = pl.col("geography"), pl.concat_str("geography_level", "_place", separator=":")
        parts.append(issues_where(unmapped, None, "unmapped_geography", "geography", found, pl.col("nearest"), subject))
    return pl.concat(parts)


def _other_place(rows: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Rows that count as the community's own value but name another place (information only)."""
    names = reference.communities.select("community_id", "name", "district_name")
    hit = rows.join(names, on="community_id", how="left", maintain_order="left").with_columns(
        pl.concat_str(
            normalised("community_id"),
            normalised("name"),
            normalised(pl.col("district_name").fill_null("")),
            separator="\x1f",
        ).alias("_own")
    )
    differs = ~pl.struct("_place", "_own").map_elements(
        lambda pair: pair["_place"] in pair["_own"].split("\x1f"), return_dtype=pl.Boolean
    )
    return issues_where(hit, differs, "place_not_community", "geography", pl.col("geography"), pl.col("name"))


def _renamed_series(rows: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """A seed line may rename a series (an assessment change): narrowest scope first; a blank label is `default`."""
    lines = reference.crosswalk("series")
    table = lines.select(
        "scope",
        "scope_id",
        pl.col("indicator_id").alias("dimension"),
        pl.col("label").fill_null("default").alias("label"),
        pl.col("series").alias("code"),
        "valid_from",
        "valid_to",
        pl.col("scope").replace_strict({"community": 0, "layout": 1, "global": 2}, return_dtype=pl.Int32).alias("rank"),
    )
    renamed = resolve(rows, "series", table, "indicator_id", exact=True)
    return rows.with_columns(raw_series=pl.col("series"), series=pl.coalesce(renamed, pl.col("series")))


def _units(typed: pl.DataFrame, texts: pl.DataFrame, reference: Reference) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The unit each row's value is given in, its factor and range; issues where it does not fit the indicator."""
    dictionary = reference.indicators.select("indicator_id", pl.col("unit").alias("indicator_unit"))
    rows = typed.with_columns(given_unit=normalised("unit")).join(
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


def _cells(typed: pl.DataFrame, texts: pl.DataFrame, reference: Reference) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Numerator, denominator and value as numbers, intervals or masks, each speaking for its own cell."""
    issues, rows = [], typed
    for name in ("numerator", "denominator", "value"):
        cells = parse_cells(texts[name], reference.masks)
        cells.columns = [f"{name}_{column}" for column in cells.columns]
        rows = rows.hstack(cells)
        bad = pl.col(f"{name}_kind") == "bad"
        allowed = "a number, a mask such as * or <5, or nothing"
        issues.append(issues_where(rows, bad, "bad_cell", name, pl.col(name), allowed))
    for name in ("numerator", "denominator"):
        number = pl.col(f"{name}_number")
        whole = (number == number.round(0)) & ~pl.col(f"{name}_percent")
        issues.append(issues_where(rows, ~whole, "count_not_whole", name, pl.col(name)))
        # A count beyond any sense is held at a number that the contract's range still refuses.
        held = number.clip(-LARGEST_WHOLE, LARGEST_WHOLE)
        rows = rows.with_columns(pl.when(whole).then(held).cast(pl.Int64).alias(name))
    percent = pl.col("value_percent") & (pl.col("value_unit") != "percent")
    issues.append(issues_where(rows, percent, "unit_conflict", "value", pl.col("value"), pl.col("value_unit")))
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
    issues.append(_range_issues(rows))
    return rows, pl.concat(issues)


def _range_issues(rows: pl.DataFrame) -> pl.DataFrame:
    parts = []
    for name in ("value", "value_low", "value_high"):
        below = pl.col(name) < pl.col("minimum") - EPSILON
        above = pl.col(name) > pl.col("maximum") + EPSILON
        low, high = pl.col("minimum").cast(pl.String), pl.col("maximum").cast(pl.String)
        allowed = pl.concat_str(pl.lit("from "), low.fill_null("any"), pl.lit(" to "), high.fill_null("any"))
        parts.append(issues_where(rows, below | above, "out_of_range", "value", pl.col("printed"), allowed))
    return pl.concat(parts).unique(["row", "rule_id"], maintain_order=True)


def _contract_frame(typed: pl.DataFrame, contract: TableContract) -> pl.DataFrame:
    """The typed columns as the contract names them, for pandera."""
    own = [pl.col(column.name).cast(column.polars_type).alias(column.name) for column in contract.columns]
    return typed.select(*own, "reporting_year")


def _values(typed: pl.DataFrame, texts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The row's value and status: counts count, a printed value must agree with them, masks make no number."""
    counts = pl.col("numerator").is_not_null() & pl.col("denominator").is_not_null()
    rate = (pl.col("stored_unit") == "percent").fill_null(False)
    made = counts & rate & (pl.col("denominator") > 0)
    computed = pl.when(made).then(100.0 * pl.col("numerator") / pl.col("denominator"))
    rows = typed.with_columns(computed=computed, _made=made, _zero=(pl.col("denominator") == 0).fill_null(False))
    tolerance = AGREEMENT + pl.col("printed_tolerance") + EPSILON
    differs = pl.col("_made") & ((pl.col("value") - pl.col("computed")).abs() > tolerance)
    should = pl.concat_str(pl.col("computed").round(2).cast(pl.String), pl.lit(" from the counts of the row"))
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
