"""How many questions a network is asked, by rule, under two versions of the comparison parameters.

Belongs here: the same landed rows compared under each version of the ruleset, counted by rule.
Does not: the rules (lib/intake/comparing), false alarms and planted mistakes (tests/unit/intake/test_questions.py).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import read_ruleset
from dagster_project.lib.intake.comparing.comparisons import compare_submissions
from dagster_project.lib.intake.findings import to_findings

RULESET = "toa-default"
VERSIONS = ("1.0.0", "1.1.0")


def counted(home: Path, seeds: Path) -> pl.DataFrame:
    """Questions by rule, a column a version: rule_id, then the versions. `home` holds the landing files of a run."""
    observations = pl.read_parquet(home / "work" / "landing" / "observations.parquet", glob=False)
    reference = Reference(seeds)
    table = pl.DataFrame(schema={"rule_id": pl.String})
    for version in VERSIONS:
        limits = read_ruleset(reference, (RULESET, version)).comparison
        asked = to_findings(compare_submissions(observations, reference, limits)).filter(severity="explainable")
        table = table.join(
            asked.group_by("rule_id").agg(pl.len().alias(version)), on="rule_id", how="full", coalesce=True
        )
    return table.fill_null(0).sort("rule_id")


def main() -> None:
    """Print the table for a home of which a run left its landing files."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("home", type=Path, help="the CRADLE_HOME of a finished run")
    parser.add_argument("--seeds", type=Path, default=Path(__file__).resolve().parents[1] / "seeds")
    given = parser.parse_args()
    table = counted(given.home, given.seeds)
    print(f"| rule | {' | '.join(VERSIONS)} |\n|---|---|---|")
    for row in table.iter_rows():
        print(f"| `{row[0]}` | {' | '.join(f'{n:,}' for n in row[1:])} |")
    print(f"| all | {' | '.join(f'{table[version].sum():,}' for version in VERSIONS)} |")


if __name__ == "__main__":
    main()
