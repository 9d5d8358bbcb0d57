"""What several rooms share.

Belongs here: the object store, reference data and its lint, rulesets, progress, names, the seam to the engine.
Does not: anything that only one room needs, any rule of intake, analysis or publishing.
"""
