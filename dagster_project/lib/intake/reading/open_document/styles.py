"""The styles of cells and of runs of text of an OpenDocument spreadsheet, those of the whole document and its own.

Belongs here: which number format a cell style has, by itself or by those it follows; rules that a cell style carries.
Does not: data styles themselves (data_styles.py), the cells (sheets.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from dagster_project.lib.intake.reading.number_formats import HIDDEN_NUMBERS, NumberFormat, built_in_format
from dagster_project.lib.intake.reading.open_document.data_styles import KINDS, DataStyle, format_of, is_white
from dagster_project.lib.intake.reading.package import Attributes, local

NO_SIZE = re.compile(r"0*(?:\.0*)?(?:[a-z]{2})?")
RAISED = re.compile(r"\s*(?:super|sub|-?0*[1-9]\d*%)")
MOST_FOLLOWED = 20


@dataclass
class Style:
    """One style: what it sets, and which it follows in all else. `maps` are conditions with the style they apply."""

    family: str
    parent: str = ""
    data_style: str = ""
    color: str | None = None
    background: str | None = None
    apart: bool = False
    struck: bool | None = None
    unseen: bool = False
    maps: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Scope:
    """The styles of one part of the package."""

    styles: dict[tuple[str, str], Style] = field(default_factory=dict)
    data: dict[str, DataStyle] = field(default_factory=dict)


class Styles:
    """All styles. Fed by the elements of the part of styles, then, after `own`, by those of the content."""

    def __init__(self) -> None:
        self.common, self._own = Scope(), Scope()
        self._scope = self.common
        self._style: Style | None = None
        self._data: DataStyle | None = None
        self.text: list[str] = []
        self._formats: dict[str, NumberFormat] = {}

    def own(self) -> None:
        """What follows are the content's own styles."""
        self._scope = self._own

    def start(self, tag: str, attributes: Attributes) -> None:
        """An element begins."""
        word = local(tag)
        given = {local(key): said for key, said in zip(attributes[::2], attributes[1::2], strict=True)}
        self.text.clear()
        if word in ("style", "default-style") and "family" in given:
            self._style = Style(given["family"], given.get("parent-style-name", ""), given.get("data-style-name", ""))
            for name in {given.get("name", ""), given.get("display-name", given.get("name", ""))}:
                self._scope.styles[given["family"], name] = self._style
        elif word in KINDS:
            self._data = self._scope.data[given.get("name", "")] = DataStyle(word)
        elif self._data is not None:
            self._data.start(word, given)
        elif self._style is not None:
            self._set(self._style, word, given)

    def _set(self, style: Style, word: str, given: dict[str, str]) -> None:
        """What a style sets."""
        if word == "text-properties":
            style.color = given.get("color", style.color)
            raised = RAISED.match(given.get("text-position", ""))
            line = given.get("text-line-through-style")
            style.struck = style.struck if line is None else line != "none"
            style.apart |= bool(raised) or bool(style.struck)
        elif word == "table-cell-properties":
            style.background = given.get("background-color", style.background)
        elif word == "table-properties":
            style.unseen = given.get("display") == "false"
        elif word in ("table-row-properties", "table-column-properties"):
            size = given.get("row-height", given.get("column-width"))
            style.unseen = size is not None and bool(NO_SIZE.fullmatch(size))
        elif word == "map":
            names = ("condition", "apply-style-name", "base-cell-address")
            condition, applied, base = (given.get(name, "") for name in names)
            style.maps.append((condition, applied, base))

    def end(self, tag: str) -> None:
        """An element ends."""
        word = local(tag)
        if word in ("style", "default-style"):
            self._style = None
        elif word in KINDS:
            self._data = None
        elif self._data is not None:
            self._data.end(word, "".join(self.text))
            self.text.clear()

    def find(self, family: str, name: str) -> Style | None:
        """A style by its name, the content's own first."""
        return self._own.styles.get((family, name)) or self.common.styles.get((family, name))

    def unseen(self, family: str, name: str) -> bool:
        """Whether a style makes a table, row or column disappear."""
        style = self.find(family, name)
        return style is not None and style.unseen

    def apart(self, name: str) -> bool:
        """Whether a run of text is raised, lowered or struck out."""
        return any(style.apart for style, _ in self._followed("text", name))

    def shape(self, name: str) -> NumberFormat:
        """The number format of a cell style; a white font without a fill shows no number."""
        known = self._formats.get(name)
        if known is None:
            lines = (style.struck for style, _ in self._followed("table-cell", name) if style.struck is not None)
            known = self._formats[name] = replace(self._shape(name) or built_in_format(0), struck=next(lines, False))
        return known

    def set_by(self, name: str) -> NumberFormat | None:
        """The number format that a style sets where a rule applies it; None if it leaves the cell's own."""
        return self._shape(name)

    def _shape(self, name: str) -> NumberFormat | None:
        followed = list(self._followed("table-cell", name))
        color = next((style.color for style, _ in followed if style.color is not None), "")
        filled = next((style.background for style, _ in followed if style.background is not None), "transparent")
        if is_white(color) and (filled == "transparent" or is_white(filled)):
            return HIDDEN_NUMBERS
        for style, scope in followed:
            if style.data_style:
                data = self._data_style(style.data_style, scope)
                return None if data is None else format_of(data, partial(self._data_style, scope=scope))
        return None

    def _data_style(self, name: str, scope: Scope) -> DataStyle | None:
        return scope.data.get(name) or self.common.data.get(name)

    def _followed(self, family: str, name: str) -> Iterator[tuple[Style, Scope]]:
        """A style and those that it follows, each with the scope that it stands in."""
        scopes = (self._own, self.common)
        for _ in range(MOST_FOLLOWED):
            scope = next((scope for scope in scopes if (family, name) in scope.styles), None)
            if scope is None:
                break
            style = scope.styles[family, name]
            yield style, scope
            if not style.parent:
                break
            # What is followed stands among the styles of the whole document.
            name, scopes = style.parent, (self.common, self._own)
        default = self.common.styles.get((family, ""))
        if default is not None:
            yield default, self.common
