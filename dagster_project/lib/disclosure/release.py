"""The one call: protect what is to leave the house, audit it together with every release before.

Belongs here: the order of the steps, families in parallel, the shapes of what goes in and what comes out.
Does not: any rule (its own module), reading or writing anything.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from dagster_project.lib.base.workers import HERE, Spread
from dagster_project.lib.disclosure.audit import Audit, audit_read, audited_frame, audited_from
from dagster_project.lib.disclosure.cells import (
    PUBLIC_COLUMNS,
    REGISTER_COLUMNS,
    bounds_of,
    classify,
    facts_of,
    public_values,
    with_classes,
)
from dagster_project.lib.disclosure.choice import Outcome, protect_unit
from dagster_project.lib.disclosure.derived import Derived, publish_derived
from dagster_project.lib.disclosure.feasible.solved import Answer, answers_from, solved_frame
from dagster_project.lib.disclosure.points import uses_of
from dagster_project.lib.disclosure.profiles import Parameters, Profile, objected, permitted
from dagster_project.lib.disclosure.register import Readings, Release, content_of, contents_frame, tokens
from dagster_project.lib.disclosure.sums import Sum, Tie, Truth, sum_frame, sums_of, tie_frame, ties_of
from dagster_project.lib.disclosure.unit import Cell, Earlier, Unit, distinct
from dagster_project.lib.disclosure.words import CELL, FamilyKey, Key, family_of

OBJECTED = "/objected"


@dataclass(frozen=True, eq=False)
class DisclosureInputs:
    """The internal release's tables, as their marts name and type them, and the network's own decisions.

    values: fct_indicator_value. indicators: dim_indicator (indicator_id, unit, sector_profile or sector). communities:
    dim_community (community_id, state). geographies: dim_geography (community_id, geography_id, parent_id).
    trend, trend_point, gap, gap_year, outcome_status, target_progress: the facts of these names (gap_year may be None
    where the release has none). terms: publication_terms.csv as text. objections: `_network` publication_objections
    (community_id, indicator). today: the day that terms are read at.
    """

    values: pl.DataFrame
    indicators: pl.DataFrame
    communities: pl.DataFrame
    geographies: pl.DataFrame
    trend: pl.DataFrame
    trend_point: pl.DataFrame
    gap: pl.DataFrame
    gap_year: pl.DataFrame | None
    outcome_status: pl.DataFrame
    target_progress: pl.DataFrame
    terms: pl.DataFrame
    objections: pl.DataFrame
    today: dt.date


@dataclass(frozen=True, eq=False)
class Protected:
    """What may leave the house, and what the house keeps of it.

    values: fct_indicator_value as published (columns as internal; the closed selection of columns is the publisher's).
    derived: the derived facts as published. cells: one row a cell for the house (CELL, unit, min_n, primary, kind,
    n, k, is_out). release: what the next release's audit needs, with the id it was called with. outcomes: by
    community. audit: of the finished public table over all releases; publish only where `audit.passed`.
    solved: answers to the problems that came up (`SOLVED_SCHEMA`: digests and how many values stay feasible, no value),
    which save the next release their programs. audited: what the audit found of each community in which nothing fails
    (`AUDITED_SCHEMA`), which holds as long as all releases say the same of it.
    """

    values: pl.DataFrame
    derived: Derived
    cells: pl.DataFrame
    release: Release
    outcomes: Mapping[str, Outcome]
    audit: Audit
    solved: pl.DataFrame
    audited: pl.DataFrame
    fall_backs: Mapping[FamilyKey, int] = field(default_factory=dict)


def protect(
    inputs: DisclosureInputs,
    history: Sequence[Release],
    profile: Profile,
    key: bytes,
    parameters: Parameters = Parameters(),  # noqa: B008 - frozen
    public_id: str = "candidate",
    solved: pl.DataFrame | None = None,
    audited: pl.DataFrame | None = None,
    spread: Spread = HERE,
) -> Protected:
    """Protect one release and audit it over all of `history` (oldest first) and itself.

    key: of the keyed hash that says which rows are unchanged. solved, audited: `Protected.solved` and `.audited` of an
    earlier call by the same code; without them the result is the same and takes longer. spread: where communities are
    judged, each with all its families (a later year looks at what an earlier one published). The same inputs give the
    same result, wherever that is. Raises ValueError where tables contradict each other; a failed audit is a result, not
    an error.
    """
    values = _allowed(inputs.values, inputs)
    cells = classify(values, inputs.indicators, inputs.communities, profile)
    cells = cells.join(_token_frame(values, key), on=list(CELL), how="left", maintain_order="left")
    cells = cells.with_columns(pl.col("kind").alias("primary"))
    trend, gap = _allowed(inputs.trend, inputs), _allowed(inputs.gap, inputs)
    # Read once: the choice and the audit look at the same releases, which grow with every one that is out.
    readings = Readings()
    earlier = [readings.read(each) for each in history]
    units = _units(cells, values, inputs, earlier, profile, uses_of(cells, trend, gap))
    known = {} if solved is None else answers_from(solved)
    outcomes = _solve(units, known, parameters, spread)
    final = with_classes(_with_kinds(cells, outcomes))
    public = public_values(values, final, profile)
    release = Release(
        public_id,
        public.select(PUBLIC_COLUMNS),
        final.select(REGISTER_COLUMNS),
        sum_frame(held for unit in units for family in sorted(unit.sums) for held in unit.sums[family]),
        tie_frame(tie for unit in units for tie in unit.ties),
        contents_frame({family: content for unit in units for family, content in unit.contents.items()}),
    )
    derived = publish_derived(
        public,
        trend,
        _allowed(inputs.trend_point, inputs),
        gap,
        None if inputs.gap_year is None else _allowed(inputs.gap_year, inputs),
        inputs.outcome_status,
        _allowed(inputs.target_progress, inputs),
        _forbidden(inputs),
    )
    answers = {name: {**known.get(name, {}), **outcome.answers} for name, outcome in outcomes.items()}
    looked_at = {} if audited is None else audited_from(audited)
    verdict = audit_read([*earlier, readings.read(release)], answers=answers, audited=looked_at, spread=spread)
    used = {name: {**outcome.answers, **verdict.answers.get(name, {})} for name, outcome in outcomes.items()}
    # A family that is taken over as it was settled is not looked at again: what is out of it the audit still tells.
    out = {key for outcome in outcomes.values() for key in outcome.out} | verdict.out_cells
    is_out = pl.Series("is_out", [tuple(row) in out for row in final.select(CELL).iter_rows()], dtype=pl.Boolean)
    house = final.select(*CELL, "unit", "min_n", "primary", "kind", "n", "k").with_columns(is_out)
    fall_backs = {family: level for outcome in outcomes.values() for family, level in outcome.fall_backs.items()}
    kept = audited_frame(verdict.parts)
    return Protected(public, derived, house, release, outcomes, verdict, solved_frame(used), kept, fall_backs)


def _allowed(frame: pl.DataFrame, inputs: DisclosureInputs) -> pl.DataFrame:
    """The rows that a term in force lets out."""
    return frame.filter(permitted(frame, inputs.terms, inputs.today))


def _forbidden(inputs: DisclosureInputs) -> list[tuple[str, str]]:
    """Community and indicator of the rows that no term in force lets out."""
    pairs = pl.concat([frame.select("community_id", "indicator_id") for frame in (inputs.values, inputs.trend)])
    pairs = pairs.unique().sort("community_id", "indicator_id")
    return list(pairs.filter(~permitted(pairs, inputs.terms, inputs.today)).iter_rows())


def _token_frame(values: pl.DataFrame, key: bytes) -> pl.DataFrame:
    typed = [pl.col(name).cast(pl.Int64 if name == "school_year" else pl.String) for name in CELL]
    return values.select(typed).with_columns(tokens(values, key))


def _units(
    cells: pl.DataFrame,
    values: pl.DataFrame,
    inputs: DisclosureInputs,
    earlier: Sequence[Mapping[str, Earlier]],
    profile: Profile,
    uses: pl.Series,
) -> list[Unit]:
    """One unit a community, in order."""
    classed = with_classes(cells)
    facts = facts_of(public_values(values, classed, profile), classed.select(REGISTER_COLUMNS))
    parents = dict(profile.parents.iter_rows())
    places: dict[str, dict[str, str | None]] = defaultdict(dict)
    for community, place, parent in inputs.geographies.select("community_id", "geography_id", "parent_id").iter_rows():
        places[community][place] = parent
    by_community: dict[str, dict[Key, Cell]] = defaultdict(dict)
    known = zip(classed.iter_rows(named=True), facts.iter_rows(named=True), uses.to_list(), strict=True)
    for row, fact, used in known:
        cell = _cell(row, fact, used)
        by_community[cell.key[0]][cell.key] = cell
    objecting = _objecting(cells, inputs.objections)
    names = sorted({*by_community, *(name for release in earlier for name in release)})
    return [
        _unit(name, by_community.get(name, {}), parents, places[name], profile, earlier, objecting) for name in names
    ]


def _cell(row: Mapping[str, object], fact: dict[str, object], used: list[int]) -> Cell:
    key: Key = tuple(row[name] for name in CELL)  # type: ignore[assignment]
    truth = Truth(row["n"], row["k"], row["has_k"], row["kind"], row["geography_level"], row["is_pooled"])  # type: ignore[arg-type]
    return Cell(
        key, str(row["kind"]), bounds_of(fact), truth, int(str(row["min_n"])), str(row["token"]), uses=tuple(used)
    )


def _objecting(cells: pl.DataFrame, objections: pl.DataFrame) -> set[tuple[str, str]]:
    """Community and indicator of the rows that an objection covers."""
    pairs = cells.select("community_id", "indicator_id").unique().sort("community_id", "indicator_id")
    return set(pairs.filter(objected(pairs, objections)).iter_rows())


def _unit(
    community: str,
    cells: dict[Key, Cell],
    parents: Mapping[str, str | None],
    places: Mapping[str, str | None],
    profile: Profile,
    earlier: Sequence[Mapping[str, Earlier]],
    objecting: set[tuple[str, str]],
) -> Unit:
    families: dict[FamilyKey, dict[Key, Truth]] = defaultdict(dict)
    for key, cell in cells.items():
        families[family_of(key)][key] = cell.truth
    sums = {family: sums_of(family, members, parents, places) for family, members in families.items()}
    ties = ties_of({key: cell.truth for key, cell in cells.items()}, profile.ties)
    contents = {family: _content(family, families[family], cells, sums[family], ties) for family in families}
    past = distinct([release[community] for release in earlier if community in release])
    last = past[-1].contents if past else {}
    withheld = {
        family for family in families if (community, family[1]) in objecting and contents[family] != last.get(family)
    }
    # So that the family is settled anew once the objection is gone.
    contents.update({family: f"{contents[family]}{OBJECTED}" for family in withheld})
    return Unit(community, cells, sums, ties, past, contents, frozenset(withheld))


def _content(
    family: FamilyKey,
    members: Mapping[Key, Truth],
    cells: Mapping[Key, Cell],
    sums: Sequence[Sum],
    ties: Sequence[Tie],
) -> str:
    rows = [(key, cells[key].token, cells[key].primary, cells[key].min_n) for key in members]
    own = [tie for tie in ties if family in (family_of(tie.cell), family_of(tie.other))]
    return content_of(family, rows, sums, own)


def _solve(
    units: Sequence[Unit], known: Mapping[str, Mapping[str, Answer]], parameters: Parameters, spread: Spread
) -> dict[str, Outcome]:
    """Each unit's outcome; where they are settled changes nothing of the result.

    A unit that is taken over whole is done at once: it takes longer to send than to look at.
    """
    solve = partial(protect_unit, parameters=parameters)
    changed = [unit for unit in units if not unit.is_as_before]
    with spread(len(changed)) as each:
        work = [(unit, known.get(unit.community_id, {})) for unit in changed]
        found = dict(zip((unit.community_id for unit in changed), each(solve, work), strict=True))
    return {
        unit.community_id: found.get(unit.community_id) or solve((unit, known.get(unit.community_id, {})))
        for unit in units
    }


def _with_kinds(cells: pl.DataFrame, outcomes: Mapping[str, Outcome]) -> pl.DataFrame:
    kinds = [outcomes[key[0]].kinds[key] for key in cells.select(CELL).iter_rows()]
    return cells.with_columns(
        pl.Series("kind", [kind for kind, _ in kinds], dtype=pl.String),
        pl.Series("hides_n", [hides for _, hides in kinds], dtype=pl.Boolean),
    )
