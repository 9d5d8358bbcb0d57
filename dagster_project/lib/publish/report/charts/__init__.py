"""Charts of the report: pictures as SVG text that work offline, on paper and for screen readers.

Belongs here: one kind of chart a module, and the frame that they share.
Does not: computing a figure, reading tables, knowing about pages.
"""
