"""Names that the whole room uses: columns of keys, kinds of cells, status words.

Belongs here: vocabulary and the small value types that every module passes on.
Does not: rules; each module applies its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from dagster_project.lib.base.names import VALUE_KEY

CELL = VALUE_KEY
FAMILY = ("community_id", "indicator_id", "series", "school_year", "period")

ALL, ANNUAL, COMMUNITY = "all", "annual", "community"
PERCENT, COUNT, PER_1000 = "percent", "count", "per_1000"
# Units whose value is a share of the denominator, with what a whole is called in them.
WHOLE = {PERCENT: 100.0, PER_1000: 1000.0}

# Kinds of cells (RULES 8.1). The first group is printed in full, the second in part, the third is hidden.
PUBLISHED, RATE_ONLY, NOT_APPLICABLE, MISSING = "published", "rate_without_n", "not_applicable", "missing"
CODED, SOURCE_MASKED = "coded", "source_masked"
SMALL, COMPLEMENTARY, NO_COUNT = "small", "complementary", "withheld_without_count"
KINDS = (PUBLISHED, RATE_ONLY, NOT_APPLICABLE, MISSING, CODED, SOURCE_MASKED, SMALL, COMPLEMENTARY, NO_COUNT)
HIDDEN = (SMALL, COMPLEMENTARY, NO_COUNT)

RANGE, SUPPRESSED = "range", "suppressed_at_source"

INF = math.inf
Key = tuple[str, str, str, str, str, int, str]
# One count of one cell as it stands in some release: equal names are one number.
Unknown = str
FamilyKey = tuple[str, str, str, int, str]


def family_of(key: Key) -> FamilyKey:
    """The family that a cell belongs to."""
    return key[0], key[1], key[2], key[5], key[6]


class Bounds(NamedTuple):
    """What the public may know of one cell by itself: n, k and m = n - k within closed bounds, k/n within a rate.

    Whole numbers as floats (`INF` where nothing bounds them). `rate_low`, `rate_high`: shares of one, set only where n
    is not fixed and so the rate binds k to n. `has_k`: False for a cell that is a count or a score without numerator.
    """

    n_low: float = 0.0
    n_high: float = INF
    k_low: float = 0.0
    k_high: float = INF
    m_low: float = 0.0
    m_high: float = INF
    rate_low: float = 0.0
    rate_high: float = 1.0
    has_k: bool = True

    @property
    def is_box(self) -> bool:
        """Whether no rate binds k to n."""
        return self.rate_low <= 0.0 and self.rate_high >= 1.0

    @property
    def n_fixed(self) -> bool:
        """Whether n is known."""
        return self.n_low == self.n_high

    @property
    def fixed(self) -> bool:
        """Whether nothing of the cell is left open."""
        return self.n_fixed and (not self.has_k or self.k_low == self.k_high)

    @property
    def empty(self) -> bool:
        """Whether no pair satisfies the bounds."""
        return self.n_low > self.n_high or self.k_low > self.k_high or self.m_low > self.m_high

    def tight(self) -> Bounds:
        """The same set with every bound attained (exact for whole numbers where no rate binds)."""
        if not self.has_k:
            return self
        n_low, n_high = max(self.n_low, self.k_low + self.m_low), min(self.n_high, self.k_high + self.m_high)
        k_low, k_high = max(self.k_low, n_low - self.m_high), min(self.k_high, n_high - self.m_low)
        m_low, m_high = max(self.m_low, n_low - k_high), min(self.m_high, n_high - k_low)
        return Bounds(n_low, n_high, k_low, k_high, m_low, m_high, self.rate_low, self.rate_high)

    def meet(self, other: Bounds) -> Bounds:
        """What both say together."""
        return Bounds(
            max(self.n_low, other.n_low),
            min(self.n_high, other.n_high),
            max(self.k_low, other.k_low),
            min(self.k_high, other.k_high),
            max(self.m_low, other.m_low),
            min(self.m_high, other.m_high),
            max(self.rate_low, other.rate_low),
            min(self.rate_high, other.rate_high),
            self.has_k and other.has_k,
        ).tight()


@dataclass(frozen=True, slots=True)
class Need:
    """How many values must stay feasible (RULES 8.2): of n, of k and m, of pairs; 0 where nothing is asked.

    `certain`: also that not every feasible pair is 0 %, nor every one 100 %.
    """

    n: int = 0
    k: int = 0
    m: int = 0
    pairs: int = 0
    certain: bool = False
