"""Dashboards as code: what a BI server is given, made from the project's own declarations.

Belongs here: the bundle for Superset (bi/superset), what makes it, and the command that a Superset takes it in with.
Does not: figures, meanings, words or colours (dbt/models, seeds/dictionary), or any table for charts (dbt/models).
"""
