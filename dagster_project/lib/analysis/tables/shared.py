"""Columns that several computed tables share, declared once so that one name has one meaning.

Belongs here: ids and years that rows are identified by, windows, and the version of the rules.
Does not: columns of a single table (figures, rubric).
"""

from __future__ import annotations

from dagster_project.lib.analysis.tables.declaring import TEXT, WHOLE, Column, promised

COMMUNITY = promised("community_id", TEXT, "Community.", refers_to="dim_community")
INDICATOR = promised("indicator_id", TEXT, "Indicator.", refers_to="dim_indicator")
GROUP = promised(
    "population_group_id",
    TEXT,
    "Population group: `all`, or dimension:group.",
    refers_to="dim_population_group",
)
PLACE = promised(
    "geography_id",
    TEXT,
    "Place; the community's own id stands for the community itself.",
    refers_to="dim_geography",
)
REPORTING_YEAR = promised(
    "reporting_year",
    WHOLE,
    "Reporting year whose knowledge the row speaks from.",
    refers_to="dim_reporting_year",
)
FIRST_REPORTING_YEAR = Column("first_reporting_year", WHOLE, "First reporting year of which the row holds.")
LAST_REPORTING_YEAR = Column("last_reporting_year", WHOLE, "Last reporting year of which it holds without a break.")
OUTCOME = Column("outcome_id", TEXT, "Outcome.", refers_to="dim_outcome")
CRITERION = promised("criterion_id", TEXT, "Criterion or sub-criterion of the rubric.", refers_to="dim_criterion")
DESIGNATION = promised(
    "designation",
    TEXT,
    "proof_point_initial, proof_point_ongoing or systems_transformation.",
    words="designation",
)
FIRST_YEAR = promised("first_year", WHOLE, "First school year of the window.")
LAST_YEAR = promised("last_year", WHOLE, "Last school year of the window.")
N_YEARS = promised("n_years", WHOLE, "Number of school years in the window.")
RULESET_ID = Column("ruleset_id", TEXT, "Ruleset that the row was computed under.")
RULESET_VERSION = promised("ruleset_version", TEXT, "Version of the ruleset that the row was computed under.")
RECORD_STATE = Column(
    "record_state",
    TEXT,
    "provisional, or frozen: decided when the cycle was closed, and never changed by later data.",
    words="record_state",
)

CELL = (COMMUNITY, INDICATOR, GROUP, PLACE, REPORTING_YEAR)
CELL_KEY = tuple(column.name for column in CELL)
