"""What stays feasible: components of connected unknowns, integer programs over them, answers that were found before.

Belongs here: pure functions of bounds and sums; nothing here knows a cell, a kind or a release.
Does not: needs and verdicts of families (judging.py), choosing what is withheld (choice.py).
"""
