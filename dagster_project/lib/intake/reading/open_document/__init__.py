"""OpenDocument spreadsheets (.ods), with what their cells show.

Belongs here: the parts of such a package, its styles, its rules of conditional formatting, its sheets.
Does not: what number formats mean (number_formats.py), whether rules hold (conditions), grids (workbook.py).
"""
