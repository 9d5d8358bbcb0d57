"""What the rules of the checks are called on a page: the titles of the contracts' catalogue, as on a member's receipt.

Belongs here: a rule's title in the language spoken.
Does not: names of the network's dictionary (names.py), a finding's own words, or which rules there are.
"""

from __future__ import annotations

from dagster_project.lib.intake.findings import catalogue, catalogue_in
from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.languages.catalogue import ENGLISH, spoken
from dagster_project.lib.publish.report.languages.names import English


def rule_name(rule_id: str) -> str:
    """A rule's title; one that today's catalogue does not list, as in an older release, by the words of its code."""
    code = spoken().code
    if rule_id in catalogue_in(code):
        return catalogue_in(code)[rule_id]["title"]
    known = catalogue().titles.get(rule_id) or words.sentence_case(words.humanized(rule_id))
    return known if code == ENGLISH else English(known)
