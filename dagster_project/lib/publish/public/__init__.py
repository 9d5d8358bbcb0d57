"""The public edition: what leaves the house, in a tree of its own that can be served as it stands (RULES 8.6, 8.7).

Belongs here: the closed selection, public tables, files, pages, the register of what was ever out.
Does not: what is protected how (lib/disclosure), the internal release (publish/release), reading settings (lib/app).
"""
