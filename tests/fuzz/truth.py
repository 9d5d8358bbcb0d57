"""Files whose right result is known, taken in as a run does: python -m tests.fuzz.truth --files 2000.

Belongs here: tables with what must come of each row, by every writer, and comparing with what intake kept.
Does not: the writers (writers.py), damaged files (mutations.py).
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.batch import Intake, Taken
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.take_in import take_in
from tests.fuzz.writers import WRITERS, Cell, Table, in_gzip, in_zip

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
YEAR = 2024
BATCH = 50
HEADER = ("school_year", "indicator", "dimension", "group", "numerator", "denominator", "value", "series")
INDICATOR = "grade3_reading_proficient_pct"
MASKED = "suppressed_at_source"
BLANK = Cell("")


@dataclass(frozen=True)
class Truth:
    """What must come of a row: its counts, value and series, or the rules of which one refuses it."""

    numerator: int | None = None
    denominator: int | None = None
    value: float | None = None
    status: str = "reported"
    series: str = "default"
    refused_by: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Case:
    """A file with the truth of its rows by their source row."""

    name: str
    data: bytes
    writer: str
    kinds: tuple[str, ...]
    rows: dict[int, Truth]


@dataclass
class Made:
    """A row to write: the cells of counts, value and series, and what must come of them."""

    numerator: Cell = BLANK
    denominator: Cell = BLANK
    value: Cell = BLANK
    series: Cell = BLANK
    truth: Truth = field(default_factory=Truth)


def number(value: float, code: str = "General", kind: str = "number") -> Cell:
    """A number that shows as it is."""
    return Cell(repr(int(value)) if value == int(value) else repr(value), kind, value, code)


def _counts(draw: random.Random) -> Made:
    n = draw.choice([0, draw.randint(20, 400)])
    d = n + draw.randint(20, 500)
    code = draw.choice(["General", "0", "#,##0", '_(* #,##0_);_(* (#,##0);_(* "-"??_);_(@_)'])
    return Made(number(n, code), number(d, code), truth=Truth(n, d, 100 * n / d, "derived"))


def _percent(draw: random.Random) -> Made:
    tenths = draw.randint(11, 989)
    code = draw.choice(["0%", "0.0%", "0.00%", "0.0%;-0.0%", "[>=0.9]0.0%;0.0%", '0.0%;[Red]-0.0%;"-"'])
    return Made(value=Cell(f"{tenths / 10:g}%", "number", tenths / 1000, code), truth=Truth(value=tenths / 10))


def _percent_text(draw: random.Random) -> Made:
    tenths = draw.randint(110, 989)
    return Made(value=Cell(f"{tenths / 10}", "text", code="0.0%"), truth=Truth(value=tenths / 10))


def _formula(draw: random.Random) -> Made:
    made = _counts(draw)
    return replace_cells(made, "formula")


def replace_cells(made: Made, kind: str) -> Made:
    """The same numbers, held as another kind."""
    return Made(replace(made.numerator, kind=kind), replace(made.denominator, kind=kind), truth=made.truth)


def _mask(draw: random.Random) -> Made:
    code, sign = draw.choice([('[<10]"*";0', "*"), ("[<10]\\*;#,##0", "*"), ('[<=9]"N<10";General', "N<10")])
    cells = [Cell(sign, "number", draw.randint(1, 9), code) for _ in range(2)]
    return Made(cells[0], cells[1], truth=Truth(status=MASKED))


def _above_mask(draw: random.Random) -> Made:
    n = draw.randint(10, 400)
    code = draw.choice(['[<10]"*";0', "[<10]\\*;#,##0"])
    return Made(number(n, code), number(n + 60, code), truth=Truth(n, n + 60, 100 * n / (n + 60), "derived"))


def _bound(draw: random.Random) -> Made:
    n = draw.choice([5, 10, 95])
    return Made(value=Cell(f"<{n}", "number", n, '"<"0'), truth=Truth(status="range"))


def _hidden(draw: random.Random) -> Made:
    made = _counts(draw)
    cell = replace(made.numerator, code=draw.choice([";;;", '"";"";""']), shown="")
    return Made(cell, made.denominator, truth=Truth(refused_by=frozenset({"hidden_value"})))


def _otherwise(draw: random.Random) -> Made:
    made = _counts(draw)
    number, code = draw.choice(
        [(1_234.0, "0.0,"), (412_000.0, "#,##0,"), (2e6, '0,,"M"'), (12.0, '0"0"'), (0.5, "# ?/?")]
    )
    cell = Cell("another number", "number", number, code)
    return Made(cell, made.denominator, truth=Truth(refused_by=frozenset({"shown_otherwise"})))


def _no_digit(draw: random.Random) -> Made:
    made = _counts(draw)
    cell = Cell("", "number", 0.0, draw.choice(["#,###", "#", "# ###"]))
    return Made(cell, made.denominator, truth=Truth(refused_by=frozenset({"hidden_value"})))


def _money(draw: random.Random) -> Made:
    n = draw.randint(20, 400)
    code = draw.choice(["$#,##0", "[$$-409]#,##0", '_($* #,##0_);_($* (#,##0);_($* "-"??_);_(@_)'])
    made = Made(Cell(f"${n}", "number", n, code), number(n + 9))
    made.truth = Truth(refused_by=frozenset({"count_not_whole"}))
    return made


def _padded(draw: random.Random) -> Made:
    n, d = draw.randint(1, 400), draw.randint(401, 900)
    cells = [Cell(f"{count:05d}", "number", count, "00000") for count in (n, d)]
    return Made(*cells, truth=Truth(n, d, 100 * n / d, "derived"))


def _percent_word(draw: random.Random) -> Made:
    tenths = draw.randint(11, 989)
    code = draw.choice(['0.0"%"', "0.0\\%", '0.0" %"'])
    return Made(value=Cell(f"{tenths / 10:g}%", "number", tenths / 10, code), truth=Truth(value=tenths / 10))


def _percent_bound(draw: random.Random) -> Made:
    part = draw.choice([0.05, 0.1, 0.95])
    return Made(value=Cell(f"<{part * 100:g}%", "number", part, '"<"0%'), truth=Truth(status="range"))


def _ruled(draw: random.Random) -> Made:
    cells = [Cell("*", "ruled", draw.randint(1, 9), rule=draw.choice(['"*"', '"N<10"'])) for _ in range(2)]
    return Made(cells[0], cells[1], truth=Truth(status=MASKED))


def _ruled_hidden(draw: random.Random) -> Made:
    made = _counts(draw)
    cell = Cell("", "ruled", draw.randint(1, 9), rule=";;;")
    return Made(cell, made.denominator, truth=Truth(refused_by=frozenset({"hidden_value"})))


def _above_rule(draw: random.Random) -> Made:
    n = draw.randint(10, 400)
    cells = [Cell(str(count), "ruled", count, rule=draw.choice(['"*"', ";;;"])) for count in (n, n + 60)]
    return Made(*cells, truth=Truth(n, n + 60, 100 * n / (n + 60), "derived"))


def _error(draw: random.Random) -> Made:
    text = draw.choice(["#DIV/0!", "#N/A", "#REF!", "#VALUE!"])
    rules = frozenset({"formula_error_cell", "bad_cell"})
    return Made(value=Cell(text, "error", code=draw.choice(["General", "0.0%"])), truth=Truth(refused_by=rules))


def _open(_: random.Random) -> Made:
    return Made(value=Cell("", "open"), truth=Truth(refused_by=frozenset({"formula_without_value"})))


def _date(draw: random.Random) -> Made:
    made = _counts(draw)
    code = draw.choice(["yyyy-mm-dd", "d-mmm", "mmm-yy", "m/d/yyyy", "[$-409]d\\-mmm;@"])
    made.series = Cell("a date", "number", draw.randint(45_000, 46_500), code)
    made.truth = Truth(refused_by=frozenset({"date_cell"}))
    return made


def _marked(draw: random.Random) -> Made:
    tenths = draw.randint(110, 989)
    mark = draw.choice(["1", "2", "a", "*", "1,2"])
    return Made(value=Cell(f"{tenths / 10}", "marked", mark=mark), truth=Truth(value=tenths / 10))


KINDS: dict[str, tuple[Callable[[random.Random], Made], frozenset[str]]] = {
    "counts": (_counts, frozenset({"number"})),
    "percent": (_percent, frozenset({"number"})),
    "percent_text": (_percent_text, frozenset({"text"})),
    "formula": (_formula, frozenset({"formula"})),
    "mask": (_mask, frozenset({"number"})),
    "above_mask": (_above_mask, frozenset({"number"})),
    "bound": (_bound, frozenset({"number"})),
    "hidden": (_hidden, frozenset({"number", "error"})),
    "otherwise": (_otherwise, frozenset({"number", "error"})),
    "no_digit": (_no_digit, frozenset({"number", "error"})),
    "money": (_money, frozenset({"number"})),
    "padded": (_padded, frozenset({"number"})),
    "percent_word": (_percent_word, frozenset({"number"})),
    "percent_bound": (_percent_bound, frozenset({"number"})),
    "ruled": (_ruled, frozenset({"ruled"})),
    "ruled_hidden": (_ruled_hidden, frozenset({"ruled"})),
    "above_rule": (_above_rule, frozenset({"ruled"})),
    "error": (_error, frozenset({"error"})),
    "open": (_open, frozenset({"open"})),
    "date": (_date, frozenset({"number", "error"})),
    "marked": (_marked, frozenset({"marked"})),
}
"""Kinds of rows, and what a writer must be able to write for them; error stands for formats as well."""


def case(draw: random.Random, only: str = "") -> Case:
    """A file by one of the writers, or by the one that is asked for."""
    writer = only or draw.choice([*WRITERS, "spelled", "strict"])
    name, write, able = WRITERS[writer]
    possible = [kind for kind, (_, needed) in KINDS.items() if needed <= able]
    kinds = ["counts", *draw.choices(possible, k=draw.randint(2, 12))]
    made = [KINDS[kind][0](draw) for kind in kinds]
    merges = _merge(made, kinds, draw) if "error" in able and draw.random() < 0.5 else []
    cells: list[list[Cell]] = [[Cell(title) for title in HEADER]]
    for place, row in enumerate(made):
        # A series of its own keeps rows of one year apart where nothing else does.
        year = f"{1990 + place}-{(1991 + place) % 100:02d}"
        own = [Cell(year), Cell(INDICATOR), Cell("all"), Cell("all")]
        cells.append([*own, row.numerator, row.denominator, row.value, row.series])
    data = write(Table(cells, merges), draw)
    if draw.random() < 0.2:
        name, data = in_zip(name, data)
    elif name.endswith(".csv") and draw.random() < 0.2:
        name, data = in_gzip(name, data)
    return Case(name, data, writer, tuple(kinds), {place + 2: row.truth for place, row in enumerate(made)})


def _merge(made: list[Made], kinds: list[str], draw: random.Random) -> list[tuple[int, int, int]]:
    """One series merged down over some rows, none of which has one of its own."""
    first = draw.randrange(len(made))
    last = min(len(made) - 1, first + draw.randint(1, 3))
    if last == first or "date" in kinds[first : last + 1]:
        return []
    title = f"series {draw.randint(1, 99)}"
    made[first].series = Cell(title)
    for row in made[first : last + 1]:
        row.truth = replace(row.truth, series=title)
    return [(first + 1, last + 1, HEADER.index("series"))]


@dataclass
class Score:
    """How many rows of which kind by which writer came out right."""

    files: int = 0
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)


def run(seed: int, files: int, score: Score, only: str = "") -> Iterator[str]:
    """Take in so many files; yields a line for each row that came out otherwise than it should."""
    intake = Intake(Reference(SEEDS))
    communities = intake.reference.communities["community_id"].to_list()
    with WorkbookReader(intake.limits) as reader:
        for start in range(0, files, BATCH):
            cases = [case(random.Random(f"{seed}-{n}"), only) for n in range(start, min(start + BATCH, files))]
            content = {f"{place}/{one.name}": one.data for place, one in enumerate(cases)}
            folders = [
                Folder(community, YEAR, (DroppedFile(one.name, f"{place}/{one.name}", len(one.data), "tag"),))
                for place, (one, community) in enumerate(zip(cases, communities, strict=False))
            ]
            taken = take_in(intake, folders, Given(content.__getitem__), None, reader)
            for place, (one, item) in enumerate(zip(cases, taken, strict=True)):
                score.files += 1
                score.rows.update((one.writer, kind) for kind in one.kinds)
                yield from (f"file {start + place} ({one.writer}, {one.name}): {line}" for line in wrong(one, item))


def wrong(one: Case, item: Taken) -> Iterator[str]:
    """What of a file came out otherwise than it should."""
    observations = item.tables.get("observations")
    if observations is None:
        yield f"no row was read: {item.tables['findings'].select('rule_id', 'found').rows()}"
        return
    kept = {row["source_row"]: row for row in observations.iter_rows(named=True)}
    if set(kept) != set(one.rows):
        yield f"rows {sorted(kept)} were read, {sorted(one.rows)} are there"
    for (place, truth), kind in zip(one.rows.items(), one.kinds, strict=True):
        row = kept.get(place)
        if row is None:
            continue
        if truth.refused_by:
            if row["row_status"] != "rejected" or not _told(item.tables["findings"], truth.refused_by):
                yield f"row {place} ({kind}) counts, {sorted(truth.refused_by)} should refuse it: {_short(row)}"
        elif row["row_status"] != "accepted" or not _same(row, truth):
            yield f"row {place} ({kind}) is {_short(row)} instead of {truth}"


def _told(findings: pl.DataFrame, rules: frozenset[str]) -> bool:
    return bool(rules & set(findings["rule_id"]))


def _same(row: dict[str, object], truth: Truth) -> bool:
    value = row["value"]
    close = value == truth.value or (
        isinstance(value, float) and truth.value is not None and abs(value - truth.value) < 1e-9
    )
    exact = ("numerator", truth.numerator), ("denominator", truth.denominator), ("value_status", truth.status)
    return close and all(row[name] == right for name, right in exact) and row["series"] == truth.series


def _short(row: dict[str, object]) -> dict[str, object]:
    names = ("numerator", "denominator", "value", "value_status", "series", "row_status", "row_reason")
    return {name: row[name] for name in names}


def main() -> int:
    """Exit 0 if every row of every file came out right, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.truth", description=__doc__)
    parser.add_argument("--files", type=int, default=2_000, help="how many files")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other files")
    parser.add_argument("--writer", choices=sorted(WRITERS), default="", help="files by one writer only")
    asked = parser.parse_args()
    score, bad = Score(), 0
    for line in run(asked.seed, asked.files, score, asked.writer):
        bad += 1
        sys.stdout.write(f"WRONG {line}\n")
    writers = sorted({writer for writer, _ in score.rows})
    sys.stdout.write(f"rows by kind and writer\n{'':14}" + "".join(f"{writer:>10}" for writer in writers) + "\n")
    for kind in KINDS:
        sys.stdout.write(f"{kind:14}" + "".join(f"{score.rows[writer, kind]:10,}" for writer in writers) + "\n")
    sys.stdout.write(f"{score.files:,} files, {score.rows.total():,} rows, {bad} wrong\n")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
