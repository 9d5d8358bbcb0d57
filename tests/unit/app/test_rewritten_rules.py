"""A version of a ruleset that was changed after a release named it: seen wherever somebody looks.

Belongs here: which lines count as changed, which releases are compared, the words of doctor and of the check.
Does not: a ruleset's types (tests/unit/base), choosing another one (test_rulesets.py).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.app.doctor import examine
from dagster_project.lib.app.kept import SCHEMAS, KeptInputs, keep, kept_inputs
from dagster_project.lib.app.stands.house import WhatStands
from dagster_project.lib.base.ruleset import kept_ruleset_rows, rewritten
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.findings import FINDINGS
from dagster_project.lib.intake.tables import FILES
from dagster_project.lib.monitoring.verdicts import rules_verdict
from dagster_project.settings import Settings, from_environment
from tests.conftest import ROOT

KEY = ("toa-default", "1.1.0")
FINAL, CURRENT = "2023-06-30-aaaaaaaa", "2024-06-30-bbbbbbbb"
LINE = "toa-default,1.1.0,trend.min_points,3,"


@dataclass(frozen=True)
class House:
    """A home with its own seeds and releases of which nothing is there but what they were made with."""

    settings: Settings
    rules: Path

    def released(self, release_id: str, state: str = "") -> None:
        landed = {"files": pl.DataFrame(schema=FILES), "findings": pl.DataFrame(schema=FINDINGS)}
        none = pl.DataFrame(schema=SCHEMAS["bucket_findings"])
        inputs: KeptInputs = kept_inputs(self.settings.seeds, landed, none)
        keep(Store(self.settings.lake_url), release_id, inputs)
        published = Store(self.settings.publish_url)
        published.put("current", release_id.encode())
        if state:
            published.put("states.csv", f"release_id,state,at,reason\n{release_id},{state},2024-06-30,\n".encode())

    def rewrite(self, old: str, new: str) -> None:
        text = self.rules.read_text(encoding="utf-8")
        assert old in text
        self.rules.write_text(text.replace(old, new), encoding="utf-8")

    def found(self) -> dict[tuple[str, str], list[str]]:
        return WhatStands(self.settings).rewritten_rulesets


@pytest.fixture
def house(tmp_path: Path) -> House:
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    settings = from_environment({"CRADLE_HOME": str(tmp_path / "home"), "CRADLE_SEEDS": str(tmp_path / "seeds")})
    return House(settings, tmp_path / "seeds" / "rulesets" / "ruleset_parameters.csv")


def test_without_a_release_and_without_a_change_nothing_is_told(house: House) -> None:
    assert house.found() == {}
    house.released(CURRENT)
    assert house.found() == {}


def test_a_threshold_changed_in_place_is_told_with_both_values(house: House) -> None:
    house.released(CURRENT)
    house.rewrite(LINE, LINE.replace(",3,", ",4,"))
    assert house.found() == {KEY: ["trend.min_points: 3 -> 4"]}
    (line,) = (line for line in examine(house.settings) if line.what == "rulesets")
    assert not line.ok and "toa-default 1.1.0" in line.found and "trend.min_points: 3 -> 4" in line.found
    verdict = rules_verdict(house.found())
    assert not verdict.passed and "toa-default 1.1.0" in verdict.sentence
    assert verdict.worst.rows() == [(*KEY, "trend.min_points: 3 -> 4")]


def test_a_final_release_is_held_against_the_rules_after_others_were_made(house: House) -> None:
    house.released(FINAL, "final")
    house.rewrite(LINE, LINE.replace(",3,", ",4,"))
    house.released(CURRENT)
    assert house.found() == {KEY: ["trend.min_points: 3 -> 4"]}


def test_of_a_provisional_release_that_another_followed_nobody_is_reminded(house: House) -> None:
    house.released(FINAL, "provisional")
    house.rewrite(LINE, LINE.replace(",3,", ",4,"))
    house.released(CURRENT)
    assert house.found() == {}


def test_a_new_version_and_a_new_parameter_change_nothing_that_was_said(house: House) -> None:
    house.released(CURRENT)
    house.rewrite(LINE, f"toa-default,1.2.0,trend.min_points,4,,,\ntoa-default,1.1.0,trend.new,1,,,\n{LINE}")
    assert house.found() == {}
    assert rules_verdict({}).passed


def test_a_line_that_is_gone_is_told_and_a_version_that_is_gone_is_not() -> None:
    def rows(text: str) -> pl.DataFrame:
        head = "ruleset_id,ruleset_version,parameter,value,unit\n"
        return kept_ruleset_rows({"rulesets/ruleset_parameters.csv": (head + text).encode()})

    before = rows("a,1,x,3,\na,1,y,4,\na,2,x,5,\n")
    assert rewritten(before, rows("a,1,y,4,\n")) == {("a", "1"): ["x: 3 -> gone"]}
    assert rewritten(before, before) == {}
