"""Closed words of the analysis that more than one of its rooms speaks.

Belongs here: statuses with their order, classes, standings and reasons as constants.
Does not: any computation; a word that one module alone uses stays there.
"""

from __future__ import annotations

# Three values as numbers whose minimum is all_of: any not_met wins, then any undetermined, else met (RULES, head).
NOT_MET, UNDETERMINED, MET = 0, 1, 2
STATUSES = ("not_met", "undetermined", "met")

PERCENT = "percent"
# left_out_reason of a point that is valid but was not used: these, or its trend's reason.
OTHER_SEGMENT, OUTSIDE_WINDOW = "other_segment", "outside_window"
VALID_LEFT_OUT = (OTHER_SEGMENT, OUTSIDE_WINDOW, "stale", "series_break", "too_few_points")

REDUCED = ("narrowed", "eliminated")
# Classes that say nothing about a gap's course: they are no part of a verdict (RULES 5).
WITHOUT_VERDICT = ("undetermined", "no_gap_at_baseline", "reversed")

ELIGIBILITY = {MET: "eligible", NOT_MET: "not_eligible", UNDETERMINED: "undetermined"}
NONE, ACTIVE, REVIEW_DUE, GRACE, LAPSED, REVOKED = "none", "active", "review_due", "grace", "lapsed", "revoked"
SUCCEEDED = "succeeded"
STANDINGS = (NONE, ACTIVE, REVIEW_DUE, GRACE, LAPSED, REVOKED, SUCCEEDED)
SCORE = "score"
# Without members these measures know nothing yet; the others are then short, or (earlier examples) satisfied.
UNDETERMINED_WITHOUT_MEMBERS = ("adjacent_trends", "outcome_trends", "outcome_gaps", "gateways_met")

# Whoever freezes a cycle says so in its records.
PROVISIONAL, FROZEN = "provisional", "frozen"
# Parts of a record's inputs that hold points.
POINT_PARTS = ("core", "adjacent", "gap")
# A count in evidence that grows with every day; what tells releases apart leaves it out.
DAYS_AFTER = "days after the assessment date"
