"""The name under which older homes know the storage of Dagster's history.

Belongs here: one import, since a `dagster.yaml` that was copied into a home before says `module: dagster_project.history`.
Does not: anything else (instance/history.py).
"""

from dagster_project.instance.history import KeptSqlite

__all__ = ["KeptSqlite"]
