"""The warehouse: settings, wiring and computation.

Belongs here: settings.py, partitions.py, definitions.py, cli/main.py, the wiring in defs/, the computing in lib/.
Does not: what may be submitted (contracts/), SQL models (dbt/), reference data (seeds/).
"""
