"""The PostgreSQL server of those whose BI tools need one.

Belongs here: what a release's tables are there (types, keys, comments, rights), filling a schema, swapping it in.
Does not: which release is to be there (current.py), any figure.
"""
