"""The rules of conditional formatting as a sheet of Open XML declares them, its extensions among them.

Belongs here: areas, kinds, formulas and formats of rules, told element by element.
Does not: whether a rule holds for a cell (rules.py), styles of the whole workbook (package.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster_project.lib.intake.reading.conditions.references import Area, areas
from dagster_project.lib.intake.reading.conditions.rules import ALWAYS, Rule
from dagster_project.lib.intake.reading.number_formats import HIDDEN_NUMBERS, NumberFormat, number_format
from dagster_project.lib.intake.reading.package import YES, Attributes, is_white

PARTS = frozenset({"font", "fill", "border", "alignment", "protection", "dataBar", "colorScale", "iconSet"})
"""What a rule may set, each with colors of its own."""


class Conditions:
    """The rules of conditional formatting of a sheet. Fed by the elements below `conditionalFormatting`."""

    def __init__(self, styles: Sequence[NumberFormat | None]) -> None:
        self.rules: list[Rule] = []
        self.text: list[str] = []
        self._styles = styles
        self._areas: list[Area] = []
        self._begun = 0
        self._part = ""

    def start(self, word: str, attributes: Attributes) -> None:
        """An element begins."""
        given = dict(zip(attributes[::2], attributes[1::2], strict=True))
        if word == "conditionalFormatting":
            self._areas, self._begun = areas(given.get("sqref", "")), len(self.rules)
        elif word == "cfRule":
            self._rule(given)
        elif word in ("formula", "f", "sqref"):
            self.text.clear()
        elif len(self.rules) > self._begun:
            self._look(self.rules[-1], word, given)

    def _rule(self, given: dict[str, str]) -> None:
        style = given.get("dxfId", "")
        rule = Rule(given.get("type", ""), int(given.get("priority", "0")), given.get("operator", ""))
        rule.text, rule.stops = given.get("text", ""), given.get("stopIfTrue") in YES
        rule.shape = self._styles[int(style)] if style.isdigit() and int(style) < len(self._styles) else None
        self.rules.append(rule)

    def _look(self, rule: Rule, word: str, given: dict[str, str]) -> None:
        """What a rule sets: a number format of its own, a white font, or a bar or icon in place of the number."""
        if word in PARTS:
            self._part = word
        if word in ("dataBar", "iconSet") and given.get("showValue", "1") not in YES:
            rule.kind, rule.shape = ALWAYS, HIDDEN_NUMBERS
        elif word == "numFmt":
            rule.shape = number_format(given.get("formatCode", ""))
        elif word == "color" and self._part == "font" and rule.shape is None and is_white(given):
            rule.shape = HIDDEN_NUMBERS
        elif word == "fill" and rule.shape is HIDDEN_NUMBERS and rule.kind != ALWAYS:
            rule.shape = None

    def end(self, word: str) -> None:
        """An element ends."""
        text = "".join(self.text)
        if word in ("formula", "f") and len(self.rules) > self._begun:
            self.rules[-1].formulas.append(text)
        elif word == "sqref":
            self._areas = areas(text)
        elif word == "conditionalFormatting":
            for rule in self.rules[self._begun :]:
                rule.areas = self._areas
            self.rules[self._begun :] = [rule for rule in self.rules[self._begun :] if rule.areas]
