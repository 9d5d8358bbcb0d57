"""The whole chain on the example network: `cradle run` against one plain script over the same files.

Belongs here: both times and their ratio, seconds by step from Dagster's own records, and a comparison of the marts.
Does not: assertions about time (machines differ), or the baseline itself (plain_chain.py).

Run: python -m benchmarks.chain [--communities 70] [--years 2015..2026]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from benchmarks._homes import environment, history
from examples.generate import generate

PROJECT = Path(__file__).resolve().parents[1]
TODAY = "2026-06-30"
FLOATS = ("DOUBLE", "FLOAT")


def timed(command: Sequence[str], environment: dict[str, str]) -> float:
    """Wall seconds of a command, interpreter and imports included; its own words if it fails."""
    start = time.perf_counter()
    process = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}\n{process.stderr}")
    return time.perf_counter() - start


def steps(home: Path) -> Iterator[tuple[str, float]]:
    """Every step of the newest run of each job, with its seconds, in the order of their beginning."""
    with history(home) as instance:
        for record in reversed(instance.get_run_records()):
            stats = instance.get_run_step_stats(record.dagster_run.run_id)
            for step in sorted(stats, key=lambda stats: stats.start_time or 0):
                if step.start_time and step.end_time:
                    yield f"{record.dagster_run.job_name}: {step.step_key}", step.end_time - step.start_time


def differences(release: Path, plain: Path) -> list[tuple[str, int, int]]:
    """For each mart that both hold: name, rows of the release, and rows that one has and the other has not.

    Columns that both have are compared, floats at ten significant digits.
    """
    with duckdb.connect() as connection:
        connection.execute(f"attach '{release}' as house (read_only)")
        connection.execute(f"attach '{plain}' as plain (read_only)")
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' "
            "group by all having count(*) = 2 order by 1"
        ).fetchall()
        return [(name, *_differing(connection, name)) for (name,) in names]


def _differing(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[int, int]:
    columns = connection.execute(
        "select column_name, max(data_type in ('DOUBLE', 'FLOAT')) from information_schema.columns "
        "where table_schema = 'marts' and table_name = ? group by 1 having count(*) = 2 order by 1",
        [name],
    ).fetchall()
    texts = [
        f"printf('%.9e', \"{column}\" + 0.0)" if is_float else f'"{column}"::varchar' for column, is_float in columns
    ]
    rows = ", ".join(f"coalesce({text}, chr(30))" for text in texts)
    query = (
        f"with a as (select {rows} from house.marts.{name}), b as (select {rows} from plain.marts.{name}) "
        "select (select count(*) from a), (select count(*) from (from a except all from b)) "
        "+ (select count(*) from (from b except all from a))"
    )
    found = connection.execute(query).fetchone()
    return (int(found[0]), int(found[1])) if found else (0, 0)


def measure(folder: Path, communities: int, years: tuple[int, int]) -> None:
    """Make the bucket, run both, print what they took and whether they agree."""
    home = folder / "home"
    made = generate(home / "drop", communities=communities, first_year=years[0], last_year=years[1])
    print(
        f"{made.communities} communities, {made.folders} folders, {made.files} files, {made.size / 1e6:.1f} MB",
        flush=True,
    )
    plain = [sys.executable, "-m", "benchmarks.plain_chain", str(home / "drop"), str(folder / "plain.duckdb")]
    script = timed([*plain, "--today", TODAY], environment(folder / "none", TODAY))
    command = [str(Path(sys.executable).parent / "cradle"), "run"]
    first, again = timed(command, environment(home, TODAY)), timed(command, environment(home, TODAY))
    print(f"{'plain script (Polars and DuckDB)':<45}{script:8.1f} s")
    print(f"{'cradle run, first':<45}{first:8.1f} s   {first / script:.1f} x the plain script")
    print(f"{'cradle run, nothing new':<45}{again:8.1f} s   {again / script:.1f} x the plain script")
    for name, seconds in steps(home):
        print(f"  {name:<43}{seconds:8.1f} s")
    release = home / "publish" / "releases" / (home / "publish" / "current").read_text(encoding="utf-8").strip()
    compared = differences(release / "internal.duckdb", folder / "plain.duckdb")
    equal = [name for name, _, differing in compared if not differing]
    print(f"{len(equal)} of {len(compared)} marts that both make are equal in every shared column")
    for name, rows, differing in compared:
        if differing:
            print(f"  {name}: {differing:,} rows differ ({rows:,} in the release)")


def _years(text: str) -> tuple[int, int]:
    first, _, last = text.partition("..")
    return int(first), int(last or first)


def main() -> None:
    """Run the measurement in a folder of its own, which is deleted at the end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--communities", type=int, default=70)
    parser.add_argument("--years", type=_years, default=(2015, 2026), metavar="2015..2026")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chain-") as folder:
        measure(Path(folder), options.communities, options.years)


if __name__ == "__main__":
    main()
