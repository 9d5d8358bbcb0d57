"""What the rules of the checks are called on a page: the titles of the contracts' catalogue, as on a member's receipt.

Belongs here: a rule's title in the language spoken.
Does not: names of the network's dictionary (names.py), a finding's own words, or which rules there are.
"""

from __future__ import annotations

from dagster_project.lib.intake.findings import catalogue_in, rule_title
from dagster_project.lib.publish.report.languages.catalogue import ENGLISH, spoken
from dagster_project.lib.publish.report.languages.names import English


def rule_name(rule_id: str) -> str:
    """A rule's title in the language spoken; in English, marked as such, where it has none there."""
    code = spoken().code
    if rule_id in catalogue_in(code):
        return catalogue_in(code)[rule_id]["title"]
    return rule_title(rule_id) if code == ENGLISH else English(rule_title(rule_id))
