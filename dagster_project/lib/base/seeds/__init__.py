"""Seeds held against their form: what each file must hold, what is wrong in one, how an older one is brought along.

Belongs here: the declared forms, the check of all seeds, the upgrade of a home's own seeds.
Does not: reading seeds for their use (reference.py, ruleset.py), what their values mean.
"""
