"""Wiring only: one module a room, decorators over calls of lib/.

Belongs here: assets, checks, jobs, sensors, resources.
Does not: anything that computes (lib/).
"""
