"""Tables of any form as rows of one form: how rows of many tables travel together to the engine that groups them.

Belongs here: the one form, which part a key falls into, packing batches of a table, unpacking the tables of a part.
Does not: any engine (nothing here imports one), or what is computed of a part.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

PACKED = pa.schema(
    [
        pa.field("part", pa.int32()),
        pa.field("name", pa.string()),
        pa.field("place", pa.int64()),
        pa.field("rows", pa.binary()),
    ]
)
"""Rows of one table in one part, as an Arrow stream; `place` gives them their order within the table."""
ROWS_AT_ONCE = 2_000
"""So many rows of the widest tables are half a megabyte packed; whoever moves packed rows holds many at a time."""
PLACE = "place_in_file"
"""The column of a table that is packed which tells where a row stood; it is not packed."""

Tables = Mapping[str, pl.DataFrame]


def part_of(key: str, parts: int) -> int:
    """The part that a key falls into, 0 to parts - 1: the same on every machine."""
    return zlib.crc32(key.encode()) % parts


@dataclass(frozen=True)
class Packing:
    """Batches of the table `name` as rows of PACKED, by the part that each row's `key` falls into."""

    name: str
    key: str
    parts: int

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """One row a part and batch. ValueError where a key is null: the row would be in no part."""
        for batch in batches:
            if batch.num_rows:
                yield from self._packed(pl.DataFrame(pa.Table.from_batches([batch])))

    def _packed(self, rows: pl.DataFrame) -> Iterator[pa.RecordBatch]:
        keys = rows[self.key].unique()
        if keys.null_count():
            raise ValueError(f"{self.name} has rows without {self.key}")
        numbers = {key: part_of(key, self.parts) for key in keys}
        part = rows[self.key].replace_strict(numbers, return_dtype=pl.Int32)
        for number in part.unique().sort():
            own = rows.filter(part == number)
            yield from batches_of(number, self.name, own.drop(PLACE), int(own[PLACE][0]))


@dataclass(frozen=True)
class OfPart:
    """A function over the tables of one part as a function over its packed rows.

    schemas: what each table holds, so that a table without a row in a part is empty and not missing.
    """

    schemas: Mapping[str, pa.Schema]
    function: Callable[[Tables], Tables]

    def __call__(self, packed: pa.Table) -> pa.Table:
        """The packed rows of what the function gives, in the same part."""
        part = packed["part"][0].as_py()
        given = self.function(unpacked(packed.to_batches(), self.schemas))
        batches = [batch for name, rows in given.items() for batch in batches_of(part, name, rows, 0)]
        return pa.Table.from_batches(batches, PACKED)


def batches_of(part: int, name: str, rows: pl.DataFrame, first: int) -> Iterator[pa.RecordBatch]:
    """The rows of one table as batches of PACKED of one row each; a table without rows is one as well."""
    for start in range(0, max(rows.height, 1), ROWS_AT_ONCE):
        sink = pa.BufferOutputStream()
        table = rows[start : start + ROWS_AT_ONCE].to_arrow(compat_level=pl.CompatLevel.oldest())
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        row = [[part], [name], [first + start], [sink.getvalue().to_pybytes()]]
        yield pa.RecordBatch.from_arrays(
            [pa.array(value, field.type) for value, field in zip(row, PACKED, strict=True)], schema=PACKED
        )


def unpacked(
    packed: Iterable[pa.RecordBatch], schemas: Mapping[str, pa.Schema] | None = None
) -> dict[str, pl.DataFrame]:
    """The tables of packed rows, their rows by place and then by part.

    schemas: the tables that are asked for, each brought into its form and empty where it has no row; None: all, as they
    were packed.
    """
    found = defaultdict(list)
    for batch in packed:
        for row in batch.to_pylist():
            found[row["name"]].append((row["place"], row["part"], row["rows"]))
    if schemas is None:
        return {name: _table(sorted(pieces), None) for name, pieces in sorted(found.items())}
    return {name: _table(sorted(found.get(name, [])), schema) for name, schema in schemas.items()}


def _table(pieces: list[tuple[int, int, bytes]], schema: pa.Schema | None) -> pl.DataFrame:
    tables = [pa.ipc.open_stream(rows).read_all() for _, _, rows in pieces]
    if schema is not None:
        tables = [schema.empty_table(), *(table.select(schema.names).cast(schema) for table in tables)]
    # A column without a value may have been packed without a type.
    return pl.DataFrame(pa.concat_tables(tables, promote_options="permissive"))
