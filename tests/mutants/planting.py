"""Faults that can be planted into a module, one at a time, and the statement that each lies in.

Belongs here: places of a room, what is planted at one. Does not: which tests are run (reach.py, __main__.py).
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.seen.sitecustomize import MODULE

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div,
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "any_horizontal": "all_horizontal"}

UNTOLD = ("strict", "maintain_order")
"""Arguments of which no test can tell what they do: zip's of lengths that are equal, and polars' of an order that may
be any where it is not asked for, the same one among them."""


@dataclass(frozen=True)
class Mutant:
    """One fault: the room, the file, the number of the place within the file, its line and that of its statement."""

    room: str
    file: str
    place: int
    line: int
    what: str
    statement: int


def _changes(node: ast.AST) -> str | None:
    """What planting a fault at a node would do; None where none is planted."""
    match node:
        case ast.Compare(ops=[op]) | ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in SWAPPED:
            if isinstance(op, ast.BitOr) and _is_type(node):
                return None
            return f"{type(op).__name__} to {SWAPPED[type(op)].__name__}"
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            return "a negation left out"
        case ast.Constant(value=bool() as value):
            return f"{value} to {not value}"
        case ast.Constant(value=int() | float() as value):
            return f"{value} to {value + 1}"
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in NAMES:
            return f"{name} to {NAMES[name]}"
        case ast.If() | ast.IfExp():
            return "a condition turned round"
    return None


def _is_type(node: ast.AST) -> bool:
    """Whether `a | b` is one of types: of names, None and subscripts alone."""
    of_types = ast.Name | ast.Constant | ast.Subscript | ast.Attribute | ast.Tuple | ast.BinOp | ast.BitOr | ast.Load
    return all(isinstance(part, of_types) for part in ast.walk(node))


def _plant(node: ast.AST) -> ast.AST:
    match node:
        case ast.Compare(ops=[op]):
            node.ops = [SWAPPED[type(op)]()]  # type: ignore[list-item]
        case ast.BoolOp(op=op) | ast.BinOp(op=op):
            node.op = SWAPPED[type(op)]()  # type: ignore[assignment]
        case ast.UnaryOp():
            return node.operand
        case ast.Constant(value=bool() as value):
            node.value = not value
        case ast.Constant(value=int() | float() as value):
            node.value = value + 1
        case ast.Call(func=ast.Name() as called):
            called.id = NAMES[called.id]
        case ast.Call(func=ast.Attribute() as called):
            called.attr = NAMES[called.attr]
        case ast.If() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)
    return node


class Planter(ast.NodeTransformer):
    """Counts places, and plants the fault at one of them. Annotations, decorators, texts and errors are passed over."""

    def __init__(self, place: int | None) -> None:
        self.place = place
        self.places: list[tuple[int, str, int]] = []
        self.statements = [MODULE]
        self.inside = False

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.AnnAssign):
            node.value = self.visit(node.value) if node.value else None  # type: ignore[assignment]
            return node
        if isinstance(node, ast.arguments | ast.Assert | ast.Import | ast.ImportFrom | ast.Raise | ast.JoinedStr):
            return node
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            outside, self.inside = self.inside, isinstance(node, ast.FunctionDef)
            node.body = [self.visit(part) for part in node.body]  # type: ignore[misc]
            self.inside = outside
            return node
        if isinstance(node, ast.keyword) and node.arg in UNTOLD:
            return node
        if self.inside and isinstance(node, ast.stmt):
            self.statements.append(node.lineno)
            node = self._planted(node)
            self.statements.pop()
            return node
        return self._planted(node)

    def _planted(self, node: ast.AST) -> ast.AST:
        what = _changes(node)
        mine = what is not None and len(self.places) == self.place
        if what is not None:
            self.places.append((node.lineno, what, self.statements[-1]))  # type: ignore[attr-defined]
        self.generic_visit(node)
        return _plant(node) if mine else node


def mutants(root: Path, room: str) -> Iterator[Mutant]:
    """Every fault that can be planted in a room."""
    for path in sorted((root / room).rglob("*.py")):
        planter = Planter(None)
        planter.visit(ast.parse(path.read_text(encoding="utf-8")))
        for place, (line, what, statement) in enumerate(planter.places):
            yield Mutant(room, str(path.relative_to(root)), place, line, what, statement)


def planted(source: str, place: int) -> str:
    """The module with the fault at that place."""
    return ast.unparse(ast.fix_missing_locations(Planter(place).visit(copy.deepcopy(ast.parse(source)))))
