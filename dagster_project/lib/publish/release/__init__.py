"""Releases: immutable folders and what is current.

Belongs here: writing, hashing, opening and comparing releases.
Does not: pages (report), figures.
"""
