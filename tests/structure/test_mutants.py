"""The planter of faults plants: every place of the rooms of rules is another program that still can be read.

Belongs here: places, what is planted, which tests reach it. Does not: whether tests find them (`make mutation`).
"""

from __future__ import annotations

import ast
from pathlib import Path

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


def test_a_fault_belongs_to_the_innermost_statement_of_a_function_that_it_lies_in() -> None:
    source = """N = 1
@f(1)
@g
def h(a):
    def k(b):
        return b + 2
    if (a > 1 and
        a - 1):
        a = [
            each + 1 for each in a]
class C:
    n = 1
"""
    planter = Planter(None)
    planter.visit(ast.parse(source))
    assert [(what, statement) for _, what, statement in planter.places] == [
        ("1 to 2", MODULE),
        ("Add to Sub", 6),
        ("2 to 3", 6),
        ("a condition turned round", 7),
        ("And to Or", 7),
        ("Gt to GtE", 7),
        ("1 to 2", 7),
        ("Sub to Add", 7),
        ("1 to 2", 7),
        ("Add to Sub", 9),
        ("1 to 2", 9),
        ("1 to 2", MODULE),
    ]


def test_a_test_is_known_by_what_it_comes_to() -> None:
    near, far = "tests/unit/disclosure/test_derived.py", "tests/unit/base/test_ruleset.py"
    reaches = {name: reached(ROOT, name) for name in (far, near)}
    places = [one for one in mutants(ROOT, "dagster_project/lib/disclosure") if one.file.endswith("/derived.py")]
    orders = [order_of_trial(one, reaches) for one in places]
    assert any(0 < len(order) < len(reaches[near].seconds) for order in orders), "some tests come to it, not all"
    assert {name.partition("::")[0] for order in orders for name in order} == {near}
    assert all(reach.seconds and min(reach.seconds.values()) > 0 for reach in reaches.values())


def test_tests_that_share_a_fixture_or_a_kept_answer_all_come_to_what_it_needs(tmp_path: Path) -> None:
    room = tmp_path / next(iter(ROOMS))
    room.mkdir(parents=True)
    (room / "rule.py").write_text("def rule(a):\n    if a:\n        return 1\n    return 2\n", encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "mutants").symlink_to(ROOT / "tests" / "mutants")
    (tmp_path / "tests" / "support.py").symlink_to(ROOT / "tests" / "support.py")
    test_file = tmp_path / "tests" / "test_rule.py"
    test_file.write_text(SHARING, encoding="utf-8")
    found = {
        statement: {name.partition("::")[2] for name in tests}
        for (_, statement), tests in reached(tmp_path, "tests/test_rule.py").tests.items()
    }
    assert found == {
        MODULE: {"test_one", "test_other", "test_kept", "test_kept_too", "test_none"},
        2: {"test_one", "test_other", "test_kept", "test_kept_too"},
        3: {"test_one", "test_other"},
        4: {"test_kept", "test_kept_too"},
    }


SHARING = """import importlib.util
from functools import cache
from pathlib import Path

import pytest

path = Path(__file__).parents[1] / "dagster_project" / "lib" / "analysis" / "rule.py"
spec = importlib.util.spec_from_file_location("rule", path)
rule = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rule)


@pytest.fixture(scope="session")
def shared():
    return rule.rule(True)


@cache
def kept():
    return rule.rule(False)


def test_one(shared):
    assert shared == 1


def test_other(shared):
    assert shared == 1


def test_kept():
    assert kept() == 2


def test_kept_too():
    assert kept() == 2


def test_none():
    assert rule
"""
