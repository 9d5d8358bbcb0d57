"""The template workbook: what a community is to fill in, with lists, notes and its own last values beside.

Belongs here: a sheet for each submitted table of a contract version, its notes and lists, and the rows to fill.
Does not: the contracts (contracts/), choosing a release (cli/intake.py), the marked copy of a file (marked_copy.py).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

import contracts
from contracts.base import Column, TableContract
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import LISTS_SHEET, NETWORK_FOLDER, NOTES_SHEET
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.workbook_bytes import stable_bytes, writable
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.layouts.explanation import HEADER_SEARCH_ROWS
from dagster_project.lib.member.prefilled import Cell, Registers, cells_of
from dagster_project.lib.receipts.marked_copy import print_wide

AUTHOR = "cradle template"
# The lists begin below the rows in which a header is looked for: their codes can never be taken for one.
FIRST_LIST_ROW = HEADER_SEARCH_ROWS + 10
LAST_LISTED_ROW = 10_000
REQUIRED_FILL, OPTIONAL_FILL = "1F4E79", "5B7F95"
WIDTHS = {"text": 26, "url": 34, "indicator": 34, "group": 28, "dimension": 20}
TEXT_FORMAT = "@"  # else a spreadsheet turns 2024-03 into a date
FORMULA_SIGNS = ("=", "+", "-", "@")

LAST_VALUES = pl.Schema(
    {
        "indicator_id": pl.String(),
        "population_group_id": pl.String(),
        "geography_id": pl.String(),
        "geography_level": pl.String(),
        "geography": pl.String(),
        "school_year": pl.Int32(),
        "series": pl.String(),
        "period": pl.String(),
        "value": pl.Float64(),
        "value_low": pl.Float64(),
        "value_high": pl.Float64(),
        "numerator": pl.Int64(),
        "denominator": pl.Int64(),
        "value_status": pl.String(),
        "reporting_year": pl.Int32(),
        "source_file": pl.String(),
    }
)
KNOWN_BEFORE = """
select
    history.indicator_id, history.population_group_id, history.geography_id, places.geography_level,
    places.name as geography, history.school_year, history.series, history.period, history.value, history.value_low,
    history.value_high, history.numerator, history.denominator, history.value_status,
    history.known_from as reporting_year, history.source_file
from marts.fct_indicator_value_history as history
left join marts.dim_geography as places using (community_id, geography_id)
where
    history.origin = 'submitted'
    and history.community_id = ?
    and ? - 1 between history.known_from and history.known_to
order by all
"""


@dataclass(frozen=True)
class Note:
    """One row to fill: the cells that are given, and what a comment says of the year before."""

    cells: Mapping[str, str]
    before: str


def last_values(release: Connection, community_id: str, reporting_year: int) -> pl.DataFrame:
    """The community's accepted values as known before the reporting year: columns of LAST_VALUES."""
    known = release.execute(KNOWN_BEFORE, [community_id, reporting_year]).pl()
    return known.select(list(LAST_VALUES)).cast(LAST_VALUES)


def template_workbook(
    community_id: str,
    reporting_year: int,
    intake: Intake,
    before: pl.DataFrame | None = None,
    registers: Registers | None = None,
) -> bytes:
    """The bytes of the workbook, the same for the same arguments.

    `before` (LAST_VALUES) fills the sheet indicator_values with rows to complete, `registers`
    (prefilled.last_registers) the other sheets with rows to edit; without them the sheets are empty. The network's own
    folder gets the network's tables. Sheets and columns are those of the contract version that the year takes.
    """
    reference = intake.reference
    version = contracts.version_for(reporting_year)
    tables = {name: intake.contract(version, name) for name in contracts.tables(version)}
    network = community_id == NETWORK_FOLDER
    own = [one for one in tables.values() if one.network == network or (network and one.also_network)]
    own.sort(key=lambda contract: (contract.table != contracts.VALUES_TABLE, contract.table))
    book = Workbook()
    _write_notes(book.active, community_id, reporting_year, reference.network_name, own)
    lists = _Lists(book, _choices(own, reference, community_id))
    for contract in own:
        sheet = book.create_sheet(contract.table)
        _write_header(sheet, contract, lists)
        if contract.table == contracts.VALUES_TABLE and before is not None:
            _write_rows(sheet, contract, list(rows_to_fill(before, reporting_year, reference)))
        elif registers and contract.table in registers:
            for line, cells in enumerate(cells_of(registers[contract.table], contract), 2):
                _write_cells(sheet, contract, line, cells)
    book.move_sheet(LISTS_SHEET, len(own))
    buffer = io.BytesIO()
    book.save(buffer)
    return stable_bytes(buffer.getvalue())


def rows_to_fill(before: pl.DataFrame, reporting_year: int, reference: Reference) -> Iterator[Note]:
    """One row for each value of an indicator's newest school year in the last reporting year that had values.

    The new school year keeps the indicator's usual distance from its reporting year; quarters and months move along.
    Indicator, group, place and series stay as they were; numbers are left blank.
    """
    if not before.height:
        return
    latest = before.filter(pl.col("reporting_year") == pl.col("reporting_year").max())
    newest = latest.filter(pl.col("school_year") == pl.col("school_year").max().over("indicator_id"))
    keys = ["indicator_id", "series", "geography_level", "geography_id", "population_group_id", "period"]
    by_calendar = dict(reference.indicators.select("indicator_id", "calendar_year").iter_rows())
    for row in newest.sort(keys).iter_rows(named=True):
        later = reporting_year - row["reporting_year"]
        by_year = (by_calendar.get(row["indicator_id"]) or "").lower() == "true"
        yield Note(_given(row, later, by_year), f"{year_words(row['school_year'], by_year)}: {value_words(row)}")


def _given(row: Mapping[str, Any], later: int, by_year: bool) -> dict[str, str]:
    dimension, _, group = row["population_group_id"].partition(":")
    own_place = row["geography_level"] == "community"
    cells = {
        "school_year": year_words(row["school_year"] + later, by_year),
        "indicator": row["indicator_id"],
        "dimension": dimension,
        "group": group or "all",
        "series": "" if row["series"] == "default" else row["series"],
        "geography": "" if own_place else _place_words(row),
        "geography_level": "" if own_place else row["geography_level"],
        "period": "" if row["period"] == "annual" else _later_period(row["period"], later),
    }
    return {name: text for name, text in cells.items() if text}


def _place_words(row: Mapping[str, Any]) -> str:
    """The place's name; of a place known from files alone, the part of its id that was its name."""
    if row["geography"] and row["geography"] != row["geography_id"]:
        return str(row["geography"])
    return str(row["geography_id"]).rpartition(":")[2]


def _later_period(period: str, later: int) -> str:
    year, _, part = period.partition("-")
    return f"{int(year) + later}-{part}"


def year_words(school_year: int, by_calendar_year: bool) -> str:
    """2023 as a school year is 2022-23, as a calendar year 2023."""
    return str(school_year) if by_calendar_year else f"{school_year - 1}-{school_year % 100:02d}"


def value_words(row: Mapping[str, Any]) -> str:
    """A value as it was accepted, in words."""
    parts = []
    if row["value"] is not None:
        parts.append(f"value {row['value']:,.1f}")
    elif row["value_low"] is not None or row["value_high"] is not None:
        low, high = row["value_low"], row["value_high"]
        parts.append(f"value from {low if low is not None else 'any'} to {high if high is not None else 'any'}")
    parts += [f"{name} {row[name]:,}" for name in ("numerator", "denominator") if row[name] is not None]
    source = f"from {row['source_file']} of reporting year {row['reporting_year']}"
    return ", ".join([*parts, str(row["value_status"]).replace("_", " "), source])


def _choices(own: Sequence[TableContract], reference: Reference, community_id: str) -> dict[str, list[str]]:
    """Lists by name: kinds that the dictionary knows, and the choices of columns."""
    places = reference.geographies.filter(pl.col("community_id") == community_id)
    lists = {
        "indicator": reference.indicators["indicator_id"].to_list(),
        "outcome": reference.outcomes["outcome_id"].to_list(),
        "dimension": reference.dimensions["dimension"].to_list(),
        "group": reference.groups["group_code"].unique(maintain_order=True).to_list(),
        "boolean": ["yes", "no"],
        "unit": reference.units["unit"].to_list(),
        "geography": places["name"].drop_nulls().unique().sort().to_list(),
    }
    for contract in own:
        for column in contract.columns:
            if column.choices:
                lists[f"{contract.table}.{column.name}"] = list(column.choices)
    return {name: values for name, values in lists.items() if values}


class _Lists:
    """The sheet with the lists behind the drop-down menus."""

    def __init__(self, book: Workbook, lists: Mapping[str, Sequence[str]]) -> None:
        sheet = book.create_sheet(LISTS_SHEET)
        sheet["A1"] = "The lists behind the menus of the other sheets stand below. Nothing on this sheet is read."
        sheet.sheet_state = "hidden"
        self._ranges: dict[str, str] = {}
        for place, (name, values) in enumerate(lists.items(), 1):
            letter = get_column_letter(place)
            for line, value in enumerate(values):
                sheet.cell(FIRST_LIST_ROW + line, place, value)
            self._ranges[name] = (
                f"{LISTS_SHEET}!${letter}${FIRST_LIST_ROW}:${letter}${FIRST_LIST_ROW + len(values) - 1}"
            )

    def of(self, contract: TableContract, column: Column) -> tuple[str, bool] | None:
        """The range of a column's list, and whether nothing else is allowed; None for a free column."""
        if column.choices:
            return self._ranges[f"{contract.table}.{column.name}"], True
        # Local labels, units and places stay welcome where a list is only a help.
        name = column.kept if column.kept in ("unit", "geography") else column.kind
        area = self._ranges.get(name)
        return (area, column.kind == "boolean") if area else None


def _write_notes(
    sheet: Worksheet, community_id: str, reporting_year: int, network: str, own: Sequence[TableContract]
) -> None:
    sheet.title = NOTES_SHEET
    lines = [
        f"{network}: template for {community_id}, reporting year {reporting_year}.",
        "Fill in what you have and upload this workbook into your folder; sheets left empty are fine.",
        "Dark column heads must be filled in each row. Point at a head to read what the column means.",
        "Rows of the sheet indicator_values are prepared from your last accepted values; a comment shows each of them.",
        "Delete prepared rows that you will not report: a row left without numbers says that the value is missing.",
        "The other sheets show your registers as they stand: change what changed, add what is new. A row left as it is "
        "stays as it is.",
        "A local name is welcome wherever a menu offers codes; the network maps it.",
        "Masks such as * or <5 may stand in numerator, denominator and value.",
        "Never put names, birth dates or ids of persons into any sheet: such a file is refused unread.",
        "Check the workbook before you upload it: cradle check FILE.xlsx "
        f"--community {community_id} --year {reporting_year}",
        "The sheets, and what each of their columns is used for:",
        *(line for contract in own for line in _uses(contract)),
    ]
    for line, text in enumerate(lines, 1):
        sheet.cell(line, 1, text).alignment = Alignment(wrap_text=True, vertical="top")
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.row_dimensions[1].height = 22
    print_wide(sheet)
    sheet.column_dimensions["A"].width = 110


def _uses(contract: TableContract) -> Iterator[str]:
    yield f"{contract.table}: {contract.description}"
    yield from (f"    {column.name}: {column.purpose}." for column in contract.columns)


def _write_header(sheet: Worksheet, contract: TableContract, lists: _Lists) -> None:
    for place, column in enumerate(contract.columns, 1):
        cell = sheet.cell(1, place, column.name)
        fill = REQUIRED_FILL if column.required else OPTIONAL_FILL
        cell.fill = PatternFill("solid", fgColor=fill)
        cell.font = Font(bold=True, color="FFFFFF")
        cell.comment = Comment(_meaning(column), AUTHOR, height=140, width=320)
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = WIDTHS.get(column.kind, 16)
        if column.kind in ("school_year", "period"):
            sheet.column_dimensions[letter].number_format = TEXT_FORMAT
        _offer(sheet, letter, column, lists.of(contract, column))
    sheet.freeze_panes = "A2"
    print_wide(sheet)


def _meaning(column: Column) -> str:
    need = "Required." if column.required else "Optional."
    return f"{column.description}.\n{need}\nAllowed: {column.allowed}."


def _offer(sheet: Worksheet, letter: str, column: Column, listed: tuple[str, bool] | None) -> None:
    if listed is None:
        return
    area, strict = listed
    menu = DataValidation(type="list", formula1=f"={area}", allow_blank=True, showErrorMessage=strict)
    menu.errorTitle, menu.error = column.name, f"Allowed: {column.allowed}"[:255]
    menu.add(f"{letter}2:{letter}{LAST_LISTED_ROW}")
    sheet.add_data_validation(menu)


def _write_rows(sheet: Worksheet, contract: TableContract, notes: Sequence[Note]) -> None:
    shown = {column.kept: column.name for column in contract.columns}
    for line, note in enumerate(notes, 2):
        # A column that the year's contract version no longer has is not prepared.
        _write_cells(sheet, contract, line, {shown[name]: text for name, text in note.cells.items() if name in shown})
        if "value" in shown:
            place = contract.names.index(shown["value"]) + 1
            sheet.cell(line, place).comment = Comment(note.before, AUTHOR, height=70, width=280)


def _write_cells(sheet: Worksheet, contract: TableContract, line: int, cells: Mapping[str, Cell]) -> None:
    for name, value in cells.items():
        cell = sheet.cell(line, contract.names.index(name) + 1)
        if not isinstance(value, str):
            cell.value = value
            continue
        # A text may begin with anything; typed, formatted and marked as text it never becomes a formula.
        cell.value = writable(value)
        cell.data_type = "s"
        cell.number_format = TEXT_FORMAT
        cell.quotePrefix = value.startswith(FORMULA_SIGNS)
