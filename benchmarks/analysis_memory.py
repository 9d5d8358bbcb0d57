"""What the analysis costs for a network and for several copies of it as one: seconds of processors, memory held.

Belongs here: the inputs of a finished run, copied under other communities' names, and one analysis of them a process.
Does not: intake, models, release (chain.py, spark_run.py), or series made up for the purpose (analysis_speed.py).

    python -m benchmarks.analysis_memory --home HOME --seeds SEEDS --today DAY [--times 1 4]
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl

from benchmarks._homes import environment
from benchmarks._ratios import used_by
from dagster_project.lib.analysis.run import AnalysisInputs, run
from dagster_project.lib.app.analysis import read_inputs
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import in_force_on, read_ruleset

NAMES = ("community_id", "geography_id", "submission_id")


def copied(rows: pl.DataFrame, times: int) -> pl.DataFrame:
    """The rows of communities under their own names and `times` - 1 others; tables without communities as they are."""
    if "community_id" not in rows.columns:
        return rows
    names = [name for name in NAMES if name in rows.columns]
    others = [
        rows.with_columns(pl.format("{}.{}", name, pl.lit(number)).alias(name) for name in names)
        for number in range(1, times)
    ]
    return pl.concat([rows.with_columns(pl.col(names).cast(pl.String)), *others])


def network_of(inputs: AnalysisInputs, times: int) -> AnalysisInputs:
    """The network and its copies as one."""
    seeds = inputs.seeds
    return replace(
        inputs,
        known=copied(inputs.known, times),
        submissions=copied(inputs.submissions, times),
        registers={name: copied(rows, times) for name, rows in inputs.registers.items()},
        observations=copied(inputs.observations, times),
        seeds=replace(
            seeds, communities=copied(seeds.communities, times), geographies=copied(seeds.geographies, times)
        ),
    )


def analyse(home: Path, seeds: Path, today: dt.date, times: int) -> None:
    """One analysis in this process."""
    reference, work = Reference(seeds), home / "work"
    inputs = read_inputs(work / "warehouse.duckdb", work / "landing", reference, today)
    result = run(network_of(inputs, times), read_ruleset(reference, in_force_on(reference, today)))
    if not (result.second_trends.agrees and result.second_gaps.agrees):
        raise SystemExit("the two computations of a slope differ")


def main() -> None:
    """Print a line a number of copies, each analysed in a process of its own, so that none holds another's memory."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the CRADLE_HOME of a finished run")
    parser.add_argument("--seeds", type=Path, default=Path(__file__).resolve().parents[1] / "seeds")
    parser.add_argument("--today", required=True, help="the day of that run")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone is not None:
        analyse(given.home, given.seeds, dt.date.fromisoformat(given.today), given.alone)
        return
    places = ["--home", str(given.home), "--seeds", str(given.seeds), "--today", given.today]
    for times in given.times:
        command = [sys.executable, "-m", "benchmarks.analysis_memory", *places, "--alone", str(times)]
        used = used_by(command, environment(given.home, given.today))
        seconds = f"{used.processors:.1f} s of processors, imports included"
        print(f"{times} x the network: {seconds}; {used.memory / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
