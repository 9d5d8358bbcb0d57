"""Names that several rooms share: folders of the bucket, schemas and tables of a release, the key of a value.

Belongs here: a name that two rooms must write alike.
Does not: values that only one room uses, other columns of tables (contracts, intake/tables.py, analysis/tables.py).
"""

NETWORK_FOLDER = "_network"
"""The folder of the drop bucket that holds the network's own tables, and the community_id of its rows."""

CONTACTS = "network/contacts"
"""The seed of addresses of people. No copy, no hash and no message holds anything of it (monitoring/mail/contacts.py);
dbt does not see it (dbt/.dbtignore)."""

NOTES_SHEET, LISTS_SHEET, FINDINGS_SHEET = "Read me", "Lists", "Findings"
"""Sheets that templates and marked copies have beside the member's tables; put back they say nothing."""

MARTS = "marts"
"""Schema of a warehouse and of a release that holds the promised tables."""
INPUTS = "inputs"
"""Schema of a release's database that holds what its records were decided from, the registers among it."""
OBSERVATIONS_TABLE = "observations"
"""Rows of values of all folders, accepted or not, as intake wrote them."""
ANSWERS_TABLE = "register_explanations"
DECISIONS_TABLE = "register_explanation_decisions"
"""Members' answers. No figure is made from them; a check of a folder against the release needs them."""
OBJECTIONS_TABLE = "register_publication_objections"
"""Objections to publication. No internal figure is made from them; the public edition of a release goes by them."""

VALUE_KEY = (
    "community_id",
    "indicator_id",
    "series",
    "geography_id",
    "population_group_id",
    "school_year",
    "period",
)
"""What tells one value from all others: of the rows of one key the newest submission's is in effect (RULES 1)."""

WITHHELD = "withheld"
"""Status of a figure that the public edition does not print; no internal one has it."""
