"""A run whose tables are made on a cluster of Spark.

Belongs here: what of a run is done there, over the same functions and models as on one machine.
Does not: the session and its tables (warehouse/spark.py), any figure, intake, publishing.
"""
