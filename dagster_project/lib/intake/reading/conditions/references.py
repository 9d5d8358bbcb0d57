"""References to cells and areas of a sheet as workbooks write them.

Belongs here: B2, $B$2 and B2:C7 as rows and columns counted from 0.
Does not: references to other sheets, what stands in a cell (worksheet.py).
"""

from __future__ import annotations

import re

REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})", re.ASCII)

Place = tuple[int, int]
"""Row and column of a cell, both counted from 0."""
Area = tuple[int, int, int, int]
"""Top row, left column, bottom row and right column of some cells, counted from 0, all within the area."""


def column_number(letters: str) -> int:
    """The column counted from 0 of its letters: A is 0, AA is 26."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def reference(row: int, column: int, moves_down: bool, moves_right: bool) -> str:
    """A cell as a formula names it, with $ before what does not move."""
    letters, rest = "", column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{'' if moves_right else '$'}{letters}{'' if moves_down else '$'}{row + 1}"


def area(reference: str) -> Area | None:
    """An area from its reference (B2:C7 or B2); None if it is none."""
    ends = [REFERENCE.fullmatch(end) for end in reference.split(":")]
    if not 1 <= len(ends) <= 2 or None in ends:
        return None
    places = [(int(end[2]) - 1, column_number(end[1])) for end in ends if end]
    (top, left), (bottom, right) = places[0], places[-1]
    return (top, left, bottom, right) if 0 <= top <= bottom and left <= right else None


def areas(references: str) -> list[Area]:
    """All areas of a list of references."""
    return [found for reference in references.split() if (found := area(reference))]
