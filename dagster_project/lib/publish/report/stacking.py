"""Tables that stand as a list of rows on a phone: each cell knows the heading of its column.

Belongs here: putting the headings of a finished page's tables where the style shows them beside each cell.
Does not: lay anything out (templates/_style.html), change what a cell says.
"""

from __future__ import annotations

import html
import re

from markupsafe import escape

COLUMNS = 26
"""A table of more columns stays as it is and scrolls: the style has no place for further headings."""

_HEAD = re.compile(
    r'<table(?: class="(?P<css>[^"]*)")?>\s*<caption>(?P<caption>.*?)</caption>\s*'
    r"<thead><tr>(?P<heads>.*?)</tr></thead>",
    re.DOTALL,
)
_CELL = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
# A grid of marks is read by its rows and columns together.
_GRID = "matrix"


def stacked(page: str) -> str:
    """The page with the headings of each table's columns as custom properties of the table, `--h2` the second one's.

    On the table once and not in every cell: the values of a network are a million cells.
    """
    return _HEAD.sub(_with_headings, page)


def _with_headings(found: re.Match[str]) -> str:
    css = (found["css"] or "").split()
    heads = [" ".join(html.unescape(_TAG.sub(" ", cell)).split()) for cell in _CELL.findall(found["heads"])]
    if _GRID in css or len(heads) > COLUMNS:
        return found[0]
    stated = ";".join(f"--h{n}:{_quoted(head)}" for n, head in enumerate(heads, 1) if n > 1 and head)
    opened = f'<table class="{" ".join([*css, "stack"])}" style="{escape(stated)}">'
    return f"{opened}{found[0][found[0].index('>') + 1 :]}"


def _quoted(text: str) -> str:
    """A text as a string of CSS; signs that could end or alter it stand as codes."""
    return '"' + re.sub(r'[\\"<>\n]', lambda sign: f"\\{ord(sign[0]):x} ", text) + '"'
