"""Contract version 1.

Belongs here: one module per submitted table of version 1.
Does not: anything that holds for all versions (contracts/base.py).
"""
