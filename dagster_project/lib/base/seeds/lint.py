"""Whether the governed reference data holds together; every fault names its file and lines.

Belongs here: labels with two meanings, codes that lead nowhere, places out of their years, places counted twice,
weights that do not add to one, two lines that decide where only one can. Lines for communities outside the network are
ignored, as everywhere.
Does not: the form of each file (forms.py), style (tests/unit/seeds), or loading them (reference.py).
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import polars as pl

from dagster_project.lib.base.reference import NO_COMMUNITY, Reference, SeedError
from dagster_project.lib.base.ruleset import IN_FORCE, PARAMETER_SEEDS, RulesetKey, in_force_on, read_ruleset
from dagster_project.lib.base.seeds.forms import COMMUNITIES, Fault, form_faults, ruleset_faults
from dagster_project.lib.base.successions import COMMUNITY_SUCCESSIONS, succession_faults

FIRST_YEAR, LAST_YEAR = 0, 9999
EPSILON = 1e-9
TOLD = 3
PLACES = "network/geographies"
INDICATORS, DIMENSIONS = "dictionary/indicators", "dictionary/dimensions"
STARTER = "rulesets/starter_burdened_groups"
OF_EACH_RULESET = (STARTER, "rubric/designations", "rubric/designation_requirements")
PROFILES, PARAMETERS = "network/disclosure_profiles", "rulesets/ruleset_parameters"
POSTAL_CODE = re.compile("[A-Z]{2}")
SUCCESSIONS = "crosswalks/geography_successions"
Row = Mapping[str, str | None]
Span = tuple[int, int]


@dataclass(frozen=True)
class Line:
    """One line of a seed with the years it holds in."""

    number: int
    row: Row
    span: Span

    def __getitem__(self, column: str) -> str:
        return self.row[column] or ""

    def overlaps(self, other: Line) -> bool:
        """Whether both hold in one year at least."""
        return self.span[0] <= other.span[1] and other.span[0] <= self.span[1]


@dataclass(frozen=True)
class Crosswalk:
    """Where the lines of one crosswalk keep what they compare."""

    kind: str
    code: str
    within: str | None = None
    exact: bool = False

    @property
    def file(self) -> str:
        """Path below seeds/ without its ending."""
        return f"crosswalks/{self.kind}_labels"


CROSSWALKS = (
    Crosswalk("indicator", "indicator_id"),
    Crosswalk("dimension", "dimension"),
    Crosswalk("group", "group_code", "dimension"),
    Crosswalk("series", "series", "indicator_id", exact=True),
    Crosswalk("geography", "geography_id"),
)


def require_sound(reference: Reference, ruleset: RulesetKey | dt.date | None = None) -> None:
    """SeedError that names the first faults and counts the rest; nothing when there are none."""
    if found := faults(reference, ruleset):
        raise SeedError(first_of(found))


def first_of(found: Sequence[object]) -> str:
    """The first faults in one line, and how many more there are."""
    others = f"; and {len(found) - TOLD} more (cradle doctor lists all)" if len(found) > TOLD else ""
    return "; ".join(str(fault) for fault in found[:TOLD]) + others


def faults(reference: Reference, ruleset: RulesetKey | dt.date | None = None) -> list[Fault]:
    """Every fault of the seeds, in the order of files and lines.

    Where files, columns or cells are missing, or the list of communities is wrong, only the form of files is told:
    nothing else can be judged.
    ruleset: id and version, or the day of the run, whose ruleset is in force: its parameters must be set and typed.
    """
    found, whole = form_faults(reference.folder)
    unread = [*_no_community(reference), *_renames(reference)] if whole else []
    if unread:
        found, whole = [*found, *unread], False
    if whole and all(fault.file != COMMUNITIES for fault in found):
        # A line that is told of for what it means is not told of again for its form.
        meant = [*_meanings(reference), *(_ruleset(reference, ruleset, found) if ruleset else ())]
        told = {(fault.file, fault.lines) for fault in meant if fault.lines}
        found = [*meant, *(fault for fault in found if (fault.file, fault.lines) not in told)]
    return sorted(found, key=lambda fault: (fault.file, fault.lines, fault.says))


def _ruleset(reference: Reference, ruleset: RulesetKey | dt.date, found: Sequence[Fault]) -> Iterator[Fault]:
    """What the parameters of one ruleset are not: there, of the type they need, or known. Repeated ones are told."""
    try:
        key = ruleset if isinstance(ruleset, tuple) else in_force_on(reference, ruleset)
    except SeedError as error:
        yield Fault(IN_FORCE, (), str(error))
        return
    files = [f"rulesets/{name}" for name in PARAMETER_SEEDS]
    missing = ruleset_faults(reference.folder, key)
    yield from missing
    if missing or any(fault.file in files for fault in found):
        return
    yield from _dimensions(reference, key)
    yield from _without_a_line(reference, key[0])
    try:
        read_ruleset(reference, key)
    except ValueError as error:
        for file in files:
            rows = reference.table(file).with_row_index("line", 2)
            rows = rows.filter(ruleset_id=key[0], ruleset_version=key[1])
            named = [line for line, name in rows.select("line", "parameter").iter_rows() if name in str(error)]
            if named:
                yield Fault(file, tuple(named), str(error))
                return
        yield Fault(files[0], (), str(error))


def _dimensions(reference: Reference, key: RulesetKey) -> Iterator[Fault]:
    """Dimensions that are to decide and that the dictionary does not have: no gap would ever count."""
    known = set(reference.dimensions["dimension"])
    lines = reference.table(PARAMETERS).with_row_index("line", 2)
    lines = lines.filter(ruleset_id=key[0], ruleset_version=key[1], parameter="gap.dimensions").drop_nulls("value")
    for number, value in lines.select("line", "value").iter_rows():
        if unknown := [name for name in value.split() if name not in known]:
            says = f"the value of gap.dimensions is {', '.join(unknown)}, which is not in seeds/{DIMENSIONS}.csv"
            yield Fault(PARAMETERS, (number,), says)


def _without_a_line(reference: Reference, ruleset_id: str) -> Iterator[Fault]:
    """Seeds that hold nothing of a ruleset: no group would be burdened by it and no gap ever reduced."""
    for file in OF_EACH_RULESET:
        if not reference.table(file).filter(ruleset_id=ruleset_id).height:
            yield Fault(file, (), f"no line is of the ruleset {ruleset_id}; copy those of another one under its id")


def _no_community(reference: Reference) -> Iterator[Fault]:
    """A list of nobody: there is no first reporting year then, and no folder that would be looked for."""
    if not reference.as_written(COMMUNITIES).height:
        yield Fault(COMMUNITIES, (), NO_COMMUNITY)


def _renames(reference: Reference) -> Iterator[Fault]:
    """Renames of communities that contradict each other: until they are mended no id can be read."""
    members = reference.as_written(COMMUNITIES).with_row_index("line", 2)
    known = dict(members.select("community_id", "line").iter_rows())
    for lines, says in succession_faults(reference.successions(), known):
        yield Fault(COMMUNITY_SUCCESSIONS, lines, says)


def _meanings(reference: Reference) -> list[Fault]:
    """Faults of places, crosswalks and successions."""
    found: list[Fault] = []
    members = set(reference.communities["community_id"])
    places = _lines(reference, PLACES, found)
    places = [line for line in places if line["community_id"] in members]
    found += [*_places_repeated(places), *_parents(places), *_counted_twice(places)]
    for crosswalk in CROSSWALKS:
        lines = _lines(reference, crosswalk.file, found)
        lines = [line for line in lines if line["scope"] != "community" or line["scope_id"] in members]
        found += [*_two_meanings(crosswalk, lines), *_orphans(crosswalk, lines, reference, places)]
        if crosswalk.kind == "geography":
            found += _label_vintages(lines, places)
    found += _successions(reference, members, places)
    found += [*_primaries(reference), *_starter_references(reference), *_states(reference)]
    return found


def _primaries(reference: Reference) -> Iterator[Fault]:
    """Two indicators that are to decide one outcome: the first by its id would, and nobody would be told."""
    marked = reference.indicators.with_row_index("line", 2).filter("is_primary")
    for outcome, lines, both in _several(marked, ["outcome_id"], "indicator_id"):
        yield Fault(INDICATORS, lines, f"{both} are both primary of {outcome}; only one of them can decide it")


def _starter_references(reference: Reference) -> Iterator[Fault]:
    """Two groups of one dimension that all others are to be compared with."""
    lines = reference.table(STARTER).with_row_index("line", 2).filter(standing="reference")
    for dimension, numbers, both in _several(lines, ["ruleset_id", "dimension"], "group_code"):
        yield Fault(STARTER, numbers, f"{both} are both the reference of {dimension}; a dimension has one")


def _several(lines: pl.DataFrame, of: list[str], name: str) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """The last of `of`, line numbers and names where more than one line stands for the same."""
    for key, same in lines.group_by(of, maintain_order=True):
        if same.height > 1:
            yield str(key[-1]), tuple(same["line"]), " and ".join(same[name])


def _states(reference: Reference) -> Iterator[Fault]:
    """States of disclosure thresholds that can be nobody's, so that the smaller threshold of all would hold there.

    A postal code of a state without a community is no fault: it waits for one.
    """
    known = set(reference.communities["state"].drop_nulls())
    folded = {state.casefold() for state in known}
    lines = reference.table(PROFILES).with_row_index("line", 2).filter(scope="state").drop_nulls("scope_id")
    for number, state in lines.select("line", "scope_id").iter_rows():
        if state not in known and (state.casefold() in folded or not POSTAL_CODE.fullmatch(state)):
            written = ", ".join(sorted(known)[:TOLD]) or "CT"
            says = f"scope_id is {state}, which is the state of no community; states are written as there: {written}"
            yield Fault(PROFILES, (number,), says)


def _lines(reference: Reference, file: str, found: list[Fault]) -> list[Line]:
    """Lines of a seed whose years can be read; a fault for each other one."""
    lines = []
    for number, row in enumerate(reference.table(file).iter_rows(named=True), 2):
        first, last = _year(row["valid_from"], FIRST_YEAR), _year(row["valid_to"], LAST_YEAR)
        if first is None or last is None or first > last:
            years = f"{row['valid_from'] or 'blank'} to {row['valid_to'] or 'blank'}"
            found.append(Fault(file, (number,), f"the years {years} are not a span of school years"))
        else:
            lines.append(Line(number, row, (first, last)))
    return lines


def _year(text: str | None, blank: int) -> int | None:
    if not text:
        return blank
    return int(text) if text.isascii() and text.isdecimal() else None


def in_words(span: Span) -> str:
    """A span as a person says it: `2016 to 2018`, `since 2016`, `until 2018`, `always`."""
    first, last = span
    if first == FIRST_YEAR:
        return "always" if last == LAST_YEAR else f"until {last}"
    return f"since {first}" if last == LAST_YEAR else f"{first} to {last}"


def _overlapping(lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    return (pair for pair in combinations(lines, 2) if pair[0].overlaps(pair[1]))


def _grouped(lines: Sequence[Line], *columns: str) -> dict[tuple[str, ...], list[Line]]:
    groups: dict[tuple[str, ...], list[Line]] = defaultdict(list)
    for line in lines:
        groups[tuple(line[column] for column in columns)].append(line)
    return groups


def _two_meanings(crosswalk: Crosswalk, lines: Sequence[Line]) -> Iterator[Fault]:
    """One label of one scope that stands for two codes (or units) in the same year."""
    groups: dict[tuple[str, ...], list[Line]] = defaultdict(list)
    for line in lines:
        label = line["label"] if crosswalk.exact else " ".join(line["label"].split()).casefold()
        within = line[crosswalk.within] if crosswalk.within else ""
        groups[line["scope"], line["scope_id"], within, label].append(line)
    for same in groups.values():
        for one, other in _overlapping(same):
            meant = [one[crosswalk.code], other[crosswalk.code]]
            if meant[0] == meant[1] and one.row.get("unit") == other.row.get("unit"):
                continue
            both = " and ".join(meant) if meant[0] != meant[1] else f"{meant[0]} in two units"
            years = in_words((max(one.span[0], other.span[0]), min(one.span[1], other.span[1])))
            says = f"the label {one['label']} stands for {both} in the same years ({years}); give each its own"
            yield Fault(crosswalk.file, (one.number, other.number), says)


def _orphans(
    crosswalk: Crosswalk, lines: Sequence[Line], reference: Reference, places: Sequence[Line]
) -> Iterator[Fault]:
    """Lines whose code is in no dictionary, so that their label would lead nowhere."""
    groups = set(reference.groups.select("dimension", "group_code").iter_rows())
    own = {(place["community_id"], place["geography_id"]) for place in places}
    indicators, dimensions = set(reference.indicators["indicator_id"]), set(reference.dimensions["dimension"])
    for line in lines:
        code = line[crosswalk.code]
        known = {
            "indicator": code in indicators,
            "dimension": code in dimensions,
            "group": line.row.get("dimension") in dimensions
            and (code == "all" or (line.row.get("dimension"), code) in groups),
            "series": bool(code) and line.row.get("indicator_id") in indicators,
            "geography": (line["scope_id"], code) in own,
        }[crosswalk.kind]
        if not known:
            meant = code if crosswalk.kind != "series" else line["indicator_id"]
            says = f"the label {line['label']} leads to {meant}, which is not known"
            yield Fault(crosswalk.file, (line.number,), says)


def _hulls(places: Sequence[Line]) -> dict[tuple[str, str], Span]:
    """First and last year of every place over all of its lines."""
    hulls: dict[tuple[str, str], Span] = {}
    for line in places:
        key = line["community_id"], line["geography_id"]
        first, last = hulls.get(key, line.span)
        hulls[key] = min(first, line.span[0]), max(last, line.span[1])
    return hulls


def _label_vintages(lines: Sequence[Line], places: Sequence[Line]) -> Iterator[Fault]:
    """Labels that hold, by their own years, when the place they stand for does not exist."""
    hulls = _hulls(places)
    for line in lines:
        hull = hulls.get((line["scope_id"], line["geography_id"]))
        too_early = hull and line["valid_from"] and line.span[0] < hull[0]
        too_late = hull and line["valid_to"] and line.span[1] > hull[1]
        # A blank end lasts as long as the place; it is wrong only where nothing of the line's years is left.
        gone = hull and (line.span[0] > hull[1] or line.span[1] < hull[0])
        if hull and (too_early or too_late or gone):
            says = f"the label {line['label']} holds {in_words(line.span)}, but {line['geography_id']} is a place "
            yield Fault("crosswalks/geography_labels", (line.number,), f"{says}{in_words(hull)}")


def _places_repeated(places: Sequence[Line]) -> Iterator[Fault]:
    for (_, geography_id), same in _grouped(places, "community_id", "geography_id").items():
        for one, other in _overlapping(same):
            says = f"{geography_id} is described twice for the same years"
            yield Fault(PLACES, (one.number, other.number), says)


def _parents(places: Sequence[Line]) -> Iterator[Fault]:
    """Parents that are missing, form a circle, or are not there in all years of the place."""
    hulls = _hulls(places)
    by_key = {(line["community_id"], line["geography_id"]): line for line in places}
    for line in places:
        community, here, seen = line["community_id"], line, [line["geography_id"]]
        while (parent := here["parent_id"]) not in ("", community):
            upper = by_key.get((community, parent))
            if upper is None or parent in seen:
                how = "lies in itself" if parent in seen else f"lies in {parent}, which is no place of {community}"
                yield Fault(PLACES, (line.number,), f"{line['geography_id']} {how}")
                break
            if here is line and not _covers(hulls[community, parent], line.span):
                says = f"{line['geography_id']} is a place {in_words(line.span)}, but {parent}, in which it lies, "
                yield Fault(PLACES, (line.number, upper.number), f"{says}is one {in_words(hulls[community, parent])}")
            if line["geography_level"] == upper["geography_level"] == "district":
                says = f"the district {line['geography_id']} lies in the district {parent}: "
                yield Fault(PLACES, (line.number, upper.number), f"{says}a sum over districts would count it twice")
            here, seen = upper, [*seen, parent]


def _covers(outer: Span, inner: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _counted_twice(places: Sequence[Line]) -> Iterator[Fault]:
    """One public code of a district in two places of one community at one time: its sums would count it twice.

    A district that two communities serve is no fault: each has a line of its own, and the network's reach counts the
    place once (fct_reach).
    """
    districts = [line for line in places if line["geography_level"] == "district"]
    districts = [line for line in districts if line["code_system"] and line["code"]]
    for (_, system, code), same in _grouped(districts, "community_id", "code_system", "code").items():
        for one, other in _overlapping(same):
            if (one["community_id"], one["geography_id"]) == (other["community_id"], other["geography_id"]):
                continue
            both = " and ".join(f"{line['geography_id']} of {line['community_id']}" for line in (one, other))
            says = f"district {code} of {system} is {both} in the same years: its students would be counted twice"
            yield Fault(PLACES, (one.number, other.number), says)


def _successions(reference: Reference, members: set[str], places: Sequence[Line]) -> Iterator[Fault]:
    """Places that end and what follows them: both known, the one ends before the other counts, weights add to one.

    A circle cannot be: every successor lasts longer than the place it follows.
    """
    hulls = _hulls(places)
    rows = reference.table(SUCCESSIONS).with_row_index("line", 2).filter(pl.col("community_id").is_in(sorted(members)))
    shares: dict[tuple[str, str], list[tuple[int, str, float]]] = defaultdict(list)
    for row in rows.iter_rows(named=True):
        community, before, after = row["community_id"], row["geography_id"], row["successor_id"]
        weight = _share(row["weight"])
        old, new = hulls.get((community, before)), hulls.get((community, after))
        if old is None or new is None:
            missing = before if old is None else after
            yield Fault(SUCCESSIONS, (row["line"],), f"{missing} is no place of {community}")
        elif old[1] == LAST_YEAR or not new[0] <= old[1] + 1 <= new[1]:
            says = f"{before} is a place {in_words(old)} and {after} {in_words(new)}: what follows a place must be one "
            yield Fault(SUCCESSIONS, (row["line"],), f"{says}in the year after it ends")
        elif weight is None:
            yield Fault(SUCCESSIONS, (row["line"],), f"the weight {row['weight']} is not a number above 0 and up to 1")
        else:
            shares[community, before].append((row["line"], after, weight))
    for (_, before), parts in shares.items():
        lines, total = tuple(line for line, _, _ in parts), sum(weight for _, _, weight in parts)
        if len({after for _, after, _ in parts}) < len(parts):
            yield Fault(SUCCESSIONS, lines, f"{before} has one successor twice")
        elif abs(total - 1) > EPSILON:
            says = f"the weights of {before} add up to {total:g}; together its successors must take over 1"
            yield Fault(SUCCESSIONS, lines, says)


def _share(text: str | None) -> float | None:
    try:
        weight = float(text or "")
    except ValueError:
        return None
    return weight if 0 < weight <= 1 else None
