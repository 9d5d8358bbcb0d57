"""How often `cradle suggest` is right: every known label held out in turn, its code proposed from the rest.

Belongs here: top-1 and top-3 accuracy by kind of label, over the project's own crosswalks.
Does not: any threshold (tests/unit/intake/test_suggest.py holds the floor).
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.rows.codes import CodeTables
from dagster_project.lib.member.suggest import SHOWN, held_out, known_labels

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
# Places are left out: their crosswalk lists official names and codes, from which nothing can be inferred.
MEASURED = ("indicator", "dimension", "group")


def measure(seeds: Path) -> pl.DataFrame:
    """One line a kind: kind, labels, top_1 and top_3 (shares)."""
    reference = Reference(seeds)
    codes = CodeTables.of(reference)
    lines = []
    for kind in MEASURED:
        ranks = held_out(known_labels(reference, codes, kind))["rank"]
        n = max(len(ranks), 1)
        first, shown = (ranks == 1).sum() / n, (ranks <= SHOWN).sum() / n
        lines.append({"kind": kind, "labels": len(ranks), "top_1": first, "top_3": shown})
    return pl.DataFrame(lines)


def main() -> None:
    """Print the accuracies."""
    print("Labels of crosswalks (global and community), each held out in turn; layouts' own codes are not asked.")
    for line in measure(SEEDS).iter_rows(named=True):
        print(f"{line['kind']:<10} {line['labels']:>4} labels  top-1 {line['top_1']:.3f}  top-3 {line['top_3']:.3f}")


if __name__ == "__main__":
    main()
