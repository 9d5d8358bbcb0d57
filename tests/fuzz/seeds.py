"""Spoil reference data at random: each fault is named, and what is not named breaks nothing that reads it.

Belongs here: changes of single files of seeds, and whether their lint and their readers end as they should.
Does not: submitted files (mutations.py, truth.py), which fault is named by which words (tests/unit/app).

    python -m tests.fuzz.seeds [--files 2000] [--seed 1]
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from dagster_project.lib.app.ready import reference_faults
from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.base.ruleset import ParameterError, in_force_on, read_ruleset
from dagster_project.lib.intake.batch import Intake

ROOT = Path(__file__).resolve().parents[2]
TODAY = dt.date(2024, 12, 31)
CELLS = (
    "", " ", "0", "-1", "1e400", "nan", "9" * 40, "2024-13-45", "31.12.2024", "é" * 300, "=1+1", "a\nb", '"', "true",
    "\u202egnp.csv", "‮", "\x00", "../../etc", "'; drop table x; --", "all", "*", "(", "[a-", "{0}", "%s", ",,,",
)  # fmt: skip
Rows = list[list[str]]


def _cell(chance: random.Random, rows: Rows) -> None:
    row = chance.choice(rows[1:] or rows)
    if row:
        row[chance.randrange(len(row))] = chance.choice(CELLS)


def _swap(chance: random.Random, rows: Rows) -> None:
    """A value of another column of the same file."""
    one, other = chance.choice(rows), chance.choice(rows)
    if one and other:
        one[chance.randrange(len(one))] = chance.choice(other)


def _double(chance: random.Random, rows: Rows) -> None:
    rows.insert(chance.randrange(len(rows)) + 1, list(chance.choice(rows)))


def _drop_row(chance: random.Random, rows: Rows) -> None:
    del rows[chance.randrange(len(rows))]


def _drop_column(chance: random.Random, rows: Rows) -> None:
    place = chance.randrange(max(1, len(rows[0])))
    for row in rows:
        del row[place : place + 1]


def _short(chance: random.Random, rows: Rows) -> None:
    row = chance.choice(rows)
    del row[chance.randrange(len(row) + 1) :]


def _reverse(chance: random.Random, rows: Rows) -> None:
    rows[1:] = rows[:0:-1]


CHANGES: tuple[Callable[[random.Random, Rows], None], ...] = (
    _cell, _cell, _cell, _swap, _swap, _double, _drop_row, _drop_column, _short, _reverse,
)  # fmt: skip


def spoilt(chance: random.Random, data: bytes) -> bytes:
    """A file with one to three changes of its table, or of its bytes."""
    if chance.random() < 0.15:
        place = chance.randrange(len(data) + 1)
        return data[:place] + chance.choice((b"", b"\xff", b"\x00", b'"', b"\r")) + data[place + chance.randrange(3) :]
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    for _ in range(chance.randint(1, 3)):
        if rows:
            chance.choice(CHANGES)(chance, rows)
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def ended(seeds: Path) -> str | None:
    """How reading the folder ended, where it ended as it should not."""
    try:
        reference = Reference(seeds)
        if reference_faults(reference, TODAY):
            return None
        _ = Intake(reference, chosen=in_force_on(reference, TODAY)).version
        read_ruleset(reference, in_force_on(reference, TODAY))
        _ = reference.reporting_years(TODAY)
    except (SeedError, ParameterError):
        return None
    except Exception:  # noqa: BLE001 - whatever else it is, it is what is looked for
        return traceback.format_exc(limit=-3)
    return None


def run(seed: int, files: int) -> Iterator[tuple[str, bytes, str]]:
    """Spoil so many files one at a time; the file, what was in it and what happened, of each that ended badly."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "seeds"
        shutil.copytree(ROOT / "seeds", folder)
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.csv"))
        for number in range(files):
            chance = random.Random(f"{seed}-{number}")
            name = chance.choice(names)
            path = folder / name
            whole = path.read_bytes()
            data = spoilt(chance, whole)
            path.write_bytes(data)
            if (what := ended(folder)) is not None:
                yield name, data, f"{seed}-{number}: {what}"
            path.write_bytes(whole)


def main() -> int:
    """Exit 0 if every spoilt file was named or harmless, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.seeds", description=__doc__)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    bad = 0
    for name, _, what in run(asked.seed, asked.files):
        bad += 1
        sys.stdout.write(f"BAD {name}, {what}\n")
    sys.stdout.write(f"{asked.files:,} spoilt files of reference data: {bad} ended badly\n")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
