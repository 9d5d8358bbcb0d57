"""Integer programs over one component of a family: what stays feasible, with HiGHS.

Belongs here: one model a component, many objectives on it, whole-number witnesses, the count of programs.
Does not: closed forms (components.py), which cells are withheld (choice.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np
import numpy.typing as npt

from dagster_project.lib.disclosure.feasible.solved import Solved
from dagster_project.lib.disclosure.sums import AT_MOST, EQUAL, NONE
from dagster_project.lib.disclosure.words import INF, Bounds

Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-6
# A rate binds k to n by real numbers; it may be missed by this much of a count.
RATE_SLACK = 1e-7
# What a count must reach, with everything scaled to the cap, to be more than noise of the solver.
POSITIVE = 1e-3


class QuietHighs(highspy.Highs):
    """The solver without its callbacks, none of which is used: setting them up prints a banner to standard output."""

    def __init__(self) -> None:
        super(highspy.Highs, self).__init__()


class BudgetError(RuntimeError):
    """A family needs more programs than its parameter allows."""


@dataclass
class Budget:
    """Programs that may still be solved for a family, how many were, and the answers that need none.

    An answer that is known already costs the programs that it took when it was found, so that what is chosen does not
    depend on what was asked before.
    """

    allowed: int
    solved: Solved = field(default_factory=Solved)
    used: int = 0

    def spend(self, programs: int = 1) -> None:
        """Count programs; BudgetError where fewer are left."""
        if self.used + programs > self.allowed:
            self.used = self.allowed
            raise BudgetError(f"more than {self.allowed} programs")
        self.used += programs


@dataclass(frozen=True, slots=True)
class Line:
    """sum of sign * count over the terms = -constant (EQUAL) or >= -constant (AT_MOST), for n and for k.

    Terms are positions of open variables; what is fixed is in the constants. `rest_is_group` as in `sums.Sum`.
    """

    terms: tuple[tuple[int, int], ...]
    n: int
    k: int
    n_constant: float
    k_constant: float
    rest_is_group: bool


@dataclass(frozen=True, slots=True)
class Link:
    """Two columns that are one count: (variable, "n" or "k") twice."""

    one: tuple[int, str]
    other: tuple[int, str]


@dataclass
class Program:
    """The tables of one component that the public facts leave possible; variables are 0 .. len(bounds) - 1.

    Free counts are capped far above everything that is printed, which leaves fewer tables, never more: the safe side.
    Objectives are solved as linear programs first; an optimum in whole numbers is the integer one (most of these
    matrices are totally unimodular), any other is solved with integrality.
    """

    bounds: Sequence[Bounds]
    lines: Sequence[Line]
    links: Sequence[Link]
    budget: Budget
    _columns: dict[tuple[int, str], int] = field(default_factory=dict)
    _lower: list[float] = field(default_factory=list)
    _upper: list[float] = field(default_factory=list)
    _rows: list[tuple[float, float, dict[int, float]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        cap = self._cap()
        for number, bounds in enumerate(self.bounds):
            self._add_column(number, "n", bounds.n_low, bounds.n_high, cap)
            if bounds.has_k:
                self._add_column(number, "k", bounds.k_low, bounds.k_high, cap)
                self._add_column(number, "m", bounds.m_low, bounds.m_high, cap)
                n, k, m = (self._columns[number, part] for part in "nkm")
                self._rows.append((0.0, 0.0, {n: 1.0, k: -1.0, m: -1.0}))
                if not bounds.is_box:
                    self._rows.append((-RATE_SLACK, highspy.kHighsInf, {k: 1.0, n: -bounds.rate_low}))
                    self._rows.append((-highspy.kHighsInf, RATE_SLACK, {k: 1.0, n: -bounds.rate_high}))
        for line in self.lines:
            self._add_line(line)
        for link in self.links:
            self._rows.append((0.0, 0.0, {self._columns[link.one]: 1.0, self._columns[link.other]: -1.0}))
        self._matrix = np.zeros((len(self._rows), len(self._lower)))
        for number, (_, _, terms) in enumerate(self._rows):
            for column, value in terms.items():
                self._matrix[number, column] += value
        self._relaxed = self._model(integer=False)
        self._exact: highspy.Highs | None = None

    def _cap(self) -> float:
        finite = [abs(line.n_constant) + abs(line.k_constant) for line in self.lines]
        finite += [b.n_high for b in self.bounds if b.n_high < INF] + [b.n_low for b in self.bounds]
        finite += [b.k_low for b in self.bounds if b.has_k]
        # A rate with few decimals is met by a whole count only where n is large enough.
        widths = [b.rate_high - b.rate_low for b in self.bounds if not b.is_box]
        return 3.0 * sum(finite) + 100.0 + 4.0 * len(self.bounds) / max(min(widths, default=1.0), RATE_SLACK)

    def _add_column(self, number: int, part: str, low: float, high: float, cap: float) -> None:
        self._columns[number, part] = len(self._lower)
        self._lower.append(low)
        self._upper.append(min(high, cap))

    def _add_line(self, line: Line) -> None:
        for part, relation, constant in (("n", line.n, line.n_constant), ("k", line.k, line.k_constant)):
            if relation != NONE:
                terms = {self._columns[variable, part]: float(sign) for variable, sign in line.terms}
                self._rows.append((-constant, -constant if relation == EQUAL else highspy.kHighsInf, terms))
        if line.n == AT_MOST and line.k == AT_MOST and line.rest_is_group:
            terms = {self._columns[variable, "m"]: float(sign) for variable, sign in line.terms}
            self._rows.append((line.k_constant - line.n_constant, highspy.kHighsInf, terms))

    def _model(self, *, integer: bool) -> highspy.Highs:
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self._lower), len(self._rows)
        lp.col_cost_ = np.zeros(lp.num_col_)
        lp.col_lower_, lp.col_upper_ = np.array(self._lower), np.array(self._upper)
        lp.row_lower_ = np.array([row[0] for row in self._rows])
        lp.row_upper_ = np.array([row[1] for row in self._rows])
        entries = [sorted(row[2].items()) for row in self._rows]
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.cumsum([0, *(len(each) for each in entries)]).astype(np.int32)
        lp.a_matrix_.index_ = np.array([column for each in entries for column, _ in each], dtype=np.int32)
        lp.a_matrix_.value_ = np.array([value for each in entries for _, value in each])
        if integer:
            lp.integrality_ = [highspy.HighsVarType.kInteger] * lp.num_col_
        model = QuietHighs()
        for name, value in (
            ("output_flag", False),
            ("threads", 1),
            ("parallel", "off"),
            ("random_seed", 0),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 0.5),
            ("presolve", "off"),
        ):
            model.setOptionValue(name, value)
        model.passModel(lp)
        return model

    def has_part(self, number: int, part: str) -> bool:
        """Whether the variable has such a count."""
        return (number, part) in self._columns

    def can_be_positive(self, number: int, part: str) -> bool | None:
        """Whether a count can exceed zero in real numbers; None where not even those satisfy everything."""
        values = self._run(self._relaxed, self._columns[number, part], -1.0)
        return None if values is None else bool(values[self._columns[number, part]] > POSITIVE)

    def point(self) -> dict[tuple[int, str], int] | None:
        """Any table that satisfies everything; None where there is none."""
        return self._solve(None, 0.0)

    def extreme(self, number: int, part: str, *, largest: bool) -> dict[tuple[int, str], int] | None:
        """A table in which one count is as large, or as small, as it can be; None where no table is feasible."""
        return self._solve(self._columns[number, part], -1.0 if largest else 1.0)

    def between(self, number: int, part: str, low: int, high: int) -> dict[tuple[int, str], int] | None:
        """A table in which one count lies within low .. high; None where there is none."""
        column = self._columns[number, part]
        models = [self._relaxed, *([self._exact] if self._exact else [])]
        kept = self._lower[column], self._upper[column]
        self._lower[column], self._upper[column] = float(low), float(high)
        for model in models:
            model.changeColBounds(column, float(low), float(high))
        try:
            return self._solve(None, 0.0)
        finally:
            self._lower[column], self._upper[column] = kept
            for model in [self._relaxed, *([self._exact] if self._exact else [])]:
                model.changeColBounds(column, *kept)

    def _solve(self, column: int | None, cost: float) -> dict[tuple[int, str], int] | None:
        values = self._run(self._relaxed, column, cost)
        if values is None:
            return None
        whole = np.rint(values)
        if not self._is_feasible(whole) or (column is not None and abs(values[column] - whole[column]) > TOLERANCE):
            if self._exact is None:
                self._exact = self._model(integer=True)
            values = self._run(self._exact, column, cost)
            if values is None:
                return None
            whole = np.rint(values)
        return {name: int(whole[position]) for name, position in self._columns.items()}

    def _run(self, model: highspy.Highs, column: int | None, cost: float) -> Floats | None:
        self.budget.spend()
        if column is not None:
            model.changeColCost(column, cost)
        model.run()
        status = model.getModelStatus()
        values = np.array(model.getSolution().col_value) if status == highspy.HighsModelStatus.kOptimal else None
        if column is not None:
            model.changeColCost(column, 0.0)
        if values is None and status not in (
            highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
        ):
            raise ArithmeticError(f"the solver ended with {model.modelStatusToString(status)}")
        return values

    def _is_feasible(self, whole: Floats) -> bool:
        """Whether rounded counts satisfy every row and bound; a vertex in whole numbers does."""
        if (whole < np.array(self._lower) - TOLERANCE).any() or (whole > np.array(self._upper) + TOLERANCE).any():
            return False
        rows = self._matrix @ whole
        return all(
            low - TOLERANCE <= value <= high + TOLERANCE
            for value, (low, high, _) in zip(rows.tolist(), self._rows, strict=True)
        )
