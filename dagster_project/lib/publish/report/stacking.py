"""Tables that stand as a list of rows on a phone: each cell knows its column's heading, a long list can be unfolded.

Belongs here: telling the style of a finished page's tables their headings, which hold numbers alone, which are long.
Does not: lay anything out (templates/_style.html), change what a cell says.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from markupsafe import escape

from dagster_project.lib.publish.report.languages.catalogue import _

COLUMNS = 26
"""A table of more columns stays as it is and scrolls: the style has no place for further headings."""
LONG = 10
"""Of a table of more rows a phone shows the first six until the reader asks for all; other screens and paper all."""
NUMBERS, BESIDE_NUMBERS = 3, 2
"""So many columns of numbers, with at most so many others, stand side by side under the name of their row."""

_TABLE = re.compile(r"<table\b.*?</table>(?P<framed>\s*</div>)?", re.DOTALL)
_HEAD = re.compile(
    r'<table(?: class="(?P<css>[^"]*)")?>\s*<caption>(?P<caption>.*?)</caption>\s*'
    r"<thead><tr>(?P<heads>.*?)</tr></thead>",
    re.DOTALL,
)
_CELL = re.compile(r"<th\b(?P<stated>[^>]*)>(?P<said>.*?)</th>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_ROW = re.compile(r"<tr\b")
# A grid of marks is read by its rows and columns together; years of values have a layout of their own; a list that
# readers filter is looked through and never cut.
_GRID, _VALUES, _LISTED = "matrix", "values", "listed"


def stacked(page: str) -> str:
    """The page with the headings of each table's columns as custom properties of the table, `--h2` the second one's.

    On the table once and not in every cell: the values of a network are a million cells. Behind a long table stands a
    box that a phone alone shows; without it, or in a browser that cannot look back at it, all rows are seen.
    """
    return _TABLE.sub(_stacked, page)


def _stacked(found: re.Match[str]) -> str:
    table, head = found[0], _HEAD.match(found[0])
    if head is None:
        return table
    css, cells = (head["css"] or "").split(), [*_CELL.finditer(head["heads"])]
    if _GRID in css or len(cells) > COLUMNS:
        return table
    stated = ";".join(
        f"--h{n}:{_quoted(said)}" for n, cell in enumerate(cells, 1) if n > 1 and (said := _plain(cell["said"]))
    )
    shown = [*css, *(["tally"] if _is_of_numbers(css, cells) else []), "stack"]
    opened = f'<table class="{" ".join(shown)}" style="{escape(stated)}">'
    is_long = found["framed"] is not None and len(_ROW.findall(table)) - 1 > LONG
    box = _box(_plain(head["caption"])) if is_long and _LISTED not in css else ""
    return f"{opened}{table[table.index('>') + 1 :]}{box}"


def _is_of_numbers(css: Sequence[str], cells: Sequence[re.Match[str]]) -> bool:
    """Whether numbers alone stand beside the name of a row and at most one more cell, such as a bar."""
    numbers = sum('class="num"' in cell["stated"] for cell in cells)
    return _VALUES not in css and numbers >= NUMBERS and len(cells) - numbers <= BESIDE_NUMBERS


def _box(caption: str) -> str:
    """What asks a phone for all rows of the table with this caption."""
    asked = _("Show all rows")
    named = escape(f"{asked}: {caption}")
    return f'<label class="more"><input type="checkbox" aria-label="{named}"> {escape(asked)}</label>'


def _plain(markup: str) -> str:
    """What a cell says, without its tags."""
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())


def _quoted(text: str) -> str:
    """A text as a string of CSS; signs that could end or alter it stand as codes."""
    return '"' + re.sub(r'[\\"<>\n]', lambda sign: f"\\{ord(sign[0]):x} ", text) + '"'
