"""The door for data on single persons: judged before anything of a file is stored.

Belongs here: what the rest of intake calls, and nothing else.
Does not: the words of the finding (contracts/findings.csv), the signs themselves (contracts/person_level*.csv).
"""

from dagster_project.lib.intake.reading.person_level.door import look, look_at_rows, look_into
from dagster_project.lib.intake.reading.person_level.grids import Hit
from dagster_project.lib.intake.reading.person_level.text import TextHit, persons_in_text

__all__ = ["Hit", "TextHit", "look", "look_at_rows", "look_into", "persons_in_text"]
