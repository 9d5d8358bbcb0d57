"""Straight lines through many series at once.

Belongs here: closed-form least squares and its companions on matrices, one column a series, one row a position.
Does not: rules (windows, thresholds, statuses), tables, names; no Python loop ever runs over series.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

# Columns worked on together: their matrices fit the processor's cache, and memory stays flat whatever the input.
BLOCK = 8192


@dataclass(frozen=True, eq=False)
class Lines:
    """Least-squares lines of K series; arrays of length K, `dx` and `dy` of shape (W, K) with 0 where absent.

    `intercept` is the fitted value at x = 0. NaN: slope where x does not vary, errors with fewer than 3 points,
    `r_squared` where the values are constant.
    """

    n: Ints
    mean_y: Floats
    dx: Floats
    dy: Floats
    sxx: Floats
    sxy: Floats
    slope: Floats
    intercept: Floats
    slope_stderr: Floats
    intercept_stderr: Floats
    r_squared: Floats


def column_blocks(columns: int) -> Iterator[slice]:
    """Slices that cover `columns` columns, BLOCK at a time."""
    for start in range(0, columns, BLOCK):
        yield slice(start, min(start + BLOCK, columns))


def fit_lines(x: Floats, y: Floats, present: Bools, epsilon: float) -> Lines:
    """Ordinary least squares of y on x for every column, with errors.

    x: (W, K) or (W, 1) when all series share their positions; y and present: (W, K); y is ignored where absent.
    epsilon: values that differ by no more count as constant. Units: those of y, per unit of x. Never raises on data.
    Source: textbook closed form on centred data (two passes), as certified by NIST StRD for the set Norris.
    """
    n = present.sum(axis=0, dtype=np.int64)
    here = present.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_x = (x * here).sum(axis=0) / n
        filled = np.where(present, y, 0.0)
        mean_y = filled.sum(axis=0) / n
        dx = (x - mean_x) * here
        dy = (filled - mean_y) * here
        sxx = (dx * dx).sum(axis=0)
        sxy = (dx * dy).sum(axis=0)
        slope = np.where(sxx > 0, sxy / sxx, np.nan)
        residual = dy - slope * dx
        sse = (residual * residual).sum(axis=0)
        variance = np.where(n > 2, sse / (n - 2), np.nan)
        syy = (dy * dy).sum(axis=0)
        varies = dy.max(axis=0) - dy.min(axis=0) > epsilon
        return Lines(
            n=n,
            mean_y=mean_y,
            dx=dx,
            dy=dy,
            sxx=sxx,
            sxy=sxy,
            slope=slope,
            intercept=mean_y - slope * mean_x,
            slope_stderr=np.sqrt(variance / sxx),
            intercept_stderr=np.sqrt(variance * (1.0 / n + mean_x * mean_x / sxx)),
            r_squared=np.where(varies, 1.0 - sse / syy, np.nan),
        )


def t_half_width(stderr: Floats, n: Ints, confidence: float) -> Floats:
    """Half width of the t interval with n - 2 degrees of freedom; (K,), in units of `stderr`, NaN below 3 points."""
    longest = int(n.max(initial=2))
    quantile = np.full(longest + 1, np.nan)
    # Imported late: it takes a quarter of the time that a command without figures takes to start.
    from scipy import special

    quantile[3:] = special.stdtrit(np.arange(1, longest - 1), 0.5 + confidence / 2)
    return np.asarray(quantile[n] * stderr, dtype=np.float64)


def weighted_slopes(x: Floats, y: Floats, weight: Floats, present: Bools) -> Floats:
    """Slopes of weighted least squares, (K,); NaN unless every present point of a column has a positive weight."""
    known = (weight > 0) | ~present
    w = np.where(present & known, weight, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = w.sum(axis=0)
        dx = x - (w * x).sum(axis=0) / total
        filled = np.where(present, y, 0.0)
        dy = filled - (w * filled).sum(axis=0) / total
        slope = (w * dx * dy).sum(axis=0) / (w * dx * dx).sum(axis=0)
    return np.where(known.all(axis=0), slope, np.nan)


def binomial_slope_sd(lines: Lines, y: Floats, size: Floats, present: Bools) -> Floats:
    """Standard deviation of each slope when every y is a binomial rate in percent of `size` trials; (K,), percent.

    Var = sum c^2 p (1 - p) / n, c the least-squares coefficients dx / sxx, p = y / 100 (RULES 3). NaN where a present
    point has no size, or the variance is not positive.
    """
    known = (size > 0) | ~present
    with np.errstate(divide="ignore", invalid="ignore"):
        c = lines.dx / lines.sxx
        spread = np.where(present & known, y * (100.0 - y) / size, 0.0)
        variance = (c * c * spread).sum(axis=0)
    variance = np.where(known.all(axis=0) & (variance > 0), variance, np.nan)
    return np.sqrt(variance)


def normal_cdf(z: Floats) -> Floats:
    """Phi(z), element by element."""
    from scipy import special  # as late as above

    return np.asarray(special.ndtr(z), dtype=np.float64)


def theil_sen_slopes(x: Floats, y: Floats, present: Bools) -> Floats:
    """Median of the slopes between all pairs of points at different x; (K,), NaN where there is no such pair.

    Source: Theil (1950), Sen (1968). Work grows with W^2 a column; W is the window, not the length of the series.
    """
    first, second = np.triu_indices(y.shape[0], k=1)
    columns = y.shape[1]
    if not len(first):
        return np.full(columns, np.nan)
    run = np.broadcast_to(x[second] - x[first], (len(first), columns))
    both = present[first] & present[second] & (run != 0)
    slopes = np.full((columns, len(first)), np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        np.copyto(slopes.T, (y[second] - y[first]) / run, where=both)
    slopes.sort(axis=1)
    count = both.sum(axis=0)
    middle = np.stack([np.maximum(count - 1, 0) // 2, count // 2], axis=1)
    middle = np.minimum(middle, len(first) - 1)
    pair = np.take_along_axis(slopes, middle, axis=1)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, 0.5 * (pair[:, 0] + pair[:, 1]), np.nan)


def leave_one_out(lines: Lines, present: Bools) -> tuple[Floats, Floats]:
    """Slope and mean of y of every column without each of its points: two (W, K) arrays, NaN where absent.

    Closed form: leaving out a point takes n / (n - 1) times its centred product from each centred sum.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = lines.n / (lines.n - 1.0)
        sxx = lines.sxx - share * lines.dx * lines.dx
        sxy = lines.sxy - share * lines.dx * lines.dy
        slope = np.where(present, sxy / sxx, np.nan)
        mean = np.where(present, lines.mean_y - lines.dy / (lines.n - 1.0), np.nan)
    return slope, mean
