"""Columns of a contract's table that were not read, and what stands beside those that were.

Belongs here: the order in which a sheet is looked at for what nothing reads, and which faults leave the others untold.
Does not: which header is near to which column (near.py), reading of the cells that are taken (intake/rows).
"""

from __future__ import annotations

import contracts
from dagster_project.lib.intake.layouts.declaration import Match
from dagster_project.lib.intake.layouts.unread.columns import (
    NOT_FILLED,
    doubtful,
    rates_beside,
    read_as,
    telling_columns,
    twice,
    two_lines,
    values_beside,
    without_values,
)
from dagster_project.lib.intake.layouts.unread.rows import (
    flagged,
    not_meant,
    of_another_topic,
    other_values,
    set_aside,
    under_a_name,
)
from dagster_project.lib.intake.layouts.unread.sheet import Sheet
from dagster_project.lib.intake.layouts.unread.vocabulary import Words, words_of
from dagster_project.lib.intake.reading.grid import Problem

__all__ = ["NOT_FILLED", "Words", "unread_problems", "words_of"]


def unread_problems(match: Match, words: Words, alone: bool) -> list[Problem]:
    """What the member must hear of columns of a contract's table that were not read.

    A fatal one and NOT_FILLED refuse the sheet. `alone`: it is the only sheet of its file; one of several without any
    value is a form that nobody has filled in yet.
    """
    if not match.layout.contract:
        return []
    sheet = Sheet(match)
    told = [*twice(sheet), *doubtful(sheet, words), *telling_columns(sheet, words)]
    if match.table == contracts.VALUES_TABLE and match.data:
        told += two_lines(sheet)
        if not told:
            told += [*without_values(sheet, alone), *flagged(sheet), *other_values(sheet), *values_beside(sheet, words)]
            told += [*of_another_topic(sheet), *rates_beside(sheet), *not_meant(sheet), *under_a_name(sheet, words)]
    return [*read_as(sheet), *set_aside(sheet), *told]
