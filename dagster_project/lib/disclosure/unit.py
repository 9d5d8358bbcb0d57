"""One community's cells, what earlier releases said of them, and the system an attacker sees.

Belongs here: state of cells while protection is chosen, the bounds of a withheld cell, families joined by ties.
Does not: the choice (protect.py), judging (judging.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from dagster_project.lib.disclosure.judging import System, need_of
from dagster_project.lib.disclosure.sums import Sum, Tie, Truth
from dagster_project.lib.disclosure.words import (
    CODED,
    COMMUNITY,
    COMPLEMENTARY,
    MISSING,
    NO_COUNT,
    NOT_APPLICABLE,
    PUBLISHED,
    RATE_ONLY,
    SMALL,
    SOURCE_MASKED,
    Bounds,
    FamilyKey,
    Key,
    Unknown,
    family_of,
)

JUDGED = (SMALL, CODED, SOURCE_MASKED, COMPLEMENTARY)


@dataclass(slots=True)
class Cell:
    """One cell of the release to come. `bounds`: by its primary kind; `published_n`: what it prints unless withheld."""

    key: Key
    primary: str
    bounds: Bounds
    truth: Truth
    min_n: int
    token: str
    kind: str = ""
    hides_n: bool = False
    uses: tuple[int, ...] = ()

    @property
    def unknown(self) -> Unknown:
        """The name of what it is; the same in every release in which the row is unchanged."""
        return unknown_name(self.key, self.token)

    @property
    def has_count(self) -> bool:
        """Whether it would be published with its n, so that withholding it takes something from the attacker."""
        return self.primary in (PUBLISHED, CODED) and self.truth.n is not None and self.truth.n >= self.min_n

    @property
    def prints_n(self) -> bool:
        """Whether its n is printed as things stand."""
        return self.kind in (PUBLISHED, CODED) and self.bounds.n_fixed

    def known(self) -> Bounds:
        """What the public knows of it by its kind as it stands."""
        if self.kind == COMPLEMENTARY:
            return Bounds(n_low=float(self.min_n), has_k=self.bounds.has_k).tight()
        if self.kind == NO_COUNT:
            return Bounds(has_k=self.bounds.has_k)
        if self.kind == SOURCE_MASKED and self.hides_n and self.bounds.n_fixed:
            return Bounds(n_low=float(self.min_n), has_k=self.bounds.has_k)
        return self.bounds

    def withhold(self) -> None:
        """Withhold it in a fall-back: what prints a count becomes complementary; a source's own mask keeps its word."""
        if self.kind in (PUBLISHED, CODED) and self.has_count:
            self.kind = COMPLEMENTARY
        elif self.kind in (PUBLISHED, RATE_ONLY):
            self.kind = NO_COUNT
        elif self.kind == SOURCE_MASKED:
            self.hides_n = True


def unknown_name(key: Key, token: str) -> Unknown:
    """Key and token in one text that sorts by key."""
    return "\x1f".join(str(part) for part in key) + "\x1e" + token


class Known(NamedTuple):
    """One cell of an earlier release: its kind then, what that let be known, the token of its row."""

    kind: str
    bounds: Bounds
    token: str


@dataclass(slots=True)
class Earlier:
    """One release that is or was out, for one community. `digest`: of all it was read from."""

    cells: dict[Key, Known]
    sums: dict[FamilyKey, list[Sum]]
    ties: list[Tie]
    contents: dict[FamilyKey, str] = field(default_factory=dict)
    digest: str = ""


def distinct(releases: Sequence[Earlier]) -> list[Earlier]:
    """Releases without those that repeat the one before: what is said again tells an attacker nothing more.

    Equal ones are one object (`register.Readings`).
    """
    return [each for place, each in enumerate(releases) if not place or each is not releases[place - 1]]


@dataclass(slots=True)
class Unit:
    """One community: its cells, sums, ties, and the releases before. What is protected as one."""

    community_id: str
    cells: dict[Key, Cell]
    sums: dict[FamilyKey, list[Sum]]
    ties: list[Tie]
    earlier: list[Earlier]
    contents: dict[FamilyKey, str]
    withheld_families: frozenset[FamilyKey] = frozenset()
    _members: dict[FamilyKey, dict[Key, Cell]] | None = None
    _past: list[dict[FamilyKey, dict[Key, Known]]] | None = None

    @property
    def is_as_before(self) -> bool:
        """Whether every family is what it was in the release before."""
        last = self.earlier[-1].contents if self.earlier else {}
        return bool(last) and all(last.get(family) == content for family, content in self.contents.items())

    def members(self, family: FamilyKey) -> dict[Key, Cell]:
        """The family's cells."""
        if self._members is None:
            self._members = _by_family(self.cells)
        return self._members.get(family, {})

    def past_members(self) -> list[dict[FamilyKey, dict[Key, Known]]]:
        """By earlier release, the cells of each family that said something."""
        if self._past is None:
            self._past = [
                _by_family({key: known for key, known in release.cells.items() if known.kind != MISSING})
                for release in self.earlier
            ]
        return self._past

    def joint_families(self) -> list[list[FamilyKey]]:
        """Families joined by ties of any release, by year, so that earlier years are settled first."""
        names = {family_of(key) for key in self.cells}
        names |= {family_of(key) for release in self.earlier for key in release.cells}
        parent = {name: name for name in names}

        def root(name: FamilyKey) -> FamilyKey:
            while parent[name] != name:
                name = parent[name]
            return name

        for tie in [*self.ties, *(tie for release in self.earlier for tie in release.ties)]:
            parent[root(family_of(tie.cell))] = root(family_of(tie.other))
        joined: dict[FamilyKey, list[FamilyKey]] = defaultdict(list)
        for name in sorted(names, key=_by_year):
            joined[root(name)].append(name)
        return sorted(joined.values(), key=lambda each: _by_year(each[0]))

    def published_before(self) -> set[Key]:
        """Keys that some earlier release printed with a count."""
        printed = (PUBLISHED, CODED, NOT_APPLICABLE)
        return {key for release in self.earlier for key, known in release.cells.items() if known.kind in printed}


Any_ = TypeVar("Any_", Cell, Known)


def _by_family(cells: dict[Key, Any_]) -> dict[FamilyKey, dict[Key, Any_]]:
    found: dict[FamilyKey, dict[Key, Any_]] = defaultdict(dict)
    for key, cell in cells.items():
        found[family_of(key)][key] = cell
    return found


def _by_year(family: FamilyKey) -> tuple[int, FamilyKey]:
    return family[3], family


@dataclass(slots=True)
class Joint:
    """Families that are one program: their cells of this release and of the ones before."""

    families: tuple[FamilyKey, ...]
    cells: dict[Key, Cell]
    sums: list[Sum]
    ties: list[Tie]
    earlier: list[Earlier]
    _past: System | None = None

    def past(self) -> System:
        """What the earlier releases alone say; to be copied before anything is added."""
        if self._past is None:
            self._past = System()
            for release in self.earlier:
                self._add_release(self._past, release)
        return self._past

    def before_newest(self) -> Joint:
        """The same families before the newest release; what that alone adds is all that `past` still has to read."""
        before = Joint(self.families, {}, [], [], self.earlier[:-1])
        self._past = before.past().copy()
        self._add_release(self._past, self.earlier[-1])
        return before

    def _add_release(self, system: System, release: Earlier) -> None:
        names = {}
        for key, known in release.cells.items():
            names[key] = unknown_name(key, known.token)
            system.know(names[key], known.bounds)
            _ask(system, names[key], known.kind, known.bounds)
        for held in (held for family in self.families for held in release.sums.get(family, ())):
            system.add_sum(held, names)
        for tie in release.ties:
            if tie.cell in names and tie.other in names:
                system.add_tie(tie, names)

    def system(self, out: Iterable[Unknown] = ()) -> System:
        """What all releases say together with this one as it stands; unknowns that are `out` are not judged."""
        system = self.past().copy()
        names = {key: cell.unknown for key, cell in self.cells.items() if cell.kind != MISSING}
        for key, unknown in names.items():
            cell = self.cells[key]
            known = cell.known()
            system.know(unknown, known)
            _ask(system, unknown, cell.kind, known)
        for held in self.sums:
            system.add_sum(held, names)
        for tie in self.ties:
            system.add_tie(tie, names)
        for unknown in out:
            system.needs.pop(unknown, None)
        return system

    def changed(self, system: System, cell: Cell, out: Collection[Unknown]) -> System:
        """The same system after one cell took another kind."""
        other = System(dict(system.bounds), system.sums, system.ties, dict(system.needs), system.printed, system.masked)
        past = self.past()
        unknown, known = cell.unknown, cell.known()
        earlier = past.bounds.get(unknown)
        other.bounds[unknown] = known if earlier is None else earlier.meet(known)
        other.needs.pop(unknown, None)
        if unknown in past.needs:
            other.needs[unknown] = past.needs[unknown]
        if unknown in past.printed or cell.kind in (PUBLISHED, NOT_APPLICABLE):
            other.needs.pop(unknown, None)
        elif cell.kind in JUDGED:
            other.needs.setdefault(unknown, need_of(cell.kind, known))
        if unknown in out:
            other.needs.pop(unknown, None)
        return other


def _ask(system: System, unknown: Unknown, kind: str, bounds: Bounds) -> None:
    """Judge a hidden cell unless some release prints it; what the first release asked for it stays asked for."""
    if kind == SOURCE_MASKED:
        system.masked.add(unknown)
    if kind in (PUBLISHED, NOT_APPLICABLE):
        system.printed.add(unknown)
        system.needs.pop(unknown, None)
    elif kind in JUDGED and unknown not in system.printed:
        system.needs.setdefault(unknown, need_of(kind, bounds))


def joint_of(unit: Unit, families: list[FamilyKey]) -> Joint:
    """The families' part of a unit."""
    chosen = set(families)
    cells = {key: cell for family in families for key, cell in unit.members(family).items()}
    earlier = [
        Earlier(
            {key: known for family in families for key, known in past.get(family, {}).items()},
            {family: release.sums[family] for family in families if family in release.sums},
            [tie for tie in release.ties if family_of(tie.cell) in chosen],
        )
        for release, past in zip(unit.earlier, unit.past_members(), strict=True)
    ]
    ties = [tie for tie in unit.ties if family_of(tie.cell) in chosen]
    sums = [held for family in families for held in unit.sums.get(family, ())]
    return Joint(tuple(families), cells, sums, ties, earlier)


def is_place_below(cell: Cell) -> bool:
    """Whether it speaks of a place below the community."""
    return cell.truth.level != COMMUNITY
