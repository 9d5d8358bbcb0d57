"""Names of places that are wider than any community: the state, the nation.

Belongs here: how files name them (contracts/telling_words.csv, states.csv).
Does not: places of the network (seeds), what is told of a row that names one (places.py).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import polars as pl

import contracts
from dagster_project.lib.intake.layouts.telling import WIDER_PLACE, patterns
from dagster_project.lib.intake.rows.labels import normalised


@cache
def state_names(path: Path = contracts.STATES) -> Mapping[str, str]:
    """Names of states by their codes, in small letters."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {line["state"]: line["name"] for line in csv.DictReader(lines)}


def names_wider(place: str, state: str) -> pl.Expr:
    """Whether a place, as `normalised` writes it, is wider than a community of the state in the column `state`."""
    code = normalised(state)
    named = pl.col(place).str.replace(r"^(?:the )?state of ", "")
    wider = pl.col(place).str.contains(f"^(?:{patterns()[WIDER_PLACE]})$")
    return (wider | (named == code) | (named == code.replace(dict(state_names())))).fill_null(False)
