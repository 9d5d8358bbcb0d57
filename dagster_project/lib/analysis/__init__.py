"""Analysis: from values as known at each reporting year to trends, gaps, outcomes, gateways and designations.

Belongs here: figures, the rubric, records, their tables and the one order in which they run (run).
Does not: reading the warehouse, writing files, or anything of Dagster.
"""
