"""Rules of the rubric's facts, by pillar.

Belongs here: one module a pillar, and what several pillars share.
Does not: which criterion uses which rule (seeds/rubric), thresholds (seeds/rulesets), statuses (facts).
"""
