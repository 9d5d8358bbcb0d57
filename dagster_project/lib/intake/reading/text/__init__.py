"""Text files, and the signs of all texts.

Belongs here: CSV, TSV and TXT as grids, records with broken quotation marks, signs that nobody sees.
Does not: workbooks (worksheet.py, old_workbook.py), the meaning of a cell (rows).
"""
