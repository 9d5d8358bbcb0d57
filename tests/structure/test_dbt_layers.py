"""The rules of the house over dbt's manifest.

Belongs here: layers, names, descriptions, keys and promised columns of models, and what dbt may do to the seeds folder.
Does not: figures (dbt unit tests, tests/unit/analysis), or whether a build passes (tests/integration).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

import contracts
from dagster_project.lib.publish.report.marts import REQUIRED_COLUMNS
from dagster_project.lib.warehouse.dbt_run import MANIFEST

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "dbt"
PREFIXES = {
    "staging": ("stg_",),
    "intermediate": ("int_",),
    "marts": ("dim_", "fct_"),
    "reporting": ("fct_", "rpt_"),
    "semantic": ("sem_",),
}
# What each layer may read: models of these layers, sources of these names, and whether seeds.
MAY_READ: dict[str, tuple[set[str], set[str], bool]] = {
    "staging": (set(), {"landing"}, True),
    "intermediate": ({"staging", "intermediate"}, set(), False),
    "marts": ({"staging", "intermediate", "marts"}, set(), False),
    "reporting": ({"marts", "reporting"}, {"analysis"}, False),
    "semantic": ({"marts", "reporting"}, set(), False),
}
# Thresholds of the ruleset in force, for every model that compares figures, whatever its layer may read besides.
PARAMETERS = "int_parameters__in_force"
# Models that choose and rename columns, and nothing else; every other one holds a rule. Tables of models/reporting show
# what the analysis computed, where the rules are tested.
NO_RULE = {
    "dim_community",
    "dim_indicator",
    "dim_outcome",
    "dim_status",
    "fct_indicator_value_history",
    "fct_community_review",
    "fct_submission_file",
    "int_values__combined",
}
# Columns that name something which a dimension describes.
REFERS_TO = {
    "community_id": "dim_community",
    "indicator_id": "dim_indicator",
    "outcome_id": "dim_outcome",
    "population_group_id": "dim_population_group",
    "reference_group_id": "dim_population_group",
    "geography_id": "dim_geography",
    "criterion_id": "dim_criterion",
    "submission_id": "dim_submission",
    "school_year": "dim_school_year",
    "reporting_year": "dim_reporting_year",
}
# A replaced state may lie after today.
REFERS_TO_NOTHING = {
    "dim_submission": {"reporting_year"},
    # Of states and the nation: their years need be none of the network's.
    "fct_reference_value": {"school_year"},
}
# Flat tables that are named by what they show, and the table whose rows they are.
SHOWN_FROM = {"rpt_community_outcome": "fct_outcome_status", "rpt_indicator_value_annual": "fct_indicator_value"}
CLOSED_WORDS = re.compile(
    r"status(_when_seen)?$|^(origin|severity|standing|geography_level|kind|known_by|role|direction)$"
)
# Open lists: trends and gaps are named in the tables of trends and gaps; dim_status is itself the list.
OPEN_WORDS = {"fct_designation_distance": {"current_status", "required_status"}, "dim_status": {"status"}}
DUCKDB_TYPES: dict[pl.DataType, str] = {
    pl.String(): "varchar",
    pl.Int32(): "integer",
    pl.Int64(): "bigint",
    pl.Float64(): "double",
    pl.Boolean(): "boolean",
    pl.Date(): "date",
    pl.List(pl.String()): "varchar[]",
}
PLACE = ["community_id", "reporting_year", "submission_id", "source_file", "source_sheet", "source_row"]
CELL = "community_id indicator_id population_group_id geography_id"
FLAT = (
    f"{CELL} community_name state outcome_id outcome_name indicator_name unit direction dimension group_label "
    "school_year_date"
)
LINEAGE = "submission_id source_file source_sheet source_row"
# DESIGN 3.7: names and columns that other programs read.
PROMISED = {
    "dim_community": "community_id name state joined_year",
    "dim_outcome": "outcome_id name",
    "dim_indicator": "indicator_id outcome_id name role unit direction poolable",
    "dim_population_group": "population_group_id dimension group label",
    "dim_criterion": "criterion_id parent_id gateway pillar benchmark_no determined_by statement",
    "dim_school_year": "school_year",
    "dim_status": "domain status label meaning order_no color",
    "dim_geography": "geography_id",
    "dim_submission": "submission_id status",
    "fct_indicator_value": f"{CELL} school_year series period value value_low value_high numerator denominator "
    f"value_status reporting_year {LINEAGE}",
    "fct_submission_status": "community_id reporting_year status submission_id rows_read rows_accepted rows_rejected "
    "findings_blocking findings_open",
    "fct_finding": "finding_id community_id reporting_year submission_id rule_id severity source_file source_sheet "
    "source_row source_column found allowed message status",
    "fct_trend": f"{CELL} reporting_year first_year last_year n_years slope intercept slope_stderr slope_ci_low "
    "slope_ci_high r_squared adjusted_slope trend_status reason slope_weighted slope_theil_sen slope_binomial_low "
    "slope_binomial_high prob_slope_positive robustness ruleset_version",
    "fct_trend_point": f"{CELL} reporting_year school_year series value numerator denominator used left_out_reason "
    f"{LINEAGE} ruleset_version",
    "fct_gap": f"{CELL} reporting_year reference_group_id first_year last_year n_years first_gap last_gap group_slope "
    "reference_slope slope_difference gap_status reference_declined reason ruleset_version",
    "fct_outcome_status": "community_id outcome_id reporting_year trend_status gap_reduced deciding_indicator_id "
    "reason ruleset_version",
    "fct_criterion_status": "community_id criterion_id reporting_year status evidence ruleset_version",
    "fct_gateway_status": "community_id reporting_year operating_in gateways_met ruleset_version",
    "fct_gateway_step": "community_id gateway reporting_year status granted ruleset_version",
    "fct_designation": "community_id reporting_year designation status standing decided_on next_review_due record_id "
    "ruleset_version",
    "fct_designation_requirement": "community_id designation reporting_year requirement_id required actual status "
    "ruleset_version",
    "fct_network_trend": "indicator_id population_group_id reporting_year n_communities n_improving n_maintained "
    "n_declining n_undetermined slope_median slope_q1 slope_q3 pooled_slope fixed_effects_slope communities_entered "
    "communities_left ruleset_version",
    "fct_network_outcome": "outcome_id reporting_year ruleset_version",
    "fct_target_progress": "community_id indicator_id population_group_id reporting_year deadline horizon target_value "
    "set_in_reporting_year status is_in_force baseline_value baseline_year latest_value latest_year fitted_slope "
    "required_slope progress_share ruleset_version",
    "fct_story": "community_id reporting_year title text withheld_reason",
    "fct_gap_year": f"{CELL} reporting_year school_year reference_group_id series group_value reference_value gap used",
    "fct_community_indicator": "community_id indicator_id reporting_year role is_primary baseline_year is_prioritized "
    "rationale",
    "fct_strategy": "community_id reporting_year kind title indicator_id outcome_id status first_evidenced_on",
    "rpt_indicator_value_current": f"reporting_year value {FLAT}",
    "rpt_indicator_value_annual": f"value school_year {FLAT}",
    "rpt_trend_current": f"reporting_year slope {FLAT}",
    "rpt_gap_current": f"reporting_year last_gap {FLAT}",
    "rpt_outcome_status_current": "community_id outcome_id reporting_year community_name state outcome_name",
    "rpt_community_outcome": "community_id outcome_id reporting_year community_name state outcome_name indicator_name "
    "unit direction trend_status gap_reduced school_year_date",
}

Node = dict[str, Any]


def run_dbt(folder: Path, seeds: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run the venv's own dbt with everything it writes below `folder`."""
    environment = os.environ | {
        "CRADLE_SEEDS": str(seeds),
        "LANDING_PATH": str(folder / "landing"),
        "ANALYSIS_PATH": str(folder / "analysis"),
        "WAREHOUSE_PATH": str(folder / "warehouse.duckdb"),
    }
    dbt = Path(sys.executable).with_name("dbt")
    places = {"project-dir": PROJECT, "profiles-dir": PROJECT, "target-path": folder / "target", "log-path": folder}
    arguments = [text for name, place in places.items() for text in (f"--{name}", str(place))]
    return subprocess.run(
        [str(dbt), "--warn-error", *command, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """What dbt made of the project at `make setup`, which parses anew after every change of it."""
    found: dict[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> dict[str, Node]:
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


@pytest.fixture(scope="module")
def released(models: dict[str, Node]) -> dict[str, Node]:
    """Models of schema marts: what a release holds."""
    return {name: node for name, node in models.items() if node["schema"] == "marts"}


@pytest.fixture(scope="module")
def tests(manifest: dict[str, Any]) -> list[Node]:
    """Generic tests; singular ones speak of no single model."""
    return [node for node in manifest["nodes"].values() if node.get("test_metadata")]


def layer(node: Node) -> str:
    """The folder below models/, which is the layer."""
    return str(node["fqn"][1])


def may_read(of: str, parent: Node) -> bool:
    """Whether a model of that layer may read the model, source or seed."""
    layers, sources, seeds = MAY_READ[of]
    if parent["resource_type"] == "model":
        return layer(parent) in layers or (of == "reporting" and parent["name"] == PARAMETERS)
    return parent["source_name"] in sources if parent["resource_type"] == "source" else seeds


def test_every_layer_reads_only_the_rooms_before_it(manifest: dict[str, Any], models: dict[str, Node]) -> None:
    wrong = []
    for name, node in models.items():
        for parent_id in node["depends_on"]["nodes"]:
            parent = manifest["nodes"].get(parent_id) or manifest["sources"][parent_id]
            if not may_read(layer(node), parent):
                wrong.append(f"{name} reads {parent_id}")
    assert not wrong


def test_marts_never_read_sources(models: dict[str, Node]) -> None:
    assert not [name for name, node in models.items() if layer(node) == "marts" and node["sources"]]


def test_names_carry_the_prefix_of_their_layer(models: dict[str, Node]) -> None:
    assert not [name for name, node in models.items() if not name.startswith(PREFIXES[layer(node)])]


def test_staging_and_intermediate_names_say_what_they_hold(models: dict[str, Node]) -> None:
    plain = [name for name, node in models.items() if layer(node) in ("staging", "intermediate") and "__" not in name]
    assert not plain


def test_every_model_is_described(models: dict[str, Node]) -> None:
    assert not [name for name, node in models.items() if not node["description"].strip()]


def test_every_mart_column_is_described_and_typed_under_an_enforced_contract(released: dict[str, Node]) -> None:
    assert not [name for name, node in released.items() if not node["config"]["contract"]["enforced"]]
    bare = [
        f"{name}.{column['name']}"
        for name, node in released.items()
        for column in node["columns"].values()
        if not column["description"].strip() or not column["data_type"]
    ]
    assert not bare


def test_every_mart_has_a_test_of_its_key(released: dict[str, Node], tests: list[Node]) -> None:
    keyed = {node["attached_node"].rsplit(".", 1)[-1] for node in tests if "key" in node["test_metadata"]["kwargs"]}
    assert not released.keys() - keyed


def test_a_table_promises_all_it_does_in_one_test(tests: list[Node]) -> None:
    assert {node["test_metadata"]["name"] for node in tests} == {"promises"}
    of = [node["attached_node"] for node in tests]
    assert sorted(of) == sorted(set(of))


def test_columns_of_a_key_are_never_null(released: dict[str, Node], tests: list[Node]) -> None:
    loose = []
    for test in tests:
        name = test["attached_node"].rsplit(".", 1)[-1]
        if name not in released:
            continue
        columns = released[name]["columns"]
        for column in test["test_metadata"]["kwargs"].get("key", ()):
            if "not_null" not in [constraint["type"] for constraint in columns[column]["constraints"]]:
                loose.append(f"{name}.{column}")
    # A row of a file may be unknown (a whole file waits), so this one column of a key is only tested.
    assert loose == ["fct_waiting_row.source_row"]


def test_every_promised_table_has_its_promised_columns(released: dict[str, Node]) -> None:
    missing = [
        f"{name}.{column}"
        for name, columns in PROMISED.items()
        for column in columns.split()
        if column not in released.get(name, {"columns": {}})["columns"]
    ]
    assert not missing


def test_only_tables_over_the_analysis_belong_to_the_second_build(models: dict[str, Node]) -> None:
    second = {name for name, node in models.items() if "reporting" in node["tags"]}
    assert second == {name for name, node in models.items() if layer(node) == "reporting"}


def columns_under(tests: list[Node], kind: str) -> dict[str, set[str]]:
    """Columns of which tables promise something of one kind, by model."""
    return {
        test["attached_node"].rsplit(".", 1)[-1]: set(test["test_metadata"]["kwargs"].get(kind, ())) for test in tests
    }


def own_marts(released: dict[str, Node]) -> dict[str, Node]:
    """Marts that are no selection of another one: the rows of an rpt_ table are tested where they come from."""
    return {name: node for name, node in released.items() if not name.startswith("rpt_")}


def test_every_id_in_a_mart_is_tested_against_its_dimension(released: dict[str, Node], tests: list[Node]) -> None:
    tested = columns_under(tests, "references")
    missing = [
        f"{name}.{column}"
        for name, node in own_marts(released).items()
        for column in node["columns"]
        if REFERS_TO.get(column, name) != name
        and column not in tested.get(name, set()) | REFERS_TO_NOTHING.get(name, set())
    ]
    assert not missing


def test_every_status_and_kind_in_a_mart_has_its_words_listed(released: dict[str, Node], tests: list[Node]) -> None:
    tested = columns_under(tests, "allowed")
    missing = [
        f"{name}.{column}"
        for name, node in own_marts(released).items()
        for column in node["columns"]
        if CLOSED_WORDS.search(column) and column not in tested.get(name, set()) | OPEN_WORDS.get(name, set())
    ]
    assert not missing


def test_a_table_of_the_latest_year_only_selects_from_the_table_of_its_name(released: dict[str, Node]) -> None:
    for name, node in released.items():
        if name.startswith("rpt_"):
            of = SHOWN_FROM.get(name, name.replace("rpt_", "fct_").removesuffix("_current"))
            assert f"model.cradle.{of}" in node["depends_on"]["nodes"], name


def test_models_that_hold_a_rule_have_unit_tests_named_as_sentences(
    manifest: dict[str, Any], models: dict[str, Node]
) -> None:
    units = manifest["unit_tests"].values()
    hold = {name for name, node in models.items() if layer(node) in ("intermediate", "marts")} - NO_RULE
    assert not hold - {unit["model"] for unit in units}
    assert not [unit["name"] for unit in units if unit["name"].count("_") < 4]


def test_every_mart_that_the_code_reads_has_an_exposure_that_says_so(
    manifest: dict[str, Any], models: dict[str, Node]
) -> None:
    shown = {parent.rsplit(".", 1)[-1] for e in manifest["exposures"].values() for parent in e["depends_on"]["nodes"]}
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "dagster_project").rglob("*.py")))
    read = {name for name in re.findall(r"\bmarts\.(\w+)", code) if name in models} | REQUIRED_COLUMNS.keys()
    assert len(read) > 15
    assert not read - shown


def test_the_flat_tables_of_the_latest_year_are_shown_to_bi_clients(
    manifest: dict[str, Any], models: dict[str, Node]
) -> None:
    clients = manifest["exposures"]["exposure.cradle.bi_clients"]["depends_on"]["nodes"]
    assert {name for name in models if name.startswith("rpt_")} == {parent.rsplit(".", 1)[-1] for parent in clients}


def test_source_columns_of_registers_are_the_contracts_columns(manifest: dict[str, Any]) -> None:
    sources = {s["name"]: s for s in manifest["sources"].values() if s["source_name"] == "landing"}
    registers = contracts.landed_registers()
    assert {name for name in sources if name.startswith("register_")} == {f"register_{name}" for name in registers}
    for name, contract in registers.items():
        own = {c.name: DUCKDB_TYPES[c.polars_type] for c in contract.columns if c.name not in PLACE}
        listed = {column: facts["data_type"] for column, facts in sources[f"register_{name}"]["columns"].items()}
        assert list(listed) == [*PLACE, *own], name
        assert {column: listed[column] for column in own} == own, name


def test_every_sql_file_opens_with_its_charter() -> None:
    bare = []
    for path in sorted(PROJECT.rglob("*.sql")):
        if "target" in path.relative_to(PROJECT).parts:
            continue
        lines = [line.strip().removeprefix("--").strip() for line in path.read_text().splitlines()[:6]]
        words = " ".join(lines)
        if "Belongs here:" not in words or "Does not:" not in words:
            bare.append(str(path.relative_to(PROJECT)))
    assert not bare


def test_no_test_stands_beside_the_seeds(manifest: dict[str, Any]) -> None:
    # dbt writes a test's SQL below the yml that declares it; a seeds folder given by its absolute path is no place.
    seeds = {node["unique_id"] for node in manifest["nodes"].values() if node["resource_type"] == "seed"}
    assert not [n["name"] for n in manifest["nodes"].values() if n.get("attached_node") in seeds]


def fingerprint(folder: Path) -> dict[str, str]:
    """sha256 of every file below a folder by its relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_seeds_folder_given_by_its_absolute_path_is_left_as_it_was(tmp_path: Path) -> None:
    # dbt's own seed materialization writes its SQL over the CSV when the path is absolute.
    seeds = tmp_path / "another network's seeds"
    shutil.copytree(ROOT / "seeds", seeds)
    (seeds / "network" / "communities.csv").write_bytes(
        b"\xef\xbb\xbfcommunity_id,name,state,joined_year,district_name,population\r\n"
        b'0007,"O\'Neil\'s ""Bend""",CT,2007,"Bend, North","1,234"\r\n'
        b"0011,Coeur d'Alene,ID,2010,,\r\n"
    )
    before = fingerprint(seeds)
    (tmp_path / "work").mkdir()
    built = run_dbt(tmp_path / "work", seeds, "build", "--select", "resource_type:seed", "stg_network__communities")
    assert built.returncode == 0, built.stdout
    assert fingerprint(seeds) == before
    with duckdb.connect(str(tmp_path / "work" / "warehouse.duckdb"), read_only=True) as warehouse:
        rows = warehouse.execute("from staging.stg_network__communities order by all").fetchall()
    assert rows == [("0007", "O'Neil's \"Bend\"", "CT", 2007, None), ("0011", "Coeur d'Alene", "ID", 2010, None)]
