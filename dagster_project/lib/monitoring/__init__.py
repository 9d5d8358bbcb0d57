"""Watching: what is due, late, fresh, astray.

Belongs here: deadlines, freshness, verdicts over a whole landing, as pure functions on tables.
Does not: reading stores, Dagster's checks and sensors (defs).
"""
