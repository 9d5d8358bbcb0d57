"""How a contract is written down.

Belongs here: the types that describe a submitted table (columns, kinds, keys) and the pandera schema made from them.
Does not: any table's own facts (contracts/v1), reading of files, findings' texts (contracts/findings.csv).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import polars as pl

if TYPE_CHECKING:
    import pandera.polars as pa

Kind = Literal[
    "text",
    "choice",
    "date",
    "boolean",
    "number",
    "year",
    "school_year",
    "period",
    "count_cell",
    "rate_cell",
    "share",
    "indicator",
    "dimension",
    "group",
    "outcome",
    "url",
]
"""What a column's text is read as. `*_cell` kinds may hold a mask; code kinds go through the crosswalks."""

POLARS_TYPES: dict[str, pl.DataType] = {
    "date": pl.Date(),
    "boolean": pl.Boolean(),
    "number": pl.Float64(),
    "share": pl.Float64(),
    "rate_cell": pl.Float64(),
    "count_cell": pl.Int64(),
    "year": pl.Int32(),
    "school_year": pl.Int32(),
}

CODE_KINDS: tuple[str, ...] = ("indicator", "dimension", "group", "outcome")


@dataclass(frozen=True)
class Column:
    """One column of a submitted table: its name, kind, what it means, what it is used for, and what may stand in it.

    `blank_word` is a word that says in the cell what a blank one does.
    `kept_as` is the name under which lake and warehouse keep it, where a later version renamed the column; blank: the
    column's own name.
    """

    name: str
    kind: Kind
    description: str
    required: bool = False
    choices: tuple[str, ...] = ()
    choice_words: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    kept_as: str = ""
    purpose: str = ""
    blank_word: str = ""

    @property
    def kept(self) -> str:
        """The name under which the column is kept."""
        return self.kept_as or self.name

    @property
    def polars_type(self) -> pl.DataType:
        """The Polars type the column has once its text was read."""
        return POLARS_TYPES.get(self.kind, pl.String())

    @property
    def allowed(self) -> str:
        """What may stand in the column, in words a member reads in a finding."""
        if self.choices and self.choice_words:
            said = zip(self.choices, self.choice_words, strict=True)
            return "one of: " + ", ".join(f"{choice} ({words})" for choice, words in said)
        if self.choices:
            return "one of: " + ", ".join(self.choices)
        if self.kind == "count_cell":
            return f"{whole_number(self.maximum)}, {ALLOWED_WORDS[self.kind].partition(', ')[2]}"
        return ALLOWED_WORDS[self.kind]


def whole_number(largest: float | None, grouped: bool = True) -> str:
    """What a count may be, in words; None: a ruleset says how large it may be."""
    if largest is None:
        return "a whole number of at least 0"
    return f"a whole number from 0 to {largest:{',' if grouped else ''}.0f}"


ALLOWED_WORDS: dict[str, str] = {
    "text": "text",
    "choice": "one of the listed words",
    "date": "a date as 2024-06-30 or 6/30/2024",
    "boolean": "yes or no",
    "number": "a number such as 1,250.50",
    "year": "a year such as 2024",
    "school_year": "2022-23, 2022-2023, SY2023 or 2023",
    "period": "annual, a quarter such as 2024-Q1, a month such as 2024-03, or a term such as 2024-T1 or Fall 2024",
    "count_cell": "a whole number of at least 0, a mask such as * or <5, or nothing",
    "rate_cell": "a number such as 84.2 or 84.2%, a mask such as * or <5%, or nothing",
    "share": "a percentage from 0 to 100",
    "indicator": "an indicator of the dictionary, or a local label that a crosswalk maps",
    "dimension": "a dimension of the dictionary, or a local label that a crosswalk maps",
    "group": "a group of the dictionary, or a local label that a crosswalk maps",
    "outcome": "an outcome of the dictionary",
    "url": "a web address beginning with https:// or http://",
}


@dataclass(frozen=True)
class RowRule:
    """A rule within one row: true where the row is right. `column` is the cell that a finding points at."""

    rule_id: str
    column: str
    holds: pl.Expr
    allowed: str


def in_order(first_day: str, last_day: str) -> RowRule:
    """The last day of a row is no earlier than its first one."""
    holds = pl.col(first_day) <= pl.col(last_day)
    return RowRule("ends_before_it_begins", last_day, holds, "a last day no earlier than the first")


@dataclass(frozen=True)
class TableContract:
    """A submitted table in one version.

    `key` names the columns that identify a row within a community and reporting year; rows with one key and
    different content reject each other. `memory` says how a register is known over years: a `state` is replaced
    as a whole by the newest year that has it, a `log` grows and the newest year wins for one key. `open_until` names
    the date column with which a row of a log ends. Key, row rules and `open_until` speak of the names columns are kept
    by, so that a renamed column changes nothing else.
    `network` tables lie in the network's own folder; `also_network` ones
    there as well as in communities' folders. `prefill` says whether a template shows the rows as they stand.
    """

    table: str
    version: int
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    memory: Literal["state", "log", "values"]
    network: bool = False
    also_network: bool = False
    row_rules: tuple[RowRule, ...] = field(default=())
    open_until: str | None = None
    prefill: bool = True

    def as_kept(self) -> TableContract:
        """The contract with every column under the name it is kept by: what checks and the warehouse work on."""
        columns = tuple(replace(column, name=column.kept, kept_as="") for column in self.columns)
        return replace(self, columns=columns)

    def with_largest_count(self, largest: int) -> TableContract:
        """The contract under a ruleset that says how large a count may be."""
        columns = tuple(
            replace(column, maximum=largest) if column.kind == "count_cell" else column for column in self.columns
        )
        return replace(self, columns=columns)

    @property
    def renamed(self) -> dict[str, str]:
        """Columns whose name in a file is not the one they are kept by: kept name to the file's."""
        return {column.kept: column.name for column in self.columns if column.kept != column.name}

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must stand in the header."""
        return tuple(column.name for column in self.columns if column.required)

    @property
    def optional(self) -> tuple[str, ...]:
        """Names of the columns that may be left out."""
        return tuple(column.name for column in self.columns if not column.required)

    @property
    def names(self) -> tuple[str, ...]:
        """All column names in their order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.table} has no column {name}")

    def pandera_schema(self) -> pa.DataFrameSchema:
        """The schema of the table's typed frame; each check's name is the rule id of the finding it makes.

        A row rule is checked on a column of its own (`with_row_rules`): a frame-wide check would copy every failing
        row into its report, which costs seconds where all rows of a large file fail.
        """
        import pandera.polars as pa  # imported late: only what checks files needs it

        columns = {column.name: _pandera_column(column) for column in self.columns}
        for rule in self.row_rules:
            check = pa.Check.eq(True, name=rule.rule_id, error=rule.rule_id)
            columns[rule_column(rule)] = pa.Column(pl.Boolean(), checks=[check], nullable=True, required=True)
        return pa.DataFrameSchema(columns, strict=False, coerce=False, name=f"{self.table}_v{self.version}")

    def with_row_rules(self, typed: pl.DataFrame) -> pl.DataFrame:
        """The typed frame with one Boolean column for each row rule (null where a cell it needs is empty)."""
        return typed.with_columns(rule.holds.alias(rule_column(rule)) for rule in self.row_rules)


def rule_column(rule: RowRule) -> str:
    """Name of the Boolean column that carries a row rule through pandera."""
    return f"holds__{rule.rule_id}"


def _pandera_column(column: Column) -> pa.Column:
    import pandera.polars as pa

    checks: list[pa.Check] = []
    if column.choices:
        checks.append(pa.Check.isin(list(column.choices), name="not_allowed", error="not_allowed"))
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum, name="out_of_range", error="out_of_range"))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum, name="out_of_range", error="out_of_range"))
    return pa.Column(column.polars_type, checks=checks, nullable=True, required=True)
