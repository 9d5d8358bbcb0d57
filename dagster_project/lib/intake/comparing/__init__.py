"""Questions between rows, years and members.

Belongs here: one module a family of comparisons, what they share, and asking each question once.
Does not: anything that rejects a row (rows), answers to questions (answers).
"""
