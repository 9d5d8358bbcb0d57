"""Repeatable measurements, each against its plain baseline.

Belongs here: one module a measurement, with a `main()` that prints what it found.
Does not: assertions (tests), or anything that the warehouse itself runs.
"""
