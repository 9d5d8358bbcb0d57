"""Sentences about a gap: its class, where the group stands now, the pace of the two groups, or why none can be told.

Belongs here: patterns of whole sentences that are filled from a stored gap row.
Does not: decide a class, read tables, word a trend (trend.py), or word a code (words.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.languages.catalogue import N_, _
from dagster_project.lib.publish.report.sentences.trend import epsilon_of, reason_words

UNCHANGED = "unchanged"
"""The class that is itself about the pace of the two groups."""


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


def pace_sentence(slope_difference: float | None, unit: str, epsilon: float = 0.0) -> str:
    """How the group's yearly change compares with the reference group's; the direction is that of the stored figure."""
    if slope_difference is None:
        return ""
    if abs(slope_difference) <= epsilon or slope_difference == 0:
        return _("The two groups moved at the same pace.")
    more = slope_difference > 0
    if words.is_zero(slope_difference):
        if more:
            return _("The group moved very slightly more favourably than the reference group.")
        return _("The group moved very slightly less favourably than the reference group.")
    given = {"amount": words.number(abs(slope_difference)), "unit": words.unit_of_change(unit)}
    if more:
        return _("Each year, the group moved %(amount)s %(unit)s more favourably than the reference group.", **given)
    return _("Each year, the group moved %(amount)s %(unit)s less favourably than the reference group.", **given)


def _side(gap: float) -> int:
    """Where a group stands beside its reference group as the printed figure says: 1 behind, -1 ahead, 0 level."""
    return 0 if words.is_zero(gap) else 1 if gap > 0 else -1


def standing_words(gap: float, unit: str) -> str:
    """Where a group stands beside its reference group: behind, ahead or level, as the printed figure says."""
    side, given = _side(gap), {"amount": words.number(abs(gap)), "unit": words.unit_of_change(unit)}
    if side == 0:
        return _("level")
    return _("%(amount)s %(unit)s behind", **given) if side > 0 else _("%(amount)s %(unit)s ahead", **given)


# The classes that go by the first year alone, with where the group stands since then.
_SINCE_THEN: Mapping[str, str] = {
    "no_gap_at_baseline": N_(
        "The group was about level with the reference group in the first year, and is now %(standing)s (%(year)s)."
    ),
    "reversed": N_(
        "The group was already ahead of the reference group in the first year, and is now %(standing)s (%(year)s)."
    ),
}


def _class_sentences(figures: GapFigures, parameters: Mapping[str, str]) -> list[str]:
    """What a gap's class says, with where the group stands since then where the class goes by the first year."""
    if figures.gap_status in _SINCE_THEN and figures.last_gap is not None:
        standing = standing_words(figures.last_gap, figures.unit)
        year = words.DASH if figures.last_year is None else figures.last_year
        return [_(_SINCE_THEN[figures.gap_status], standing=standing, year=year), _by_the_lines(figures)]
    if figures.gap_status not in words.GAP_WORDS:
        return [f"{words.sentence_case(words.humanized(figures.gap_status))}."]
    return [f"{words.sentence_case(words.filled(_(words.GAP_WORDS[figures.gap_status][1]), parameters))}."]


def _by_the_lines(figures: GapFigures) -> str:
    """Where the fitted lines, by which the pace goes, put the group; told where the single years say otherwise."""
    first, last = figures.fitted_first_gap, figures.fitted_last_gap
    if None in (first, last, figures.first_gap, figures.last_gap, figures.slope_difference):
        return ""
    gained = (figures.first_gap or 0.0) - (figures.last_gap or 0.0)
    same_end = _side(figures.last_gap or 0.0) == _side(last or 0.0)
    if gained * (figures.slope_difference or 0.0) >= 0 and same_end:
        return ""
    return _(
        "By the fitted lines of all years it went from %(first)s to %(last)s.",
        first=standing_words(first or 0.0, figures.unit),
        last=standing_words(last or 0.0, figures.unit),
    )


def gap_label(figures: GapFigures) -> str:
    """The short label of a gap: its class, and for a group that was ahead whether it is now behind."""
    if figures.gap_status == "reversed" and figures.last_gap is not None and _side(figures.last_gap) > 0:
        return _("Was ahead, now behind")
    return words.gap_words(figures.gap_status)


def fitted_gap_ends(figures: GapFigures) -> str:
    """The gap of the fitted lines at both ends, by which the class goes: `12.0 → 9.5`; empty without a fit."""
    first, last = figures.fitted_first_gap, figures.fitted_last_gap
    return "" if first is None or last is None else f"{words.number(first)} \N{RIGHTWARDS ARROW} {words.number(last)}"


def fitted_gap_text(figures: GapFigures) -> str:
    """The gap of the fitted lines at both ends as such: `12.0 → 9.5 fitted`; empty without a fit."""
    ends = fitted_gap_ends(figures)
    return _("%(ends)s fitted", ends=ends) if ends else ""


def gap_meaning(figures: GapFigures, parameters: Mapping[str, str]) -> str:
    """What a gap's class says, with the pace of the two groups; an undetermined gap says why."""
    if figures.gap_status == words.WITHHELD:
        return _("The gap is withheld to protect a small group.")
    if figures.gap_status == words.UNDETERMINED:
        why = reason_words(figures.reason, parameters, of_gap=True)
        return _("The gap cannot be determined because %(why)s.", why=why)
    parts = _class_sentences(figures, parameters)
    if figures.gap_status != UNCHANGED:
        parts.append(pace_sentence(figures.slope_difference, figures.unit, epsilon_of(parameters)))
    if figures.reference_declined:
        parts.append(_("The reference group itself lost ground."))
    return " ".join(part for part in parts if part)
