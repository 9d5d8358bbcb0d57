"""The steps of a run that a cluster does: both builds of the models and the analysis, over the landing of this machine.

Belongs here: their order, what is put before the session, marts brought back into the warehouse that is published from.
Does not: SQL (dbt/), figures (lib/analysis), intake, landing and publishing, which are those of every run.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dagster_project.lib.app.analysis import KNOWN_TABLE, AnalysisOutcome
from dagster_project.lib.app.spark.analysis import analyse_on
from dagster_project.lib.app.spark.cluster import TARGET, Cluster
from dagster_project.lib.base import engine
from dagster_project.lib.base.names import MARTS
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import RulesetKey
from dagster_project.lib.warehouse.dbt_run import DbtPlaces, WarehouseError, dbt_build
from dagster_project.lib.warehouse.spark import Session, register
from dagster_project.lib.warehouse.standing import NodeResult

LANDING, ANALYSIS = "landing", "analysis"
SCHEMAS = (LANDING, ANALYSIS, "main", "seeds", "staging", "intermediate", MARTS, "semantic")


@dataclass(frozen=True)
class Form:
    """What a mart looks like in the warehouse: the types of its columns in their order, and the key it is sorted by."""

    columns: Mapping[str, str]
    key: tuple[str, ...]


@dataclass(frozen=True)
class ClusterRun:
    """The steps on one cluster. All places must be on storage that every worker reaches under the same path."""

    master: str
    places: DbtPlaces

    @property
    def cluster(self) -> Cluster:
        """The cluster as this home uses it."""
        return Cluster(self.master, self.places.work)

    def build_core(self, arguments: Sequence[str], marts: Mapping[str, Form]) -> list[NodeResult]:
        """Build everything anew from landing; the marts so far stand in the warehouse afterwards."""
        session = self.cluster.session()
        for schema in SCHEMAS:
            session.sql(f"drop database if exists {schema} cascade")
        shutil.rmtree(self.cluster.work, ignore_errors=True)
        for schema in SCHEMAS:
            session.sql(f"create database {schema}")
        register(session, LANDING, self.places.landing)
        self.places.warehouse.unlink(missing_ok=True)
        return self._built(session, arguments, marts)

    def analyse(self, reference: Reference, today: dt.date, ruleset: RulesetKey) -> AnalysisOutcome:
        """The analysis over the tables of the build; WarehouseError where another process built them."""
        return analyse_on(self._begun(), self.places.landing, self.cluster.work / ANALYSIS, reference, today, ruleset)

    def build_reporting(self, arguments: Sequence[str], marts: Mapping[str, Form]) -> list[NodeResult]:
        """Build the models over the analysis; every mart stands in the warehouse afterwards."""
        session = self._begun()
        register(session, ANALYSIS, self.places.analysis)
        return self._built(session, arguments, marts)

    def _begun(self) -> Session:
        session = self.cluster.session()
        if not session.catalog.tableExists(f"intermediate.{KNOWN_TABLE}"):
            raise WarehouseError(
                "on Spark the tables of a build are known to the process that made them; run the job `build` from its "
                "start"
            )
        return session

    def _built(self, session: Session, arguments: Sequence[str], marts: Mapping[str, Form]) -> list[NodeResult]:
        results = dbt_build(self.places, arguments, TARGET)
        # A session's own views are listed with the tables of every schema.
        built = {row.tableName for row in session.sql(f"show tables in {MARTS}").collect() if not row.isTemporary}
        bring_back(
            self.cluster.tables / f"{MARTS}.db", {name: marts[name] for name in sorted(built)}, self.places.warehouse
        )
        return results


def bring_back(folder: Path, marts: Mapping[str, Form], warehouse: Path) -> None:
    """The marts of a folder of tables as tables of the warehouse, in their declared types, their rows by key."""
    with engine.written(warehouse) as connection:
        connection.execute(f"create schema if not exists {MARTS}")
        for name, mart in marts.items():
            columns = ", ".join(
                f"cast({engine.name(c)} as {kind}) as {engine.name(c)}" for c, kind in mart.columns.items()
            )
            order = ", ".join(engine.name(column) for column in mart.key) or "all"
            files = engine.parquet_files(folder / name)
            table = engine.name(MARTS, name)
            connection.execute(f"create or replace table {table} as select {columns} from {files} order by {order}")
