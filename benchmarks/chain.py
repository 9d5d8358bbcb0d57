"""The whole chain on the example network: `cradle run` against one plain script over the same files.

Belongs here: both times and their ratio, seconds by step from Dagster's own records, and a comparison of the marts.
Does not: assertions about time (machines differ), or the baseline itself (plain_chain.py).

Run: python -m benchmarks.chain [--communities 70] [--years 2015..2026]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks._homes import environment, history
from benchmarks._ratios import Used, tell, used_by
from examples.generate import generate

PROJECT = Path(__file__).resolve().parents[1]
TODAY = "2026-06-30"
FLOATS = ("DOUBLE", "FLOAT")
BOTH = ("take_folders", "landing", "dbt_core", "analysis", "dbt_reporting")
"""Steps whose work the script does too; they do more, as it keeps no lake, gives no receipts and tests no table."""


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
    """Make the bucket, run script and command, print what they took and whether they agree.

    The command runs in two homes: one leaves the public edition out, of which the script makes nothing.
    """
    home, internal = folder / "home", folder / "internal"
    made = generate(home / "drop", communities=communities, first_year=years[0], last_year=years[1])
    shutil.copytree(home / "drop", internal / "drop")
    print(
        f"{made.communities} communities, {made.folders} folders, {made.files} files, {made.size / 1e6:.1f} MB",
        flush=True,
    )
    plain = [sys.executable, "-m", "benchmarks.plain_chain", str(home / "drop"), str(folder / "plain.duckdb")]
    script = used_by([*plain, "--today", TODAY], environment(folder / "none", TODAY))
    command = [str(Path(sys.executable).parent / "cradle"), "run"]
    without = used_by(command, environment(internal, TODAY, CRADLE_PUBLIC="off"))
    first, again = used_by(command, environment(home, TODAY)), used_by(command, environment(home, TODAY))
    name = f"plain script (Polars and DuckDB), {made.communities} communities"
    _tell(name, script, script)
    for what, used in (
        ("cradle run, first, without the public edition", without),
        ("cradle run, first", first),
        ("cradle run, nothing new", again),
    ):
        _tell(what, used, script)
        tell(what, used.processors, name, script.processors)
    for title, place in (("without the public edition", internal), ("with it", home)):
        print(f"Steps {title}:")
        taken = list(steps(place))
        for step, seconds in taken:
            print(f"  {step:<43}{seconds:8.1f} s")
        both = sum(seconds for step, seconds in taken if step.partition(": ")[2] in BOTH)
        print(f"  steps whose work the script does too{both:15.1f} s, {both / script.seconds:.1f} x the plain script")
    release = home / "publish" / "releases" / (home / "publish" / "current").read_text(encoding="utf-8").strip()
    compared = differences(release / "internal.duckdb", folder / "plain.duckdb")
    equal = [name for name, _, differing in compared if not differing]
    print(f"{len(equal)} of {len(compared)} marts that both make are equal in every shared column")
    for name, rows, differing in compared:
        if differing:
            print(f"  {name}: {differing:,} rows differ ({rows:,} in the release)")


def _tell(what: str, used: Used, script: Used) -> None:
    print(
        f"{what:<62}{used.seconds:8.1f} s, {used.processors:8.1f} s of processors, {used.memory / 1e6:6.0f} MB, "
        f"{used.seconds / script.seconds:.1f} and {used.processors / script.processors:.1f} x the plain script",
        flush=True,
    )


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
