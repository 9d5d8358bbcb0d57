"""The parameters of a versioned ruleset, typed and checked, and which ruleset is in force.

Belongs here: what parameters there are, their types, reading them from rows of seeds/rulesets/.
Does not: a default value of any of them (they are data), or a computation that uses them.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, get_type_hints

import polars as pl

from dagster_project.lib.base.reference import Reference, SeedError

RulesetKey = tuple[str, str]
"""A ruleset's id and version."""

# Seeds that hold the parameters of rulesets.
PARAMETER_SEEDS = ("ruleset_parameters", "gateway_parameters", "comparison_parameters")
IN_FORCE = "rulesets/ruleset_in_force"
NEVER_ENDING = 9999
PARAMETER_COLUMNS = ("ruleset_id", "ruleset_version", "parameter", "value")
# Owned by the rubric; kept as text here and read by name, so that a new criterion needs no change of this module.
OPEN_SECTIONS = ("gateway", "designation", "evidence", "cadence")
COMPARISON_SECTIONS = (
    *("year_over_year", "chance", "count_change", "groups", "places", "overlap", "fraction", "outlier"),
    *("shared", "questions"),
)


class ParameterError(ValueError):
    """A rule reads a parameter that its ruleset does not hold."""


@dataclass(frozen=True)
class TrendRules:
    """Parameters `trend.*` (RULES 2 and 3)."""

    min_points: int
    min_span_years: int
    max_gap_years: int
    max_years: int
    recency_years: int
    min_n: int
    maintain_tolerance: float
    maintain_tolerance_relative: float
    confidence: float
    binomial_z: float
    robust_min_points: int


@dataclass(frozen=True)
class GapRules:
    """Parameters `gap.*` (RULES 4 and the gap verdict of RULES 5)."""

    dimensions: tuple[str, ...]
    baseline_min: float
    eliminated_tolerance: float
    eliminated_years: int
    majority_share: float


@dataclass(frozen=True)
class OutcomeRules:
    """Parameters `outcome.*` (RULES 5)."""

    majority_share: float


@dataclass(frozen=True)
class NetworkRules:
    """Parameters `network.*` (RULES 7)."""

    panel_share: float
    window_years: int


@dataclass(frozen=True)
class AggregateRules:
    """Parameters `aggregate.*` (RULES 1)."""

    min_coverage: float


@dataclass(frozen=True)
class NumericRules:
    """Parameters `numeric.*` (head of RULES)."""

    epsilon: float


@dataclass(frozen=True)
class ValueRules:
    """Parameters `values.*` (RULES 1): what a submitted row is judged by."""

    agreement: float
    largest_count: int


@dataclass(frozen=True)
class SimulationRules:
    """Parameters `simulation.*`: the stylised network in which nothing changes."""

    seed: int
    draws: int
    n_years: int
    noise_sd: float
    level: float
    gap: float
    burdened_groups: int
    outcomes: int
    outcomes_min: int
    gaps_min: int


@dataclass(frozen=True)
class ComparisonRules:
    """Thresholds of the comparisons that ask questions, by their names in comparison_parameters.csv; all numbers."""

    values: Mapping[str, float]
    epsilon: float
    """What every threshold carries in favour of equality (`numeric.epsilon`)."""

    def __getitem__(self, name: str) -> float:
        if name not in self.values:
            raise ParameterError(f"comparison parameter {name} is not set")
        return self.values[name]


@dataclass(frozen=True)
class Ruleset:
    """One version of one ruleset; `parameters` holds the text of every parameter as written in the seeds."""

    ruleset_id: str
    ruleset_version: str
    aggregate: AggregateRules
    trend: TrendRules
    gap: GapRules
    outcome: OutcomeRules
    network: NetworkRules
    numeric: NumericRules
    values: ValueRules
    simulation: SimulationRules
    comparison: ComparisonRules
    parameters: Mapping[str, str | None]

    @property
    def epsilon(self) -> float:
        """What every threshold carries in favour of equality."""
        return self.numeric.epsilon

    def text(self, parameter: str) -> str | None:
        """The text of a parameter, None where its value is blank; an unknown name raises ValueError."""
        if parameter not in self.parameters:
            raise ValueError(f"ruleset {self.ruleset_id} {self.ruleset_version} has no parameter {parameter!r}")
        return self.parameters[parameter]

    def number(self, parameter: str) -> float | None:
        """A parameter as a number, None where its value is blank; an unknown name or other text raises ValueError."""
        text = self.text(parameter)
        return None if text is None else _number(parameter, text)

    def needed(self, parameter: str) -> float:
        """A parameter that must hold a number; ValueError where it is blank."""
        value = self.number(parameter)
        if value is None:
            raise ValueError(f"parameter {parameter} is blank; a number is needed")
        return value

    def codes(self, parameter: str) -> list[str]:
        """A parameter that lists codes, separated by blanks."""
        return (self.text(parameter) or "").split()

    def flag(self, parameter: str) -> bool:
        """A parameter that is true or false."""
        return (self.text(parameter) or "").lower() == "true"


@dataclass(frozen=True)
class JudgingRules:
    """What of a ruleset decides whether a submitted row is taken; kept rows depend on these and no other parameters."""

    agreement: float
    largest_count: int
    epsilon: float

    @classmethod
    def of(cls, ruleset: Ruleset) -> JudgingRules:
        """The parameters as a ruleset states them."""
        return cls(ruleset.values.agreement, ruleset.values.largest_count, ruleset.epsilon)


_SECTIONS: dict[str, type[Any]] = {
    "aggregate": AggregateRules,
    "trend": TrendRules,
    "gap": GapRules,
    "outcome": OutcomeRules,
    "network": NetworkRules,
    "numeric": NumericRules,
    "values": ValueRules,
    "simulation": SimulationRules,
}


def load_ruleset(parameters: pl.DataFrame, ruleset_id: str, ruleset_version: str | None = None) -> Ruleset:
    """Read one ruleset from the rows of PARAMETER_SEEDS in one frame.

    Without `ruleset_version` the only version of the ruleset is taken. Raises ValueError, naming what is wrong, when
    a column, the ruleset or a parameter is missing, a parameter is unknown or given twice, or a value has no such type.
    """
    absent = [column for column in PARAMETER_COLUMNS if column not in parameters.columns]
    if absent:
        raise ValueError(f"ruleset parameters lack the columns {absent}")
    rows = parameters.select(pl.col(PARAMETER_COLUMNS).cast(pl.String).str.strip_chars())
    rows = rows.filter(pl.col("ruleset_id") == ruleset_id)
    versions = sorted(rows["ruleset_version"].unique().to_list())
    if ruleset_version is None and len(versions) == 1:
        ruleset_version = versions[0]
    if ruleset_version not in versions:
        raise ValueError(f"ruleset {ruleset_id!r} version {ruleset_version!r} is not in the seeds; there: {versions}")
    rows = rows.filter(pl.col("ruleset_version") == ruleset_version)
    name = f"ruleset {ruleset_id} {ruleset_version}"
    values = _values_by_name(rows, name)
    sections = {section: _read_section(section, values, name) for section in _SECTIONS}
    sections["comparison"] = _comparison(values, name)
    return Ruleset(ruleset_id, str(ruleset_version), parameters=MappingProxyType(values), **sections)


def ruleset_rows(reference: Reference) -> pl.DataFrame:
    """The parameters of all rulesets of the seeds: one row a ruleset, version and parameter."""
    return pl.concat([reference.table(f"rulesets/{name}") for name in PARAMETER_SEEDS])


def kept_ruleset_rows(files: Mapping[str, bytes]) -> pl.DataFrame:
    """PARAMETER_COLUMNS of seeds that were kept as they were, files by path; none of a file that is not there."""
    kept = [files[path] for name in PARAMETER_SEEDS if (path := f"rulesets/{name}.csv") in files]
    none = pl.DataFrame(schema=dict.fromkeys(PARAMETER_COLUMNS, pl.String))
    return pl.concat([none, *(pl.read_csv(data, infer_schema=False).select(PARAMETER_COLUMNS) for data in kept)])


def rewritten(before: pl.DataFrame, now: pl.DataFrame) -> dict[RulesetKey, list[str]]:
    """Versions of rulesets of which a parameter says something else than before, with what changed in words.

    Both have PARAMETER_COLUMNS. A parameter that a version gained is no change of what it said, and a version that is
    gone altogether decides nothing any more.
    """
    key = list(PARAMETER_COLUMNS[:3])
    stands = now.select(PARAMETER_COLUMNS).rename({"value": "value_now"})
    kept = before.join(now, on=key[:2], how="semi").join(stands, on=key, how="left")
    found: dict[RulesetKey, list[str]] = {}
    for name, version, parameter, value, value_now in (
        kept.filter(~pl.col("value").eq_missing(pl.col("value_now")))
        .sort(key)
        .select(*key, "value", "value_now")
        .iter_rows()
    ):
        found.setdefault((name, version), []).append(f"{parameter}: {value} -> {value_now or 'gone'}")
    return found


def read_ruleset(reference: Reference, key: RulesetKey) -> Ruleset:
    """One ruleset of the seeds; ValueError where they do not hold it, or hold it wrongly."""
    return load_ruleset(ruleset_rows(reference), *key)


def in_force(reference: Reference, reporting_year: int) -> RulesetKey:
    """The ruleset in force for a reporting year: the line of ruleset_in_force.csv with the latest start up to it.

    SeedError where a start is no year or given twice, or no line starts early enough.
    """
    year = pl.col("from_reporting_year").cast(pl.Int32, strict=False)
    rows = reference.table(IN_FORCE).with_row_index("line", 2).with_columns(year)
    bad = rows.filter(pl.any_horizontal(pl.col(*_IN_FORCE_COLUMNS).is_null()) | year.is_duplicated())
    if bad.height:
        lines = ", ".join(map(str, bad["line"]))
        raise SeedError(f"{IN_FORCE}.csv: line {lines} has no ruleset, or no from_reporting_year of its own")
    known = rows.filter(pl.col("from_reporting_year") <= reporting_year).sort("from_reporting_year")
    if not known.height:
        raise SeedError(f"{IN_FORCE}.csv has no line for reporting year {reporting_year}; add one that starts by then")
    ruleset_id, version = known.select("ruleset_id", "ruleset_version").row(-1)
    return ruleset_id, version


_IN_FORCE_COLUMNS = ("from_reporting_year", "ruleset_id", "ruleset_version")


def newest_in_force(reference: Reference) -> RulesetKey:
    """The ruleset in force for the newest reporting years that ruleset_in_force.csv speaks of."""
    return in_force(reference, NEVER_ENDING)


def in_force_on(reference: Reference, today: dt.date) -> RulesetKey:
    """The ruleset a run of this day goes by: the one in force for the latest reporting year."""
    return in_force(reference, reference.reporting_years(today).stop - 1)


def _comparison(values: Mapping[str, str | None], name: str) -> ComparisonRules:
    try:
        numbers = {key: _number(key, values[key] or "") for key in values if _section(key) in COMPARISON_SECTIONS}
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    return ComparisonRules(MappingProxyType(numbers), _number("numeric.epsilon", values["numeric.epsilon"] or ""))


def _section(parameter: str) -> str:
    return parameter.partition(".")[0]


def _values_by_name(rows: pl.DataFrame, name: str) -> dict[str, str | None]:
    twice = rows["parameter"].filter(rows["parameter"].is_duplicated()).unique().sort().to_list()
    if twice:
        raise ValueError(f"{name}: given more than once: {twice}")
    values = {row[0]: (row[1] or None) for row in rows.select("parameter", "value").sort("parameter").iter_rows()}
    known = {f"{section}.{field.name}" for section, kind in _SECTIONS.items() for field in fields(kind)}
    named_by_rules = (*OPEN_SECTIONS, *COMPARISON_SECTIONS)
    unknown = [key for key in values if key not in known and _section(key) not in named_by_rules]
    if unknown:
        raise ValueError(f"{name}: unknown parameters {unknown}")
    missing = sorted(key for key in known if values.get(key) is None)
    if missing:
        raise ValueError(f"{name}: missing parameters {missing}")
    return values


def _read_section(section: str, values: Mapping[str, str | None], name: str) -> Any:
    kind = _SECTIONS[section]
    hints = get_type_hints(kind)
    arguments: dict[str, Any] = {}
    for field in fields(kind):
        parameter = f"{section}.{field.name}"
        text = values[parameter] or ""
        try:
            arguments[field.name] = _typed(parameter, text, hints[field.name])
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return kind(**arguments)


def _typed(parameter: str, text: str, kind: object) -> object:
    if kind is int:
        number = _number(parameter, text)
        if not number.is_integer():
            raise ValueError(f"{parameter} must be a whole number, found {text!r}")
        return int(number)
    return _number(parameter, text) if kind is float else tuple(text.split())


def _number(parameter: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{parameter} must be a number of at least 0, found {text!r}")
    return number
