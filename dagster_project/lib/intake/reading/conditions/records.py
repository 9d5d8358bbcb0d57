"""The rules of conditional formatting in the records of an Excel 97-2003 sheet.

Belongs here: the records CONDFMT and CF ([MS-XLS] 2.4.56 and 2.4.42): areas, comparisons, formulas, what they set.
Does not: whether a rule holds for a cell (rules.py), cells and styles, which xlrd reads (old_workbook.py).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence

from dagster_project.lib.intake.reading.conditions.references import Area, reference
from dagster_project.lib.intake.reading.conditions.rules import Rule
from dagster_project.lib.intake.reading.number_formats import (
    HIDDEN_NUMBERS,
    NumberFormat,
    built_in_format,
    number_format,
)

BEGINS, ENDS, CONDITIONS, CONDITION, PASSED_OVER = 0x0809, 0x000A, 0x01B0, 0x01B1, 0xFFF0
OPERATORS = ["", "between", "notBetween", "equal", "notEqual", "greaterThan", "lessThan"]
OPERATORS += ["greaterThanOrEqual", "lessThanOrEqual"]
SETS_FORMAT, SETS_FONT, SETS_PATTERN, FORMAT_IS_SPELLED = 1 << 25, 1 << 26, 1 << 29, 1
FLAGS_END = 12
FONT_BYTES, COLOR_AT = 118, 80
WHITE = frozenset({1, 9})
BINARY = {3: "+", 4: "-", 5: "*", 6: "/", 7: "^", 8: "&", 9: "<", 10: "<=", 11: "=", 12: ">=", 13: ">", 14: "<>"}
FUNCTIONS = {24: "ABS", 32: "LEN", 36: "AND", 37: "OR", 38: "NOT", 127: "ISTEXT", 128: "ISNUMBER", 129: "ISBLANK"}
NOT_UNDERSTOOD = "a formula of an older workbook"


def rules_of(stream: bytes, begins: int, formats: Callable[[int], NumberFormat] = built_in_format) -> list[Rule]:
    """The rules of the sheet whose first record lies at a place of the stream; `formats` are those of the workbook."""
    rules: list[Rule] = []
    areas: list[Area] = []
    for at, kind, length in _records(stream, begins):
        data = bytes(stream[at : at + length])
        if kind == CONDITIONS:
            areas = _areas(data)
        elif kind == CONDITION and areas:
            rules.append(_rule(data, areas, len(rules), formats))
    return rules


def without_rules(stream: bytes, sheets: Sequence[int]) -> bytes:
    """The stream with its rules under a number that nothing knows: xlrd fails at what rules set beyond colors."""
    changed = bytearray(stream)
    for begins in sheets:
        for at, kind, _ in _records(stream, begins):
            if kind == CONDITION:
                struct.pack_into("<H", changed, at - 4, PASSED_OVER)
    return bytes(changed)


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Where the records of one sheet lie, of which kind and how long, without those of charts inside it."""
    depth = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        depth += (kind == BEGINS) - (kind == ENDS)
        if depth == 1:
            yield at + 4, kind, length
        at += 4 + length
        if depth <= 0:
            return


def _areas(data: bytes) -> list[Area]:
    (n,) = struct.unpack_from("<H", data, 12)
    found = []
    for place in range(n):
        top, bottom, left, right = struct.unpack_from("<4H", data, 14 + 8 * place)
        found.append((top, left, bottom, right))
    return found


def _rule(data: bytes, areas: list[Area], number: int, formats: Callable[[int], NumberFormat]) -> Rule:
    """One rule; in such a workbook the first one that holds is the only one."""
    kind, operator, first, second, flags = struct.unpack_from("<BBHHI", data)
    rule = Rule("expression" if kind == 2 else "cellIs", priority=number, stops=True, areas=areas)
    rule.operator = OPERATORS[operator] if operator < len(OPERATORS) else ""
    rule.shape = _shape(data, flags, formats)
    ends = len(data)
    for length, upto in ((first, ends - second), (second, ends)):
        if length:
            rule.formulas.append(_formula(data[upto - length : upto], areas[0]))
    return rule


def _shape(data: bytes, flags: int, formats: Callable[[int], NumberFormat]) -> NumberFormat | None:
    """The number format that a rule sets; a white font without a pattern shows no number."""
    at, shape = FLAGS_END, None
    if flags & SETS_FORMAT:
        (more,) = struct.unpack_from("<H", data, 10)
        if more & FORMAT_IS_SPELLED:
            (size,) = struct.unpack_from("<H", data, at)
            shape = number_format(_text(data, at + 2))
            at += size
        else:
            shape = formats(data[at + 1])
            at += 2
    if flags & SETS_FONT:
        (color,) = struct.unpack_from("<i", data, at + COLOR_AT)
        if shape is None and color in WHITE and not flags & SETS_PATTERN:
            shape = HIDDEN_NUMBERS
    return shape


def _text(data: bytes, at: int) -> str:
    length, wide = struct.unpack_from("<HB", data, at)
    return data[at + 3 : at + 3 + length * (1 + (wide & 1))].decode("utf-16-le" if wide & 1 else "latin-1")


def _formula(tokens: bytes, first: Area) -> str:
    """A formula in words, from its tokens in the order in which they are reckoned; for the first cell of an area."""
    stack: list[str] = []
    at = 0
    try:
        while at < len(tokens):
            at = _token(tokens, at, stack, first)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError):
        return NOT_UNDERSTOOD
    return stack[0] if len(stack) == 1 else NOT_UNDERSTOOD


def _token(tokens: bytes, at: int, stack: list[str], first: Area) -> int:
    """Read one token; gives where the next begins. KeyError for one that is not understood."""
    kind = tokens[at]
    if kind in BINARY:
        right, left = stack.pop(), stack.pop()
        stack.append(f"({left}{BINARY[kind]}{right})")
        return at + 1
    if kind in (0x13, 0x15):  # a minus sign before, and parentheses
        stack.append(f"(-{stack.pop()})" if kind == 0x13 else stack.pop())
        return at + 1
    if kind == 0x17:
        length, wide = tokens[at + 1], tokens[at + 2] & 1
        end = at + 3 + length * (1 + wide)
        text = tokens[at + 3 : end].decode("utf-16-le" if wide else "latin-1")
        stack.append('"' + text.replace('"', '""') + '"')
        return end
    if kind == 0x19 and not tokens[at + 1] & 0x04:  # spaces and the like
        return at + 4
    if kind == 0x1D:
        stack.append("TRUE" if tokens[at + 1] else "FALSE")
        return at + 2
    if kind in (0x1E, 0x1F):
        (number,) = struct.unpack_from("<H" if kind == 0x1E else "<d", tokens, at + 1)
        stack.append(f"{number:.17g}")
        return at + (3 if kind == 0x1E else 9)
    return _class_token(tokens, at, stack, first)


def _class_token(tokens: bytes, at: int, stack: list[str], first: Area) -> int:
    """A token that comes in three classes: a function or a reference to a cell."""
    base = tokens[at] & 0x1F | 0x20
    if base in (0x21, 0x22):
        given = 1 if base == 0x21 else tokens[at + 1] & 0x7F
        (number,) = struct.unpack_from("<H", tokens, at + base - 0x20)
        if len(stack) < given:
            raise IndexError(given)
        arguments = stack[len(stack) - given :]
        del stack[len(stack) - given :]
        stack.append(f"{FUNCTIONS[number & 0x7FFF]}({','.join(arguments)})")
        return at + (3 if base == 0x21 else 4)
    if base not in (0x24, 0x2C):
        raise KeyError(base)
    row, column = struct.unpack_from("<HH", tokens, at + 1)
    down, right, column = bool(column & 0x8000), bool(column & 0x4000), column & 0xFF
    if base == 0x2C:  # relative ones are distances, which begin anew at the sheet's end
        row = (row + first[0]) % 65_536 if down else row
        column = (column + first[1]) % 256 if right else column
    stack.append(reference(row, column, down, right))
    return at + 5
