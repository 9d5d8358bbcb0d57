"""Small inputs that are kept in the tree, each with the findings that it is to end in.

Belongs here: reading the kept inputs, what intake makes of them today, and adding those that end as none before.
Does not: making inputs (mutations.py), claims that hold of every input (harness.py).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.batch import Intake, Taken
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.reading.limits import Limits
from tests.fuzz.harness import BATCH, SEEDS, taken
from tests.fuzz.mutations import File

CORPUS = Path(__file__).with_name("corpus")
LIST = CORPUS / "corpus.csv"
COLUMNS = ("kept_as", "name", "rows_accepted", "rules")
SMALL_BYTES = 8 * 1024
"""Larger inputs are not kept."""


@dataclass(frozen=True)
class Outcome:
    """What intake made of a file: how many rows count, and the rules that were broken."""

    rows_accepted: int
    rules: tuple[str, ...]


def outcome(item: Taken) -> Outcome:
    """The outcome of a folder with one file in it."""
    findings = item.tables.get("findings")
    rules = () if findings is None else tuple(sorted(set(findings["rule_id"])))
    return Outcome(int(item.tables["files"]["rows_accepted"].sum()), rules)


def kept() -> list[tuple[str, File, Outcome]]:
    """Every kept input in the order of the list: what it is kept as, the file as it is submitted, its outcome."""
    with LIST.open(encoding="utf-8", newline="") as lines:
        return [
            (
                line["kept_as"],
                (line["name"], (CORPUS / line["kept_as"]).read_bytes()),
                Outcome(int(line["rows_accepted"]), tuple(line["rules"].split())),
            )
            for line in csv.DictReader(lines)
        ]


def outcomes(files: Sequence[File]) -> Iterator[Outcome]:
    """What intake makes of files today, in their order."""
    limits = Limits()
    intake = Intake(Reference(SEEDS), limits)
    with WorkbookReader(limits) as reader:
        for start in range(0, len(files), BATCH):
            yield from map(outcome, taken(intake, files[start : start + BATCH], reader)[0])


def kind(name: str) -> str:
    """The kind of a file by its name."""
    ending = name.rpartition(".")[2].lower()
    return ending if re.fullmatch("[a-z]{1,7}", ending) else "other"


def signs(name: str, ended: Outcome) -> set[tuple[str, str]]:
    """What an input shows: each rule of its outcome, and whether rows count, for its kind of file."""
    return {(kind(name), rule) for rule in (*ended.rules, f"{ended.rows_accepted > 0}")}


def grow(found: Iterable[tuple[File, Outcome]]) -> list[str]:
    """Keep every small input that shows what none that is kept does; what they are kept as."""
    there = kept()
    shown = {sign for _, (name, _), ended in there for sign in signs(name, ended)}
    grown = []
    for (name, data), ended in found:
        new = signs(name, ended) - shown
        if not new or len(data) > SMALL_BYTES:
            continue
        shown |= new
        kept_as = f"{len(there):03}.{kind(name)}"
        (CORPUS / kept_as).write_bytes(data)
        there.append((kept_as, (name, data), ended))
        grown.append(kept_as)
    _write(there)
    return grown


def settle(names: Sequence[str]) -> None:
    """State the outcome of these inputs anew: a few findings depend on the community that a place in the list has."""
    there = kept()
    now = outcomes([file for _, file, _ in there])
    _write([(name, file, new if name in names else old) for (name, file, old), new in zip(there, now, strict=True)])


def _write(lines: Iterable[tuple[str, File, Outcome]]) -> None:
    with LIST.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows([name, file[0], ended.rows_accepted, " ".join(ended.rules)] for name, file, ended in lines)
