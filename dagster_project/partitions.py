"""Partitions: one for each community and reporting year, from seeds/network.

Belongs here: the partitions definition and the names of its two dimensions.
Does not: which partitions have files (the bucket says), or what is done with them.
"""

from __future__ import annotations

import dagster as dg

from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.reference import Reference
from dagster_project.settings import Settings, from_environment

COMMUNITY = "community"
YEAR = "reporting_year"


def submission_partitions(settings: Settings) -> dg.MultiPartitionsDefinition:
    """community x reporting_year; the network's own folder is a partition of its own beside the communities."""
    reference = Reference(settings.seeds)
    communities = [*reference.communities["community_id"], NETWORK_FOLDER]
    years = [str(year) for year in reference.reporting_years(settings.today)]
    return dg.MultiPartitionsDefinition(
        {COMMUNITY: dg.StaticPartitionsDefinition(communities), YEAR: dg.StaticPartitionsDefinition(years)}
    )


def partition_key(community_id: str, reporting_year: int) -> dg.MultiPartitionKey:
    """The key of one partition."""
    return dg.MultiPartitionKey({COMMUNITY: community_id, YEAR: str(reporting_year)})


SUBMISSION_PARTITIONS = submission_partitions(from_environment())
