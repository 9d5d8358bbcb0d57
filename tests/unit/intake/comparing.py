"""Observations for tests of comparisons, written as short lines.

Belongs here: building rows of values.OBSERVATIONS with defaults, and running all comparisons over them.
Does not: expectations (the tests).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import read_ruleset
from dagster_project.lib.intake.comparing.comparisons import compare_submissions
from dagster_project.lib.intake.findings import to_findings
from dagster_project.lib.intake.tables import OBSERVATIONS

REFERENCE = Reference(Path(__file__).resolve().parents[3] / "seeds")
PARAMETERS = read_ruleset(REFERENCE, ("toa-default", "1.0.0")).comparison
COMMUNITY = REFERENCE.communities["community_id"][0]

Line = dict[str, Any]


def line(year: int, value: float | None = None, n: int | None = None, **more: Any) -> Line:
    """One accepted value: school year, percent, denominator; `group` is `dimension:code`, `place` `level:name`."""
    community = more.pop("community", COMMUNITY)
    dimension, _, code = more.pop("group", "all:all").partition(":")
    level, _, place = more.pop("place", "community:").partition(":")
    numerator = more.pop("numerator", None)
    row: Line = {
        "community_id": community,
        "reporting_year": more.pop("reported", year),
        "submission_id": "0" * 16,
        "source_file": "values.csv",
        "source_sheet": "",
        "source_row": 2,
        "indicator_id": "graduation_4yr_pct",
        "dimension": dimension,
        "group_code": code,
        "population_group_id": "all" if code == "all" else f"{dimension}:{code}",
        "geography_level": level,
        "geography_id": f"{community}:{level}:{place}" if place else community,
        "raw_geography": place or None,
        "school_year": year,
        "series": "default",
        "period": "annual",
        "unit": "percent",
        "value": value if value is not None or numerator is None or not n else 100 * numerator / n,
        "numerator": numerator,
        "denominator": n,
        "value_status": "reported" if value is not None else "derived" if numerator is not None else "missing",
        "row_status": "accepted",
    }
    return row | more


def observations(lines: list[Line]) -> pl.DataFrame:
    """The lines as a frame of observations."""
    return pl.DataFrame(lines, schema=OBSERVATIONS)


def findings(lines: list[Line]) -> pl.DataFrame:
    """What all comparisons tell of the lines."""
    return to_findings(compare_submissions(observations(lines), REFERENCE, PARAMETERS))


def told(lines: list[Line], rule_id: str) -> list[str]:
    """What one rule found, in the findings' order."""
    return findings(lines).filter(pl.col("rule_id") == rule_id)["found"].to_list()
