"""The name under which older homes know the storage of Dagster's history.

Belongs here: one import, since the `dagster.yaml` of a home made before says `module: dagster_project.history`.
Does not: anything else (instance/history.py).
"""

from dagster_project.instance.history import KeptSqlite

__all__ = ["KeptSqlite"]
