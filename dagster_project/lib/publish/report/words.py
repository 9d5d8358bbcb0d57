"""Plain words for figures: numbers, units, statuses, reasons, and the generated sentences of the report.

Belongs here: every text made from a stored figure, so that direction, sign and hedging are decided once and testable.
Does not: read tables, lay out pages, decide a status (statuses are stored; here they are only put into words).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from dagster_project.lib.publish.report.languages.catalogue import N_, _, ngettext, spoken

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
UNDETERMINED = "undetermined"
WITHHELD = "withheld"
TO_PROTECT = N_("withheld to protect a small group")

TARGET_WORDS: Mapping[str, str] = {
    "on_track": N_("on the way"),
    "off_track": N_("not on the way"),
    "undetermined": N_("cannot be determined"),
}
STATUS_WORDS: Mapping[str, str] = {
    "improving": N_("Improving"),
    "maintained": N_("Maintained"),
    "declining": N_("Declining"),
    "mixed": N_("Mixed"),
    "undetermined": N_("Cannot be determined"),
    "met": N_("Met"),
    "not_met": N_("Not met"),
    "eligible": N_("Requirements met"),
    "not_eligible": N_("Requirements not met"),
    "not_expected": N_("Not expected"),
    "expected": N_("Expected"),
    "late": N_("Late"),
    "rejected": N_("Rejected"),
    "accepted": N_("Accepted"),
    "accepted_with_queries": N_("Accepted with queries"),
    "waived": N_("Waived"),
    "superseded": N_("Superseded"),
    "none": N_("None"),
    "review_due": N_("Review due"),
    "succeeded": N_("Succeeded by an ongoing one"),
    "withheld": N_("Withheld"),
    "grace": N_("In grace period"),
    "active": N_("Active"),
    "lapsed": N_("Lapsed"),
    "revoked": N_("Revoked"),
    "met_late": N_("Met late"),
    "missed": N_("Missed"),
}

# Words for the classes of RULES 4: label, then what the label says about the two groups; {names} are parameters.
GAP_WORDS: Mapping[str, tuple[str, str]] = {
    "no_gap_at_baseline": (
        N_("No gap at the start"),
        N_("the group was about level with the reference group in the first year"),
    ),
    "reversed": (N_("Group was ahead"), N_("the group was already ahead of the reference group in the first year")),
    "eliminated": (N_("Closed"), N_("the group improved and has caught up in the latest {gap.eliminated_years} years")),
    "narrowed": (N_("Narrowed"), N_("the group improved, and faster than the reference group")),
    "narrowed_by_decline": (
        N_("Narrower, but by decline"),
        N_("the reference group lost ground and this group did not improve; this does not count as reduced"),
    ),
    "unchanged": (N_("Unchanged"), N_("both groups moved at the same pace")),
    "widened": (N_("Widened"), N_("the group moved less favourably than the reference group")),
    "undetermined": (N_("Undetermined"), N_("there are not enough comparable years for both groups")),
}

# Both in the order in which a community meets them.
GATEWAY_WORDS: Mapping[str, str] = {
    "exploring": N_("Exploring"),
    "emerging": N_("Emerging"),
    "sustaining": N_("Sustaining"),
    "systems_change": N_("Systems Change"),
    "systems_transformation": N_("Systems Transformation"),
    "completed": N_("All gateways met"),
}
GATEWAYS = tuple(code for code in GATEWAY_WORDS if code != "completed")

DESIGNATION_WORDS: Mapping[str, str] = {
    "proof_point_initial": N_("Proof Point, initial"),
    "proof_point_ongoing": N_("Proof Point, ongoing"),
    "systems_transformation": N_("Systems Transformation"),
}
DESIGNATIONS = tuple(DESIGNATION_WORDS)

# What the simulation of an unchanged network looked at, in words; {names} are parameters.
SIMULATED: Mapping[str, str] = {
    "stylised": N_("Invented communities with {simulation.outcomes} unchanged outcomes"),
    "own_network": N_("This network's own series, drawn again as if nothing had changed"),
    "outcome_improving": N_("an outcome is called improving"),
    "outcome_improving_or_maintained": N_("an outcome is called improving or maintained"),
    "trend_improving": N_("a trend is called improving"),
    "trend_improving_or_maintained": N_("a trend is called improving or maintained"),
    "gap_reduced_one_group": N_("the gap of one group is called narrowed or closed"),
    "outcome_gaps_reduced": N_("the gaps of an outcome are called reduced"),
    "four_of_seven_improving": N_(
        "at least {simulation.outcomes_min} of {simulation.outcomes} outcomes are called improving"
    ),
    "four_of_seven_improving_or_maintained": N_(
        "at least {simulation.outcomes_min} of {simulation.outcomes} outcomes are called improving or maintained"
    ),
    "two_of_seven_gaps_reduced": N_(
        "at least {simulation.gaps_min} of {simulation.outcomes} outcomes are said to have reduced gaps"
    ),
    "four_of_seven_gaps_reduced": N_(
        "at least {simulation.outcomes_min} of {simulation.outcomes} outcomes are said to have reduced gaps"
    ),
    "four_of_seven_improving_and_gaps_reduced": N_(
        "both: at least {simulation.outcomes_min} of {simulation.outcomes} outcomes are called improving, "
        "and as many have reduced gaps"
    ),
}

DIMENSION_WORDS: Mapping[str, str] = {"race_ethnicity": N_("Race and ethnicity")}

SUBMISSION_ORDER = ("accepted", "accepted_with_queries", "rejected", "late", "expected", "waived", "not_expected")

SOURCE_STATES: Mapping[str, str] = {
    "suppressed_at_source": N_("suppressed at source"),
    "not_collected": N_("not collected"),
    "not_applicable": N_("not applicable"),
    "missing": N_("left empty"),
    "withheld": TO_PROTECT,
    "range": N_("given as a range"),
    "interval": N_("given as a range"),
    "small_n": N_("too few people to count as a trend point"),
    "low_coverage": N_("districts that reported cover too little of the community"),
    "after_reporting_year": N_("of a later year than the reporting year"),
    "other_segment": N_("belongs to another series, or lies before years without a value"),
    "outside_window": N_("lies before the years the trend is taken over"),
    "stale": N_("too long before the reporting year"),
    "series_break": N_("not enough comparable years beside a change of series or years without a value"),
    "too_few_points": N_("too few comparable years around it"),
}

NUMBER_WORDS = (
    *(N_("no"), N_("one"), N_("two"), N_("three"), N_("four")),
    *(N_("five"), N_("six"), N_("seven"), N_("eight"), N_("nine")),
)
MEASURE_WORDS: Mapping[str, str] = {
    "timeliness": N_("timeliness"),
    "completeness": N_("completeness"),
    "validity": N_("validity"),
    "consistency": N_("consistency"),
}
SEVERITY_WORDS: Mapping[str, str] = {
    "fatal": N_("Fatal"),
    "error": N_("Error"),
    "explainable": N_("Explainable"),
    "info": N_("Info"),
}
HORIZON_WORDS: Mapping[str, str] = {"short": N_("short"), "long": N_("long")}
ROLE_WORDS: Mapping[str, str] = {
    "core": N_("core indicator"),
    "contributing": N_("contributing indicator"),
    "adjacent": N_("adjacent indicator"),
}
KIND_WORDS: Mapping[str, str] = {
    "strategy": N_("Strategy"),
    "systems_change": N_("Systems change"),
    "policy": N_("Policy"),
    "feedback": N_("Feedback"),
    "measure": N_("Measure"),
    "factor": N_("Factor"),
}
EVIDENCE_WORDS: Mapping[str, str] = {
    "proposed": N_("proposed"),
    "accepted": N_("accepted"),
    "sustained": N_("sustained"),
    "advanced": N_("advanced"),
    "ended": N_("ended"),
    "quantitative": N_("quantitative"),
    "qualitative": N_("qualitative"),
    "community_voice": N_("community voice"),
}
_PLACEHOLDER = re.compile(r"\{([a-z_]+\.[a-z_]+)\}")
_ABSENT_PARAMETER = N_("the ruleset's limit")


def number(value: float | int | None, digits: int = 1) -> str:
    """A figure for display with `digits` decimals, a real minus sign, no negative zero; a dash when there is none."""
    if value is None:
        return DASH
    text = f"{value:,.{digits}f}"
    if is_zero(value, digits):
        text = text.lstrip("-")
    return text.replace("-", MINUS).translate(spoken().separators)


def day(value: date | str | None) -> str:
    """A day as the language writes it: in English as it is stored; nothing for None."""
    return "" if value is None else spoken().day(value)


def is_zero(value: float, digits: int = 1) -> bool:
    """Whether a figure prints as zero."""
    return float(f"{value:.{digits}f}") == 0.0


def count(value: int | None) -> str:
    """A whole number with grouped thousands; a dash when there is none."""
    return DASH if value is None else f"{value:,d}".translate(spoken().separators)


def signed(value: float | None, digits: int = 1) -> str:
    """A change for display: with its sign, except where it rounds to zero."""
    text = number(value, digits)
    if value is None or value <= 0 or is_zero(value, digits):
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


def years_counted(n: int) -> str:
    """A number of years with its noun: `1 year`, `3 years`."""
    return ngettext("%(n)s year", "%(n)s years", n, n=count(n))


def joined(items: Sequence[str]) -> str:
    """A list in a sentence: `a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return _("%(items)s and %(last)s", items=", ".join(items[:-1]), last=items[-1])


def filled(text: str, parameters: Mapping[str, str]) -> str:
    """A text with the ruleset's values in the places of {parameter}; whole numbers below ten as words."""
    return _PLACEHOLDER.sub(lambda found: spelled(limit(parameters, found[1])), text)


def spelled(text: str) -> str:
    """A whole number below ten as a word, any other text as it is."""
    try:
        value = float(text)
    except ValueError:
        return text
    return _(NUMBER_WORDS[int(value)]) if value in range(len(NUMBER_WORDS)) else text


def simulated_words(code: str, parameters: Mapping[str, str]) -> str:
    """What the simulation looked at or how it was made, with the ruleset's numbers."""
    return filled(_word(SIMULATED, code, humanized(code)), parameters)


def _word(known: Mapping[str, str], code: str, otherwise: str) -> str:
    """The word for a code in the language spoken; another text where it has none."""
    return _(known[code]) if code in known else otherwise


def status_words(code: str | None) -> str:
    """The word for a stored status; an unknown code is shown as words, an absent one as `No status`."""
    if not code:
        return _("No status")
    return _word(STATUS_WORDS, code, sentence_case(humanized(code)))


def target_words(code: str | None) -> str:
    """Whether a target is within reach, as it stands behind the target."""
    return _word(TARGET_WORDS, code or "", status_words(code).lower())


def certainty_words(code: str) -> str:
    """The word for how certain a status is, as it stands behind the status."""
    return {"certain": _("certain"), "likely": _("likely")}.get(code, _("could be chance"))


def measure_words(code: str) -> str:
    """The name of one of the four measures of a submission."""
    return _word(MEASURE_WORDS, code, humanized(code))


def severity_words(code: str) -> str:
    """The severity of a finding."""
    return _word(SEVERITY_WORDS, code, sentence_case(code))


def horizon_words(code: str) -> str:
    """Whether a target is for the next years or for the end of the plan."""
    return _word(HORIZON_WORDS, code, humanized(code))


def role_words(code: str) -> str:
    """What an indicator is to its outcome."""
    return _word(ROLE_WORDS, code, f"{humanized(code)} indicator")


def kind_words(code: str) -> str:
    """What kind of an example a strategy is."""
    return _word(KIND_WORDS, code, sentence_case(humanized(code)))


def evidence_words(code: str) -> str:
    """How far a strategy has come, or what a factor rests on."""
    return _word(EVIDENCE_WORDS, code, humanized(code))


def designation_words(code: str) -> str:
    """The name of a designation."""
    return _word(DESIGNATION_WORDS, code, humanized(code))


def gateway_words(code: str | None) -> str:
    """The name of a gateway."""
    return _word(GATEWAY_WORDS, code or "", humanized(code or _("unknown")))


def unit_of_value(unit: str) -> str:
    """The unit behind a value: `%` for percent, otherwise the unit's own name; a bare count or score has none."""
    if unit in ("percent", "count", "score", ""):
        return "%" if unit == "percent" else ""
    own = {"usd": _("US dollars"), "per_1000": _("per 1,000"), "days": _("days")}
    return f" {own.get(unit, humanized(unit))}"


def unit_of_change(unit: str) -> str:
    """The unit behind a difference: a difference of percentages is in percentage points."""
    own = {
        "percent": _("percentage points"),
        "score": _("score points"),
        "count": _("in number"),
        "usd": _("US dollars"),
        "per_1000": _("per 1000"),
        "days": _("days"),
    }
    return own.get(unit, humanized(unit))


def value_text(value: float | None, unit: str) -> str:
    """A value with its unit, or a dash."""
    return DASH if value is None else f"{number(value)}{unit_of_value(unit)}"


def interval_text(low: float | None, high: float | None, unit: str) -> str:
    """An interval as submitted: `0.0 to 5.0%`, `up to 5.0%`, `95.0% or more`."""
    if low is None and high is None:
        return DASH
    if low is None:
        return _("up to %(high)s", high=value_text(high, unit))
    if high is None:
        return _("%(low)s or more", low=value_text(low, unit))
    return _("%(low)s to %(high)s", low=number(low), high=value_text(high, unit))


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


def limit(parameters: Mapping[str, str], name: str) -> str:
    return parameters.get(name) or _(_ABSENT_PARAMETER)


def gap_words(code: str | None) -> str:
    """The short label of a gap class."""
    if not code:
        return _("No class")
    return _(GAP_WORDS[code][0]) if code in GAP_WORDS else status_words(code)


def dimension_words(code: str) -> str:
    """A dimension's name."""
    return _word(DIMENSION_WORDS, code, sentence_case(humanized(code)))


def gap_verdict(code: str | None) -> str:
    """The verdict of an outcome on its gaps."""
    return {"met": _("Reduced"), "not_met": _("Not reduced")}.get(code or "", status_words(code))


def state_words(code: str | None) -> str:
    """Why a value is missing from the trend, as a short phrase."""
    return "" if not code else _word(SOURCE_STATES, code, humanized(code))
