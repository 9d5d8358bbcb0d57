"""Answers that were found before: what a component leaves depends on its bounds, sums and needs alone.

Belongs here: the ranges of one unknown, the name of a problem by its content, answers kept for the next judging.
Does not: solving (components.py, programs.py), or where answers are stored between releases (lib/publish/public).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field

import polars as pl

from dagster_project.lib.disclosure.words import INF, Need

FEASIBLE = 3
"""Values that must stay feasible for a hidden count (RULES 8.2)."""
SOLVED_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "community_id": pl.String,
    "problem": pl.String,
    "programs": pl.Int64,
    "ranges": pl.List(pl.Float64),
}
DIGEST_BYTES = 20


@dataclass(frozen=True, slots=True)
class Ranges:
    """How many n, k and m are feasible for one unknown, counted up to what was needed; and the certain rates."""

    n: float
    k: float
    m: float
    pairs: float
    k_positive: bool
    m_positive: bool

    def keeps(self, other: Ranges) -> bool:
        """Whether nothing that the other leaves open is closed here."""
        counts = self.k >= min(other.k, FEASIBLE) and (self.k < INF or self.n >= min(other.n, FEASIBLE))
        return counts and self.k_positive >= other.k_positive and self.m_positive >= other.m_positive

    def satisfies(self, need: Need) -> bool:
        """Whether everything needed is there."""
        enough = self.n >= need.n and self.k >= need.k and self.m >= need.m and self.pairs >= need.pairs
        return enough and (not need.certain or (self.k_positive and self.m_positive))


WIDTH = len(Ranges.__slots__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one problem was answered with: the programs it took, and the needed unknowns' ranges in order of position.

    ranges: None where no table satisfies the sums.
    """

    programs: int
    ranges: tuple[Ranges, ...] | None


@dataclass(slots=True)
class Solved:
    """Answers by problem: those known before, and those that this judging gave or used."""

    known: Mapping[str, Answer] = field(default_factory=dict)
    used: dict[str, Answer] = field(default_factory=dict)

    def answer(self, problem: str) -> Answer | None:
        """What the problem was answered with before, else None."""
        found = self.used.get(problem) or self.known.get(problem)
        if found is not None:
            self.used[problem] = found
        return found

    def keep(self, problem: str, answer: Answer) -> None:
        """Keep an answer for whoever asks the same again."""
        self.used[problem] = answer


def problem_of(
    bounds: Sequence[object], lines: Sequence[object], links: Sequence[object], needs: Mapping[int, Need]
) -> str:
    """A problem's name: SHA-256 over all that its answer depends on, unknowns by their position and not by name.

    So a problem that comes back, in another judging or another release, is known by what it says and nothing else.
    """
    text = repr((list(bounds), list(lines), list(links), sorted(needs.items())))
    return hashlib.sha256(text.encode()).hexdigest()[: 2 * DIGEST_BYTES]


def solved_frame(by_community: Mapping[str, Mapping[str, Answer]]) -> pl.DataFrame:
    """SOLVED_SCHEMA, sorted: one row an answer, its ranges flat (n, k, m, pairs, k_positive, m_positive, and again)."""
    rows = [
        (community, problem, answer.programs, _flat(answer.ranges))
        for community, answers in sorted(by_community.items())
        for problem, answer in sorted(answers.items())
    ]
    return pl.DataFrame(rows, schema=SOLVED_SCHEMA, orient="row")


def answers_from(frame: pl.DataFrame) -> dict[str, dict[str, Answer]]:
    """The answers of `solved_frame` again, by community and problem."""
    found: dict[str, dict[str, Answer]] = defaultdict(dict)
    for community, problem, programs, flat in frame.select(list(SOLVED_SCHEMA)).iter_rows():
        found[community][problem] = Answer(programs, _ranges(flat))
    return found


def _flat(ranges: Iterable[Ranges] | None) -> list[float] | None:
    return None if ranges is None else [float(value) for each in ranges for value in astuple(each)]


def _ranges(flat: list[float] | None) -> tuple[Ranges, ...] | None:
    if flat is None:
        return None
    parts = (flat[first : first + WIDTH] for first in range(0, len(flat), WIDTH))
    return tuple(Ranges(n, k, m, pairs, bool(k_some), bool(m_some)) for n, k, m, pairs, k_some, m_some in parts)
