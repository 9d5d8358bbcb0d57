"""What orchestration costs: a backfill through Dagster beside the same steps without it, at 70, 840 and 8,400 folders.

Belongs here: seconds and CPU seconds of whole backfills, of one folder alone, of a run with nothing new, and the fixed
cost told apart; the overhead in milliseconds a partition. Does not: figures, or a floor (tests hold behaviour only).

    python -m benchmarks.backfill [--sizes small,usual,large] [--singles] [--years 2015..2026]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import _ratios
from benchmarks._homes import environment

ROOT = Path(__file__).resolve().parents[1]
TODAY = "2026-12-31"
SIZES = {"tiny": 4, "small": 70, "usual": 840, "large": 8_400}
"""Folders of communities in each network; the network's own folders come on top."""
STARTING = ("imports", "dbt start")
"""Told apart: the same for one folder and for thousands."""


# --- Measured processes: each starts fresh, so that imports and dbt's start are in every one alike ------------------


def main_of_worker(mode: str, again: bool) -> None:
    """One measured process; prints one line of JSON: seconds and CPU seconds by step."""
    spent: dict[str, tuple[float, float]] = {}
    with _Timed(spent, "imports"):
        # What the work itself would import late belongs to the imports of every contestant that needs it.
        import sklearn.linear_model  # noqa: F401

        from dagster_project.lib.app.pipeline import Pipeline
        from dagster_project.settings import from_environment

        if mode != "script":
            import dbt.adapters.duckdb
            import dbt.cli.main  # noqa: F401
        if mode == "script":
            from benchmarks.plain_chain import plain_chain
        elif mode == "dagster":
            from dagster_project.definitions import defs

            defs().get_repository_def()
    settings = from_environment()
    if mode != "script":
        with _Timed(spent, "dbt start"):
            _start_dbt(Pipeline(settings))
    if mode == "script":
        with _Timed(spent, "script"):
            plain_chain(Path(settings.drop_url), settings.home / "plain.duckdb", settings.seeds, settings.today)
    elif mode == "steps":
        _steps(Pipeline(settings), spent, again)
    else:
        _through_dagster(settings, spent, json.loads(os.environ.get("BENCH_SELECTION", "{}")), again)
    print(json.dumps(spent))


def _start_dbt(pipeline: Any) -> None:
    """dbt with nothing to build: in a new home it reads the whole project, later only what changed."""
    from dagster_project.lib.warehouse.dbt_run import dbt_build

    dbt_build(pipeline.dbt_places, ["--select", "nothing"])


def _steps(pipeline: Any, spent: dict[str, tuple[float, float]], again: bool) -> None:
    from dagster_project.lib.intake.bucket.plan import Selection
    from dagster_project.lib.warehouse.dbt_run import raise_for

    with _Timed(spent, "ingest"):
        for _ in pipeline.take(Selection(again=again), "bench"):
            pass
    with _Timed(spent, "build"):
        if again or pipeline.up_to_date() is None:
            pipeline.land()
            raise_for(pipeline.build_core())
            pipeline.analyse()
            raise_for(pipeline.build_reporting())
            pipeline.release()


def _through_dagster(settings: Any, spent: dict[str, tuple[float, float]], chosen: Any, again: bool) -> None:
    from dagster_project.instance.runs import run_job, selection_config
    from dagster_project.lib.app.pipeline import Pipeline
    from dagster_project.lib.intake.bucket.plan import Selection

    selection = Selection(
        frozenset(chosen.get("communities", ())) or None, frozenset(chosen.get("years", ())) or None, again
    )
    with _Timed(spent, "ingest"):
        run_job(settings, "ingest", selection_config(selection))
    with _Timed(spent, "build"):
        if again or Pipeline(settings).up_to_date() is None:
            run_job(settings, "build")


class _Timed:
    def __init__(self, spent: dict[str, tuple[float, float]], step: str) -> None:
        self.spent, self.step = spent, step

    def __enter__(self) -> None:
        self.start = time.perf_counter(), _cpu()

    def __exit__(self, *_: object) -> None:
        self.spent[self.step] = (time.perf_counter() - self.start[0], _cpu() - self.start[1])


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


# --- Homes ---------------------------------------------------------------------------------------------------------


def network_home(home: Path, seeds: Path, years: tuple[int, int], folders: int) -> int:
    """The example network, filled up to so many folders by its communities under other names; the number reached.

    Not every community of the example was there from the first year on, so it has fewer folders than communities x
    years. `seeds` are written: they know every community that had not left before, from the first of these years on.
    """
    from examples.generate import generate

    drop = home / "drop"
    generate(drop, communities=70, first_year=years[0], last_year=years[1])
    shutil.copytree(ROOT / "seeds", seeds)
    path = seeds / "network" / "communities.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        columns, *rows = csv.reader(lines)
    joined, left = columns.index("joined_year"), columns.index("left_year")
    rows = [
        [*row[:joined], str(max(int(row[joined]), years[0])), *row[joined + 1 :]]
        for row in rows
        if not row[left] or int(row[left]) >= years[0]
    ]
    copies = list(_copies([(row[0], _n_folders(drop / row[0], years)) for row in rows], folders))
    for name, copy in copies:
        shutil.copytree(drop / name, drop / copy)
    by_name = {row[0]: row for row in rows}
    with path.open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerows([columns, *rows, *([copy, *by_name[name][1:]] for name, copy in copies)])
    return sum(_n_folders(drop / name, years) for name in (*by_name, *(copy for _, copy in copies)))


def _n_folders(community: Path, years: tuple[int, int]) -> int:
    return sum((community / str(year)).is_dir() for year in range(years[0], years[1] + 1))


def _copies(communities: Sequence[tuple[str, int]], folders: int) -> Iterator[tuple[str, str]]:
    """Which communities (name, folders) to copy under which name, until so many folders are reached."""
    missing = folders - sum(n for _, n in communities)
    for number in itertools.count(2):
        fitting = [(name, n) for name, n in communities if 0 < n <= missing]
        if not fitting:
            return
        for name, n in fitting:
            if n <= missing:
                missing -= n
                yield name, f"{name}_{number}"


def measured(home: Path, seeds: Path, mode: str, again: bool = False, selection: Any = None) -> dict[str, Any]:
    """Run one measured process over a home."""
    own: dict[str, str | Path] = {
        "CRADLE_SEEDS": seeds,
        "CRADLE_SETTLE_SECONDS": "0",
        # The job `build` makes a public edition as well, which no other contestant does.
        "CRADLE_PUBLIC": "off",
        "BENCH_SELECTION": json.dumps(selection or {}),
    }
    command = [sys.executable, "-m", "benchmarks.backfill", "--worker", mode, *(["--again"] if again else [])]
    settings = environment(home, TODAY, **own)
    done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{mode} failed:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def total(spent: dict[str, Any], which: int) -> float:
    """Seconds (0) or CPU seconds (1) of the work, without what every process needs before it can begin."""
    return float(sum(times[which] for step, times in spent.items() if step not in STARTING))


# --- The table -----------------------------------------------------------------------------------------------------


def measure(folder: Path, years: tuple[int, int], folders: int) -> dict[str, Any]:
    """Backfill, the same without Dagster, nothing new, and one folder alone, over one network."""
    home, beside, seeds = (folder / f"{what}-{folders}" for what in ("dagster", "beside", "seeds"))
    partitions = network_home(home, seeds, years, folders)
    shutil.copytree(home, beside)
    script = measured(beside, seeds, "script")
    steps = measured(beside, seeds, "steps")
    shutil.rmtree(beside)
    backfill = measured(home, seeds, "dagster")
    nothing = measured(home, seeds, "dagster")
    community = sorted(path.name for path in (home / "drop").iterdir() if not path.name.startswith("_"))[0]
    year = max(year for year in range(years[0], years[1] + 1) if (home / "drop" / community / str(year)).is_dir())
    alone = measured(home, seeds, "dagster", True, {"communities": [community], "years": [year]})
    return {
        "partitions": partitions,
        "plain script": script,
        "plain steps": steps,
        "backfill": backfill,
        "nothing new": nothing,
        "one folder": alone,
    }


def lines_of(result: dict[str, Any]) -> list[str]:
    """One network's measurements as lines of a table."""
    n = result["partitions"]
    lines = []
    for name in ("plain script", "plain steps", "backfill", "nothing new", "one folder"):
        spent = result[name]
        steps = ", ".join(f"{step} {times[0]:.1f} s" for step, times in spent.items())
        lines.append(f"{n:>6}  {name:<12} {total(spent, 0):>7.1f} s  CPU {total(spent, 1):>7.1f} s   ({steps})")
    backfill, bare, script = (result[name] for name in ("backfill", "plain steps", "plain script"))
    _ratios.tell(f"backfill of {n:,} folders", total(backfill, 1), "plain script", total(script, 1))
    _ratios.tell(f"backfill of {n:,} folders", total(backfill, 1), "the same steps without Dagster", total(bare, 1))
    intake = [1000 * (backfill["ingest"][which] - bare["ingest"][which]) / n for which in (0, 1)]
    build = [backfill["build"][which] - bare["build"][which] for which in (0, 1)]
    fixed = [result["one folder"]["build"][which] for which in (0, 1)]
    lines.append(
        f"{n:>6}  Dagster adds {intake[0]:.1f} ms a partition to intake (CPU {intake[1]:.1f} ms), {build[0]:.1f} s "
        f"to the build (CPU {build[1]:.1f} s); whole {total(backfill, 0) / total(script, 0):.2f} times the plain "
        f"script, {total(backfill, 0) / total(bare, 0):.2f} times the plain steps"
    )
    above = [total(backfill, which) - total(script, which) - fixed[which] for which in (0, 1)]
    lines.append(
        f"{n:>6}  above the plain script and the fixed cost (the build after one folder, {fixed[0]:.1f} s, CPU "
        f"{fixed[1]:.1f} s): {1000 * above[0] / n:.1f} ms a partition (CPU {1000 * above[1] / n:.1f} ms)"
    )
    return lines


def singles_equal_range(folder: Path, years: tuple[int, int]) -> str:
    """Every folder taken by a run of its own, in random order, against one ranged backfill: are all tables equal?"""
    home, seeds = folder / "singles", folder / "seeds-singles"
    network_home(home, seeds, years, SIZES["usual"])
    places = sorted((path.parent.name, path.name) for path in (home / "drop").glob("*/*") if path.is_dir())
    places = [place for place in places if place[1].isdigit()]
    ranged = folder / "ranged"
    shutil.copytree(home, ranged)
    random.Random(11).shuffle(places)
    seconds = measured_singles(home, seeds, places)
    measured(home, seeds, "dagster")
    measured(ranged, seeds, "dagster")
    hashes = [release_hashes(one) for one in (home, ranged)]
    verdict = "equal" if hashes[0] == hashes[1] and hashes[0] else "DIFFERENT"
    return f"{len(places)} single runs in random order: {seconds:.0f} s; tables of both releases: {verdict}"


def measured_singles(home: Path, seeds: Path, places: Sequence[tuple[str, str]]) -> float:
    """Seconds of one run a folder, all in one process."""
    code = (
        "import json, sys\nfrom dagster_project.lib.intake.bucket.plan import Selection\n"
        "from dagster_project.instance.runs import run_job, selection_config\n"
        "from dagster_project.settings import from_environment\n"
        "for community, year in json.load(sys.stdin):\n"
        "    one = Selection(frozenset([community]), frozenset([int(year)]), again=True)\n"
        "    run_job(from_environment(), 'ingest', selection_config(one))\n"
    )
    settings = environment(home, TODAY, CRADLE_SEEDS=seeds)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], input=json.dumps(places), text=True, check=True, env=settings)
    return time.perf_counter() - start


def release_hashes(home: Path) -> dict[str, str]:
    """sha256 of every table of a home's current release."""
    current = (home / "publish" / "current").read_text(encoding="utf-8").strip()
    manifest = json.loads((home / "publish" / "releases" / current / "manifest.json").read_text(encoding="utf-8"))
    return {table["name"]: table["sha256"] for table in manifest["tables"]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", default="small,usual", help="of tiny (4), small (70), usual (840), large (8,400: minutes, 2 GB)"
    )
    parser.add_argument("--singles", action="store_true", help="also one run a folder, in random order (minutes)")
    parser.add_argument("--years", default="2015..2026")
    parser.add_argument("--worker", choices=["script", "steps", "dagster"], help=argparse.SUPPRESS)
    parser.add_argument("--again", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        main_of_worker(arguments.worker, arguments.again)
        return
    first, last = (int(year) for year in arguments.years.split(".."))
    busy = os.getloadavg()[0]
    print(f"python {sys.version.split()[0]}, polars {pl.__version__}, {os.cpu_count()} cores, {busy:.1f} busy before")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for size in filter(None, arguments.sizes.split(",")):
            years = (last, last) if size == "small" else (first, last)
            for line in lines_of(measure(folder, years, SIZES[size])):
                print(line, flush=True)
        if arguments.singles:
            print(singles_equal_range(folder, (first, last)), flush=True)


if __name__ == "__main__":
    main()
