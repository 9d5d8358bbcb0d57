"""Which cells are withheld besides (RULES 8.2): the choice of complementary cells and the fall-backs.

Belongs here: candidates in order of what withholding them loses, trials, pruning, falling back within a budget.
Does not: judging (judging.py), or where cells and sums come from (release.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dagster_project.lib.disclosure.feasible.programs import Budget, BudgetError
from dagster_project.lib.disclosure.feasible.solved import Answer, Solved
from dagster_project.lib.disclosure.judging import System, judge
from dagster_project.lib.disclosure.profiles import AUDIT_PROGRAMS, Parameters
from dagster_project.lib.disclosure.sums import NONE, Tie
from dagster_project.lib.disclosure.unit import Cell, Joint, Unit, is_place_below, joint_of
from dagster_project.lib.disclosure.words import (
    ALL,
    CODED,
    COMPLEMENTARY,
    HIDDEN,
    PUBLISHED,
    SMALL,
    SOURCE_MASKED,
    FamilyKey,
    Key,
    Unknown,
    family_of,
)

# Fall-backs in the order in which they are tried (RULES 8.2); 0: none was needed.
NO_FALL_BACK, PLACES, GROUPS, EVERYTHING = range(4)


@dataclass
class Outcome:
    """What became of one community.

    kinds: each cell's kind and whether a source's mask hides its n too. fall_backs: family to PLACES, GROUPS or
    EVERYTHING. out: cells that earlier releases pin, or a correction made small. faults: families that stay unsafe.
    answers: to the problems that came up, for the audit and the next release.
    """

    kinds: dict[Key, tuple[str, bool]] = field(default_factory=dict)
    fall_backs: dict[FamilyKey, int] = field(default_factory=dict)
    out: set[Key] = field(default_factory=set)
    faults: dict[FamilyKey, list[Key]] = field(default_factory=dict)
    dropped: set[FamilyKey] = field(default_factory=set)
    solved: int = 0
    reused: int = 0
    programs: int = 0
    answers: Mapping[str, Answer] = field(default_factory=dict)


def protect_unit(work: tuple[Unit, Mapping[str, Answer]], parameters: Parameters) -> Outcome:
    """Choose for one community; families in order of their year, joint ones together.

    work: the community, and answers to its problems that are known already: they save programs and change nothing.
    """
    unit, known = work
    return _Chooser(unit, parameters, Solved(known)).run()


class _Chooser:
    def __init__(self, unit: Unit, parameters: Parameters, solved: Solved) -> None:
        self.unit, self.parameters, self.solved = unit, parameters, solved
        self.before = unit.published_before()
        self.outcome = Outcome()
        self.lost: set[int] = set()
        # Last published n of a cell over the years, and of its group and place whatever the indicator.
        self.size: dict[tuple[str, ...], int] = {}

    def run(self) -> Outcome:
        """Settle every joint family."""
        for cell in self.unit.cells.values():
            cell.kind = cell.primary
            if cell.kind != PUBLISHED:
                self.lost.update(cell.uses)
        for families in self.unit.joint_families():
            if self._cells(families) and not self._reuse(families):
                self._settle(joint_of(self.unit, families))
            self._remember(families)
        for key, cell in self.unit.cells.items():
            self.outcome.kinds[key] = cell.kind, cell.hides_n
        self.outcome.answers = self.solved.used
        return self.outcome

    def _cells(self, families: list[FamilyKey]) -> list[Cell]:
        return [cell for family in families for cell in self.unit.members(family).values()]

    def _reuse(self, families: list[FamilyKey]) -> bool:
        """Take over the last release's choice where nothing of the families changed since."""
        if not self.unit.earlier:
            return False
        last = self.unit.earlier[-1]
        same = all(
            family in last.contents and self.unit.contents.get(family) == last.contents[family] for family in families
        )
        if not same:
            return False
        for cell in self._cells(families):
            known = last.cells[cell.key]
            cell.kind = known.kind
            cell.hides_n = known.kind == SOURCE_MASKED and cell.bounds.n_fixed and not known.bounds.n_fixed
        self.outcome.reused += len(families)
        return True

    def _remember(self, families: list[FamilyKey]) -> None:
        """Keep what is public now, for the choice in later years: sizes, and trends and gaps that are lost anyway."""
        for cell in self._cells(families):
            if cell.kind != PUBLISHED:
                self.lost.update(cell.uses)
            if cell.prints_n:
                size = int(cell.bounds.n_low)
                self.size[_line_of(cell.key)] = size
                self.size[cell.key[3], cell.key[4]] = size

    def _settle(self, joint: Joint) -> None:
        """Protect joint families, falling back as far as it takes."""
        self.outcome.solved += len(joint.families)
        out = self._mark_out(joint)
        kept = self._keep_withheld(joint)
        forced = [family for family in joint.families if family in self.unit.withheld_families]
        for cell in joint.cells.values():
            if family_of(cell.key) in forced:
                cell.withhold()
        failing: list[Unknown] = []
        for level in (NO_FALL_BACK, PLACES, GROUPS, EVERYTHING):
            # A fall-back is judged whatever it takes, as the final audit is.
            programs = self.parameters.programs_per_family if level == NO_FALL_BACK else AUDIT_PROGRAMS
            budget = Budget(programs * len(joint.families), self.solved)
            if level != NO_FALL_BACK:
                self._fall_back(joint, level, failing)
            try:
                failing = self._choose(joint, out, budget, kept if level == NO_FALL_BACK else [])
            except BudgetError:
                failing = sorted(joint.system(out).needs)
            self.outcome.programs += budget.used
            if not failing:
                break
        if failing:
            named = {cell.unknown: key for key, cell in joint.cells.items()}
            for unknown in failing:
                key = named.get(unknown) or next(iter(joint.cells))
                self.outcome.faults.setdefault(family_of(key), []).append(key)
                if unknown in named:
                    # Nothing is left to withhold; the audit tells whether it may stand so.
                    self.outcome.out.add(key)
        for family in forced:
            self.outcome.fall_backs[family] = EVERYTHING

    def _mark_out(self, joint: Joint) -> set[Unknown]:
        """Unknowns that earlier releases pin already, and cells that a correction made small once printed."""
        out: set[Unknown] = set()
        if joint.earlier:
            budget = Budget(self.parameters.programs_per_family * len(joint.families), self.solved)
            past = joint.past()
            try:
                out = set(judge(past, budget).failing)
            except BudgetError:
                out = set()
            self.outcome.programs += budget.used
        for key, cell in joint.cells.items():
            # A row that was zero and is small now was never printed as somebody: it can and must be protected.
            was = {release.cells[key].kind for release in joint.earlier if key in release.cells}
            if cell.primary == SMALL and was & {PUBLISHED, CODED}:
                out.add(cell.unknown)
            if cell.unknown in out:
                self.outcome.out.add(key)
        return out

    def _keep_withheld(self, joint: Joint) -> list[Cell]:
        """What an earlier release withheld stays so, unless the audit over all releases lets it go (see `_prune`)."""
        kept = []
        for key, cell in joint.cells.items():
            was = {release.cells[key].kind for release in joint.earlier if key in release.cells}
            if cell.primary in (PUBLISHED, CODED) and was & set(HIDDEN) and not was & {PUBLISHED, CODED}:
                cell.withhold()
                kept.append(cell)
        return kept

    def _fall_back(self, joint: Joint, level: int, failing: list[Unknown]) -> None:
        """Withhold every place below the community, then every group of the dimension, then everything."""
        named = {cell.unknown: key for key, cell in joint.cells.items()}
        keys = [named[unknown] for unknown in failing if unknown in named] or list(joint.cells)
        families = {family_of(key) for key in keys}
        dimensions = {key[4].split(":", 1)[0] for key in keys}
        if ALL in dimensions:
            dimensions |= {key[4].split(":", 1)[0] for key in joint.cells}
        if level == EVERYTHING:
            # Families that ties join are one program, so they fall together.
            families = set(joint.families)
        for key, cell in joint.cells.items():
            if family_of(key) not in families:
                continue
            is_group = key[4] != ALL and key[4].split(":", 1)[0] in dimensions
            if is_place_below(cell) or (level >= GROUPS and is_group) or level == EVERYTHING:
                cell.withhold()
        for family in families:
            self.outcome.fall_backs[family] = max(level, self.outcome.fall_backs.get(family, 0))

    def _choose(self, joint: Joint, out: set[Unknown], budget: Budget, kept: list[Cell]) -> list[Unknown]:
        """Add complementary cells until nothing fails, then give back what was not needed; what still fails."""
        added: list[Cell] = []
        outer = True
        while True:
            system = joint.system(out)
            verdict = judge(system, budget, outer=outer)
            if verdict.dropped:
                self.outcome.dropped.update(joint.families)
            if not verdict.failing and outer:
                # Bounds alone find most of what fails; programs have the last word.
                outer = False
                continue
            if not verdict.failing:
                break
            cell = self._next(joint, system, out, verdict.failing, budget, outer)
            if cell is None:
                return verdict.failing
            cell.kind = COMPLEMENTARY
            added.append(cell)
            outer = True
        if len(added) > 1 or kept:
            self._prune(joint, out, [*added, *kept], budget)
        return []

    def _next(
        self, joint: Joint, system: System, out: set[Unknown], failing: list[Unknown], budget: Budget, outer: bool
    ) -> Cell | None:
        """The cell to withhold next for the first failing one that has a candidate.

        Candidates are tried in order of what they lose; the first that leaves nothing failing around it is taken, else
        the one that leaves least.
        """
        named = {cell.unknown: key for key, cell in joint.cells.items()}
        for unknown in failing:
            candidates = self._candidates(joint, named.get(unknown), unknown)
            best: tuple[int, int, Cell] | None = None
            for order, cell in enumerate(candidates[: self.parameters.trials]):
                kind, cell.kind = cell.kind, COMPLEMENTARY
                tried = joint.changed(system, cell, out)
                cell.kind = kind
                left = len(judge(tried, budget, {unknown, cell.unknown}, outer=outer).failing)
                if best is None or left < best[0]:
                    best = left, order, cell
                if not left:
                    break
            if best is not None:
                return best[2]
        return None

    def _candidates(self, joint: Joint, key: Key | None, failing: Unknown) -> list[Cell]:
        """Cells that share a sum or a tie with the failing one, itself too if it is coded, least loss first.

        A cell that earlier releases hid but this one does not hold any more reaches the cells of its old sums.
        """
        key = key or _key_of(failing)
        sums = [*joint.sums, *(s for release in joint.earlier for each in release.sums.values() for s in each)]
        ties = [*joint.ties, *(tie for release in joint.earlier for tie in release.ties)]
        one_count = _tied(key, ties)
        beside: dict[Key, int] = {}
        for held in sums:
            members = (held.total, *held.parts)
            if one_count & set(members):
                beside.update(dict.fromkeys(members, 1))
        # Whoever prints the same count gives it away alone.
        beside.update(dict.fromkeys(sorted(one_count), 0))
        cells = [joint.cells[each] for each in beside if each in joint.cells]
        cells = [cell for cell in cells if self._may_withhold(cell)]
        return sorted(cells, key=lambda cell: (beside[cell.key], *self._loss(joint, cell)))

    def _may_withhold(self, cell: Cell) -> bool:
        return cell.kind in (PUBLISHED, CODED) and cell.has_count and cell.key not in self.before

    def _loss(self, joint: Joint, cell: Cell) -> tuple[object, ...]:
        """What withholding a cell loses, by published facts only: `all` last, then students, trends and gaps, cells.

        Students: the size class of the n that last year published, times the cells that would have to follow because
        no other one is open in a sum of theirs; unknown sizes count as large.
        """
        size = self.size.get(_line_of(cell.key), self.size.get((cell.key[3], cell.key[4])))
        following = sum(1 for held in joint.sums if self._is_alone(joint, held.total, held.parts, held.n, cell.key))
        base = math.log(self.parameters.size_base)
        students = 99 if size is None else int(math.log(max(size, 1) * (1 + following)) / base)
        uses = sum(1 for use in cell.uses if use not in self.lost)
        return cell.key[4] == ALL, students, uses, following, cell.key

    @staticmethod
    def _is_alone(joint: Joint, total: Key, parts: tuple[Key, ...], relation: int, key: Key) -> bool:
        """Whether a sum holds the key and nothing else that is open."""
        members = (total, *parts)
        if relation == NONE or key not in members:
            return False
        others = (joint.cells[each] for each in members if each != key and each in joint.cells)
        return not any(
            other.kind in HIDDEN or (other.kind == SOURCE_MASKED and not other.known().n_fixed) for other in others
        )

    def _prune(self, joint: Joint, out: set[Unknown], chosen: list[Cell], budget: Budget) -> None:
        """Publish again what is not needed: all chosen cells, those of one sum, then each, most loss first.

        Two cells that only protect each other can be given back together, never one by one.
        """
        free = [cell for cell in chosen if family_of(cell.key) not in self.unit.withheld_families]
        free.sort(key=lambda each: self._loss(joint, each), reverse=True)
        sums = [{held.total, *held.parts} for held in joint.sums]
        groups = [free, *([cell for cell in free if cell.key in members] for members in sums)]
        tried: set[tuple[Key, ...]] = set()
        for group in (*groups, *([cell] for cell in free)):
            cells = [cell for cell in group if cell.kind in HIDDEN]
            keys = tuple(cell.key for cell in cells)
            if not cells or keys in tried:
                continue
            tried.add(keys)
            if not self._publish_again(joint, out, cells, budget):
                return

    def _publish_again(self, joint: Joint, out: set[Unknown], cells: list[Cell], budget: Budget) -> bool:
        """Publish the cells if nothing fails then; False where no program is left to tell."""
        kinds = [cell.kind for cell in cells]
        for cell in cells:
            cell.kind = cell.primary
        passed = False
        try:
            system = joint.system(out)
            passed = not judge(system, budget, outer=True).failing and not judge(system, budget).failing
        except BudgetError:
            return False
        finally:
            if not passed:
                for cell, kind in zip(cells, kinds, strict=True):
                    cell.kind = kind
        return True


def _tied(key: Key, ties: Sequence[Tie]) -> set[Key]:
    """The cell and all that ties lead to from it."""
    found, added = {key}, True
    while added:
        reached = {end for tie in ties if {tie.cell, tie.other} & found for end in (tie.cell, tie.other)}
        added = not reached <= found
        found |= reached
    return found


def _line_of(key: Key) -> tuple[str, ...]:
    """A cell over the years."""
    return key[0], key[1], key[2], key[3], key[4], key[6]


def _key_of(unknown: Unknown) -> Key:
    community, indicator, series, place, group, year, period = unknown.split("\x1e")[0].split("\x1f")
    return community, indicator, series, place, group, int(year), period
