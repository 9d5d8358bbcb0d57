"""What the declaration of a computed table is made of: columns, their words and ids, and the table as a whole.

Belongs here: Column and TableSpec, empty tables, bringing a frame into a table's form.
Does not: declare a table (figures, rubric), or write what is made from declarations (docs/dbt_files.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

TEXT, NUMBER, FLAG, DATE = pl.String(), pl.Float64(), pl.Boolean(), pl.Date()
WHOLE, BIG = pl.Int32(), pl.Int64()
TEXTS = pl.List(pl.String())


@dataclass(frozen=True)
class Column:
    """One column of a computed table, stated once.

    words: the domain of seeds/dictionary/statuses.csv that holds the only words it may hold, `without` some of them.
    refers_to: the dimension that its values are found in, `table` or `table.column` where the names differ.
    promised: other programs and the report rely on it, so it is neither renamed nor dropped.
    """

    name: str
    kind: pl.DataType
    description: str
    words: str | None = None
    without: tuple[str, ...] = ()
    refers_to: str | None = None
    promised: bool = False

    def as_promised(self) -> Column:
        """The same column, promised."""
        return replace(self, promised=True)


def promised(
    name: str,
    kind: pl.DataType,
    description: str,
    words: str | None = None,
    without: tuple[str, ...] = (),
    refers_to: str | None = None,
) -> Column:
    """A column that other programs rely on."""
    return Column(name, kind, description, words, without, refers_to, promised=True)


@dataclass(frozen=True)
class TableSpec:
    """Columns in their fixed order, and the key, by which the rows are sorted and which is never null.

    current_names: the table of the latest reporting year only (`rpt_..._current`) adds these names; None: there is no
    such table. Which dimension a name comes from stands in dbt/macros/computed.sql.

    stored_as: the name of its short form (`spans`), where most rows are those of the reporting year before; the
    analysis then keeps that form, and the mart is expanded from it. None: it is kept as it stands.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    current_names: tuple[str, ...] | None = None
    stored_as: str | None = None

    @cached_property
    def schema(self) -> Mapping[str, pl.DataType]:
        """Types by column, in order."""
        return {column.name: column.kind for column in self.columns}

    @property
    def promised(self) -> tuple[str, ...]:
        """Names of the columns that other programs rely on."""
        return tuple(column.name for column in self.columns if column.promised)

    def empty(self) -> pl.DataFrame:
        """The table without rows."""
        return pl.DataFrame(schema=dict(self.schema))

    def conform(self, frame: pl.DataFrame, *, is_sorted: bool = False) -> pl.DataFrame:
        """The frame's columns in order and type, rows by key; a missing column raises ValueError."""
        absent = [column for column in self.schema if column not in frame.columns]
        if absent:
            raise ValueError(f"{self.name} lacks the columns {absent}")
        shaped = frame.select(pl.col(column).cast(kind) for column, kind in self.schema.items())
        return shaped if is_sorted else shaped.sort(self.key)


def with_shared_codes(frames: Sequence[pl.DataFrame], columns: Sequence[str]) -> list[pl.DataFrame]:
    """The frames with their text columns of these names as codes of one shared, sorted list.

    Joins and groupings on codes cost a fraction of those on texts. `TableSpec.conform` turns them back into texts.
    """
    kinds = {}
    for column in columns:
        values = pl.concat([frame[column].unique() for frame in frames if column in frame.columns])
        kinds[column] = pl.Enum(values.drop_nulls().unique().sort())
    return [frame.with_columns(pl.col(c).cast(kinds[c]) for c in columns if c in frame.columns) for frame in frames]
