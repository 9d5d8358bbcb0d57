"""Names of places that are wider than any community: the state, the nation.

Belongs here: how files name them.
Does not: places of the network (seeds), what is told of a row that names one (places.py).
"""

from __future__ import annotations

import polars as pl

from dagster_project.lib.intake.rows.labels import normalised

WIDER = (
    r"^(?:(?:the |whole |entire )?(?:state|nation|country)|state-?wide|nation-?wide|national|us|u\.s\.|usa|u\.s\.a\."
    r"|(?:the )?united states(?: of america)?)"
    r"(?: (?:total|average|avg|mean|rate|level|public schools))?$"
)
STATES = {
    "al": "alabama",
    "ak": "alaska",
    "az": "arizona",
    "ar": "arkansas",
    "ca": "california",
    "co": "colorado",
    "ct": "connecticut",
    "de": "delaware",
    "dc": "district of columbia",
    "fl": "florida",
    "ga": "georgia",
    "hi": "hawaii",
    "id": "idaho",
    "il": "illinois",
    "in": "indiana",
    "ia": "iowa",
    "ks": "kansas",
    "ky": "kentucky",
    "la": "louisiana",
    "me": "maine",
    "md": "maryland",
    "ma": "massachusetts",
    "mi": "michigan",
    "mn": "minnesota",
    "ms": "mississippi",
    "mo": "missouri",
    "mt": "montana",
    "ne": "nebraska",
    "nv": "nevada",
    "nh": "new hampshire",
    "nj": "new jersey",
    "nm": "new mexico",
    "ny": "new york",
    "nc": "north carolina",
    "nd": "north dakota",
    "oh": "ohio",
    "ok": "oklahoma",
    "or": "oregon",
    "pa": "pennsylvania",
    "ri": "rhode island",
    "sc": "south carolina",
    "sd": "south dakota",
    "tn": "tennessee",
    "tx": "texas",
    "ut": "utah",
    "vt": "vermont",
    "va": "virginia",
    "wa": "washington",
    "wv": "west virginia",
    "wi": "wisconsin",
    "wy": "wyoming",
}
"""Codes of the states of the United States, with their names in small letters; other states stand under their code."""


def names_wider(place: str, state: str) -> pl.Expr:
    """Whether a place, as `normalised` writes it, is wider than a community of the state in the column `state`."""
    code = normalised(state)
    named = pl.col(place).str.replace(r"^(?:the )?state of ", "")
    return (pl.col(place).str.contains(WIDER) | (named == code) | (named == code.replace(STATES))).fill_null(False)
