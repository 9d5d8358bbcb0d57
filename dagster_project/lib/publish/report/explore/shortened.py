"""The short forms that files of figures are written in: numbers for texts, cells by year.

Belongs here: what both the values of communities and what stands beside them are shortened by.
Does not: know a table or what a cell holds (figures.py, beside.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class Dictionary:
    """Texts by number, in the order in which they were first asked for, so that rows can name them shortly."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._numbers = {text: n for n, text in enumerate(texts)}

    def number(self, text: str) -> int:
        """The number of a text."""
        return self._numbers.setdefault(text, len(self._numbers))

    def texts(self) -> list[str]:
        """Every text by its number."""
        return list(self._numbers)


def in_years(cells: Mapping[int, Any]) -> list[Any]:
    """The first year, then a cell for it and each year after it; 0 where a year has no row."""
    first, last = min(cells), max(cells)
    return [first, [cells.get(year, 0) for year in range(first, last + 1)]]
