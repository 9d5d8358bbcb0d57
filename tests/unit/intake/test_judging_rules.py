"""Rows are judged by parameters of the ruleset, and messages say what the ruleset says.

Belongs here: another agreement, largest count or epsilon changes which rows are taken and what their findings say.
Does not: the rules themselves (test_values.py), what re-reads a folder (test_dependencies.py).
"""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

import pytest
from openpyxl import load_workbook

from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.app.rehearsal import choose_ruleset
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import read_ruleset
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.member.template import template_workbook
from dagster_project.settings import from_environment
from tests.conftest import Outcome, take_folder
from tests.support import PROJECT

HEADER = "school_year,indicator,dimension,group,numerator,denominator,value"
READING = "2024,grade3_reading_proficient_pct,all,all"
DEFAULT = ("toa-default", "1.1.0")
LOOSE = ("toa-default", "9.0.0")


def seeds_with(folder: Path, **parameters: str) -> Reference:
    """The project's seeds with a further version of the ruleset that has other parameters, not in force."""
    seeds = folder / "seeds"
    shutil.copytree(PROJECT / "seeds", seeds)
    for path in sorted((seeds / "rulesets").glob("*_parameters.csv")):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        more = [line.replace("1.1.0", LOOSE[1], 1) for line in lines if line.startswith("toa-default,1.1.0,")]
        for name, value in parameters.items():
            parameter = name.replace("__", ".")
            more = [re.sub(rf",{parameter},[^,]*,", f",{parameter},{value},", line) for line in more]
        path.write_text("".join([*lines, *more]), encoding="utf-8")
    return Reference(seeds)


def taken(intake: Intake, cells: str) -> Outcome:
    """A folder with one row of values."""
    return take_folder(intake, {"values.csv": f"{HEADER}\n{READING},{cells}\n"})


def test_a_wider_agreement_takes_the_row_that_the_ruleset_in_force_refuses(tmp_path: Path) -> None:
    reference = seeds_with(tmp_path, values__agreement="3")
    assert taken(Intake(reference), "50,100,52").rules == {"value_mismatch"}
    assert not taken(Intake(reference, chosen=LOOSE), "50,100,52").rules


def test_the_largest_count_decides_and_every_message_states_it(tmp_path: Path) -> None:
    reference = seeds_with(tmp_path, values__largest_count="5000")
    few = Intake(reference, chosen=LOOSE)
    assert not taken(Intake(reference), "3000,6000,50").rules
    refused = taken(few, "3000,6000,50")
    assert refused.findings.select("rule_id", "source_column", "allowed").rows() == [
        ("out_of_range", "denominator", "at least 0 and at most 5,000")
    ]
    (fraction,) = taken(few, "3000.5,4000,75").findings.filter(rule_id="count_not_whole")["allowed"]
    assert fraction == "a whole number from 0 to 5000"
    assert few.contract(1, "indicator_values").column("numerator").allowed.startswith("a whole number from 0 to 5,000,")


def test_a_template_states_the_largest_count_of_the_ruleset(tmp_path: Path) -> None:
    few = Intake(seeds_with(tmp_path, values__largest_count="5000"), chosen=LOOSE)
    sheet = load_workbook(io.BytesIO(template_workbook("birchmont_falls", 2025, few)))["indicator_values"]
    comments = [cell.comment.text for cell in sheet[1] if cell.value == "numerator"]
    assert [("from 0 to 5,000" in text) for text in comments] == [True]


@pytest.mark.parametrize(("epsilon", "rules"), [("1e-9", {"out_of_range"}), ("0.5", set())])
def test_epsilon_stands_in_favour_of_equality_at_the_end_of_a_units_range(
    tmp_path: Path, epsilon: str, rules: set[str]
) -> None:
    reference = seeds_with(tmp_path, numeric__epsilon=epsilon)
    assert taken(Intake(reference, chosen=LOOSE), ",,100.25").rules == rules


def test_comparisons_carry_the_rulesets_epsilon(tmp_path: Path) -> None:
    reference = seeds_with(tmp_path, numeric__epsilon="0.5")
    assert read_ruleset(reference, LOOSE).comparison.epsilon == 0.5


def test_a_rehearsal_under_another_ruleset_judges_rows_by_its_parameters(tmp_path: Path) -> None:
    reference = seeds_with(tmp_path, values__agreement="3", values__largest_count="5000")
    settings = from_environment({"CRADLE_HOME": str(tmp_path), "CRADLE_SEEDS": str(reference.folder)})
    chosen = Pipeline(settings, choose_ruleset(reference, "@".join(LOOSE), DEFAULT))
    assert (chosen.intake.rules.agreement, chosen.intake.rules.largest_count) == (3, 5000)
    assert Pipeline(settings).intake.rules.agreement == 0.05
