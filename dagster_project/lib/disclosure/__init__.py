"""Disclosure (RULES 8): what may leave the house so that no small group is let out, and proof of it.

Belongs here: pure functions on tables: protect one release, audit it over all releases that were ever out, certify it.
Does not: reading or writing a store, building the public edition, deciding who may publish (seeds).
"""

from __future__ import annotations

from dagster_project.lib.disclosure.audit import Audit, Failure, audit
from dagster_project.lib.disclosure.certificate import certificate, public_counts
from dagster_project.lib.disclosure.derived import Derived, publish_derived
from dagster_project.lib.disclosure.profiles import Parameters, Profile, load_profile
from dagster_project.lib.disclosure.register import Release
from dagster_project.lib.disclosure.release import DisclosureInputs, Protected, protect

__all__ = [
    "Audit",
    "Derived",
    "DisclosureInputs",
    "Failure",
    "Parameters",
    "Profile",
    "Protected",
    "Release",
    "audit",
    "certificate",
    "load_profile",
    "protect",
    "public_counts",
    "publish_derived",
]
