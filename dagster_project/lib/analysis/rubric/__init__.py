"""The rubric: facts, criteria, gateways, designations.

Belongs here: RULES 6 over all communities at once.
Does not: figures themselves, records.
"""
