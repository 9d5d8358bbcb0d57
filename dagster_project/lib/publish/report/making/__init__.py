"""Making the files of a report again only where they changed, and paper of its cards.

Belongs here: pages kept of the last report, PDF.
Does not: what a page says or how it looks (the rooms beside this one, templates).
"""
