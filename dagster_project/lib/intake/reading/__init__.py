"""From bytes to grids of text.

Belongs here: one reader a kind of file, its limits, what is refused unread, what looks like a list of persons.
Does not: what a grid means (layouts), what its cells mean (rows).
"""
