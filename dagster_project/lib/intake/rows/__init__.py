"""From rows of text to checked rows.

Belongs here: typing, codes, contracts, the arithmetic of one row, rows that repeat.
Does not: questions between rows, years or members (comparing).
"""
