"""Determination records.

Belongs here: what a decision was made from, deciding it again, its words.
Does not: storing or freezing records (app).
"""
