"""Sentences about a trend: its direction, size, years, interval and certainty, or why it cannot be determined.

Belongs here: patterns of whole sentences that are filled from a stored trend row.
Does not: decide a status, read tables, word a gap (gap.py), or word a code (words.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.languages.catalogue import N_, _, ngettext


@dataclass(frozen=True)
class TrendFigures:
    """What a trend sentence needs; slopes in units a year, estimates null when the trend is undetermined.

    `states`: why each of the submitted values that the trend does not use is not used, for a trend without any.
    """

    indicator: str
    unit: str
    direction: int
    trend_status: str | None
    reason: str | None
    first_year: int | None
    last_year: int | None
    n_years: int | None
    slope: float | None
    slope_ci_low: float | None
    slope_ci_high: float | None
    states: Sequence[str] = ()


def no_value_words(states: Sequence[str]) -> str:
    """Why not one value can be used, by what stands in the place of each: masked, absent, withheld; none submitted."""
    if not states:
        return _("no value has been submitted")
    counted = sorted(Counter(states).items(), key=lambda each: (-each[1], each[0]))
    n = len(states)
    if len(counted) == 1:
        return ngettext(
            "the only value is %(state)s", "all %(n)s values are %(state)s", n, n=words.count(n), state=counted[0][0]
        )
    told = words.joined([_("%(n)s %(state)s", n=words.count(each), state=state) for state, each in counted])
    return _("none of %(n)s values can be used: %(told)s", n=words.count(n), told=told)


def reason_words(
    reason: str | None, parameters: Mapping[str, str], of_gap: bool = False, states: Sequence[str] = ()
) -> str:
    """The clause that completes `cannot be determined because ...`; limits are read from the ruleset.

    `states`: of a series without any exact value, what stands in the place of each, in words.
    """
    if not reason:
        return _("the figures needed for it are not there")
    if reason == "no_data":
        if of_gap:
            return _("there is no year in which both groups have a value that can be used")
        return no_value_words(states)
    clause = (_REASONS_OF_GAPS if of_gap else _REASONS).get(reason) or _REASONS.get(reason)
    if clause is None:
        return words.humanized(reason)
    names = ("min_n", "min_coverage", "recency_years", "min_points", "min_span_years", "max_gap_years")
    limits = {
        name: words.limit(parameters, f"{'aggregate' if name == 'min_coverage' else 'trend'}.{name}") for name in names
    }
    return _(clause, **limits)


_REASONS: Mapping[str, str] = {
    "no_total": N_("the total is missing: only groups were submitted"),
    "interval_only": N_("only ranges were submitted, no exact values"),
    "small_n": N_("too few people stand behind the values (at least %(min_n)s are needed)"),
    "low_coverage": N_(
        "the districts that reported hold too small a share of the community "
        "(at least %(min_coverage)s of it is needed)"
    ),
    "stale": N_("the latest comparable value is more than %(recency_years)s years older than the reporting year"),
    "series_break": N_(
        "the measure changed, or values lie more than %(max_gap_years)s years apart, "
        "and no stretch between has enough comparable years"
    ),
    "too_few_points": N_(
        "there are too few comparable years (at least %(min_points)s are needed, "
        "the last at least %(min_span_years)s years after the first)"
    ),
    "no_direction": N_("neither direction of this measure is better"),
    "no_core_indicator": N_("no core indicator is selected for this outcome"),
    "no_determined_indicator": N_("none of its core indicators has a trend that can be determined"),
    "no_eligible_group": N_("there is no group that was behind at the start and has enough comparable years"),
}
_REASONS_OF_GAPS: Mapping[str, str] = {
    "interval_only": N_("only ranges were submitted, no exact values for both groups"),
    "too_few_points": N_(
        "there are too few comparable years for both groups (at least %(min_points)s are needed, "
        "the last at least %(min_span_years)s years after the first)"
    ),
}


def trend_undetermined(reason: str | None, parameters: Mapping[str, str], states: Sequence[str] = ()) -> str:
    """The statement for a trend that is undetermined, with the reason."""
    why = reason_words(reason, parameters, states=states)
    return _("The trend cannot be determined because %(why)s.", why=why)


def trend_withheld() -> str:
    """The statement for a trend that is not published."""
    return _("The trend is withheld to protect a small group.")


def _status_sentence(figures: TrendFigures, parameters: Mapping[str, str]) -> str:
    status = figures.trend_status
    if figures.direction == 0 or status is None:
        return _("No status is given: for this measure neither direction is better.")
    word = words.status_words(status).lower()
    if status == "maintained" and figures.slope:
        tolerance = parameters.get("trend.maintain_tolerance")
        if not tolerance:
            return _("This counts as maintained: the change is within the ruleset's tolerance.")
        return _(
            "This counts as maintained: the change is within the ruleset's tolerance "
            "(for percentages, %(tolerance)s points a year).",
            tolerance=tolerance,
        )
    if figures.direction < 0:
        return _("Lower is better here, so this counts as %(status)s.", status=word)
    return _("This counts as %(status)s.", status=word)


def interval_name(parameters: Mapping[str, str]) -> str:
    """What the interval of a yearly change is called: with its confidence where the ruleset states it."""
    stated = parameters.get("trend.confidence")
    if not stated:
        return _("interval")
    return _("%(confidence)s interval", confidence=f"{words.number(100 * float(stated), 0)}%")


def _interval_sentence(figures: TrendFigures, parameters: Mapping[str, str]) -> str:
    low, high = figures.slope_ci_low, figures.slope_ci_high
    if low is None or high is None:
        return ""
    given = {"interval": interval_name(parameters), "low": words.signed(low), "high": words.signed(high)}
    if low <= 0 <= high and not low == high == 0:
        return _(
            "The %(interval)s for the yearly change is %(low)s to %(high)s; "
            "it includes zero, so these years do not rule out that nothing changed.",
            **given,
        )
    nearest = low if low > 0 else high
    if nearest > 0 and words.is_zero(nearest):
        return _("The %(interval)s for the yearly change is %(low)s to %(high)s; it lies just above zero.", **given)
    if nearest < 0 and words.is_zero(nearest):
        return _("The %(interval)s for the yearly change is %(low)s to %(high)s; it lies just below zero.", **given)
    return _("The %(interval)s for the yearly change is %(low)s to %(high)s.", **given)


def trend_sentence(figures: TrendFigures, parameters: Mapping[str, str]) -> str:
    """One honest sentence or two about a trend: direction, size, years, number of years, interval, what it counts as.

    The direction is that of the stored slope, never of the status. An undetermined trend says why.
    """
    if figures.trend_status == words.WITHHELD:
        return trend_withheld()
    if figures.slope is None or figures.trend_status == words.UNDETERMINED:
        return trend_undetermined(figures.reason, parameters, figures.states)
    told = (
        _change_sentence(figures, figures.slope, epsilon_of(parameters)),
        _status_sentence(figures, parameters),
        _interval_sentence(figures, parameters),
    )
    return " ".join(sentence for sentence in told if sentence)


def _change_sentence(figures: TrendFigures, slope: float, epsilon: float) -> str:
    """What a slope says: rose, fell or did not change; its direction always agrees with the slope's sign.

    `epsilon` is the ruleset's numerical tolerance: a slope no larger than it is no change. A change that would be
    printed as 0.0 is described without a figure, so that a direction never stands beside a zero.
    """
    n = figures.n_years or 0
    given: dict[str, object] = {
        "indicator": figures.indicator,
        "first": figures.first_year,
        "last": figures.last_year,
        "years": words.years_counted(n),
        "unit": words.unit_of_change(figures.unit),
        "amount": words.number(abs(slope)),
    }
    if abs(slope) <= epsilon or slope == 0:
        return _("“%(indicator)s” did not change from %(first)s to %(last)s (%(years)s of data).", **given)
    if words.is_zero(slope) and slope > 0:
        return _(
            "“%(indicator)s” rose very slightly, by less than 0.1 %(unit)s a year "
            "from %(first)s to %(last)s (%(years)s of data).",
            **given,
        )
    if words.is_zero(slope):
        return _(
            "“%(indicator)s” fell very slightly, by less than 0.1 %(unit)s a year "
            "from %(first)s to %(last)s (%(years)s of data).",
            **given,
        )
    if slope > 0:
        return _(
            "“%(indicator)s” rose by %(amount)s %(unit)s a year from %(first)s to %(last)s (%(years)s of data).",
            **given,
        )
    return _(
        "“%(indicator)s” fell by %(amount)s %(unit)s a year from %(first)s to %(last)s (%(years)s of data).", **given
    )


def epsilon_of(parameters: Mapping[str, str]) -> float:
    return float(parameters.get("numeric.epsilon") or 0.0)


def robustness_sentence(robustness: str | None) -> str:
    """What leaving out single years does to the status."""
    told = {
        "robust": _("The status is the same whichever single year is left out."),
        "fragile": _("The status depends on single years: with one of them left out it would differ."),
        "undetermined": _("There are too few years to test whether the status depends on a single one."),
    }
    return told.get(robustness or "", "")
