"""The certificate of a release (RULES 8.9): what was judged, what was withheld and what that cost, in counts.

Belongs here: network-wide counts that may be public, and the house's own by community and table.
Does not: where it is stored, or any decision.
"""

from __future__ import annotations

import math
from collections import Counter

import polars as pl

from dagster_project.lib.base.names import WITHHELD
from dagster_project.lib.disclosure.choice import EVERYTHING, GROUPS, PLACES
from dagster_project.lib.disclosure.release import DisclosureInputs, Protected
from dagster_project.lib.disclosure.words import CODED, COMPLEMENTARY, NO_COUNT, PUBLISHED, SMALL

FALL_BACK_WORDS = {PLACES: "places", GROUPS: "groups", EVERYTHING: "everything"}
_COUNTED = (PUBLISHED, CODED, SMALL)
_HIDDEN = (SMALL, COMPLEMENTARY, NO_COUNT)


def public_counts(inputs: DisclosureInputs, protected: Protected) -> dict[str, object]:
    """Network-wide counts for the public manifest: nothing of a single community or cell.

    Shares are of what the house knows: cells of groups that have a count, their students, determined trends and gaps.
    `smallest_interval` is the fewest feasible values that any judged count has (at least 3).
    """
    cells, outcomes = protected.cells, protected.outcomes.values()
    audit = protected.audit
    levels = Counter(FALL_BACK_WORDS[level] for level in protected.fall_backs.values())
    smallest = audit.smallest if math.isfinite(audit.smallest) else None
    return {
        "cells_by_kind": dict(cells.group_by("kind").len().sort("kind").iter_rows()),
        "cells_judged": audit.judged,
        "cells_out": audit.out,
        "cells_pinned_by_their_source": audit.forced,
        "families": audit.families,
        "families_solved": sum(outcome.solved for outcome in outcomes),
        "families_taken_over": sum(outcome.reused for outcome in outcomes),
        "families_without_unchecked_sums": audit.dropped,
        "programs": audit.programs + sum(outcome.programs for outcome in outcomes),
        "smallest_interval": None if smallest is None else int(smallest),
        "fall_backs": {word: levels.get(word, 0) for word in FALL_BACK_WORDS.values()},
        "share_withheld": shares(inputs, protected),
        "verdicts_withheld": protected.derived.withheld_verdicts.height,
    }


def shares(inputs: DisclosureInputs, protected: Protected) -> dict[str, dict[str, float | None]]:
    """Share of group cells, of their students, of trends and of gaps withheld, beside what primary rules alone hide.

    Trends and gaps: of the determined ones of the internal release.
    """
    groups = protected.cells.filter((pl.col("population_group_id") != "all") & pl.col("primary").is_in(_COUNTED))
    hidden, primary = pl.col("kind").is_in(_HIDDEN), pl.col("primary") == SMALL
    trends = inputs.trend.filter(pl.col("slope").is_not_null()).height
    gaps = inputs.gap.filter(pl.col("group_slope").is_not_null()).height
    derived = protected.derived
    return {
        "cells": {"primary": _share(groups, primary), "all": _share(groups, hidden)},
        "students": {"primary": _share(groups, primary, "n"), "all": _share(groups, hidden, "n")},
        "trends": {"all": _part(derived.trend.filter(pl.col("trend_status") == WITHHELD).height, trends)},
        "gaps": {"all": _part(derived.gap.filter(pl.col("gap_status") == WITHHELD).height, gaps)},
    }


def _share(frame: pl.DataFrame, where: pl.Expr, column: str | None = None) -> float | None:
    if column is None:
        return _part(frame.filter(where).height, frame.height)
    return _part(float(frame.filter(where)[column].sum()), float(frame[column].sum()))


def _part(part: float, whole: float) -> float | None:
    return round(part / whole, 6) if whole else None


def certificate(inputs: DisclosureInputs, protected: Protected, release_id: str) -> dict[str, object]:
    """The whole certificate, for the house: the public counts, and by community what is withheld, why, and what fails.

    release_id: the internal release it was made of. Holds keys, kinds and counts of cells, never a hidden number.
    """
    cells = protected.cells
    hidden = cells.filter(pl.col("kind").is_in(_HIDDEN))
    by_community = hidden.group_by("community_id", "indicator_id", "kind").len()
    out = [list(row) for row in cells.filter("is_out").select(cells.columns[:7]).iter_rows()]
    return {
        "release_id": release_id,
        "public_id": protected.release.public_id,
        "passed": protected.audit.passed,
        "counts": public_counts(inputs, protected),
        "withheld": [list(row) for row in by_community.sort("community_id", "indicator_id", "kind").iter_rows()],
        "fall_backs": [[*family, FALL_BACK_WORDS[level]] for family, level in sorted(protected.fall_backs.items())],
        "out": out,
        "failures": [[list(each.cell), each.why, list(each.sums)] for each in protected.audit.failures],
    }
