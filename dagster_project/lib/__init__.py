"""What computes: pure functions on tables and bytes.

Belongs here: intake, warehouse, analysis, disclosure and publish, and the object store they share.
Does not: any Dagster import, any decorator, any reading of the environment (settings.py).
"""
