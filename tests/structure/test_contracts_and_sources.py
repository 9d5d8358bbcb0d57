"""What contracts say may be submitted is what dbt reads, in both directions.

Belongs here: contracts and intake's schemas beside the columns of dbt's source `landing`.
Does not: what models make of them (dbt tests), or the landing files of a run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

import contracts
from contracts.base import TableContract
from dagster_project.lib.intake.answers import SUBMISSIONS
from dagster_project.lib.intake.bucket.ledger import SUBMISSION_STATES
from dagster_project.lib.intake.findings import FINDINGS
from dagster_project.lib.intake.tables import FILES, OBSERVATIONS, RAW, WAITING_REGISTER_ROWS

SOURCES = Path(__file__).resolve().parents[2] / "dbt" / "models" / "staging" / "_landing__sources.yml"
SOURCE_COLUMNS = {
    "community_id": "varchar",
    "reporting_year": "integer",
    "submission_id": "varchar",
    "source_file": "varchar",
    "source_sheet": "varchar",
    "source_row": "integer",
}
TYPES = {
    pl.String(): "varchar",
    pl.Date(): "date",
    pl.Boolean(): "boolean",
    pl.Float64(): "double",
    pl.Int64(): "bigint",
    pl.Int32(): "integer",
}
SCHEMAS: dict[str, pl.Schema] = {
    "observations": OBSERVATIONS,
    "findings": FINDINGS,
    "submissions": SUBMISSIONS,
    "network_submissions": SUBMISSIONS,
    "submission_states": SUBMISSION_STATES,
    "files": FILES,
    "waiting_register_rows": WAITING_REGISTER_ROWS,
}


def landing() -> dict[str, dict[str, str]]:
    """Columns and types of every table of source `landing`."""
    content: dict[str, Any] = yaml.safe_load(SOURCES.read_text(encoding="utf-8"))
    (source,) = [source for source in content["sources"] if source["name"] == "landing"]
    return {
        table["name"]: {column["name"]: column["data_type"] for column in table["columns"]}
        for table in source["tables"]
    }


LANDING = landing()
REGISTERS = contracts.landed_registers()


def expected(contract: TableContract) -> dict[str, str]:
    """The columns a register has in landing: where a row comes from, then the contract's own."""
    own = {column.name: TYPES[column.polars_type] for column in contract.columns}
    return SOURCE_COLUMNS | {name: kind for name, kind in own.items() if name not in SOURCE_COLUMNS}


def test_every_register_of_the_contracts_is_a_source_and_every_register_source_has_a_contract() -> None:
    assert {name for name in LANDING if name.startswith("register_")} == {f"register_{name}" for name in REGISTERS}


@pytest.mark.parametrize("table", sorted(REGISTERS))
def test_a_register_source_has_exactly_the_columns_and_types_of_its_contract(table: str) -> None:
    assert LANDING[f"register_{table}"] == expected(REGISTERS[table])


@pytest.mark.parametrize("table", sorted(SCHEMAS))
def test_a_landing_table_is_described_as_intake_writes_it(table: str) -> None:
    assert list(LANDING[table]) == list(SCHEMAS[table])


@pytest.mark.parametrize("table", sorted(SCHEMAS))
def test_text_numbers_and_dates_of_a_landing_table_are_described_as_such(table: str) -> None:
    described = {name: kind for name, kind in LANDING[table].items() if kind != "bigint"}
    written = {name: TYPES[SCHEMAS[table][name]] for name in described}
    assert described == written


def test_every_column_of_the_values_contract_reaches_the_observations() -> None:
    names = contracts.landed()[contracts.VALUES_TABLE].names
    assert {RAW.get(name, name) for name in names} <= set(OBSERVATIONS)


@pytest.mark.parametrize("version", [known.version for known in contracts.VERSIONS])
def test_keys_and_row_rules_of_a_contract_name_its_own_columns(version: int) -> None:
    for contract in contracts.tables(version).values():
        kept = contract.as_kept()
        assert contract.version <= version
        assert set(contract.key) <= set(kept.names)
        assert {rule.column for rule in contract.row_rules} <= set(kept.names)
        assert contract.open_until is None or contract.column(contract.open_until).kind == "date"
        assert len(set(contract.names)) == len(contract.names) == len(set(kept.names))
