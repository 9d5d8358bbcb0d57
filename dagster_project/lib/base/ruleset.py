"""The parameters of a versioned ruleset, typed and checked.

Belongs here: what parameters there are, their types, reading them from rows of seeds/rulesets/.
Does not: a default value of any of them (they are data), a computation that uses them, or intake's comparisons.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, get_type_hints

import polars as pl

PARAMETER_COLUMNS = ("ruleset_id", "ruleset_version", "parameter", "value")
# Owned by the rubric; kept as text here and read by name, so that a new criterion needs no change of this module.
OPEN_SECTIONS = ("gateway", "designation", "evidence", "cadence")


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
class SimulationRules:
    """Parameters `simulation.*`: the stylised network in which nothing changes."""

    seed: int
    draws: int
    n_years: int
    noise_sd: float
    level: float
    gap: float
    burdened_groups: int


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
    simulation: SimulationRules
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


_SECTIONS: dict[str, type[Any]] = {
    "aggregate": AggregateRules,
    "trend": TrendRules,
    "gap": GapRules,
    "outcome": OutcomeRules,
    "network": NetworkRules,
    "numeric": NumericRules,
    "simulation": SimulationRules,
}


def load_ruleset(parameters: pl.DataFrame, ruleset_id: str, ruleset_version: str | None = None) -> Ruleset:
    """Read one ruleset from the rows of ruleset_parameters.csv and gateway_parameters.csv in one frame.

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
    return Ruleset(ruleset_id, str(ruleset_version), parameters=MappingProxyType(values), **sections)


def _values_by_name(rows: pl.DataFrame, name: str) -> dict[str, str | None]:
    twice = rows["parameter"].filter(rows["parameter"].is_duplicated()).unique().sort().to_list()
    if twice:
        raise ValueError(f"{name}: given more than once: {twice}")
    values = {row[0]: (row[1] or None) for row in rows.select("parameter", "value").sort("parameter").iter_rows()}
    known = {f"{section}.{field.name}" for section, kind in _SECTIONS.items() for field in fields(kind)}
    unknown = [key for key in values if key not in known and key.partition(".")[0] not in OPEN_SECTIONS]
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
