"""Tells which statements a process reaches; Python imports it at the start where its folder is on the path.

Belongs here: a line for what a test first reaches, in a file of this process. Does not: what the lines are for.
"""

import ast
import builtins
import os
from importlib.machinery import SourceFileLoader
from pathlib import Path

STATEMENTS = "SEEN_STATEMENTS"
BY = "SEEN_BY"
"""Names the test, or the fixture of several, that runs; processes that it starts are told by it."""
MODULE = 0
"""Stands for what runs when a module is imported, where the line of a statement would stand."""


class _Teller(ast.NodeTransformer):
    """Puts a call that tells it before each statement of a function: a watch on every line would cost far more."""

    def __init__(self, path):
        self.path = path
        self.inside = False

    def visit(self, node):
        inside = self.inside
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self.inside = isinstance(node, ast.FunctionDef)
        self.generic_visit(node)
        self.inside = inside
        if not inside or not isinstance(node, ast.stmt) or _is_text(node):
            return node
        return [*ast.parse(f"__seen__({self.path!r}, {node.lineno})").body, node]


def _is_text(node):
    """Whether it says what a function is for, which only its first statement does."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _watch(folder, *rooms):
    known = set()
    by = os.environ.get(BY, "")
    told = os.open(Path(folder) / f"{os.getpid()}.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def seen(path, line):
        if (path, line) not in known:
            known.add((path, line))
            # At once and whole: a process that is killed or forked off has told what it did.
            os.write(told, f"{by}\t{path}\t{line}\n".encode())

    def seen_by(name):
        nonlocal by
        by = os.environ[BY] = name
        known.clear()

    def code_of(self, name):
        path = self.get_filename(name)
        if not path.startswith(rooms):
            return as_it_is(self, name)
        seen(path, MODULE)
        return compile(ast.fix_missing_locations(_Teller(path).visit(ast.parse(self.get_data(path)))), path, "exec")

    as_it_is = SourceFileLoader.get_code
    SourceFileLoader.get_code = code_of
    builtins.__seen__ = seen
    builtins.__seen_by__ = seen_by


if os.environ.get(STATEMENTS):
    _watch(*os.environ[STATEMENTS].split(os.pathsep))
