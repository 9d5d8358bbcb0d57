"""Simple formulas of a workbook, asked about one cell: comparisons, arithmetic, AND, OR, NOT.

Belongs here: reading a formula once, and its value for a cell, as spreadsheet programs compare numbers, texts, blanks.
Does not: rules that ask them (rules.py), formulas of cells, whose values are stored beside them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator

from dagster_project.lib.intake.reading.conditions.references import column_number
from dagster_project.lib.intake.reading.number_formats import number_text

TOKEN = re.compile(
    r'\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|"(?P<text>(?:[^"]|"")*)"'
    r"|(?P<cell>(?P<fixed>\$?)(?P<letters>[A-Za-z]{1,3})(?P<still>\$?)(?P<row>[1-9]\d{0,6}))(?![\w.(!:])"
    r"|(?P<word>[A-Za-z]\w*)|(?P<sign><=|>=|<>|[-+*/^&%=<>(),]))",
    re.ASCII,
)
COMPARE: dict[str, Callable[[object, object], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,  # type: ignore[dict-item]
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
}
DEEPEST = 40
LONGEST = 2_000

Value = float | str | bool | None
"""What a cell or a part of a formula says; None is a blank cell."""
Lookup = Callable[[int, int], Value]
"""The value of the cell that lies so many rows and columns from A1; UnknownError if it cannot be told."""
Asked = Callable[[Lookup, int, int], Value]
"""A part of a formula, asked for its value with how far the cell lies from the one that the formula is written for."""


class UnknownError(Exception):
    """It cannot be told what the formula says: it asks something that is not understood here."""


class NoValueError(Exception):
    """The formula gives an error value, so that a condition does not hold."""


def compiled(formula: str) -> tuple[Asked, bool]:
    """A formula ready to be asked; true if it looks at cells that lie relative to the one it is asked for.

    UnknownError for whatever is not a simple formula on cells of the same sheet.
    """
    parser = _Parser(formula)
    asked = parser.comparison(0)
    if parser.token is not None:
        raise UnknownError(formula)
    return asked, parser.relative


def compare(left: Value, sign: str, right: Value) -> bool:
    """Whether two values compare so: numbers come before texts, these before true and false; a blank is as its peer."""
    if left is None or right is None:
        filler: Value = "" if isinstance(left, str) or isinstance(right, str) else 0.0
        if isinstance(left, bool) or isinstance(right, bool):
            filler = False
        left, right = (filler if left is None else left), (filler if right is None else right)
    return COMPARE[sign](_rank(left), _rank(right))


def truth(value: Value) -> bool:
    """Whether a condition with that value holds."""
    if isinstance(value, str):
        raise NoValueError
    return bool(value)


def _rank(value: Value) -> tuple[int, float | str | bool]:
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, str):
        return 1, value.casefold()
    return 0, float(value or 0.0)


def _number(value: Value) -> float:
    try:
        return float(value or 0.0)
    except ValueError:
        raise NoValueError from None


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value if isinstance(value, str) else "" if value is None else number_text(value)


def _arithmetic(sign: str, left: Value, right: Value) -> Value:
    if sign == "&":
        return _text(left) + _text(right)
    first, second = _number(left), _number(right)
    try:
        if sign in "+-":
            return first + second if sign == "+" else first - second
        if sign in "*/":
            return first * second if sign == "*" else first / second
        power = first**second
    except (ZeroDivisionError, OverflowError):
        raise NoValueError from None
    if isinstance(power, complex):
        raise NoValueError
    return float(power)


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "AND": lambda *given: all((*map(truth, given),)),
    "OR": lambda *given: any((*map(truth, given),)),
    "NOT": lambda value: not truth(value),
    "TRUE": lambda: True,
    "FALSE": lambda: False,
    "ISNUMBER": lambda value: isinstance(value, float),
    "ISTEXT": lambda value: isinstance(value, str),
    "ISBLANK": lambda value: value is None,
    "ABS": lambda value: abs(_number(value)),
    "LEN": lambda value: float(len(_text(value))),
}
LEVELS = ("&", "+-", "*/", "^")
"""Signs of arithmetic, those that bind less first."""


class _Parser:
    """One formula, read from left to right."""

    def __init__(self, formula: str) -> None:
        self.formula = formula
        self.tokens = self._tokens(formula.strip().removeprefix("="))
        self.token: re.Match[str] | None = None
        self.relative = False
        self.next()

    def _tokens(self, text: str) -> Iterator[re.Match[str]]:
        at, text = 0, text.rstrip()
        if len(text) > LONGEST:
            raise UnknownError(self.formula)
        while at < len(text):
            token = TOKEN.match(text, at)
            if token is None:
                raise UnknownError(self.formula)
            yield token
            at = token.end()

    def next(self) -> None:
        self.token = next(self.tokens, None)

    def takes(self, *signs: str) -> str | None:
        """The sign that comes next, if it is one of these; it is passed over."""
        sign = self.token["sign"] if self.token else None
        if sign not in signs or sign is None:
            return None
        self.next()
        return sign

    def comparison(self, depth: int) -> Asked:
        if depth > DEEPEST:
            raise UnknownError(self.formula)
        left = self.level(0, depth)
        while sign := self.takes(*COMPARE):
            left = _comparing(left, sign, self.level(0, depth))
        return left

    def level(self, binding: int, depth: int) -> Asked:
        if binding == len(LEVELS):
            return self.signed(depth)
        left = self.level(binding + 1, depth)
        while sign := self.takes(*LEVELS[binding]):
            left = _reckoning(left, sign, self.level(binding + 1, depth))
        return left

    def signed(self, depth: int) -> Asked:
        minus = False
        while sign := self.takes("+", "-"):
            minus ^= sign == "-"
        asked = self.atom(depth)
        while self.takes("%"):
            asked = _reckoning(asked, "/", lambda *_: 100.0)
        return _reckoning(lambda *_: 0.0, "-", asked) if minus else asked

    def atom(self, depth: int) -> Asked:
        token = self.token
        if self.takes("("):
            inner = self.comparison(depth + 1)
            if not self.takes(")"):
                raise UnknownError(self.formula)
            return inner
        self.next()
        if token is None or token["sign"]:
            raise UnknownError(self.formula)
        if token["cell"]:
            return self.cell(token)
        if token["word"]:
            return self.function(token["word"].upper(), depth)
        said: Value = token["text"].replace('""', '"') if token["text"] is not None else float(token["number"])
        return lambda *_: said

    def cell(self, token: re.Match[str]) -> Asked:
        row, column = int(token["row"]) - 1, column_number(token["letters"])
        moves_down, moves_right = not token["still"], not token["fixed"]
        self.relative |= moves_down or moves_right

        def value(lookup: Lookup, down: int, right: int) -> Value:
            return lookup(row + down * moves_down, column + right * moves_right)

        return value

    def function(self, name: str, depth: int) -> Asked:
        if name in ("TRUE", "FALSE") and not self.takes("("):
            return lambda *_: name == "TRUE"
        if name not in FUNCTIONS or (name not in ("TRUE", "FALSE") and not self.takes("(")):
            raise UnknownError(self.formula)
        given: list[Asked] = []
        while not self.takes(")"):
            if given and not self.takes(","):
                raise UnknownError(self.formula)
            given.append(self.comparison(depth + 1))
        called = FUNCTIONS[name]

        def value(lookup: Lookup, down: int, right: int) -> Value:
            try:
                return called(*(asked(lookup, down, right) for asked in given))
            except TypeError as wrong:
                raise UnknownError(name) from wrong

        return value


def _comparing(left: Asked, sign: str, right: Asked) -> Asked:
    return lambda *where: compare(left(*where), sign, right(*where))


def _reckoning(left: Asked, sign: str, right: Asked) -> Asked:
    return lambda *where: _arithmetic(sign, left(*where), right(*where))
