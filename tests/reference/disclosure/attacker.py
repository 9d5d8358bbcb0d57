"""The attacker: how many counts fit every protected cell, given everything that is public of all releases (RULES 8.2).

Belongs here: what each kind of cell demands, which cells are out (RULES 8.8), one finding for each demand not met.
Does not: see a hidden count, except to say what the source's own print alone would have left of a masked cell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import polars as pl

from tests.reference.disclosure.knowledge import Known, Model, Version, model_of, releases_known
from tests.reference.disclosure.model import Family, Network, Protector, PublicRelease, family_of, values_of
from tests.reference.disclosure.rules import CODED, COMPLEMENTARY, PLAIN, SMALL, SOURCE
from tests.reference.disclosure.search import Search, UndecidedError, components, restrict

LEAST_COUNTS, LEAST_PAIRS = 3, 2
NOTHING = pl.DataFrame()
"""A derived table of which nothing is public."""
WHAT = ("n", "k", "n - k")


class FaultError(AssertionError):
    """No table fits what the attacker holds to be true: the attacker, the adapter or the release is wrong, not safe."""


@dataclass(frozen=True, order=True)
class Finding:
    """A cell of which fewer values fit than it must have. `what`: n, k, n - k, pairs, above 0 %, below 100 %."""

    version: Version
    kind: str
    what: str
    found: tuple[int, ...]
    demanded: int

    @property
    def family(self) -> Family:
        """The cell's family."""
        return family_of(self.version[0])

    def __str__(self) -> str:
        key, number = self.version
        return f"{key} version {number} ({self.kind}): {self.what} {list(self.found)}, {self.demanded} demanded"


@dataclass
class Report:
    """What the attacker found. `out`: demands that no release could have met any more, not held against this one.

    `undecided`: cells of which the search was too long to say anything; a release is safe only if there are none."""

    findings: list[Finding] = field(default_factory=list)
    out: list[Finding] = field(default_factory=list)
    undecided: list[Version] = field(default_factory=list)
    cells: int = 0
    families_without_unchecked_sums: int = 0

    @property
    def is_safe(self) -> bool:
        """No finding, and nothing that the search was too short for."""
        return not self.findings and not self.undecided


class _Part:
    """One component: tables found so far, and the values that they gave each variable."""

    def __init__(self, search: Search, low: list[int], high: list[int]) -> None:
        self.search, self.low, self.high = search, low, high
        self.tables: list[list[int]] = []
        self.preferences = [[0] * len(low), [1] * len(low), [v % 2 for v in range(len(low))]]
        self.preferences.append([1 - bit for bit in self.preferences[2]])

    @cached_property
    def feasible(self) -> bool:
        """Whether any table fits; a few that lie apart are kept, for they answer most questions."""
        for prefer in self.preferences:
            self.search.nodes = 0
            table = self.search.solve(self.low, self.high, prefer)
            if table is None:
                return False
            self.tables.append(table)
        return True

    def another(self, bounds: Iterable[tuple[int, int, int]]) -> bool:
        """Whether a table fits with the (variable, least, most) given; it is kept."""
        low, high = list(self.low), list(self.high)
        changed = []
        for variable, least, most in bounds:
            low[variable], high[variable] = max(low[variable], least), min(high[variable], most)
            changed.append(variable)
            if low[variable] > high[variable]:
                return False
        self.search.nodes = 0
        if not self.search.narrow(low, high, changed):
            return False
        table = self.search.solve(low, high, self.preferences[len(self.tables) % 4])
        if table is not None:
            self.tables.append(table)
        return table is not None

    def values(self, variable: int, enough: int) -> set[int]:
        """Values that the variable can have, at most `enough` of them (more if they are known already)."""
        found = {table[variable] for table in self.tables}
        while len(found) < enough:
            ends = [self.low[variable] - 1, *sorted(found), self.high[variable] + 1]
            holes = [(a + 1, b - 1) for a, b in pairwise(ends) if b - a > 1]
            if not any(self.another([(variable, a, b)]) for a, b in holes):
                break
            found.add(self.tables[-1][variable])
        return found


class Tables:
    """Every table that fits a model, asked one question at a time."""

    def __init__(self, model: Model) -> None:
        self.model = model
        search = Search(model.program)
        root = search.root(eliminate=False)
        self.consistent = root is not None
        self.broken: set[Family] = set()
        self.place: dict[int, tuple[_Part, int]] = {}
        self.settled: dict[int, int] = {}
        self.undecided: set[int] = set()
        """Variables of which not even one table was found in time."""
        if root is None:
            return
        low, high = root
        self.settled = {v: low[v] for v in range(len(low)) if low[v] == high[v]}
        for members in components(search, low, high):
            program, place = restrict(search, low, high, members)
            inner = Search(program)
            bounds = inner.root()
            part = None if bounds is None else _Part(inner, *bounds)
            try:
                fits = part is not None and part.feasible
            except UndecidedError:
                self.undecided |= set(members)
                continue
            if part is not None and fits:
                self.place |= {v: (part, place[v]) for v in members}
            else:
                self.broken |= {model.family[v] for v in members}

    def values(self, variable: int, enough: int) -> set[int]:
        """Values that a variable of the model can have, as far as they are needed."""
        if variable in self.settled:
            return {self.settled[variable]}
        part, inside = self._where(variable)
        return part.values(inside, enough)

    def _where(self, variable: int) -> tuple[_Part, int]:
        if variable in self.undecided:
            raise UndecidedError
        return self.place[variable]

    def two_pairs(self, n: int, k: int | None) -> bool:
        """Whether two different pairs (n, k) fit."""
        return len(self.values(n, 2)) > 1 or (k is not None and len(self.values(k, 2)) > 1)

    def can_exceed_zero(self, variable: int) -> bool:
        """Whether the variable can be 1 or more."""
        if variable in self.settled:
            return self.settled[variable] > 0
        part, inside = self._where(variable)
        return any(table[inside] > 0 for table in part.tables) or part.another([(inside, 1, part.high[inside])])


def tables_of(known: Sequence[Known], derived: bool = True) -> tuple[Tables, set[Family]]:
    """Tables that fit all that is known, and families whose sums with unprinted counts were left out to have any.

    FaultError: still none fits."""
    plain = model_of(known, derived=False)
    without: set[Family] = set()
    tables = Tables(plain)
    if not tables.consistent:
        # Narrowing alone met a contradiction and does not say where: ask each family, with those tied to it, by itself.
        without = {family for family in set(plain.family.values()) if not _fits(known, tied_with(known, {family}))}
        tables = Tables(model_of(known, without, derived=False))
    elif tables.broken:
        without = set(tables.broken)
        tables = Tables(model_of(known, without, derived=False))
    if not tables.consistent or tables.broken:
        raise FaultError(f"no table fits in {sorted(tables.broken) or 'the release'}")
    if derived:
        model = model_of(known, without)
        if model.program.figures:
            tables = Tables(model)
            if not tables.consistent or tables.broken:
                raise FaultError(f"no table fits with the derived figures of {sorted(tables.broken) or 'the release'}")
    return tables, without


def _fits(known: Sequence[Known], families: Collection[Family]) -> bool:
    tables = Tables(model_of([_only(each, families) for each in known], derived=False))
    return tables.consistent and not tables.broken


def tied_with(known: Sequence[Known], families: Collection[Family]) -> set[Family]:
    """Families and all that ties join to them, directly or not: one program (RULES 8.2)."""
    pairs = [{family_of(one), family_of(other)} for each in known for (one, _), (other, _) in each.ties]
    found, before = set(families), -1
    while len(found) != before:
        before = len(found)
        found.update(*(pair for pair in pairs if pair & found))
    return found


def _only(each: Known, families: Collection[Family]) -> Known:
    """One release, cut to some families."""
    kept = {key: cell for key, cell in each.cells.items() if family_of(key) in families}
    return replace(
        each,
        cells=kept,
        versions={key: each.versions[key] for key in kept},
        public={key: row for key, row in each.public.items() if key in kept},
        sums=[line for line in each.sums if line.family in families],
        ties=[tie for tie in each.ties if all(key in kept for key, _ in tie)],
    )


def attack(networks: Sequence[Network], releases: Sequence[PublicRelease]) -> Report:
    """Attack all releases taken together; findings are those that the last one added and could have avoided.

    networks, releases: of the same length, oldest first. FaultError: no table fits."""
    known = releases_known(networks, releases)
    report = _judge(known)
    if report.findings and len(known) > 1:
        report = _without_out(known, report, known[:-1])
    if report.findings:
        alone = _masked_by_source_alone(known, report.findings)
        report.findings = [finding for finding in report.findings if finding not in alone]
    if report.findings:
        report = _without_out(known, report, _best_possible(known, {finding.family for finding in report.findings}))
    return report


def history(protector: Protector, networks: Sequence[Network]) -> tuple[list[PublicRelease], list[Report]]:
    """A release of each network after the other, and what an attack on all that are out found after each."""
    out: list[PublicRelease] = []
    reports = []
    for number, network in enumerate(networks, start=1):
        out.append(protector(network, tuple(out)))
        reports.append(attack(networks[:number], out))
    return out, reports


def _judge(known: Sequence[Known]) -> Report:
    tables, without = tables_of(known)
    report = Report(families_without_unchecked_sums=len(without))
    for version, kind in sorted(_protected(known).items()):
        report.cells += 1
        try:
            report.findings += _cell(tables, version, kind)
        except UndecidedError:
            report.undecided.append(version)
    return report


def _protected(known: Sequence[Known]) -> dict[Version, str]:
    """Versions to judge, by kind; a row that one release published without need for protection is not among them."""
    kinds: dict[Version, set[str]] = {}
    for each in known:
        for key in each.cells:
            kinds.setdefault(each.versions[key], set()).add(each.kind(key))
    order = (SMALL, SOURCE, CODED)
    found = {}
    for version, seen in kinds.items():
        kind = next((kind for kind in order if kind in seen), COMPLEMENTARY if seen == {COMPLEMENTARY} else None)
        if kind is not None and PLAIN not in seen:
            found[version] = kind
    return found


def _cell(tables: Tables, version: Version, kind: str) -> list[Finding]:
    model = tables.model
    n, k, rest = model.n[version], model.k.get(version), model.rest.get(version)
    found = []
    if kind == COMPLEMENTARY:
        if not tables.two_pairs(n, k):
            found.append(Finding(version, kind, "pairs", tuple(sorted(tables.values(n, 1))), LEAST_PAIRS))
    else:
        parts = {SMALL: (n, k, rest), CODED: (None, k, rest), SOURCE: (None, k, None)}[kind]
        if k is None and kind == SOURCE:
            parts = (n, None, None)
        for what, variable in zip(WHAT, parts, strict=True):
            if variable is not None:
                values = tables.values(variable, LEAST_COUNTS)
                if len(values) < LEAST_COUNTS:
                    found.append(Finding(version, kind, what, tuple(sorted(values)), LEAST_COUNTS))
    for what, variable in (("above 0 %", k), ("below 100 %", rest)):
        if variable is not None and not tables.can_exceed_zero(variable):
            found.append(Finding(version, kind, what, (0,), 1))
    return found


def _without_out(known: Sequence[Known], report: Report, best: Sequence[Known]) -> Report:
    """Leave out what `best`, a history that tells less, tells as well; and cells that a correction made small."""
    tables, _ = tables_of(best)
    kept: list[Finding] = []
    out = list(report.out)
    for finding in report.findings:
        made_small = finding.kind == SMALL and _was_published(known, finding.version)
        as_good = finding.version in tables.model.n and any(
            other.what == finding.what and len(other.found) <= len(finding.found)
            for other in _cell(tables, finding.version, finding.kind)
        )
        (out if made_small or as_good else kept).append(finding)
    return replace(report, findings=kept, out=out)


def _was_published(known: Sequence[Known], version: Version) -> bool:
    """Whether the row's count was public in another version before this one; a later one makes nothing small."""
    key, _ = version
    for each in known:
        if key in each.cells:
            if each.versions[key] == version:
                return False
            if each.kind(key) in (PLAIN, CODED):
                return True
    return False


def _best_possible(known: Sequence[Known], families: Collection[Family]) -> list[Known]:
    """The history with a last release that tells nothing new of some families (the last fall-back of RULES 8.2)."""
    out_already = {version for each in known[:-1] for version in each.versions.values()}
    last = known[-1]
    tied = tied_with(known, families)
    public = {
        key: row for key, row in last.public.items() if family_of(key) not in tied or last.versions[key] in out_already
    }
    return [
        *known[:-1],
        replace(last, release=replace(last.release, fct_trend=NOTHING, fct_gap=NOTHING), public=public),
    ]


def _masked_by_source_alone(known: Sequence[Known], findings: Sequence[Finding]) -> set[Finding]:
    """Findings of source-masked cells of which the source's own print leaves no more values."""
    if all(finding.kind != SOURCE for finding in findings):
        return set()
    printed = []
    for each in known:
        frame = each.network.fct_indicator_value
        printed.append(replace(each, release=PublicRelease(frame, NOTHING, NOTHING), public=values_of(frame)))
    tables, _ = tables_of(printed)
    alone = {
        (other.version, other.what): other
        for finding in findings
        if finding.kind == SOURCE
        for other in _cell(tables, finding.version, SOURCE)
    }
    return {
        finding
        for finding in findings
        if (other := alone.get((finding.version, finding.what))) and len(other.found) <= len(finding.found)
    }
