"""The planter of faults plants: every place of the rooms of rules is another program that still can be read.

Belongs here: places and what is planted. Does not: whether tests find them (`make mutation`).
"""

from __future__ import annotations

import ast

import pytest

from tests.mutants import ROOMS, ROOT, mutants, planted

SOURCE = "def f(a, b=1):\n    if a < b and not a:\n        return max(a, 2)\n    return a + b\n"
PLANTED = (
    "if not (a < b and (not a)):", "if a < b or not a:", "if a <= b and (not a):", "if a < b and a:",
    "return min(a, 2)", "return max(a, 3)", "return a - b",
)  # fmt: skip


def test_each_place_of_a_module_gets_one_fault() -> None:
    whole = ast.unparse(ast.parse(SOURCE)).splitlines()
    for place, line in enumerate(PLANTED):
        changed = [
            new.strip() for new, old in zip(planted(SOURCE, place).splitlines(), whole, strict=True) if new != old
        ]
        assert changed == [line]
    assert planted(SOURCE, len(PLANTED)).splitlines() == whole


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_of_rules_has_places_and_tests(room: str) -> None:
    found = list(mutants(ROOT, room))
    assert len(found) > 100
    assert all((ROOT / place).exists() for place in ROOMS[room])
    one = found[len(found) // 2]
    source = (ROOT / one.file).read_text(encoding="utf-8")
    assert ast.parse(planted(source, one.place)) and planted(source, one.place) != ast.unparse(ast.parse(source))
