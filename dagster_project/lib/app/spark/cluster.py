"""One cluster as a home uses it: the session of this process, and what it writes of the home.

Belongs here: where on the home's scratch the cluster writes, and the one session that all steps of a process share.
Does not: what is done there (cluster_run.py, analysis.py, spread.py), how a session is opened (warehouse/spark.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dagster_project.lib.warehouse.spark import Session, session_on

TARGET = "spark"


@dataclass(frozen=True)
class Cluster:
    """A cluster by its master, and the scratch folder of a home, which every worker reaches under the same path."""

    master: str
    scratch: Path

    @property
    def work(self) -> Path:
        """What the cluster writes. It can be deleted between runs."""
        return self.scratch / TARGET

    @property
    def tables(self) -> Path:
        """The tables of the models, a folder a schema and in it a folder of Parquet files a table."""
        return self.work / "tables"

    def session(self) -> Session:
        """The session of this process; SparkError where there is none to be had."""
        return session_on(self.master, self.tables)
