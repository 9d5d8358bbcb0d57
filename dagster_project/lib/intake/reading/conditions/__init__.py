"""Conditional formatting as far as it decides what a cell shows.

Belongs here: the rules of a sheet (rules.py) and the formulas that they ask (formulas.py).
Does not: colors and borders, number formats themselves (number_formats.py), cells (worksheet.py, old_workbook.py).
"""
