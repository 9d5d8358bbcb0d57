"""Whole jobs made of the rooms.

Belongs here: the main job, freezing, rehearsal, prediction, the doctor.
Does not: computing of its own: each step is one call into a room.
"""
