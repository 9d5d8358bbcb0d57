"""The national report's sections over the years: reach, levels, shares, spread, targets, timeliness, what changed.

Belongs here: rows of the network's own marts and of all communities, arranged for index.html and over-the-years.html.
Does not: one community's pages, figures that no mart holds, or looks (templates/national).
"""
