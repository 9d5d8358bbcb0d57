"""The member's page: who may see what, and what its templates print.

Belongs here: pure functions on receipts, rows of marts and texts of forms.
Does not: requests, answers and processes (dagster_project/web), rules of intake.
"""
