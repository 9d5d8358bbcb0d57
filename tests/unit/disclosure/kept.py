"""What is withheld of networks drawn at random, as it is kept beside this file: the same input has the same release.

Belongs here: the networks, and the lines of kept_choices.jsonl. Where a rule is meant to choose otherwise, look at what
it chooses and write the file anew:

    python -m tests.unit.disclosure.kept
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from dagster_project.lib.base.names import WITHHELD
from dagster_project.lib.disclosure import Parameters, Protected, Release, protect, public_counts
from dagster_project.lib.disclosure.words import CELL, PUBLISHED
from tests.reference.disclosure.generate import networks
from tests.reference.disclosure.model import Network
from tests.reference.product import KEY, inputs_of, profile_of

KEPT = Path(__file__).with_name("kept_choices.jsonl")
AMPLE, SCANTY = Parameters(), Parameters(trials=2, programs_per_family=3)
"""As published, and with so few programs that families fall back."""
DRAWN = {
    **{f"one release, network {seed}": (seed, 1, AMPLE) for seed in range(50)},
    **{f"three releases, network {seed}": (seed, 3, AMPLE) for seed in range(1000, 1008)},
    **{f"few programs, network {seed}": (seed, 1, SCANTY) for seed in range(100, 130)},
}


def chosen(name: str) -> list[str]:
    """A line for each release of a network."""
    seed, number, parameters = DRAWN[name]
    return [
        json.dumps({"network": name, "release": n} | found)
        for n, found in enumerate(_releases(seed, number, parameters))
    ]


def _releases(seed: int, number: int, parameters: Parameters) -> Iterator[dict[str, object]]:
    out: list[Release] = []
    for network in networks(seed, number):
        found = _protected(network, out, parameters)
        out.append(found.release)
        yield {
            "counts": public_counts(inputs_of(network), found),
            "cells": _cells(found),
            "withheld": [_names(found.derived.trend, "trend_status"), _names(found.derived.gap, "gap_status")],
        }


def _protected(network: Network, out: Sequence[Release], parameters: Parameters) -> Protected:
    return protect(inputs_of(network), out, profile_of(network), KEY, parameters, f"release-{len(out)}")


def _cells(found: Protected) -> dict[str, list[str]]:
    """Cells by kind, those that earlier releases give away marked; most are published, which goes without saying."""
    cells = defaultdict[str, list[str]](list)
    rows = found.cells.filter((pl.col("kind") != PUBLISHED) | pl.col("is_out"))
    for row in rows.sort("kind", *CELL).iter_rows(named=True):
        name = " ".join(str(row[column]) for column in CELL if column != "community_id")
        cells[row["kind"]].append(f"{name} out" if row["is_out"] else name)
    return dict(cells)


def _names(facts: pl.DataFrame, status: str) -> list[str]:
    names = pl.format("{} {} {}", "indicator_id", "population_group_id", "geography_id")
    return sorted(facts.filter(pl.col(status) == WITHHELD).select(names).to_series())


if __name__ == "__main__":
    KEPT.write_text("".join(f"{line}\n" for name in DRAWN for line in chosen(name)), encoding="utf-8")
