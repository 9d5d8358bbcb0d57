"""What stands beside a community's own values: reasons for a change of the measure, values of others, coverage.

Belongs here: rows of the marts that explain or orient a value and enter no figure.
Does not: the community's own values and trends (indicator.py), or looks (templates, charts).
"""
