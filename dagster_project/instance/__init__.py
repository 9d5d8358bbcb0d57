"""Dagster's own home: its event storage, runs, the lock of a home.

Belongs here: everything that speaks to a Dagster instance.
Does not: definitions (defs), what a run does (lib).
"""
