"""Speed and memory of checking files, against bare readers of the same bytes.

Belongs here: 100,000 rows of CSV, clean and all bad, against a bare Polars read; the same rows as XLSX against a bare
calamine read, which drops what cells show; the child process included; comparisons between 100,000 values.
Does not: correctness (tests/unit/intake), Dagster or dbt (chain.py).

Run: python benchmarks/intake_speed.py [--rows N] [--repeat N]
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl

ROOT = Path(__file__).resolve().parents[1]
HEADER = "school_year,indicator,dimension,group,numerator,denominator,value,geography,geography_level\n"
FIRST_YEAR, YEARS = 2003, 20
REPORTING_YEAR = 2024
MEBIBYTE = 2**20

Bytes = bytes


class Measured(NamedTuple):
    """Shortest of several runs in seconds, its processor time (children included), and the most memory held."""

    seconds: float
    cpu_seconds: float
    own_mebibytes: float
    child_mebibytes: float


def lines(rows: int, bad: bool) -> list[str]:
    """Rows of distinct keys; the bad ones wrong in a different way of the same kind each."""
    made = []
    for number in range(rows):
        school, year = divmod(number, YEARS)
        n = 40 + number % 300
        k = n + 1 + number if bad else number % n
        made.append(f"{FIRST_YEAR + year},graduation_4yr_pct,all,all,{k},{n},,School {school},school\n")
    return made


def csv_file(rows: int, bad: bool = False) -> Bytes:
    """The rows as CSV."""
    return (HEADER + "".join(lines(rows, bad))).encode()


def same_fault(rows: int) -> Bytes:
    """The clean rows with the same unreadable count in each."""
    text = csv_file(rows).decode()
    return text.replace(",all,all,", ",all,all,#").encode()


def workbook_file(rows: int) -> Bytes:
    """The clean rows as XLSX, numbers typed."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("indicator_values")
    sheet.append(HEADER.strip().split(","))
    for line in lines(rows, bad=False):
        sheet.append([int(cell) if cell.isdigit() else cell or None for cell in line.strip().split(",")])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def bare_polars(data: Bytes) -> object:
    """What any check must cost at least: all cells as text."""
    return pl.read_csv(data, infer_schema=False)


def bare_calamine(data: Bytes) -> object:
    """The bare reader of workbooks, in this very process."""
    from python_calamine import CalamineWorkbook

    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python(skip_empty_area=False)


def reader_alone(data: Bytes) -> object:
    """Pre-flight, child process (its start included) and grid of a workbook."""
    from dagster_project.lib.intake.reading.files import WorkbookReader

    with WorkbookReader() as reader:
        result = reader.read(data)
        note_child(reader)
        return result


CHILD_PEAKS = [0.0]


def note_child(reader: object) -> None:
    """Remember the most memory that the reading process held; its parent's own would count as its at the start."""
    child = getattr(reader, "_child", None)
    status = Path(f"/proc/{child.pid}/status") if child is not None else None
    if status is not None and status.is_file():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        CHILD_PEAKS.append(int(peak.split()[1]) / 1024)


def cpu_seconds() -> float:
    """Processor time of this process and of its children that ended."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def whole_intake(name: str) -> Callable[[Bytes], object]:
    """Reading, recognising, checking and telling of one file, as a run does it."""
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.store import Given
    from dagster_project.lib.intake.batch import Intake
    from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
    from dagster_project.lib.intake.reading.files import WorkbookReader
    from dagster_project.lib.intake.take_in import take_in

    intake = Intake(Reference(ROOT / "seeds"))
    community = intake.reference.communities["community_id"][0]

    def check(data: Bytes) -> object:
        folder = Folder(community, REPORTING_YEAR, (DroppedFile(name, name, len(data), "tag"),))
        with WorkbookReader() as reader:
            taken = take_in(intake, [folder], Given(lambda _: data), None, reader)
            note_child(reader)
            return taken

    check(
        csv_file(1) if name.endswith(".csv") else workbook_file(1)
    )  # modules and tables of labels are loaded once a run
    return check


def comparisons(data: Bytes) -> Callable[[Bytes], object]:
    """All comparisons between the values of one file's rows, spread over reporting years."""
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.ruleset import read_ruleset
    from dagster_project.lib.intake.comparing.comparisons import compare_submissions

    reference = Reference(ROOT / "seeds")
    taken = whole_intake("values.csv")(data)
    frame = taken[0].tables["observations"].with_columns(pl.col("school_year").alias("reporting_year"))  # type: ignore[index]
    parameters = read_ruleset(reference, ("toa-default", "1.0.0")).comparison
    return lambda _: compare_submissions(frame, reference, parameters)


CASES: dict[str, tuple[Callable[[int], Bytes], Callable[[Bytes], Callable[[Bytes], object]]]] = {
    "bare Polars read, CSV": (csv_file, lambda _: bare_polars),
    "checked, clean CSV": (csv_file, lambda _: whole_intake("values.csv")),
    "checked, all bad CSV": (lambda rows: csv_file(rows, bad=True), lambda _: whole_intake("values.csv")),
    "checked, one fault in all rows": (same_fault, lambda _: whole_intake("values.csv")),
    "bare calamine read, XLSX": (workbook_file, lambda _: bare_calamine),
    "reading process, XLSX": (workbook_file, lambda _: reader_alone),
    "checked, clean XLSX": (workbook_file, lambda _: whole_intake("values.xlsx")),
    "comparisons of the clean rows": (csv_file, comparisons),
}


def measure(case: str, rows: int, repeat: int) -> Measured:
    """Run one case in this process."""
    make, prepare = CASES[case]
    data = make(rows)
    act = prepare(data)
    spent = []
    for _ in range(repeat):
        began, cpu = time.perf_counter(), cpu_seconds()
        act(data)
        spent.append((time.perf_counter() - began, cpu_seconds() - cpu))
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(min(wall for wall, _ in spent), min(cpu for _, cpu in spent), own, max(CHILD_PEAKS))


def measured_apart(case: str, rows: int, repeat: int) -> Measured:
    """Run one case in a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, "--case", case, "--rows", str(rows), "--repeat", str(repeat)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=None)
    return Measured(*json.loads(done.stdout))


def table(rows: int, repeat: int) -> None:
    """Measure all cases and print them with their ratios."""
    from benchmarks import _ratios

    results = {case: measured_apart(case, rows, repeat) for case in CASES}
    against = {case: "bare calamine read, XLSX" if "XLSX" in case else "bare Polars read, CSV" for case in CASES}
    print(f"{rows:,} rows, best of {repeat}; ratios of processor time, which other work on the machine does not change")
    print(f"{'case':34} {'seconds':>8} {'cpu':>7} {'ratio':>7} {'MiB':>6} {'child MiB':>10}")
    for case, (seconds, cpu, own, child) in results.items():
        ratio = cpu / results[against[case]].cpu_seconds
        print(f"{case:34} {seconds:8.3f} {cpu:7.3f} {ratio:6.1f}x {own:6.0f} {child:10.0f}")
        if case != against[case]:
            _ratios.tell(f"{rows:,} rows, {case}", cpu, against[case], results[against[case]].cpu_seconds)
    clean, bad = results["checked, clean CSV"].cpu_seconds, results["checked, all bad CSV"].cpu_seconds
    reader = results["reading process, XLSX"].cpu_seconds / results["bare calamine read, XLSX"].cpu_seconds
    print(f"all bad against clean: {bad / clean:.2f}x (at most 2)")
    print(f"XLSX by the reading process against the bare reader: {reader:.2f}x (at most 6)")


def main() -> None:
    """Print the table, or with --case the numbers of one case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case:
        sys.stdout.write(json.dumps(measure(asked.case, asked.rows, asked.repeat)))
    else:
        table(asked.rows, asked.repeat)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
