"""The report: pages, words and charts from the marts of one release.

Belongs here: reading schema marts, arranging it into pages, every sentence and chart.
Does not: computing an estimate or a status.
"""
