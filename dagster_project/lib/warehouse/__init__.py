"""Between lake and SQL: landing files, calls of dbt, reading the warehouse.

Belongs here: gathering partitions for dbt, running dbt, handing analysis its input and its output back.
Does not: SQL models (dbt/), checks of rows (intake), figures (analysis).
"""
