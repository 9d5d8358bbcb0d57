"""Rules of conditional formatting as OpenDocument spells them, in cell styles and in the list behind a sheet's cells.

Belongs here: conditions (ODF 1.3 part 3, 19.475), their formulas and areas, as rules that are asked about cells.
Does not: whether a rule holds (conditions/rules.py), which style sets what (styles.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from dagster_project.lib.intake.reading.conditions.references import Area, Place, area
from dagster_project.lib.intake.reading.conditions.rules import ALWAYS, SIGNS, WITH_TEXT, Rule
from dagster_project.lib.intake.reading.number_formats import HIDDEN_NUMBERS, NumberFormat

COMPARED = re.compile(r"(?:cell-content\(\))?\s*(<=|>=|!=|<>|<|>|=)\s*(.+)", re.DOTALL)
CALLED = re.compile(r"(?:cell-content-)?([a-z-]+)\((.*)\)", re.DOTALL)
OPERATORS = {sign: name for name, sign in SIGNS.items()} | {"!=": "notEqual"}
BETWEEN = {"between": "between", "is-between": "between", "not-between": "notBetween", "is-not-between": "notBetween"}
FORMULAS = frozenset({"formula-is", "is-true-formula"})
TEXTS = {
    "begins-with": "beginsWith",
    "ends-with": "endsWith",
    "contains-text": "containsText",
    "not-contains-text": "notContainsText",
}
PLAIN = {"is-error": "containsErrors", "is-no-error": "notContainsErrors"}
OWN_CELL = re.compile(r"\[\.(\$?[A-Za-z]{1,3}\$?\d{1,7})\]", re.ASCII)
PIECES = re.compile(r'"(?:[^"]|"")*"|[^"]+')
MOST_LISTS = 200
"""Beyond so many lists of rules in a sheet it is not looked at which of them overlap."""


def rule_of(condition: str, base: str, shape: NumberFormat | None) -> Rule:
    """One rule without its areas. A condition that is not understood gives a rule of which it cannot be told."""
    said = re.sub(r"^\w+:(?=\S)", "", condition.strip())
    start = _place(base)
    compared, called = COMPARED.fullmatch(said), CALLED.fullmatch(said)
    rule = Rule(said, shape=shape, base=start)
    if compared:
        rule.kind, rule.operator, rule.formulas = "cellIs", OPERATORS[compared[1]], [_formula(compared[2])]
    elif called and called[1] in FORMULAS:
        rule.kind, rule.formulas = "expression", [_formula(called[2])]
    elif called and called[1] in BETWEEN and called[2].count(",") == 1:
        rule.kind, rule.operator = "cellIs", BETWEEN[called[1]]
        rule.formulas = [_formula(end) for end in called[2].split(",")]
    elif called and called[1] in TEXTS and TEXTS[called[1]] in WITH_TEXT:
        rule.kind, rule.text = TEXTS[called[1]], called[2].strip().strip('"')
    elif said.removesuffix("()") in PLAIN:
        rule.kind = PLAIN[said.removesuffix("()")]
    return rule


def in_place_of_numbers() -> Rule:
    """Bars or icons that stand where the numbers were."""
    return Rule(ALWAYS, shape=HIDDEN_NUMBERS)


def areas_of(addresses: str) -> list[Area]:
    """The areas of a list of addresses of one sheet: `Sheet1.B2:Sheet1.C7 Sheet1.E2`, names quoted if they must be."""
    without_sheets = re.sub(r"\$?'(?:[^']|'')*'\.|[^\s:'.]*\.", "", addresses)
    return [found for part in without_sheets.split() if (found := area(part))]


def settled(lists: Sequence[Sequence[Rule]]) -> list[Rule]:
    """The rules of all lists in their order. The first rule of a list that holds stops the rest of the list.

    Where lists overlap, one does not stop the other: there no rule stops any.
    """
    alone = len(lists) <= MOST_LISTS
    rules: list[Rule] = []
    for place, own in enumerate(lists):
        others = [area for other in (*lists[:place], *lists[place + 1 :]) for rule in other for area in rule.areas]
        stops = alone and not any(_meet(mine, area) for rule in own for mine in rule.areas for area in others)
        for rule in own:
            rule.priority, rule.stops = len(rules) + 1, stops
            rules.append(rule)
    return [rule for rule in rules if rule.areas]


def runs(places: Iterable[Place]) -> list[Area]:
    """Cells as areas of one column each, given row by row."""
    ends: dict[int, list[int]] = {}
    found: list[Area] = []
    for row, column in places:
        run = ends.get(column)
        if run is not None and run[1] + 1 == row:
            run[1] = row
            continue
        if run is not None:
            found.append((run[0], column, run[1], column))
        ends[column] = [row, row]
    return found + [(top, column, bottom, column) for column, (top, bottom) in ends.items()]


def _meet(one: Area, other: Area) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _place(address: str) -> Place | None:
    found = areas_of(address)
    return found[0][:2] if found else None


def _formula(text: str) -> str:
    """A formula with cells of its own sheet and separators as other workbooks write them."""
    pieces = PIECES.findall(text.strip())
    return "".join(piece if piece.startswith('"') else OWN_CELL.sub(r"\1", piece).replace(";", ",") for piece in pieces)
