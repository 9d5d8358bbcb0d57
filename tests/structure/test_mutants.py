"""The planter of faults plants: every place of the rooms of rules is another program that still can be read.

Belongs here: places, what is planted, which tests reach it. Does not: whether tests find them (`make mutation`).
"""

from __future__ import annotations

import ast

import pytest

from tests.mutants.__main__ import ROOT
from tests.mutants.planting import MODULE, Planter, mutants, planted
from tests.mutants.reach import ROOMS, order_of_trial, reached

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


def test_a_fault_belongs_to_the_innermost_function_that_it_lies_in() -> None:
    source = "N = 1\n@f\n@g\ndef h(a):\n    def k(b):\n        return b + 2\n    return a - 1\nclass C:\n    n = 1\n"
    planter = Planter(None)
    planter.visit(ast.parse(source))
    assert [(what, function) for _, what, function in planter.places] == [
        ("1 to 2", MODULE),
        ("Add to Sub", 5),
        ("2 to 3", 5),
        ("Sub to Add", 2),
        ("1 to 2", 2),
        ("1 to 2", MODULE),
    ]


def test_a_test_file_is_known_by_what_it_calls() -> None:
    near, far = "tests/unit/disclosure/test_derived.py", "tests/unit/base/test_ruleset.py"
    reaches = {name: reached(ROOT, name) for name in (far, near)}
    places = [one for one in mutants(ROOT, "dagster_project/lib/disclosure") if one.file.endswith("/derived.py")]
    assert any(order_of_trial(one, reaches) == [near] for one in places)
    assert not any(far in order_of_trial(one, reaches) for one in places)
    assert all(reach.seconds > 0 for reach in reaches.values())
