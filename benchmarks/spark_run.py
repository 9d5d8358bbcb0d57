"""One network through both engines, a whole run each, on a cluster of this machine: every table beside its twin.

Belongs here: the runs, the death of a worker in one of them, tables compared, seconds and memory by step.
Does not: the cluster's processes (spark_cluster.py), what a run on Spark does (dagster_project/lib/app/spark).

    python -m benchmarks.spark_run --drop DROP --out OUT [--seeds SEEDS] [--today DAY] [--only ENGINE] [--kill STEP]

OUT gets a home of each engine, `duckdb` and `spark`; with `--only` of one, compared with nothing. `--kill`: one worker
is killed with signal 9 in the middle of that step, `models`, `analysis` or `disclosure`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from benchmarks.spark_cluster import Cluster, cluster

ROOT = Path(__file__).resolve().parents[1]
CRADLE = [sys.executable, "-c", "from dagster_project.cli.main import main; main()"]
NEAR = 1e-9
LOOK_SECONDS, EACH_SECONDS = 0.2, 1.0
MODELS, ANALYSIS, DISCLOSURE = "models", "analysis", "disclosure"
# What lies in a home once a step is on its way.
ON_THE_WAY = {
    MODELS: ("work/spark/tables/intermediate.db/*", 1),
    ANALYSIS: ("work/spark/analysis/communities/_temporary", 1),
    DISCLOSURE: ("work/spark/pieces-*/asked.parquet", 1),
}
PUBLIC = "public"
DATABASES = {"internal": ("publish", "internal.duckdb"), PUBLIC: (PUBLIC, "public.duckdb")}


@dataclass
class Spent:
    """By step of a run, in their order: seconds that passed, seconds of processors, the largest memory in bytes.

    The latter two are those of all processes of the engine together, seen once a second.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    processors: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)


def run(home: Path, environment: Mapping[str, str], others: Sequence[int] = ()) -> Spent:
    """`cradle run`, its steps by the lines it tells of them; SystemExit where it fails. others: further sessions."""
    home.mkdir(parents=True)
    spent, step = Spent(), ["begin"]
    command = subprocess.Popen(
        [*CRADLE, "run"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment, "CRADLE_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert command.stderr is not None
    told: list[str] = []
    with _watched(spent, step, [command.pid, *others]):
        try:
            begun = time.perf_counter()
            for line in command.stderr:
                told.append(line)
                if line.startswith("  ") and not line.startswith("   "):
                    now = time.perf_counter()
                    spent.seconds[step[0]] = spent.seconds.get(step[0], 0.0) + now - begun
                    # Told at once: a long measurement that is ended on its way leaves what it has measured.
                    print(f"{home.name}: {step[0]}: {_of(spent, step[0])}", flush=True)
                    step[0], begun = line.strip().rstrip("0123456789,/").strip(), now
            spent.seconds[step[0]] = spent.seconds.get(step[0], 0.0) + time.perf_counter() - begun
            code = command.wait()
        finally:
            _end(command)
    if code:
        raise SystemExit(f"the run ended with {code}:\n{''.join(told[-20:])}")
    return spent


def _end(command: subprocess.Popen[str]) -> None:
    """Whatever of a run still lives: it is a group of its own, so that the session's Java ends with it."""
    try:
        os.killpg(command.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    command.wait()


@contextmanager
def _watched(spent: Spent, step: list[str], sessions: Sequence[int]) -> Iterator[None]:
    over = threading.Event()

    def look() -> None:
        before = used_by(sessions)[0]
        while not over.wait(EACH_SECONDS):
            used, held = used_by(sessions)
            # What a killed worker used is gone with it.
            spent.processors[step[0]] = spent.processors.get(step[0], 0.0) + max(used - before, 0.0)
            spent.memory[step[0]] = max(spent.memory.get(step[0], 0), held)
            before = used

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def used_by(sessions: Sequence[int]) -> tuple[float, int]:
    """Seconds of processors that the processes of some sessions have used, those that ended in them as well, and bytes
    that they hold, what they share counted once (proportional set size).

    Sessions of the system: the processes of Python that workers start are groups of their own.
    """
    ticks, held = 0, 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) in sessions:
                    ticks += sum(map(int, (entry / "stat").read_text().rpartition(")")[2].split()[11:15]))
                    lines = (entry / "smaps_rollup").read_text().splitlines()
                    held += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
            except (OSError, ValueError):
                continue
    return ticks / os.sysconf("SC_CLK_TCK"), held


def kill_in(step: str, home: Path, running: Cluster) -> None:
    """Wait until a step is on its way and kill a worker with all that it started."""
    pattern, number = ON_THE_WAY[step]
    while len(list(home.glob(pattern))) < number:
        time.sleep(LOOK_SECONDS)
    os.killpg(running.workers[0].pid, signal.SIGKILL)
    print(f"a worker was killed during {step}", flush=True)


def differences(here: Path, there: Path, schema: str) -> tuple[int, int, list[str]]:
    """How many tables of a schema there are, how many are alike to the last bit, and of each other one what differs."""
    told, same = [], 0
    with duckdb.connect(str(here), read_only=True) as one, duckdb.connect(str(there), read_only=True) as other:
        names = _tables(one, schema)
        told += [f"{name}: not built on one of the two" for name in sorted(set(names) ^ set(_tables(other, schema)))]
        for name in names:
            if any(line.startswith(f"{name}: ") for line in told):
                continue
            query = f'select * from {schema}."{name}" order by all'
            ours, theirs = one.execute(query).pl(), other.execute(query).pl()
            if ours.equals(theirs):
                same += 1
                continue
            told += [f"{name}: {what}" for what in differing(ours, theirs)[:1]]
    return len(names), same, told


def _tables(connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    query = "select table_name from information_schema.tables where table_schema = ? order by 1"
    return [str(name) for (name,) in connection.execute(query, [schema]).fetchall()]


def differing(here: pl.DataFrame, there: pl.DataFrame) -> list[str]:
    """Cells that differ by more than NEAR, or that rows, columns or their types do."""
    if here.schema != there.schema or here.height != there.height:
        return [f"{here.height} rows of {len(here.columns)} columns, {there.height} of {len(there.columns)} on Spark"]
    rows = zip(sorted(here.iter_rows(), key=_order), sorted(there.iter_rows(), key=_order), strict=True)
    return [
        f"{column}: {one!r}, {other!r} on Spark"
        for row, again in rows
        for column, one, other in zip(here.columns, row, again, strict=True)
        if not _same(one, other)
    ]


def _order(row: Sequence[Any]) -> tuple[tuple[bool, str], ...]:
    return tuple((value is None, f"{value:.6e}" if isinstance(value, float) else str(value)) for value in row)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=NEAR, abs_tol=NEAR) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)


def release_of(home: Path, edition: str) -> Path | None:
    """The database of a home's current release; None where it has published none."""
    folder, database = DATABASES[edition]
    current = home / folder / "current"
    if not current.is_file():
        return None
    return home / folder / "releases" / current.read_text(encoding="utf-8").strip() / database


def compare(out: Path) -> list[str]:
    """Print how the two releases compare, internal and public; what differs."""
    bad: list[str] = []
    for edition in DATABASES:
        here, there = release_of(out / "duckdb", edition), release_of(out / "spark", edition)
        if here is None or there is None:
            if here != there:
                bad.append(f"{edition}: published by one of the two only")
            continue
        with duckdb.connect(str(here), read_only=True) as connection:
            schemas = connection.execute("select distinct table_schema from information_schema.tables").fetchall()
        for (schema,) in sorted(schemas):
            if schema == "ops":
                continue
            number, same, told = differences(here, there, schema)
            equal = number - len(told)
            print(f"{edition} {schema}: {equal} of {number} tables are equal on Spark, {same} of them bit by bit")
            bad += [f"{edition} {schema} {line}" for line in told]
        names, other = by_their_hashes(here, there)
        print(f"{edition} manifest: {len(names) - len(other)} of {len(names)} hashes of tables are equal on Spark")
        # Inside the house a figure may differ by NEAR; what is public is the same thing on both, whoever looks.
        bad += [f"{edition} manifest: {name} has another hash" for name in other if edition == PUBLIC]
    return bad


def by_their_hashes(here: Path, there: Path) -> tuple[list[str], list[str]]:
    """The tables that manifests of two releases name, and those of which the hashes differ or one is missing."""
    told = (json.loads((database.parent / "manifest.json").read_text(encoding="utf-8")) for database in (here, there))
    one, other = ({table["name"]: table["sha256"] for table in manifest["tables"]} for manifest in told)
    names = sorted({*one, *other})
    return names, [name for name in names if one.get(name) != other.get(name)]


def print_spent(spent: Mapping[str, Spent]) -> None:
    """Seconds and memory of the steps side by side."""
    steps = list(dict.fromkeys(step for one in spent.values() for step in one.seconds))
    print("| step | " + " | ".join(f"{name} s | of processors | MB" for name in spent) + " |")
    print("|---" * (1 + 3 * len(spent)) + "|")
    for step in steps:
        print(f"| {step} | {' | '.join(_of(one, step) for one in spent.values())} |")
    whole = [
        _cells(sum(one.seconds.values()), sum(one.processors.values()), max(one.memory.values()))
        for one in spent.values()
    ]
    print(f"| whole run | {' | '.join(whole)} |", flush=True)


def _of(spent: Spent, step: str) -> str:
    return _cells(spent.seconds.get(step, 0), spent.processors.get(step, 0), spent.memory.get(step, 0))


def _cells(seconds: float, processors: float, memory: int) -> str:
    return f"{seconds:.1f} | {processors:.1f} | {memory / 1e6:.0f}"


def main() -> None:
    """Run and compare; exit code 1 where a table is another than on DuckDB."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--drop", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a folder that does not exist yet")
    parser.add_argument("--seeds", type=Path, default=ROOT / "seeds")
    parser.add_argument("--today", help="the day of both runs (default: CRADLE_TODAY, else this day)")
    parser.add_argument("--only", choices=("duckdb", "spark"), help="run one engine and compare with nothing")
    parser.add_argument("--kill", choices=sorted(ON_THE_WAY), help="kill one worker in the middle of this step")
    options = parser.parse_args()
    out = options.out.resolve()
    given = {"CRADLE_DROP_URL": str(options.drop.resolve()), "CRADLE_SEEDS": str(options.seeds.resolve())}
    given |= {"CRADLE_TODAY": options.today} if options.today else {}
    spent: dict[str, Spent] = {}
    if options.only != "spark":
        spent["duckdb"] = run(out / "duckdb", given | {"CRADLE_ENGINE": "duckdb"})
    if options.only != "duckdb":
        spent["spark"] = on_spark(out / "spark", given, options.kill)
    print_spent(spent)
    bad = [] if options.only else compare(out)
    for line in bad:
        print(line)
    raise SystemExit(int(bool(bad)))


def on_spark(home: Path, given: dict[str, str], kill: str | None) -> Spent:
    """A run on a cluster of its own, with the death of a worker in one of its steps, if asked for."""
    with cluster() as running:
        if kill:
            threading.Thread(target=kill_in, args=(kill, home, running), daemon=True).start()
        sessions = [process.pid for process in running.processes]
        return run(home, given | running.environment() | {"CRADLE_ENGINE": "spark"}, sessions)


if __name__ == "__main__":
    main()
