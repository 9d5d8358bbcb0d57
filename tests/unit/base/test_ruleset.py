"""Rulesets are data: read, typed, and refused when they are not complete.

Belongs here: tests of ruleset.py and of the seeds it reads.
Does not: what the parameters do.
"""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.base.ruleset import Ruleset, in_force, in_force_on, load_ruleset, read_ruleset, ruleset_rows
from tests.unit.analysis.builders import ROOT, parameter_rows

DEFAULT = ("toa-default", "1.1.0")


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    """The default ruleset."""
    return load_ruleset(parameter_rows(), *DEFAULT)


def changed(parameter: str, value: str | None) -> pl.DataFrame:
    """The seeds' rows with another value of one parameter of the default ruleset."""
    where = (pl.col("ruleset_id") == "toa-default") & (pl.col("parameter") == parameter)
    return parameter_rows().with_columns(pl.when(where).then(pl.lit(value)).otherwise("value").alias("value"))


def test_the_default_ruleset_holds_the_numbers_of_the_rules(ruleset: Ruleset) -> None:
    assert (ruleset.ruleset_id, ruleset.ruleset_version) == DEFAULT
    trend = ruleset.trend
    assert (trend.min_points, trend.min_span_years, trend.max_gap_years, trend.max_years) == (3, 2, 2, 5)
    assert (trend.recency_years, trend.min_n, trend.robust_min_points) == (2, 10, 4)
    assert (trend.maintain_tolerance, trend.maintain_tolerance_relative) == (0.5, 0.005)
    assert (trend.confidence, trend.binomial_z, ruleset.epsilon) == (0.95, 1.96, 1e-9)
    assert ruleset.gap.dimensions == ("race_ethnicity",)
    assert (ruleset.gap.baseline_min, ruleset.gap.eliminated_tolerance, ruleset.gap.eliminated_years) == (1, 1, 2)
    assert (ruleset.network.panel_share, ruleset.network.window_years) == (0.5, 5)
    assert ruleset.aggregate.min_coverage == 0.8


def test_the_earlier_public_definition_is_a_ruleset_with_the_same_trend_parameters(ruleset: Ruleset) -> None:
    other = load_ruleset(parameter_rows(), "public-2018")
    assert other.trend == ruleset.trend
    assert other.ruleset_version != ruleset.ruleset_version


def test_a_ruleset_changes_by_data_alone() -> None:
    assert load_ruleset(changed("trend.max_years", "7"), *DEFAULT).trend.max_years == 7


def test_a_missing_parameter_is_named() -> None:
    rows = parameter_rows().filter(pl.col("parameter") != "trend.min_n")
    with pytest.raises(ValueError, match=r"missing parameters \['trend.min_n'\]"):
        load_ruleset(rows, *DEFAULT)
    with pytest.raises(ValueError, match=r"missing parameters \['trend.min_n'\]"):
        load_ruleset(changed("trend.min_n", ""), *DEFAULT)


def test_an_unknown_parameter_is_named() -> None:
    rows = parameter_rows().with_columns(pl.col("parameter").replace("trend.min_n", "trend.minimum"))
    with pytest.raises(ValueError, match=r"unknown parameters \['trend.minimum'\]"):
        load_ruleset(rows, *DEFAULT)


@pytest.mark.parametrize("text", ["ten", "10.5", "-3", "nan", "inf"])
def test_a_value_of_another_type_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"toa-default 1\.1\.0: trend.min_n must be"):
        load_ruleset(changed("trend.min_n", text), *DEFAULT)


def test_a_parameter_given_twice_is_named() -> None:
    rows = parameter_rows()
    again = rows.filter(pl.col("parameter") == "gap.baseline_min")
    with pytest.raises(ValueError, match=r"given more than once: \['gap.baseline_min'\]"):
        load_ruleset(pl.concat([rows, again]), *DEFAULT)


def test_an_absent_ruleset_version_or_column_is_named() -> None:
    with pytest.raises(ValueError, match="'nobody' version None is not in the seeds"):
        load_ruleset(parameter_rows(), "nobody")
    with pytest.raises(ValueError, match=r"'9.9' is not in the seeds; there: \['1.0.0', '1.1.0'\]"):
        load_ruleset(parameter_rows(), "toa-default", "9.9")
    with pytest.raises(ValueError, match=r"lack the columns \['value'\]"):
        load_ruleset(parameter_rows().drop("value"), *DEFAULT)


def test_parameters_of_the_rubric_pass_through_as_text_or_number() -> None:
    row = pl.DataFrame(
        {"ruleset_id": ["toa-default"] * 2, "ruleset_version": ["1.1.0"] * 2, "parameter": ["gateway.x", "gateway.y"]}
    ).with_columns(pl.Series("value", ["0.5", None]))
    rows = pl.concat([parameter_rows().select(row.columns), row])
    ruleset = load_ruleset(rows, *DEFAULT)
    assert ruleset.text("gateway.x") == "0.5"
    assert ruleset.number("gateway.x") == 0.5
    assert ruleset.number("gateway.y") is None
    with pytest.raises(ValueError, match=r"no parameter 'gateway\.z'"):
        ruleset.text("gateway.z")


def seeds_with(tmp_path: Path, *lines: str) -> Reference:
    """The project's seeds with these lines of ruleset_in_force.csv."""
    folder = tmp_path / "seeds"
    shutil.copytree(ROOT / "seeds", folder)
    text = "\n".join(["from_reporting_year,ruleset_id,ruleset_version", *lines])
    (folder / "rulesets/ruleset_in_force.csv").write_text(f"{text}\n", encoding="utf-8")
    return Reference(folder)


def test_which_ruleset_is_in_force_is_a_line_of_the_seed(tmp_path: Path) -> None:
    reference = seeds_with(tmp_path, "2022,toa-default,1.1.0", "2015,public-2018,0.9.0")
    found = [in_force(reference, year) for year in (2015, 2021, 2022, 2030)]
    assert found == [("public-2018", "0.9.0")] * 2 + [DEFAULT] * 2
    assert in_force_on(reference, dt.date(2021, 6, 30)) == ("public-2018", "0.9.0")
    with pytest.raises(SeedError, match="no line for reporting year 2014"):
        in_force(reference, 2014)


@pytest.mark.parametrize("line", ["soon,toa-default,1.0.0", "2020,toa-default,", "2015,toa-default,1.0.0"])
def test_a_line_that_says_no_ruleset_of_its_own_is_named(line: str, tmp_path: Path) -> None:
    reference = seeds_with(tmp_path, "2015,toa-default,1.1.0", line)
    with pytest.raises(SeedError, match=r"line .*3 has no ruleset"):
        in_force(reference, 2022)


def test_comparison_thresholds_are_part_of_the_ruleset() -> None:
    reference = Reference(ROOT / "seeds")
    both = [read_ruleset(reference, key).comparison for key in (DEFAULT, ("toa-default", "1.0.0"))]
    assert both[0]["count_change.percent"] == 20
    assert set(both[0].values) == set(both[1].values)


def test_a_threshold_that_is_no_number_is_named() -> None:
    reference = Reference(ROOT / "seeds")
    named = pl.col("parameter") == "chance.z"
    rows = ruleset_rows(reference).with_columns(pl.when(named).then(pl.lit("two")).otherwise("value").alias("value"))
    with pytest.raises(ValueError, match=r"toa-default 1\.1\.0: chance\.z must be a number"):
        load_ruleset(rows, *DEFAULT)
