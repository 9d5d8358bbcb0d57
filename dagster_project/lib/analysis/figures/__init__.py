"""Figures: trends, gaps, outcomes, network figures, targets.

Belongs here: RULES 2 to 5 and 7, many series at once.
Does not: the rubric, records, reading or writing tables.
"""
