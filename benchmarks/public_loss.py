"""What protecting a network costs: share of cells, students, trends and gaps withheld; programs, seconds, memory.

Belongs here: one protection of the release of a home, of that network several times over, and the primary rules alone.
Does not: write anything to the home, or judge whether a hidden cell is safe (tests/unit/disclosure_attack).

    python -m benchmarks.public_loss [--home ./data] [--seeds ./seeds] [--times 3] [--workers 1] [--public-source LABEL]
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from dagster_project.lib.app.public import PublicEdition
from dagster_project.lib.base.names import WITHHELD
from dagster_project.lib.base.workers import Processes
from dagster_project.lib.disclosure import DisclosureInputs, load_profile, protect, public_counts
from dagster_project.lib.disclosure.cells import classify, public_values, with_classes
from dagster_project.lib.disclosure.derived import publish_derived
from dagster_project.lib.disclosure.profiles import Profile
from dagster_project.lib.publish.release.pointing import ReleaseMissingError
from dagster_project.settings import Settings, from_environment

OF_COMMUNITIES = (
    *("values", "communities", "geographies", "trend", "trend_point", "gap", "outcome_status"),
    *("target_progress", "gap_year"),
)
MEGABYTE = 1024
"""`ru_maxrss` is in kilobytes on Linux."""


def several(inputs: DisclosureInputs, times: int) -> DisclosureInputs:
    """The network several times over, each copy's communities under names of their own."""

    def copies(frame: pl.DataFrame | None) -> pl.DataFrame | None:
        if frame is None:
            return None
        return pl.concat([_renamed(frame, number) for number in range(times)])

    own: dict[str, Any] = {name: copies(getattr(inputs, name)) for name in OF_COMMUNITIES}
    return replace(inputs, **own)


def _renamed(frame: pl.DataFrame, number: int) -> pl.DataFrame:
    if number == 0:
        return frame
    # A community is its own place: where it stands as one, that is renamed with it.
    own = [name for name in ("geography_id", "parent_id") if name in frame.columns]
    renamed = pl.format("{}__{}", "community_id", pl.lit(number))
    places = [
        pl.when(pl.col(name) == pl.col("community_id")).then(renamed).otherwise(pl.col(name)).alias(name)
        for name in own
    ]
    return frame.with_columns(renamed.alias("community_id"), *places)


def primary_only(inputs: DisclosureInputs, profile: Profile) -> dict[str, float]:
    """Share of determined trends and gaps withheld if nothing but the primary rules applied (RULES 8.1)."""
    cells = with_classes(classify(inputs.values, inputs.indicators, inputs.communities, profile))
    derived = publish_derived(
        public_values(inputs.values, cells, profile),
        inputs.trend,
        inputs.trend_point,
        inputs.gap,
        inputs.gap_year,
        inputs.outcome_status,
        inputs.target_progress,
        [],
    )
    hidden = {
        "trends": (derived.trend.filter(pl.col("trend_status") == WITHHELD), inputs.trend["slope"]),
        "gaps": (derived.gap.filter(pl.col("gap_status") == WITHHELD), inputs.gap["group_slope"]),
    }
    return {name: frame.height / max(known.drop_nulls().len(), 1) for name, (frame, known) in hidden.items()}


def listed_as_public(profile: Profile, labels: Sequence[str]) -> Profile:
    """The profile as if these labels stood in crosswalks/data_sources.csv as public sources."""
    own = {"is_public": True, "valid_from": 0, "valid_to": 9999}
    rows = [{"label": label, "public_name": label, **own} for label in labels]
    added = pl.DataFrame(rows, schema=profile.sources.schema)
    return replace(profile, sources=pl.concat([profile.sources.filter(~pl.col("label").is_in(labels)), added]))


def measure(edition: PublicEdition, times: int, workers: int, public: Sequence[str] = ()) -> dict[str, object]:
    """Counts and shares of one protection without history, and what it took."""
    profile = listed_as_public(load_profile(edition.reference), public)
    inputs = several(edition.inputs(), times)
    before, started = _cpu(), time.perf_counter()
    protected = protect(inputs, (), profile, b"benchmark", spread=Processes(workers))
    seconds, cpu = time.perf_counter() - started, _cpu() - before
    counts = public_counts(inputs, protected)
    shares = {name: dict(parts) for name, parts in _shares(counts).items()}
    for name, share in primary_only(inputs, profile).items():
        shares[name]["primary"] = share
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "communities": inputs.communities.height,
        "cells": inputs.values.height,
        "families": counts["families"],
        "programs": counts["programs"],
        "by kind": counts["cells_by_kind"],
        "fall-backs": counts["fall_backs"],
        "audit passed": protected.audit.passed,
        "shares": shares,
        "CPU seconds": cpu,
        "seconds": seconds,
        "peak megabytes": peak / MEGABYTE,
    }


def _shares(counts: Mapping[str, object]) -> Mapping[str, Mapping[str, float]]:
    found = counts["share_withheld"]
    assert isinstance(found, dict)
    return found


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def lines(found: Mapping[str, object]) -> list[str]:
    """The measurement in plain lines."""
    said = []
    for name, value in found.items():
        if name == "shares":
            assert isinstance(value, dict)
            for what, parts in value.items():
                primary, every = (100 * float(parts[which] or 0) for which in ("primary", "all"))
                said.append(f"{what:<16} {every:5.1f} % withheld, {primary:.1f} % by the primary rules alone")
        elif isinstance(value, float):
            said.append(f"{name:<16} {value:,.1f}")
        else:
            said.append(f"{name:<16} {value:,}" if type(value) is int else f"{name:<16} {value}")
    return said


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the release of a home; the settings are those of the environment but for --home and --seeds."""
    parser = argparse.ArgumentParser(prog="benchmarks.public_loss")
    parser.add_argument("--home", help="home with a release (default: CRADLE_HOME)")
    parser.add_argument("--seeds", help="its seeds (default: CRADLE_SEEDS)")
    parser.add_argument("--times", type=int, default=1, help="the network so many times over")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--public-source", action="append", default=[], help="a data source, taken for a public one")
    given = parser.parse_args(arguments)
    own = {"CRADLE_HOME": given.home, "CRADLE_SEEDS": given.seeds}
    os.environ.update({name: value for name, value in own.items() if value})
    settings: Settings = from_environment()
    try:
        found = measure(PublicEdition(settings), given.times, given.workers, given.public_source)
    except ReleaseMissingError as error:
        raise SystemExit(f"{error}; give a --home in which `cradle run` was run") from None
    for line in lines(found):
        print(line)


if __name__ == "__main__":
    main()
