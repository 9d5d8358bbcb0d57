"""Independent pieces of work on a cluster: what processes of this machine would share, its workers do.

Belongs here: pieces as rows of a table and back, so that they go the way that tables of the analysis go (`in_parts`).
Does not: what is done with a piece (disclosure), whether it is worth processes of this machine (base/workers.py).
"""

from __future__ import annotations

import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from dagster_project.lib.app.spark.cluster import Cluster
from dagster_project.lib.base.packed import Tables
from dagster_project.lib.base.store import make_private
from dagster_project.lib.base.workers import Asked, Each, Given
from dagster_project.lib.warehouse.spark import Keyed, gathered, in_parts, parts_for

PIECES_A_PART = 20
"""At most so many: a part is held in the memory of one worker's process."""
PIECES, NUMBER, BYTES = "pieces", "number", "bytes"


@dataclass(frozen=True)
class OnCluster:
    """A `workers.Spread` over a cluster: the same function over the same pieces, wherever the engine places them.

    Pieces and results travel as between processes of one machine, pickled, and lie for so long on the home's scratch,
    which is its owner's alone. A piece whose worker dies is done again.
    """

    cluster: Cluster

    @contextmanager
    def __call__(self, pieces: int, /) -> Iterator[Each]:
        """A function over pieces, all of which are done when the first result is asked for."""
        make_private(self.cluster.work)
        folder = Path(tempfile.mkdtemp(prefix="pieces-", dir=self.cluster.work))

        def each(function: Callable[[Asked], Given], items: Iterable[Asked], /) -> Iterable[Given]:
            asked = list(items)
            return self._done(function, asked, folder) if asked else []

        try:
            yield each
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _done(self, function: Callable[[Asked], Given], asked: Sequence[Asked], folder: Path) -> list[Given]:
        session = self.cluster.session()
        # A row group a piece: a reader of many rows at once never holds more than one of them.
        pq.write_table(as_rows(asked).to_arrow(), folder / "asked.parquet", row_group_size=1)
        rows = Keyed(session.read.parquet(str(folder / "asked.parquet")), NUMBER)
        parts = parts_for(session, len(asked), PIECES_A_PART)
        in_parts({PIECES: rows}, parts, OfPieces(function), folder / "given")
        return of_rows(gathered(folder / "given", [PIECES])[PIECES])


@dataclass(frozen=True)
class OfPieces:
    """A function of one piece as a function of a table of them."""

    function: Callable[[Any], Any]

    def __call__(self, tables: Tables) -> dict[str, pl.DataFrame]:
        """What the function gives for each row, under its number."""
        given = [pickle.dumps(self.function(pickle.loads(piece))) for piece in tables[PIECES][BYTES]]
        return {PIECES: tables[PIECES].select(NUMBER, pl.Series(BYTES, given, dtype=pl.Binary))}


def as_rows(pieces: Sequence[object]) -> pl.DataFrame:
    """Pieces as rows, each with its number as text."""
    numbered = [(str(number), pickle.dumps(piece)) for number, piece in enumerate(pieces)]
    return pl.DataFrame(numbered, schema={NUMBER: pl.String, BYTES: pl.Binary}, orient="row")


def of_rows(rows: pl.DataFrame) -> list[Any]:
    """The pieces of rows in any order, by their numbers."""
    return [pickle.loads(piece) for piece in rows.sort(pl.col(NUMBER).cast(pl.Int64))[BYTES]]
