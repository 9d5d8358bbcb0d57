"""Tables that are packed and taken apart come back as they were, whole and in their order.

Belongs here: dagster_project/lib/base/packed.py.
Does not: an engine that carries the rows (tests/long/test_spark_run.py).
"""

from __future__ import annotations

import datetime as dt

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.base.packed import PACKED, PLACE, ROWS_AT_ONCE, OfPart, Packing, batches_of, part_of, unpacked

ROW = st.tuples(
    st.text(max_size=4),
    st.none() | st.integers(-(2**40), 2**40),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.lists(st.text(max_size=3), max_size=3),
    st.none() | st.dates(dt.date(1900, 1, 1)),
)
SCHEMA = {"key": pl.String, "n": pl.Int64, "x": pl.Float64, "words": pl.List(pl.String), "day": pl.Date}


def packed_of(table: pl.DataFrame, name: str, parts: int, rows_a_batch: int) -> list[pa.RecordBatch]:
    """The packed rows of a table that an engine hands over in batches."""
    placed = table.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(PLACE))
    batches = placed.to_arrow(compat_level=pl.CompatLevel.oldest()).to_batches(max_chunksize=rows_a_batch)
    return list(Packing(name, "key", parts)(batches))


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(ROW, max_size=12), parts=st.integers(1, 5), rows_a_batch=st.integers(1, 5))
def test_every_part_gets_its_own_rows_in_their_order(
    rows: list[tuple[object, ...]], parts: int, rows_a_batch: int
) -> None:
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    packed = packed_of(table, "table", parts, rows_a_batch)
    schemas = {"table": table.to_arrow().schema}
    for part in range(parts):
        mine = [batch for batch in reversed(packed) if batch["part"][0].as_py() == part]
        expected = table.filter([part_of(key, parts) == part for key in table["key"]])
        assert unpacked(mine, schemas)["table"].equals(expected)


def test_a_function_of_a_part_sees_every_table_and_its_own_rows_alone() -> None:
    one = pl.DataFrame({"key": ["a", "b", "a"], "n": [1, 2, 3]})
    other = pl.DataFrame({"key": ["b"], "x": [0.5]})
    seen = []

    def doubled(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        seen.append({name: rows.height for name, rows in tables.items()})
        return {"twice": tables["one"].with_columns(pl.col("n") * 2), "nothing": tables["other"].clear()}

    of_part = OfPart({"one": one.to_arrow().schema, "other": other.to_arrow().schema}, doubled)
    parts = next(number for number in range(2, 100) if part_of("a", number) != part_of("b", number))
    packed = [*packed_of(one, "one", parts, 2), *packed_of(other, "other", parts, 2)]
    given_back = []
    for part in {batch["part"][0].as_py() for batch in packed}:
        mine = pa.Table.from_batches([batch for batch in packed if batch["part"][0].as_py() == part], PACKED)
        given_back += of_part(mine).to_batches()
    assert sorted(seen, key=str) == [{"one": 1, "other": 1}, {"one": 2, "other": 0}]
    found = unpacked(given_back)
    assert sorted(found["twice"].rows()) == [("a", 2), ("a", 6), ("b", 4)]
    assert found["nothing"].schema == {"key": pl.String, "x": pl.Float64} and found["nothing"].is_empty()


def test_a_large_table_travels_in_pieces() -> None:
    table = pl.DataFrame({"n": range(2 * ROWS_AT_ONCE + 1)})
    pieces = list(batches_of(3, "large", table, 0))
    assert [piece.num_rows for piece in pieces] == [1, 1, 1]
    assert unpacked(reversed(pieces))["large"].equals(table)


def test_a_row_that_belongs_to_no_part_is_refused() -> None:
    with pytest.raises(ValueError, match="orders has rows without key"):
        packed_of(pl.DataFrame({"key": ["a", None]}), "orders", 2, 5)
