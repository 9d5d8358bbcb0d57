"""Signs of a text that nobody sees or that two spellings share: one form for all readers.

Belongs here: composed letters (NFC), invisible signs taken off and told, doubt about the encoding a text was read with.
Does not: decoding itself (delimited.py), white space around cells (rows), display of signs (base/shown.py).
"""

from __future__ import annotations

import re
from collections import defaultdict
from unicodedata import is_normalized, normalize

from dagster_project.lib.base.shown import sign_name
from dagster_project.lib.intake.reading.grid import Grid, Problem, problem

# Joiners between letters of scripts that need them are spelling and stay.
INVISIBLE = re.compile(
    r"[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
    r"|(?:^|(?<=[ -~]))[\u200c\u200d]+|[\u200c\u200d]+(?=[ -~]|$)"
)
ODD_LETTERS = "\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6"
ODD_MARKS = "\u20ac\u201a\u201e\u2026\u2020\u2021\u2030\u2039\u2018\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u203a"
# What cp1252 makes of the letters of another encoding: its rare letters in a word, its marks between two letters, an
# apostrophe in the middle of a name, and the pairs that begin with the first byte of a letter in UTF-8.
UNLIKELY = re.compile(
    rf"[A-Za-z][{ODD_LETTERS}]|[{ODD_LETTERS}][a-z]|[A-Za-z][{ODD_MARKS}][a-z]|[a-z]{{2}}\u2019[a-z]{{3}}"
    r"|[\u00c2\u00c3][^\sA-Za-z\x00-\x7f]"
    # Letters of DOS code pages: signs of money and of Spanish questions behind a letter, fractions before one.
    r"|[A-Za-z][\u00a1-\u00a9\u00ac\u00af\u00b5-\u00b8\u00bf\u201a\u201e]|[\u00bc-\u00be][a-z]"
    # Words of other scripts: no western word begins with three accented letters.
    r"|(?<![A-Za-z\u00c0-\u00ff])[\u00c0-\u00ff]{3}"
)
BROKEN = re.compile(r"\ufffd|[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac|&(?:[A-Za-z]{2,8}|#\d{2,5});")
"""What is left in a text in UTF-8 where an earlier program read or saved it with the wrong signs."""
WORDS = {True: re.compile(r"[^\s,;|\"]+"), False: re.compile(r"[^\s,|\"]+")}
SHOWN_WORDS = 3


def settled(grids: list[Grid]) -> tuple[list[Grid], list[Problem]]:
    """The grids, changed in place: composed and without invisible signs; each kind taken off is told with its rows."""
    problems: list[Problem] = []
    done = []
    for grid in grids:
        hit = [at for at, row in enumerate(grid.rows) if not "".join(row).isascii()]
        if hit:
            problems += _settle(grid, hit)
        done.append(grid)
    return done, problems


def _settle(grid: Grid, rows: list[int]) -> list[Problem]:
    """Change the rows named in place."""
    taken: dict[str, list[int]] = defaultdict(list)
    for at in rows:
        cells = grid.rows[at]
        for place, cell in enumerate(cells):
            if cell.isascii():
                continue
            signs = INVISIBLE.findall(cell)
            if signs:
                taken[", ".join(sorted({sign_name(sign[0]) for sign in signs}))].append(at + 1)
                cell = INVISIBLE.sub("", cell)
            cells[place] = cell if is_normalized("NFC", cell) else normalize("NFC", cell)
    return [
        problem("invisible_signs", sheet=grid.sheet, rows=sorted(set(places)), found=names)
        for names, places in sorted(taken.items(), key=lambda item: item[1])
    ]


def doubtful_words(text: str, guessed: bool) -> str:
    """Words of a text that hold unlikely signs, for a question; empty where there are none.

    `guessed`: the text was read as cp1252 since it is no UTF-8; else only signs that were broken before count.
    """
    unlikely = UNLIKELY if guessed else BROKEN
    if not unlikely.search(text):
        return ""
    found = dict.fromkeys(word for word in WORDS[guessed].findall(text) if unlikely.search(word))
    shown = list(found)[:SHOWN_WORDS]
    return ", ".join(shown) + (" and others" if len(found) > SHOWN_WORDS else "")
