"""From grids to rows of text.

Belongs here: recognising a table by its header, and the SELECT of each foreign layout.
Does not: reading files (reading), typing or checking what comes out (rows).
"""
