"""A computed table is declared once: what is made from the declaration is current, and a new column is one line.

Belongs here: generated files of dbt against declarations, words against seeds/dictionary/statuses.csv.
Does not: layers and names of models (test_dbt_layers), figures.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

import contracts
from dagster_project.lib.analysis.tables import TABLES
from dagster_project.lib.intake.layouts.telling import NOT_MEANT, OTHER_VALUE, SET_ASIDE, TARGET, WIDER_PLACE
from dagster_project.lib.intake.rows.wider_places import state_names
from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.marts import REQUIRED_COLUMNS
from docs.dbt_files import FOLDER, dbt_files

ROOT = Path(__file__).resolve().parents[2]
WRITTEN_BY_HAND = {
    "_beside.yml",
    "_current_values.yml",
    "_reporting_unit_tests.yml",
    "exposures.yml",
    "fct_bright_spot.sql",
    "fct_gateway_movement.sql",
    "rpt_coverage.sql",
    "rpt_community_outcome.sql",
    "rpt_indicator_value_annual.sql",
    "rpt_indicator_value_current.sql",
    "rpt_reach.sql",
}
# A label for charts; which gateways there are is told by the rubric.
LABELS_ONLY = {"gateway"}
# Okabe and Ito's colours, which readers with any colour vision tell apart, and greys for what is not known.
SAFE_COLOURS = {"#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#F0E442", "#CC79A7"}
GREYS = {"#595959", "#8C8C8C", "#BFBFBF"}
# Long lists in which words that mean nearly the same share a colour.
SHARED_COLOURS = {"criterion_reason", "left_out_reason", "simulated_finding"}


def statuses() -> list[dict[str, str]]:
    """Lines of seeds/dictionary/statuses.csv."""
    with (ROOT / "seeds/dictionary/statuses.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def by_domain(column: str) -> dict[str, list[str]]:
    """One column of the statuses by domain, in the order of lines."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in statuses():
        found[line["domain"]].append(line[column])
    return found


@pytest.mark.parametrize("path", sorted(dbt_files()))
def test_a_generated_file_of_dbt_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == dbt_files()[path](), "run make docs"


def test_the_folder_of_computed_marts_holds_what_is_generated_and_a_few_written_files() -> None:
    made = {Path(path).name for path in dbt_files()}
    assert {path.name for path in (ROOT / FOLDER).iterdir()} == made | WRITTEN_BY_HAND


def test_every_computed_table_has_a_key_without_repeats_and_columns_without_repeats() -> None:
    for spec in TABLES.values():
        names = [column.name for column in spec.columns]
        assert len(set(names)) == len(names), spec.name
        assert spec.key and set(spec.key) <= set(names), spec.name


def test_every_vocabulary_is_declared_by_a_domain_and_every_domain_is_used() -> None:
    declared = by_domain("status")
    used = {column.words for spec in TABLES.values() for column in spec.columns if column.words}
    written = [*(ROOT / "dbt/models/marts").glob("_*.yml"), ROOT / FOLDER / "_beside.yml"]
    contents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in written]
    for model in [model for content in contents for model in content.get("models", [])]:
        for test in model.get("data_tests", []):
            vocabularies = test["promises"]["arguments"].get("allowed", {}).values()
            used |= {words if isinstance(words, str) else words["domain"] for words in vocabularies}
    assert used | LABELS_ONLY == set(declared)


def test_words_left_out_of_a_column_are_words_of_its_domain() -> None:
    declared = by_domain("status")
    for spec in TABLES.values():
        for column in spec.columns:
            assert set(column.without) <= set(declared.get(column.words or "", [])), (spec.name, column.name)


def test_a_word_stands_once_in_its_domain_with_label_meaning_and_place() -> None:
    for line in statuses():
        assert all(line[name].strip() for name in ("domain", "status", "label", "meaning", "order_no")), line
        assert line["meaning"].endswith("."), line
        assert line["public_only"] in ("true", "false"), line
    for domain, found in by_domain("status").items():
        assert len(set(found)) == len(found), domain
        assert by_domain("order_no")[domain] == [str(number) for number in range(1, len(found) + 1)], domain


def test_colours_are_told_apart_by_colour_blind_readers() -> None:
    for domain, colours in by_domain("color").items():
        assert set(colours) <= SAFE_COLOURS | GREYS, domain
        assert domain in SHARED_COLOURS or len(set(colours)) == len(colours), domain


def test_only_figures_that_can_be_withheld_have_the_public_editions_word() -> None:
    withheld = {line["domain"] for line in statuses() if line["public_only"] == "true"}
    assert withheld == {"trend_status", "outcome_trend", "value_status", "gap_status", "gap_verdict", "target_status"}
    assert {line["status"] for line in statuses() if line["public_only"] == "true"} == {"withheld"}


def test_labels_are_those_that_the_report_prints() -> None:
    labels = {(line["domain"], line["status"]): line["label"] for line in statuses()}
    for domain in ("trend_status", "outcome_trend", "criterion_status", "designation_status", "submission_status"):
        shown = {status: label for (of, status), label in labels.items() if of == domain and status != "withheld"}
        assert shown == {status: words.STATUS_WORDS[status] for status in shown}, domain
    assert {s: labels["gap_status", s] for s in words.GAP_WORDS} == {s: w[0] for s, w in words.GAP_WORDS.items()}
    assert {s: labels["gateway", s] for s in words.GATEWAY_WORDS} == words.GATEWAY_WORDS
    assert {s: labels["designation", s] for s in words.DESIGNATION_WORDS} == words.DESIGNATION_WORDS


def test_the_report_requires_what_the_declarations_promise() -> None:
    computed = {name: columns for name, columns in REQUIRED_COLUMNS.items() if name in TABLES}
    assert len(computed) > 8
    assert all(columns == TABLES[name].promised for name, columns in computed.items())


# One line of Python in a copy of the project; everything else is made by the generator.
NEW_LINE = '        Column("n_seasons", WHOLE, "Number of seasons; a column that a test adds."),\n'
PROBE = """
from dagster_project.lib.analysis.tables import FCT_NETWORK_OUTCOME as spec
import polars as pl, sys
row = {name: None for name in spec.schema} | {"outcome_id": "o", "reporting_year": 2020, "n_seasons": 4}
spec.conform(pl.DataFrame([row], schema_overrides=dict(spec.schema))).write_parquet(sys.argv[1])
"""


def run(copy: Path, *command: str, **environment: str) -> None:
    """Run Python in the copy; the output is shown where it fails."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_computed_column_is_one_line(tmp_path: Path) -> None:
    copy, work = tmp_path / "copy", tmp_path / "work"
    for name in ("bi", "dagster_project", "contracts", "seeds", "docs", "dbt"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("target", "logs", "__pycache__"))
    declared = copy / "dagster_project/lib/analysis/tables/figures.py"
    head, mark, rest = declared.read_text(encoding="utf-8").partition('        Column("share_improving"')
    assert mark
    declared.write_text(head + NEW_LINE + mark + rest, encoding="utf-8")
    run(copy, "-m", "docs.generate")
    (work / "analysis").mkdir(parents=True)
    run(copy, "-c", PROBE, str(work / "analysis/fct_network_outcome.parquet"))
    places = {"project-dir": "dbt", "profiles-dir": "dbt", "target-path": str(work / "target"), "log-path": str(work)}
    run(
        copy,
        str(Path(sys.executable).with_name("dbt")),
        "--warn-error",
        "run",
        "--select",
        "fct_network_outcome",
        *[text for name, place in places.items() for text in (f"--{name}", place)],
        CRADLE_SEEDS=str(copy / "seeds"),
        ANALYSIS_PATH=str(work / "analysis"),
        LANDING_PATH=str(work),
        WAREHOUSE_PATH=str(work / "warehouse.duckdb"),
    )
    with duckdb.connect(str(work / "warehouse.duckdb"), read_only=True) as warehouse:
        rows = warehouse.execute("select outcome_id, n_seasons from marts.fct_network_outcome").fetchall()
    assert rows == [("o", 4)]
    stated: dict[str, Any] = yaml.safe_load((copy / FOLDER / "_reporting.yml").read_text(encoding="utf-8"))
    model = next(model for model in stated["models"] if model["name"] == "fct_network_outcome")
    assert {"name": "n_seasons", "data_type": "integer"}.items() <= model["columns"][11].items()
    page = (copy / "docs/data-dictionary.md").read_text(encoding="utf-8")
    assert re.search(r"\| `n_seasons` \| integer \| Number of seasons", page)


def test_words_that_tell_of_a_file_are_patterns_of_known_kinds_and_states_have_codes_of_two_letters() -> None:
    with contracts.TELLING_WORDS.open(encoding="utf-8", newline="") as lines:
        told = list(csv.DictReader(lines))
    assert {line["kind"] for line in told} == {TARGET, OTHER_VALUE, SET_ASIDE, NOT_MEANT, WIDER_PLACE}
    assert all(re.compile(line["pattern"]) and line["pattern"] and line["meaning"] for line in told)
    names = state_names()
    assert len(names) == len(set(names.values())) == 51
    assert all(re.fullmatch("[a-z]{2}", code) for code in names)
