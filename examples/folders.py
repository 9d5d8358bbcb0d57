"""Which figures lie in which folder: the files of indicator values of one community and reporting year.

Belongs here: lags, what is known by June, first histories, late and corrected years, and the choice of format.
Does not: how a value is printed (exports.py), or the registers that lie beside it (registers.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from examples.exports import contract_file, contract_table, regional, report_card, wide_table
from examples.model import FIRST_SCHOOL_YEAR, Value, corrected
from examples.tables import LAST_YEAR, Community, IndicatorLaw, laws
from examples.workbook import Cell, delimited, workbook

HISTORY_YEARS = 3
WIDE_YEARS = 5
SCHOOL_INDICATORS = frozenset(
    {
        "kindergarten_ready_pct",
        "grade3_reading_proficient_pct",
        "grade8_math_proficient_pct",
        "graduation_4yr_pct",
        "chronic_absence_pct",
    }
)
REGIONAL_INDICATORS = SCHOOL_INDICATORS | {
    "postsecondary_enrolled_pct",
    "postsecondary_completed_pct",
    "employed_pct",
    "housing_cost_burdened_pct",
}
BASIC_DIMENSIONS = frozenset({"all", "race_ethnicity", "gender", "economic_status"})
FIRST_SEEN_LATER = {"grade9_on_track_pct": 3, "graduation_5yr_pct": 4}
"""Indicators that only every so many communities report (by position)."""
UNCOUNTED_LAG = {"eviction_filings_per_1000": 1, "apprenticeship_enrolled_count": 1, "attendance_rate_pct": 0}

Sheets = dict[str, tuple[Sequence[str], Sequence[Sequence[Cell]]]]


def laws_by_name() -> dict[str, IndicatorLaw]:
    """The drawn indicators' laws by their ids."""
    return {law.indicator: law for law in laws()}


def lag(indicator: str) -> int:
    """How many years after the school year an indicator is known."""
    law = laws_by_name().get(indicator)
    return law.lag if law else UNCOUNTED_LAG[indicator]


def reported(community: Community, value: Value) -> bool:
    """Whether the community reports such a figure at all, from the school years it was drawn for."""
    every = FIRST_SEEN_LATER.get(value.indicator)
    if every is not None and community.position % every:
        return False
    if not community.places.startswith("districts") or community.places == "districts_beside":
        return True
    by_district = value.indicator in SCHOOL_INDICATORS | {"postsecondary_enrolled_pct", "postsecondary_completed_pct"}
    return bool(value.geography) or not by_district


def known_in(value: Value, reporting_year: int) -> bool:
    """Whether a reporting year asks for the figure; in the open year only for what is known by June."""
    if value.school_year != reporting_year - lag(value.indicator):
        return False
    law = laws_by_name().get(value.indicator)
    return reporting_year != LAST_YEAR or law is None or law.by_june


def restatement(community: Community, values: Iterable[Value], year: int) -> list[Value]:
    """What a correction of a reporting year restates: three indicators, every group."""
    names = {"graduation_4yr_pct", "chronic_absence_pct", "postsecondary_enrolled_pct"}
    return [corrected(v) for v in values if v.indicator in names and known_in(v, year) and v.denominator]


def history(community: Community, values: Iterable[Value]) -> list[Value]:
    """Totals and race groups of the three years before a community's first reporting year."""
    first = community.first_sent
    years = range(max(first - HISTORY_YEARS, FIRST_SCHOOL_YEAR), first)
    wide = community.format.startswith("wide")
    return [
        value
        for value in values
        if value.school_year + lag(value.indicator) in years
        and value.dimension in ("all", "race_ethnicity")
        and not value.period
        and value.denominator
        and not (wide and value.indicator in SCHOOL_INDICATORS)
    ]


def value_files(community: Community, values: Sequence[Value], year: int) -> tuple[dict[str, bytes], Sheets]:
    """The files of indicator values of a reporting year, and the sheets that belong into the community's workbook."""
    own = [value for value in values if reported(community, value)]
    now = [value for value in own if known_in(value, year)]
    files = supplements(community, own, year)
    if community.format == "contract_xlsx":
        return files, {"indicator_values": contract_table(community, now)}
    special = special_file(community, own, now, year)
    files.update(special)
    rest = [value for value in now if not in_special(community, value)]
    files.update(contract_file(community, "partner_data" if special else "indicator_values", rest))
    return files, {}


def in_special(community: Community, value: Value) -> bool:
    """Whether the community's foreign export carries the value, so that its contract file leaves it out."""
    if community.format == "report_card":
        return value.indicator in SCHOOL_INDICATORS
    if community.format.startswith("wide"):
        return value.indicator in SCHOOL_INDICATORS and value.dimension in BASIC_DIMENSIONS
    if community.format.startswith("regional"):
        return value.indicator in REGIONAL_INDICATORS and value.dimension in BASIC_DIMENSIONS
    return False


def special_file(community: Community, own: Sequence[Value], now: Sequence[Value], year: int) -> dict[str, bytes]:
    """The foreign export of the year, if the community sends one."""
    carried = [value for value in now if in_special(community, value)]
    if community.format == "report_card":
        span = f"{year - 1}-{year % 100:02d}"
        return {f"report_card_{span}.csv": report_card(community, year, carried)}
    if community.format == "regional":
        return {f"echange_{year}.csv": regional(community, year, carried, tabs=False)}
    if community.format == "regional_tab":
        return {f"echange_{year}.txt": regional(community, year, carried, tabs=True)}
    if community.format.startswith("wide"):
        return wide_file(community, own, year)
    return {}


def wide_file(community: Community, own: Sequence[Value], year: int) -> dict[str, bytes]:
    """The wide export: the last five school years, the newest as far as it is known."""
    school_years = range(max(FIRST_SCHOOL_YEAR, year - WIDE_YEARS + 1), year + 1)
    open_now = {value.indicator for value in own if known_in(value, year)}
    carried = [v for v in own if in_special(community, v) and (v.school_year < year or v.indicator in open_now)]
    header, rows = wide_table(community, school_years, carried)
    if community.format == "wide_xlsx":
        return {f"trends_{year}.xlsx": workbook({"Trend Data": (header, rows)})}
    return {f"trends_{year}.csv": b"\xef\xbb\xbf" + delimited(header, rows).encode("utf-8")}


def supplements(community: Community, own: Sequence[Value], year: int) -> dict[str, bytes]:
    """Files in the contract's form beside the year's own: history, years that were missed, corrections."""
    files: dict[str, bytes] = {}
    if year == community.first_sent:
        files.update(contract_file(community, "history", history(community, own)))
    missed = year - 1
    if missed in community.missing_years and missed >= community.joined_year:
        late = [value for value in own if known_in(value, missed)]
        if community.format.startswith("wide"):
            late = [value for value in late if not in_special(community, value)]
        files.update(contract_file(community, f"late_{missed}", late))
    if year - 1 in community.corrected_years:
        files.update(contract_file(community, f"corrections_{year - 1}", restatement(community, own, year - 1)))
    return files
