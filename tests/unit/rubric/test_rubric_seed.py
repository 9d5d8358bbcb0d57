"""The rubric as data: complete, unique, in the project's own words, and understood by the code.

Belongs here: claims about seeds/rubric and the parameters it names.
Does not: how a criterion is judged.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.analysis.rubric import criteria, designations, facts
from dagster_project.lib.analysis.rubric.registers import FACT_DATES, REGISTERS
from dagster_project.lib.analysis.vocabulary import SCORE

from .conftest import ROOT, contract, ruleset_parameters, seed

RUBRIC = criteria.typed_rubric(seed("rubric/rubric"))
THEORY = ROOT.parent / "shared" / "theory"
RUN = 8
# gateway, pillar -> benchmarks, criteria, sub-criteria; as counted in the source, by hand.
COUNTS = {
    ("exploring", "shared_community_vision"): (3, 8, 18),
    ("exploring", "evidence_based_decision_making"): (2, 3, 7),
    ("exploring", "collaborative_action"): (1, 5, 0),
    ("exploring", "investment_sustainability"): (3, 6, 5),
    ("emerging", "shared_community_vision"): (3, 9, 0),
    ("emerging", "evidence_based_decision_making"): (2, 5, 0),
    ("emerging", "collaborative_action"): (1, 5, 0),
    ("emerging", "investment_sustainability"): (3, 7, 6),
    ("sustaining", "shared_community_vision"): (2, 5, 5),
    ("sustaining", "evidence_based_decision_making"): (1, 3, 0),
    ("sustaining", "collaborative_action"): (3, 10, 0),
    ("sustaining", "investment_sustainability"): (3, 4, 8),
    ("systems_change", "shared_community_vision"): (2, 7, 0),
    ("systems_change", "evidence_based_decision_making"): (1, 5, 0),
    ("systems_change", "collaborative_action"): (3, 10, 0),
    ("systems_change", "investment_sustainability"): (3, 7, 0),
    ("systems_transformation", "shared_community_vision"): (2, 5, 3),
    ("systems_transformation", "evidence_based_decision_making"): (1, 3, 0),
    ("systems_transformation", "collaborative_action"): (2, 6, 0),
    ("systems_transformation", "investment_sustainability"): (4, 8, 0),
}


def _counts(rows: pl.DataFrame) -> tuple[int, int, int]:
    benchmarks = rows.select("gateway", "benchmark_no").unique().height
    top = rows.filter(pl.col("parent_id").is_null()).height
    return benchmarks, top, rows.height - top


def test_the_rubric_has_184_rows_with_unique_keys() -> None:
    assert RUBRIC.height == 184
    assert RUBRIC["criterion_id"].n_unique() == 184
    key = pl.format("{}.{}.{}", "gateway", "benchmark_no", "criterion_no")
    assert RUBRIC.filter(pl.col("criterion_id") != key).height == 0


@pytest.mark.parametrize(("place", "expected"), COUNTS.items(), ids=lambda value: "-".join(map(str, value)))
def test_every_pillar_of_every_gateway_has_its_benchmarks_and_criteria(
    place: tuple[str, str], expected: tuple[int, int, int]
) -> None:
    assert _counts(RUBRIC.filter(gateway=place[0], pillar=place[1])) == expected


def test_five_gateways_hold_45_benchmarks_121_criteria_52_sub_criteria_and_11_designation_rows() -> None:
    assert _counts(RUBRIC.filter(pl.col("pillar") != "designation")) == (45, 121, 52)
    assert RUBRIC.filter(pl.col("pillar") == "designation").height == 11


def test_the_split_between_computed_mixed_and_attested_is_the_sources() -> None:
    five = RUBRIC.filter(pl.col("pillar") != "designation")
    top = five.filter(pl.col("parent_id").is_null())["determined_by"].to_list()
    sub = five.filter(pl.col("parent_id").is_not_null())["determined_by"].to_list()
    rest = RUBRIC.filter(pl.col("pillar") == "designation")["determined_by"].to_list()
    assert Counter(top) == {"computed": 10, "mixed": 31, "attested": 80}
    assert Counter(sub) == {"computed": 25, "mixed": 5, "attested": 22}
    assert Counter(rest) == {"computed": 7, "mixed": 3, "attested": 1}


def test_only_two_definitions_and_one_cadence_row_have_no_status() -> None:
    without = RUBRIC.filter(pl.col("logic") == "none")
    assert without["criterion_id"].to_list() == ["emerging.9.1.a", "emerging.9.1.b", "proof_point_ongoing.1.5"]
    assert without["kind"].to_list() == ["definition", "definition", "cadence"]


def test_planned_counts_for_two_criteria_only() -> None:
    assert RUBRIC.filter("planned_counts")["criterion_id"].to_list() == ["exploring.3.2", "exploring.3.3"]


def test_every_parent_exists_and_every_row_with_children_says_how_they_count() -> None:
    parents = set(RUBRIC["parent_id"].drop_nulls())
    assert parents <= set(RUBRIC["criterion_id"])
    logic = dict(RUBRIC.select("criterion_id", "logic").iter_rows())
    assert {name for name in parents if not logic[name].endswith(("all_of", "n_of_m"))} == {"emerging.9.1"}


def test_every_rule_register_and_parameter_that_the_rubric_names_exists() -> None:
    assert set(RUBRIC["rule"].drop_nulls()) == set(facts.RULES)
    registers = {name for text in RUBRIC["register"].drop_nulls() for name in text.split()}
    assert registers <= set(REGISTERS)
    named = set(RUBRIC["parameter"].drop_nulls()) | set(RUBRIC["n_parameter"].drop_nulls())
    for ruleset_id in ("toa-default", "public-2018"):
        assert named <= set(ruleset_parameters(ruleset_id))


def test_everything_computed_has_a_rule_or_children_that_decide() -> None:
    rows = RUBRIC.filter((pl.col("determined_by") == "computed") & pl.col("kind").is_in(["criterion", "sub_criterion"]))
    assert rows.filter(pl.col("rule").is_null() & ~pl.col("logic").str.ends_with("n_of_m")).height == 0


def test_every_requirement_names_a_measure_and_parameters_that_exist() -> None:
    rows = seed("rubric/designation_requirements")
    assert set(rows["measure"]) <= {*designations.MEASURES, SCORE}
    for row in rows.iter_rows(named=True):
        known = ruleset_parameters(row["ruleset_id"])
        for column in ("at_least_parameter", "share_parameter", "counts_parameter"):
            assert row[column] is None or row[column] in known


def test_default_requirements_are_the_rubrics_designation_rows() -> None:
    rows = seed("rubric/designation_requirements").filter(ruleset_id="toa-default")
    rubric = set(RUBRIC.filter(kind="designation")["criterion_id"])
    extra = {"systems_transformation.requires_active_proof_point"}
    assert set(rows["requirement_id"]) == rubric | extra


def test_all_rulesets_state_every_rubric_parameter_once_with_its_source() -> None:
    frame = seed("rulesets/gateway_parameters")
    assert frame.columns == ["ruleset_id", "ruleset_version", "parameter", "value", "unit", "source", "note"]
    names = {key: set(rows["parameter"]) for key, rows in frame.group_by("ruleset_id", "ruleset_version")}
    assert len(names) == 3
    assert len({frozenset(parameters) for parameters in names.values()}) == 1
    assert frame.select("ruleset_id", "ruleset_version", "parameter").is_unique().all()
    assert frame.filter(pl.col("source").is_null() | pl.col("note").is_null()).height == 0


def test_every_date_that_makes_a_fact_stands_in_its_contract() -> None:
    assert all(set(dates) <= set(contract(name).columns) for name, dates in FACT_DATES.items())


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}


def _source_runs(folder: Path) -> set[tuple[str, ...]]:
    files = sorted(folder.glob("*.txt"))
    assert files, f"no text in {folder}"
    return {run for file in files for run in _runs(_words(file.read_text(encoding="utf-8", errors="replace")))}


def test_no_rubric_statement_shares_eight_words_in_a_row_with_the_source() -> None:
    if not THEORY.is_dir():
        assert os.environ.get("CI") != "true", f"{THEORY} is needed in CI to check that nothing was copied"
        pytest.skip(f"{THEORY} is absent: whether statements were copied from the source was NOT checked")
    source = _source_runs(THEORY)
    columns = ("statement", "benchmark_title", "evidence_asked", "children_words")
    texts = [text for column in columns for text in RUBRIC[column].drop_nulls()]
    texts += seed("rubric/designation_requirements")["statement"].to_list()
    assert [text for text in texts if _runs(_words(text)) & source] == []
