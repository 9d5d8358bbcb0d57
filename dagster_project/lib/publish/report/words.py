"""Plain words for figures: numbers, units, statuses, reasons, and the generated sentences of the report.

Belongs here: every text made from a stored figure, so that direction, sign and hedging are decided once and testable.
Does not: read tables, lay out pages, decide a status (statuses are stored; here they are only put into words).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
UNDETERMINED = "undetermined"
WITHHELD = "withheld"
TO_PROTECT = "withheld to protect a small group"

TARGET_WORDS: Mapping[str, str] = {
    "on_track": "on the way",
    "off_track": "not on the way",
    "undetermined": "cannot be determined",
}
STATUS_WORDS: Mapping[str, str] = {
    "improving": "Improving",
    "maintained": "Maintained",
    "declining": "Declining",
    "mixed": "Mixed",
    "undetermined": "Cannot be determined",
    "met": "Met",
    "not_met": "Not met",
    "eligible": "Requirements met",
    "not_eligible": "Requirements not met",
    "not_expected": "Not expected",
    "expected": "Expected",
    "late": "Late",
    "rejected": "Rejected",
    "accepted": "Accepted",
    "accepted_with_queries": "Accepted with queries",
    "waived": "Waived",
    "superseded": "Superseded",
    "none": "None",
    "review_due": "Review due",
    "succeeded": "Succeeded by an ongoing one",
    "withheld": "Withheld",
    "grace": "In grace period",
}

# Words for the classes of RULES 4: label, then what the label says about the two groups; {names} are parameters.
GAP_WORDS: Mapping[str, tuple[str, str]] = {
    "no_gap_at_baseline": (
        "No gap at the start",
        "the group was about level with the reference group in the first year",
    ),
    "reversed": ("Group was ahead", "the group was already ahead of the reference group in the first year"),
    "eliminated": ("Closed", "the group improved and has caught up in the latest {gap.eliminated_years} years"),
    "narrowed": ("Narrowed", "the group improved, and faster than the reference group"),
    "narrowed_by_decline": (
        "Narrower, but by decline",
        "the reference group lost ground and this group did not improve; this does not count as reduced",
    ),
    "unchanged": ("Unchanged", "both groups moved at the same pace"),
    "widened": ("Widened", "the group moved less favourably than the reference group"),
    "undetermined": ("Undetermined", "there are not enough comparable years for both groups"),
}

# Both in the order in which a community meets them.
GATEWAY_WORDS: Mapping[str, str] = {
    "exploring": "Exploring",
    "emerging": "Emerging",
    "sustaining": "Sustaining",
    "systems_change": "Systems Change",
    "systems_transformation": "Systems Transformation",
    "completed": "All gateways met",
}
GATEWAYS = tuple(code for code in GATEWAY_WORDS if code != "completed")

DESIGNATION_WORDS: Mapping[str, str] = {
    "proof_point_initial": "Proof Point, initial",
    "proof_point_ongoing": "Proof Point, ongoing",
    "systems_transformation": "Systems Transformation",
}
DESIGNATIONS = tuple(DESIGNATION_WORDS)

_SOME = "at least {simulation.outcomes_min} of {simulation.outcomes} outcomes"
_FEW = "at least {simulation.gaps_min} of {simulation.outcomes} outcomes"
# What the simulation of an unchanged network looked at, in words; {names} are parameters.
SIMULATED: Mapping[str, str] = {
    "stylised": "Invented communities with {simulation.outcomes} unchanged outcomes",
    "own_network": "This network's own series, drawn again as if nothing had changed",
    "outcome_improving": "an outcome is called improving",
    "outcome_improving_or_maintained": "an outcome is called improving or maintained",
    "trend_improving": "a trend is called improving",
    "trend_improving_or_maintained": "a trend is called improving or maintained",
    "gap_reduced_one_group": "the gap of one group is called narrowed or closed",
    "outcome_gaps_reduced": "the gaps of an outcome are called reduced",
    "four_of_seven_improving": f"{_SOME} are called improving",
    "four_of_seven_improving_or_maintained": f"{_SOME} are called improving or maintained",
    "two_of_seven_gaps_reduced": f"{_FEW} are said to have reduced gaps",
    "four_of_seven_gaps_reduced": f"{_SOME} are said to have reduced gaps",
    "four_of_seven_improving_and_gaps_reduced": f"both: {_SOME} are called improving, and as many have reduced gaps",
}

DIMENSION_WORDS: Mapping[str, str] = {"race_ethnicity": "Race and ethnicity"}

SUBMISSION_ORDER = ("accepted", "accepted_with_queries", "rejected", "late", "expected", "waived", "not_expected")

SOURCE_STATES: Mapping[str, str] = {
    "suppressed_at_source": "suppressed at source",
    "not_collected": "not collected",
    "not_applicable": "not applicable",
    "missing": "submitted without a value",
    "withheld": TO_PROTECT,
    "range": "submitted as a range",
    "interval": "submitted as a range",
    "small_n": "too few people to count as a trend point",
    "low_coverage": "districts that reported cover too little of the community",
    "after_reporting_year": "lies after the reporting year",
    "other_segment": "belongs to an earlier or other series",
    "outside_window": "lies before the years the trend is taken over",
    "stale": "too long before the reporting year",
    "series_break": "not enough comparable years on either side of a change of series",
    "too_few_points": "too few comparable years around it",
}

NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PLACEHOLDER = re.compile(r"\{([a-z_]+\.[a-z_]+)\}")
_ABSENT_PARAMETER = "the ruleset's limit"


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


@dataclass(frozen=True)
class GapFigures:
    """What a gap's sentence needs; slope_difference is the group's less the reference group's adjusted slope.

    first_gap and last_gap are those of the single years, fitted_last_gap that of the two fitted lines in last_year.
    """

    unit: str
    gap_status: str
    reason: str | None
    slope_difference: float | None
    reference_declined: bool
    first_year: int | None = None
    last_year: int | None = None
    first_gap: float | None = None
    last_gap: float | None = None
    fitted_last_gap: float | None = None

    @property
    def fitted_first_gap(self) -> float | None:
        """The gap of the two fitted lines in the first year, in the indicator's unit; positive: the group is behind."""
        if None in (self.fitted_last_gap, self.slope_difference, self.first_year, self.last_year):
            return None
        years = (self.last_year or 0) - (self.first_year or 0)
        return (self.fitted_last_gap or 0.0) + (self.slope_difference or 0.0) * years


def number(value: float | int | None, digits: int = 1) -> str:
    """A figure for display with `digits` decimals, a real minus sign, no negative zero; a dash when there is none."""
    if value is None:
        return DASH
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0.0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def count(value: int | None) -> str:
    """A whole number with grouped thousands; a dash when there is none."""
    return DASH if value is None else f"{value:,d}"


def signed(value: float | None, digits: int = 1) -> str:
    """A change for display: with its sign, except where it rounds to zero."""
    text = number(value, digits)
    if value is None or value <= 0 or float(text.replace(",", "")) == 0.0:
        return text
    return f"+{text}"


def share(part: int, whole: int) -> str:
    """`part` of `whole` in percent with one decimal, a dash when there is nothing to divide by."""
    return DASH if whole == 0 else f"{number(100 * part / whole)}%"


def humanized(code: str) -> str:
    """A code as words, for codes that have no wording of their own here."""
    return code.replace("_", " ").strip()


def sentence_case(text: str) -> str:
    """The text with its first letter as a capital, the rest untouched."""
    return text[:1].upper() + text[1:]


def figure(value: object) -> str:
    """A required or actual figure: whole numbers without decimals, texts as they are, a dash for none."""
    if value is None:
        return DASH
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return number(value, 0 if float(value).is_integer() else 1)


def plural(n: int, one: str, many: str | None = None) -> str:
    """The count with its noun: `1 year`, `3 years`."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def joined(items: list[str]) -> str:
    """A list in a sentence: `a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def filled(text: str, parameters: Mapping[str, str]) -> str:
    """A text with the ruleset's values in the places of {parameter}; whole numbers below ten as words."""
    return _PLACEHOLDER.sub(lambda found: spelled(_limit(parameters, found[1])), text)


def spelled(text: str) -> str:
    """A whole number below ten as a word, any other text as it is."""
    try:
        value = float(text)
    except ValueError:
        return text
    return NUMBER_WORDS[int(value)] if value in range(len(NUMBER_WORDS)) else text


def simulated_words(code: str, parameters: Mapping[str, str]) -> str:
    """What the simulation looked at or how it was made, with the ruleset's numbers."""
    return filled(SIMULATED.get(code, humanized(code)), parameters)


def status_words(code: str | None) -> str:
    """The word for a stored status; an unknown code is shown as words, an absent one as `No status`."""
    if not code:
        return "No status"
    return STATUS_WORDS.get(code, sentence_case(humanized(code)))


def target_words(code: str | None) -> str:
    """Whether a target is within reach, as it stands behind the target."""
    return TARGET_WORDS.get(code or "", status_words(code).lower())


def certainty_words(code: str) -> str:
    """The word for how certain a status is, as it stands behind the status."""
    return {"certain": "certain", "likely": "likely"}.get(code, "could be chance")


def unit_of_value(unit: str) -> str:
    """The unit behind a value: `%` for percent, otherwise the unit's own name; a bare count or score has none."""
    own = {"percent": "%", "count": "", "score": "", "": "", "usd": " US dollars", "per_1000": " per 1,000"}
    return own.get(unit, f" {humanized(unit)}")


def unit_of_change(unit: str) -> str:
    """The unit behind a difference: a difference of percentages is in percentage points."""
    own = {"percent": "percentage points", "score": "score points", "count": "in number", "usd": "US dollars"}
    return own.get(unit, humanized(unit))


def value_text(value: float | None, unit: str) -> str:
    """A value with its unit, or a dash."""
    return DASH if value is None else f"{number(value)}{unit_of_value(unit)}"


def interval_text(low: float | None, high: float | None, unit: str) -> str:
    """An interval as submitted: `0.0 to 5.0%`, `up to 5.0%`, `95.0% or more`."""
    if low is None and high is None:
        return DASH
    if low is None:
        return f"up to {value_text(high, unit)}"
    if high is None:
        return f"{value_text(low, unit)} or more"
    return f"{number(low)} to {value_text(high, unit)}"


def interval_short(low: float | None, high: float | None) -> str:
    """An interval for a narrow table cell, without its unit."""
    if low is None or high is None:
        return DASH if low is None and high is None else f"≤{number(high)}" if low is None else f"≥{number(low)}"
    return f"{number(low)}{DASH}{number(high)}"


def years_text(first: int | None, last: int | None) -> str:
    """A span of years, a single year, or a dash."""
    if first is None or last is None:
        return DASH
    return str(first) if first == last else f"{first}{DASH}{last}"


def change_words(slope: float, unit: str, epsilon: float = 0.0) -> str:
    """What a slope says: rose, fell or did not change; its direction always agrees with the slope's sign.

    `epsilon` is the ruleset's numerical tolerance: a slope no larger than it is no change. A change that would be
    printed as 0.0 is described without a figure, so that a direction never stands beside a zero.
    """
    if abs(slope) <= epsilon or slope == 0:
        return "did not change"
    verb = "rose" if slope > 0 else "fell"
    amount = number(abs(slope))
    if float(amount.replace(",", "")) == 0.0:
        return f"{verb} very slightly, by less than 0.1 {unit_of_change(unit)} a year"
    return f"{verb} by {amount} {unit_of_change(unit)} a year"


def _limit(parameters: Mapping[str, str], name: str) -> str:
    return parameters.get(name) or _ABSENT_PARAMETER


def no_value_words(states: Sequence[str]) -> str:
    """Why not one value can be used, by what stands in the place of each: masked, absent, withheld; none submitted."""
    if not states:
        return "no value has been submitted"
    counted = sorted(Counter(states).items(), key=lambda each: (-each[1], each[0]))
    if len(counted) == 1:
        return f"{'the only value is' if len(states) == 1 else f'all {count(len(states))} values are'} {counted[0][0]}"
    told = joined([f"{count(n)} {state}" for state, n in counted])
    return f"none of {count(len(states))} values can be used: {told}"


def reason_words(
    reason: str | None, parameters: Mapping[str, str], of_gap: bool = False, states: Sequence[str] = ()
) -> str:
    """The clause that completes `cannot be determined because ...`; limits are read from the ruleset.

    `states`: of a series without any exact value, what stands in the place of each, in words.
    """
    both = " for both groups" if of_gap else ""
    clauses = {
        "no_data": "there is no year in which both groups have a value" if of_gap else no_value_words(states),
        "no_total": "the total is missing: only groups were submitted",
        "interval_only": f"only ranges were submitted, no exact values{both}",
        "small_n": f"too few people stand behind the values (at least {_limit(parameters, 'trend.min_n')} are needed)",
        "low_coverage": (
            "the districts that reported hold too small a share of the community "
            f"(at least {_limit(parameters, 'aggregate.min_coverage')} of it is needed)"
        ),
        "stale": (
            "the latest comparable value is more than "
            f"{_limit(parameters, 'trend.recency_years')} years older than the reporting year"
        ),
        "series_break": "the measure changed, and no single series has enough comparable years",
        "too_few_points": (
            f"there are too few comparable years{both} (at least {_limit(parameters, 'trend.min_points')} are needed, "
            f"the last at least {_limit(parameters, 'trend.min_span_years')} years after the first)"
        ),
        "no_direction": "neither direction of this measure is better",
        "no_core_indicator": "no core indicator is selected for this outcome",
        "no_determined_indicator": "none of its core indicators has a trend that can be determined",
        "no_eligible_group": "there is no group that was behind at the start and has enough comparable years",
    }
    if not reason:
        return "the figures needed for it are not there"
    return clauses.get(reason, humanized(reason))


def cannot(reason: str | None, parameters: Mapping[str, str], of_gap: bool = False, states: Sequence[str] = ()) -> str:
    """The full statement for an undetermined result."""
    return f"cannot be determined because {reason_words(reason, parameters, of_gap, states)}"


def _status_clause(figures: TrendFigures, parameters: Mapping[str, str]) -> str:
    status = figures.trend_status
    if figures.direction == 0 or status is None:
        return "No status is given: for this measure neither direction is better."
    word = status_words(status).lower()
    if status == "maintained" and figures.slope:
        return f"This counts as maintained: the change is within the ruleset's tolerance{_tolerance(parameters)}."
    if figures.direction < 0:
        return f"Lower is better here, so this counts as {word}."
    return f"This counts as {word}."


def _tolerance(parameters: Mapping[str, str]) -> str:
    tolerance = parameters.get("trend.maintain_tolerance")
    return f" (for percentages, {tolerance} points a year)" if tolerance else ""


def confidence_text(parameters: Mapping[str, str]) -> str:
    """The confidence of the intervals, `95% `; empty when the ruleset does not state it."""
    stated = parameters.get("trend.confidence")
    return f"{number(100 * float(stated), 0)}% " if stated else ""


def _interval_clause(figures: TrendFigures, parameters: Mapping[str, str]) -> str:
    low, high = figures.slope_ci_low, figures.slope_ci_high
    if low is None or high is None:
        return ""
    text = f" The {confidence_text(parameters)}interval for the yearly change is {signed(low)} to {signed(high)}"
    if low <= 0 <= high and not low == high == 0:
        return f"{text}; it includes zero, so these years do not rule out that nothing changed."
    nearest = low if low > 0 else high
    if nearest and number(nearest) == "0.0":
        return f"{text}; it lies just {'above' if nearest > 0 else 'below'} zero."
    return f"{text}."


def trend_sentence(figures: TrendFigures, parameters: Mapping[str, str]) -> str:
    """One honest sentence or two about a trend: direction, size, years, number of years, interval, what it counts as.

    The direction is that of the stored slope, never of the status. An undetermined trend says why.
    """
    if figures.trend_status == WITHHELD:
        return f"The trend is {TO_PROTECT}."
    if figures.slope is None or figures.trend_status == UNDETERMINED:
        return f"The trend {cannot(figures.reason, parameters, states=figures.states)}."
    change = change_words(figures.slope, figures.unit, _epsilon(parameters))
    span = f"from {figures.first_year} to {figures.last_year}"
    data = f"({plural(figures.n_years or 0, 'year')} of data)"
    head = f"“{figures.indicator}” {change} {span} {data}."
    return f"{head} {_status_clause(figures, parameters)}{_interval_clause(figures, parameters)}"


def _epsilon(parameters: Mapping[str, str]) -> float:
    return float(parameters.get("numeric.epsilon") or 0.0)


def pace_words(slope_difference: float | None, unit: str, epsilon: float = 0.0) -> str:
    """How the group's yearly change compares with the reference group's; the direction is that of the stored figure."""
    if slope_difference is None:
        return ""
    if abs(slope_difference) <= epsilon or slope_difference == 0:
        return "The two groups moved at the same pace"
    side = "more" if slope_difference > 0 else "less"
    amount = number(abs(slope_difference))
    if float(amount.replace(",", "")) == 0.0:
        return f"The group moved very slightly {side} favourably than the reference group"
    return f"Each year, the group moved {amount} {unit_of_change(unit)} {side} favourably than the reference group"


def standing_words(gap: float, unit: str) -> str:
    """Where a group stands beside its reference group: behind, ahead or level, as the printed figure says."""
    amount = number(abs(gap))
    if float(amount.replace(",", "")) == 0.0:
        return "level"
    return f"{amount} {unit_of_change(unit)} {'behind' if gap > 0 else 'ahead'}"


# The classes that go by the first year alone: where the group stands since then is told beside them.
_BY_FIRST_YEAR = ("no_gap_at_baseline", "reversed")


def _since_then(figures: GapFigures) -> str:
    if figures.gap_status not in _BY_FIRST_YEAR or figures.last_gap is None:
        return ""
    year = "" if figures.last_year is None else f" ({figures.last_year})"
    said = f", and is now {standing_words(figures.last_gap, figures.unit)}{year}"
    return f"{said}. {_by_the_lines(figures)}".removesuffix(". ")


def _by_the_lines(figures: GapFigures) -> str:
    """Where the fitted lines, by which the pace goes, put the group; told where the single years say otherwise."""
    first, last = figures.fitted_first_gap, figures.fitted_last_gap
    if None in (first, last, figures.first_gap, figures.last_gap, figures.slope_difference):
        return ""
    gained = (figures.first_gap or 0.0) - (figures.last_gap or 0.0)
    ends = [standing_words(each or 0.0, figures.unit) for each in (first, last)]
    same_end = standing_words(figures.last_gap or 0.0, figures.unit).split()[-1] == ends[1].split()[-1]
    if gained * (figures.slope_difference or 0.0) >= 0 and same_end:
        return ""
    return f"By the fitted lines of all years it went from {ends[0]} to {ends[1]}"


def gap_label(figures: GapFigures) -> str:
    """The short label of a gap: its class, and for a group that was ahead whether it is now behind."""
    now = "" if figures.last_gap is None else standing_words(figures.last_gap, figures.unit)
    if figures.gap_status == "reversed" and now.endswith("behind"):
        return "Was ahead, now behind"
    return gap_words(figures.gap_status)


def fitted_gap_text(figures: GapFigures) -> str:
    """The gap of the fitted lines at both ends, by which the class goes: `12.0 → 9.5 fitted`; empty without a fit."""
    first, last = figures.fitted_first_gap, figures.fitted_last_gap
    return "" if first is None or last is None else f"{number(first)} \N{RIGHTWARDS ARROW} {number(last)} fitted"


def gap_meaning(figures: GapFigures, parameters: Mapping[str, str]) -> str:
    """What a gap's class says, with the pace of the two groups; an undetermined gap says why."""
    if figures.gap_status == WITHHELD:
        return f"The gap is {TO_PROTECT}."
    if figures.gap_status == UNDETERMINED:
        return f"The gap {cannot(figures.reason, parameters, of_gap=True)}."
    _, meaning = GAP_WORDS.get(figures.gap_status, ("", humanized(figures.gap_status)))
    parts = [sentence_case(filled(meaning, parameters)) + _since_then(figures)]
    pace = pace_words(figures.slope_difference, figures.unit, _epsilon(parameters))
    if pace:
        parts.append(pace)
    if figures.reference_declined:
        parts.append("The reference group itself lost ground")
    return f"{'. '.join(parts)}."


def robustness_sentence(robustness: str | None) -> str:
    """What leaving out single years does to the status."""
    words = {
        "robust": "The status is the same whichever single year is left out.",
        "fragile": "The status depends on single years: with one of them left out it would differ.",
        "undetermined": "There are too few years to test whether the status depends on a single one.",
    }
    return words.get(robustness or "", "")


def gap_words(code: str | None) -> str:
    """The short label of a gap class."""
    if not code:
        return "No class"
    return GAP_WORDS.get(code, (sentence_case(humanized(code)), ""))[0]


def dimension_words(code: str) -> str:
    """A dimension's name."""
    return DIMENSION_WORDS.get(code, sentence_case(humanized(code)))


def gap_verdict(code: str | None) -> str:
    """The verdict of an outcome on its gaps."""
    return {"met": "Reduced", "not_met": "Not reduced"}.get(code or "", status_words(code))


def state_words(code: str | None) -> str:
    """Why a value is missing from the trend, as a short phrase."""
    return "" if not code else SOURCE_STATES.get(code, humanized(code))
