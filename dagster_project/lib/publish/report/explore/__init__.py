"""The page on which a reader chooses: indicator, groups, communities and years, as table, lines, gaps and CSV.

Belongs here: the figures of that page as files of script, and the one script that shows them.
Does not: the other pages, which need no script; computing, ranking or protecting a figure.
"""
