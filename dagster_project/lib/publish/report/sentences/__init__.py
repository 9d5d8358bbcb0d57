"""Sentences of the report about trends and gaps, made from whole patterns of the catalogue.

Belongs here: what a stored trend or gap says, and why one cannot be determined.
Does not: numbers and words of codes (words.py), reading tables, looks.
"""
