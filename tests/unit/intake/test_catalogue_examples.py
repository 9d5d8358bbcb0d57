"""Every rule of the finding catalogue fires on its failing example and not on its passing one.

Belongs here: running contracts/examples through intake, and building the examples that no text file can hold.
Does not: the edges of a rule (the tests of its module).
"""

from __future__ import annotations

import datetime as dt
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat

import contracts
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import in_force, read_ruleset
from dagster_project.lib.base.store import DeniedError, ObjectInfo, Source, Store
from dagster_project.lib.intake.batch import Guard, Intake
from dagster_project.lib.intake.bucket.drop import Folder, list_drop, open_drop, stray_findings
from dagster_project.lib.intake.bucket.ledger import EVENTS
from dagster_project.lib.intake.bucket.left import left_findings, left_table
from dagster_project.lib.intake.findings import BLOCKING, catalogue, to_findings
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.tables import TABLES
from dagster_project.lib.intake.take_in import take_in
from dagster_project.lib.member.page.language import languages
from dagster_project.lib.member.page.spoken import speaker
from dagster_project.lib.warehouse.landing import all_findings, landed_registers
from tests.support import workbook

EXAMPLES = contracts.ROOT / "examples"
WHOLE_NETWORK = contracts.ROOT.parent / "seeds"
"""Seeds with enough communities to share a cause."""
COMMUNITY, YEAR, TODAY = "birchmont_falls", 2024, dt.date(2024, 6, 30)
RULES = catalogue().rules["rule_id"].to_list()
HEADER = ["school_year", "indicator", "dimension", "group", "numerator", "denominator", "value"]
ROW = ["2023-24", "grade3_reading_proficient_pct", "all", "all", 460, 1000, 46]
TEXT = (",".join(HEADER) + "\n" + ",".join(map(str, ROW)) + "\n").encode()

Files = Mapping[str, bytes]


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The workbook with one part added or replaced."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as result:
        for item in source.infolist():
            if item.filename != name:
                result.writestr(item.filename, source.read(item))
        result.writestr(name, content)
    return target.getvalue()


BOOK = workbook(indicator_values=[HEADER, ROW])
WORKBOOK_XML = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><workbook/>'
ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512 + "EncryptedPackage".encode("utf-16-le")

TARGETS = ["indicator", "dimension", "group", "value", "deadline", "horizon"]
TARGET = ["grade3_reading_proficient_pct", "all", "all", 60]


def edited(data: bytes, edit: Callable[[Workbook], None]) -> bytes:
    """The workbook after an edit."""
    book = load_workbook(io.BytesIO(data))
    edit(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def ruled(areas: str, kind: str) -> bytes:
    """The workbook with a rule of conditional formatting that masks."""
    book = load_workbook(io.BytesIO(BOOK))
    mask = DifferentialStyle(numFmt=NumberFormat(numFmtId=170, formatCode='"*"'))
    book.active.conditional_formatting.add(areas, Rule(type=kind, dxf=mask, rank=1))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def changed(place: str, value: object, number_format: str | None = None) -> bytes:
    """The workbook with one cell of its table changed."""

    def edit(book: Workbook) -> None:
        cell = book["indicator_values"][place]
        cell.value = value
        if number_format:
            cell.number_format = number_format

    return edited(BOOK, edit)


def struck(place: str) -> bytes:
    """The workbook with a line through one cell."""

    def edit(book: Workbook) -> None:
        book["indicator_values"][place].font = Font(strike=True)

    return edited(BOOK, edit)


def merged(area: str) -> bytes:
    """The workbook with cells of its table merged."""
    return edited(BOOK, lambda book: book["indicator_values"].merge_cells(area))


def hidden(title: str, **sheets: Sequence[Sequence[object]]) -> bytes:
    """A workbook of which one sheet is hidden."""

    def edit(book: Workbook) -> None:
        book[title].sheet_state = "hidden"

    return edited(workbook(**sheets), edit)


def hidden_row(row: int) -> bytes:
    """The workbook with a row hidden."""

    def edit(book: Workbook) -> None:
        book["indicator_values"].row_dimensions[row].hidden = True

    return edited(BOOK, edit)


def with_mark(run: bytes) -> bytes:
    """The workbook with its value as text in runs, the last of them given."""
    name = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(BOOK)) as package:
        sheet = package.read(name)
    runs = b'<c r="G2" t="inlineStr"><is><r><t>46</t></r>' + run + b"</is></c>"
    assert b'<c r="G2" t="n"><v>46</v></c>' in sheet
    return with_part(BOOK, name, sheet.replace(b'<c r="G2" t="n"><v>46</v></c>', runs))


def zipped(files: Files) -> bytes:
    """The files in an archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


BUILT: dict[str, tuple[Files, Files, dict[str, int]]] = {
    "unreadable_file": ({"values.xlsx": b"<html><table></table></html>"}, {"values.xlsx": BOOK}, {}),
    "binary_content": ({"values.csv": b"PK\x03\x04" + b"\0" * 40}, {"values.csv": TEXT}, {}),
    "bad_encoding": ({"values.csv": TEXT + b"\x81\xff"}, {"values.csv": TEXT}, {}),
    "too_many_cells": (
        {"values.xlsx": workbook(indicator_values=[HEADER, *[ROW] * 9])},
        {"values.xlsx": BOOK},
        {"cells": 40},
    ),
    "too_many_sheets": (
        {"values.xlsx": workbook(indicator_values=[HEADER, ROW], notes=[["a note"]])},
        {"values.xlsx": BOOK},
        {"sheets": 1},
    ),
    "zip_bomb": (
        {"values.xlsx": with_part(BOOK, "xl/media/image1.png", b"\0" * 2_000_000)},
        {"values.xlsx": BOOK},
        {"unpacked_bytes": 1_000_000},
    ),
    "entity_bomb": ({"values.xlsx": with_part(BOOK, "xl/workbook.xml", WORKBOOK_XML)}, {"values.xlsx": BOOK}, {}),
    "encrypted_workbook": ({"values.xlsx": ENCRYPTED}, {"values.xlsx": BOOK}, {}),
    "macro_workbook": ({"values.xlsm": BOOK}, {"values.xlsx": BOOK}, {}),
    "xlsb_refused": ({"values.xlsb": BOOK}, {"values.xlsx": BOOK}, {}),
    "formula_error_cell": (
        {"values.xlsx": workbook(indicator_values=[HEADER, [*ROW[:-1], "#DIV/0!"]])},
        {"values.xlsx": BOOK},
        {},
    ),
    "values_not_filled": (
        {"values.xlsx": workbook(indicator_values=[HEADER, ROW], more=[HEADER, [*ROW[:4], None, None, None]])},
        {"values.xlsx": workbook(indicator_values=[HEADER, ROW], more=[HEADER])},
        {},
    ),
    "formula_without_value": ({"values.xlsx": changed("G2", "=E2/F2*100")}, {"values.xlsx": BOOK}, {}),
    "hidden_value": ({"values.xlsx": changed("E2", 460, ";;;")}, {"values.xlsx": changed("E2", 460, "0;-0;")}, {}),
    "shown_otherwise": (
        {"values.xlsx": changed("F2", 1000, "#,##0,")},
        {"values.xlsx": changed("F2", 1000, "#,##0")},
        {},
    ),
    "struck_out": ({"values.xlsx": struck("E2")}, {"values.xlsx": struck("E1")}, {}),
    "shown_by_rule": ({"values.xlsx": ruled("E2:E9", "top10")}, {"values.xlsx": ruled("E3:E9", "top10")}, {}),
    "footnote_mark": (
        {"values.xlsx": with_mark(b'<r><rPr><vertAlign val="superscript"/></rPr><t>1</t></r>')},
        {"values.xlsx": with_mark(b"")},
        {},
    ),
    "date_cell": (
        {"values.xlsx": changed("D2", dt.date(2024, 9, 5))},
        {"targets.xlsx": workbook(targets=[TARGETS, [*TARGET, dt.date(2030, 6, 30), "long"]])},
        {},
    ),
    "cells_merged_across": ({"values.xlsx": merged("C2:D2")}, {"values.xlsx": merged("C2:C2")}, {}),
    "hidden_sheet": (
        {"values.xlsx": hidden("draft", indicator_values=[HEADER, ROW], draft=[HEADER, ROW])},
        {"values.xlsx": hidden("Lists", indicator_values=[HEADER, ROW], Lists=[["all"]])},
        {},
    ),
    "sheet_set_aside": (
        {"values.xlsx": workbook(**{"Old - do not use": [HEADER, ROW]})},
        {"values.xlsx": workbook(**{"Golden Hills": [HEADER, ROW]})},
        {},
    ),
    "only_hidden_sheets": (
        {"values.xlsx": hidden("indicator_values", blank=[], indicator_values=[HEADER, ROW])},
        {"values.xlsx": BOOK},
        {},
    ),
    "hidden_rows": ({"values.xlsx": hidden_row(2)}, {"values.xlsx": hidden_row(3)}, {}),
    "spreadsheet_not_read": ({"values.numbers": BOOK}, {"values.xlsx": BOOK}, {}),
    "archive_refused": (
        {"values.zip": zipped({"inner.zip": zipped({"values.csv": TEXT})})},
        {"values.zip": zipped({"values.csv": TEXT})},
        {},
    ),
    "sheet_not_read": (
        {"values.xlsx": workbook(indicator_values=[HEADER, ROW], notes=[["what we did"], ["asked the schools"]])},
        {"values.xlsx": BOOK},
        {},
    ),
}
"""Failing files, passing files and limits of the rules whose examples are not text."""


def odd_key(root: Path, side: str) -> None:
    """A bucket with a file whose name holds a line break, beside a good one."""
    folder = root / COMMUNITY / "2024"
    folder.mkdir(parents=True)
    (folder / "values.csv").write_bytes(TEXT)
    if side == "fails":
        (folder / "values\n.csv").write_bytes(TEXT)


class LikeS3(Store):
    """A folder listed as a bucket of S3 is: by the client alone, which fails at the first odd key."""

    def __init__(self, url: str) -> None:
        super().__init__(url, follow_links=False)
        self.folder = None


class LockedFolder(LikeS3):
    """A bucket of S3 that refuses to list a folder in which something is called locked."""

    def objects(self, prefix: str = "") -> list[ObjectInfo]:
        found = super().objects(prefix)
        if any(info.key.endswith("/locked") for info in found):
            raise DeniedError(f"cannot list {self.url}/{prefix}", "access denied")
        return found


class LockedFile(Store):
    """A folder in which a file is refused, as rights or a failing disk refuse it."""

    def open(self, key: str) -> BinaryIO:
        if key.endswith("locked.csv"):
            raise DeniedError(f"cannot read {self.url}/{key}", "Permission denied")
        return super().open(key)


class Growing(Store):
    """A folder in which whatever is called growing changes between two looks."""

    def tag(self, key: str) -> str | None:
        return "another" if "growing" in key else super().tag(key)


STORES: dict[str, type[Store]] = {
    "odd_key": LikeS3,
    "file_not_read": LockedFile,
    "folder_not_read": LockedFolder,
    "still_written": Growing,
}
"""Buckets whose faults no file alone can show."""


def beside(name: str) -> Callable[[Path, str], None]:
    """A bucket with a good file, on the failing side with one more of that name beside it."""

    def build(root: Path, side: str) -> None:
        folder = root / COMMUNITY / str(YEAR)
        folder.mkdir(parents=True)
        (folder / "values.csv").write_bytes(TEXT)
        if side == "fails":
            (folder / name).write_bytes(TEXT)

    return build


def short_series(root: Path, side: str) -> None:
    """Three hundred calm series of four years, then a year later one more value of one of them.

    It stays within the usual change from the year before, and stands apart from the middle of its series.
    """
    calm = {(n, year): 46 + ((7 * n + 13 * year) % 11 - 5) / 20 for n in range(300) for year in range(2020, 2024)}
    own = {(0, 2020): 46.0, (0, 2021): 46.0, (0, 2022): 46.0, (0, 2023): 47.0}
    next_year = {(0, 2024): 51.6 if side == "fails" else 46.2}
    for reporting_year, values in ((2023, calm | own), (2024, next_year)):
        lines = [
            f"{year},grade3_reading_proficient_pct,all,all,,1000,{value},form {n}"
            for (n, year), value in values.items()
        ]
        folder = root / COMMUNITY / str(reporting_year)
        folder.mkdir(parents=True)
        text = "\n".join([",".join([*HEADER, "series"]), *lines]) + "\n"
        (folder / "indicator_values.csv").write_text(text, encoding="utf-8")


def dropped_breakdown(root: Path, side: str) -> None:
    """Six communities of which all, or one, no longer report their genders."""
    for number, community in enumerate(Reference(WHOLE_NETWORK).communities["community_id"][:6]):
        for year in (2023, 2024):
            dropped = year == 2024 and (side == "fails" or number == 0)
            rows = ["all,all,540,900"] + [f"gender,{g},270,450" for g in ("female", "male") if not dropped]
            text = "\n".join([",".join(HEADER[:-1]), *(f"{year},graduation_4yr_pct,{row}" for row in rows)]) + "\n"
            folder = root / community / str(year)
            folder.mkdir(parents=True)
            (folder / "indicator_values.csv").write_text(text, encoding="utf-8")


def linked_file(root: Path, side: str) -> None:
    """A folder with a table beside another one: a link to it, or a copy."""
    folder = root / COMMUNITY / "2024"
    folder.mkdir(parents=True)
    (folder / "values.csv").write_bytes(TEXT)
    elsewhere = root.with_name(f"{root.name}-elsewhere.csv")
    elsewhere.write_bytes(TEXT.replace(b"grade3_reading", b"grade8_math"))
    if side == "fails":
        (folder / "math.csv").symlink_to(elsewhere)
    else:
        (folder / "math.csv").write_bytes(elsewhere.read_bytes())


BUILT_BUCKETS: dict[str, Callable[[Path, str], None]] = {
    "odd_key": odd_key,
    "odd_name": odd_key,
    "file_not_read": beside("locked.csv"),
    "folder_not_read": beside("locked"),
    "still_written": beside("growing.csv"),
    "short_series_outlier": short_series,
    "link_not_followed": linked_file,
    "shared_cause": dropped_breakdown,
}


def renamed(folder: Path) -> Reference:
    """Reference data with a community that went by another id."""
    seeds = folder / "seeds"
    shutil.copytree(WHOLE_NETWORK, seeds)
    (seeds / "network/community_successions.csv").write_text(
        f"community_id,successor_id,note\nbirchmont,{COMMUNITY},\n"
    )
    return Reference(seeds)


def take(intake: Intake, folder: Folder, source: Source, guard: Guard | None = None) -> dict[str, pl.DataFrame]:
    """The tables of one folder."""
    with WorkbookReader(intake.limits) as workbooks:
        taken = take_in(intake, [folder], source, None, workbooks, guard)
    tables = taken[0].tables if taken else {}
    return {name: tables.get(name, pl.DataFrame(schema=schema)) for name, schema in TABLES.items()}


def findings_of_bucket(intake: Intake, root: Path, kind: type[Store] | None = None) -> pl.DataFrame:
    """Findings of a small bucket: of its folders, their comparisons, and of what lies astray or is left."""
    store = kind(str(root)) if kind else open_drop(str(root))
    reference = intake.reference
    years = reference.reporting_years(TODAY)
    listing = list_drop(store, reference.communities["community_id"], years, reference.names)
    guard = Guard(store.tag if store.folder else None)
    taken = [take(intake, folder, store, guard) for folder in listing.folders]
    raw = {
        name: pl.concat([pl.DataFrame(schema=schema), *(tables[name] for tables in taken)])
        for name, schema in TABLES.items()
    }
    left = left_findings(left_table([*listing.left, *guard.left], pl.DataFrame(schema=EVENTS), "run"))
    strays = to_findings(stray_findings(listing.strays))
    parameters = read_ruleset(reference, in_force(reference, 2024)).comparison
    registers = landed_registers(raw["register_rows"])
    return all_findings(raw, registers, reference, parameters, pl.concat([strays, left]))


def as_bucket(root: Path, files: Files) -> Path:
    """Files written as the one folder of a bucket."""
    folder = root / COMMUNITY / str(YEAR)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return root


def example(rule_id: str, side: str, root: Path) -> Path:
    """The bucket of one side of a rule's example."""
    if rule_id in BUILT_BUCKETS:
        BUILT_BUCKETS[rule_id](root, side)
        return root
    if rule_id in BUILT:
        fails, passes, _ = BUILT[rule_id]
        return as_bucket(root, fails if side == "fails" else passes)
    folder = EXAMPLES / rule_id / side
    if (folder / "drop").is_dir():
        return folder / "drop"
    return as_bucket(root, {path.name: path.read_bytes() for path in folder.iterdir()})


def limits_of(rule_id: str) -> Limits:
    """The limits under which a rule's example is taken."""
    if rule_id in BUILT:
        return Limits(**BUILT[rule_id][2])
    file = EXAMPLES / rule_id / "limits.json"
    return Limits(**json.loads(file.read_text())) if file.is_file() else Limits()


def has_example(rule_id: str) -> bool:
    """Whether a rule has both sides of an example."""
    sides = [EXAMPLES / rule_id / side for side in ("fails", "passes")]
    return rule_id in BUILT or rule_id in BUILT_BUCKETS or all(side.is_dir() for side in sides)


@pytest.mark.parametrize("rule_id", RULES)
def test_every_rule_of_the_catalogue_has_an_example_of_both_sides(rule_id: str) -> None:
    assert has_example(rule_id)


def test_every_example_is_of_a_rule_of_the_catalogue() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} | set(BUILT) | set(BUILT_BUCKETS) <= set(RULES)


def test_that_a_row_counts_is_said_of_questions_alone_and_their_words_say_it() -> None:
    rules = catalogue().rules
    said = rules.filter(pl.col("row_counts").is_not_null())
    assert set(said["row_counts"]) == {"yes"} and set(said["severity"]) == {"explainable"}
    assert said["rule_id"].to_list() == catalogue().asked_of_rows_that_count["rule_id"].to_list()
    assert said.filter(~pl.col("message").str.contains("count")).is_empty()


@pytest.fixture(scope="module")
def sides(
    reference: Reference, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str], pl.DataFrame]]:
    """Findings of one side of a rule's example."""

    def run(rule_id: str, side: str) -> pl.DataFrame:
        root = example(rule_id, side, tmp_path_factory.mktemp(rule_id))
        own = Reference(WHOLE_NETWORK) if rule_id == "shared_cause" else reference
        own = renamed(tmp_path_factory.mktemp("seeds")) if rule_id == "folder_of_two_names" else own
        return findings_of_bucket(Intake(own, limits_of(rule_id)), root, STORES.get(rule_id))

    yield run


@pytest.mark.parametrize("rule_id", RULES)
def test_a_rule_fires_on_its_failing_example(rule_id: str, sides: Callable[[str, str], pl.DataFrame]) -> None:
    findings = sides(rule_id, "fails").filter(pl.col("rule_id") == rule_id)
    assert findings.height > 0
    assert findings.filter(pl.col("message").str.contains(r"\{\w+\}")).is_empty()
    assert findings["remedy"].str.len_chars().min() > 0  # type: ignore[operator]
    for row in findings.to_dicts():
        said = {code: speaker(code).what(row) for code in languages()}
        assert {code: spoken.lang for code, spoken in said.items()} == {code: code for code in languages()}, said


@pytest.mark.parametrize("rule_id", RULES)
def test_a_passing_example_is_clean(rule_id: str, sides: Callable[[str, str], pl.DataFrame]) -> None:
    findings = sides(rule_id, "passes")
    assert rule_id not in findings["rule_id"].to_list()
    assert findings.filter(pl.col("severity").is_in(BLOCKING)).is_empty()
