"""How figures are printed: the contract's own table and the three foreign formats of formats.md.

Belongs here: labels, masks, number and year notations, and the shape of each export, as bytes.
Does not: the figures (model.py), which of them lie in which folder (folders.py), or the registers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from examples.model import Value, assessment
from examples.tables import Community, calendar_year_indicators, own_words, skips_2020, words
from examples.workbook import Cell, delimited, parquet

SMALL = 10
LOW, HIGH = 5.0, 95.0
LABELLED_FROM = {("ashgrove_hollow", "kindergarten_ready_pct"): 2019}
"""From which school year a community names an instrument that it had left unnamed (a line of series_labels.csv)."""

CONTRACT_HEADER = (
    "school_year",
    "indicator",
    "dimension",
    "group",
    "numerator",
    "denominator",
    "value",
    "unit",
    "series",
    "period",
    "participation_rate",
    "data_source",
)
PLACE_HEADER = ("geography", "geography_level")
REPORT_CARD_UPPER = ("", "", "", "Students", "", "Met Standard", "", "")
REPORT_CARD_HEADER = (
    "Measure",
    "Category",
    "Student Group",
    "Total N",
    "Participation Rate",
    "Count",
    "Percent",
    "Instrument",
)
WIDE_HEADER = ("Result Area", "Breakdown", "Subgroup", "Instrument")
REGIONAL_TITLE = "Regional Data Exchange / Échange régional de données"
REGIONAL_HEADER = (
    "Année",
    "Metric",
    "Libellé",
    "Breakout",
    "Breakout Code",
    "Reached",
    "Counted",
    "Rate pct",
    "Essai",
)


def percent(value: Value) -> float:
    """The rate in percent, unrounded; ZeroDivisionError for an empty group."""
    if value.numerator is None or value.denominator is None:
        raise ValueError(f"{value.indicator} has no counts")
    return 100.0 * value.numerator / value.denominator


def span(year: int, *, long: bool = False) -> str:
    """A school year by its two calendar years: 2022-23, or 2022-2023."""
    return f"{year - 1}-{year}" if long else f"{year - 1}-{year % 100:02d}"


def year_text(community: Community, value: Value) -> str:
    """The school year in the community's own notation; a calendar year is always its number."""
    year = value.school_year
    if value.indicator in calendar_year_indicators():
        return str(year)
    styles = {"short": span(year), "long": span(year, long=True), "ending": str(year), "prefixed": f"SY{year}"}
    return styles[community.year_style]


def series_text(community: Community, value: Value) -> str:
    """The instrument's label; blank where there is none or where the community did not yet name it."""
    start = LABELLED_FROM.get((community.community_id, value.indicator))
    return "" if start is not None and value.school_year < start else value.series


class Speech:
    """A community's words: its own ones first, then its vocabulary's, else the code."""

    def __init__(self, community: Community, vocabulary: str) -> None:
        self.words = {**words(vocabulary), **own_words(community.community_id)}

    def indicator(self, code: str) -> str:
        """The label of an indicator."""
        return self.words.get(("indicator", "", code), code)

    def dimension(self, code: str) -> str:
        """The label of a dimension."""
        return self.words.get(("dimension", "", code), code)

    def group(self, dimension: str, code: str) -> str:
        """The label of a group within its dimension."""
        return self.words.get(("group", dimension, code), code)

    def series(self, label: str) -> str:
        """The label of an instrument."""
        return self.words.get(("series", "", label), label)


def contract_table(community: Community, values: Iterable[Value]) -> tuple[tuple[str, ...], list[list[Cell]]]:
    """The rows of indicator_values in the community's notation, with place columns only where a place is named."""
    values = [value for value in values if value.denominator != 0]
    speech = Speech(community, community.vocabulary)
    placed = any(value.geography for value in values)
    rows: list[list[Cell]] = []
    for value in values:
        row: list[Cell] = [
            year_text(community, value),
            speech.indicator(value.indicator),
            speech.dimension(value.dimension),
            speech.group(value.dimension, value.group),
            *figures(community, value),
            speech.series(series_text(community, value)),
            value.period or None,
            value.participation,
            "state file" if value.series else "local partner",
        ]
        rows.append([*row, value.geography or None, value.geography_level or None] if placed else row)
    return (*CONTRACT_HEADER, *PLACE_HEADER) if placed else CONTRACT_HEADER, rows


def figures(community: Community, value: Value) -> list[Cell]:
    """numerator, denominator, value and unit as printed by the community, masked where it masks."""
    if value.numerator is None or value.denominator is None:
        return [None, None, value.rate, None]
    k, n, rate = value.numerator, value.denominator, percent(value)
    fraction = community.figures == "fraction"
    unit = "fraction" if fraction and value.period == "" else None
    if n < SMALL and community.mask != "none":
        mask = "*" if community.mask == "bounds" else community.mask
        return [mask, n if community.position % 2 else mask, mask, unit]
    if community.mask == "bounds" and not unit and (rate <= LOW or rate > HIGH):
        return [None, n, "<=5%" if rate <= LOW else ">95", None]
    if unit:
        return [None, n, round(rate / 100, 4), unit]
    if community.figures == "counts":
        return [k, n, None, None]
    return [k if community.figures == "both" else None, n, round(rate, 1), None]


def contract_file(community: Community, stem: str, values: Iterable[Value]) -> dict[str, bytes]:
    """indicator_values as a file of that stem in the community's container; some end the lines of a CSV with CRLF."""
    header, rows = contract_table(community, values)
    ending = "\r\n" if community.position % 4 == 3 else "\n"
    return table_file(community, stem, header, rows, ending)


def table_file(
    community: Community, stem: str, header: Sequence[str], rows: Sequence[Sequence[Cell]], ending: str = "\n"
) -> dict[str, bytes]:
    """A table of the contract as one file, by its name: Parquet, or CSV in the community's encoding."""
    if community.container == "parquet":
        return {f"{stem}.parquet": parquet(header, rows)}
    return {f"{stem}.csv": delimited(header, rows, ending=ending).encode(community.encoding)}


def in_order(values: Iterable[Value]) -> list[Value]:
    """The community's own annual figures in the order an export prints them."""
    own = [value for value in values if not value.geography and not value.period and value.numerator is not None]
    return sorted(own, key=lambda v: (v.indicator, v.dimension != "all", v.dimension, v.group, v.school_year))


def report_card(community: Community, school_year: int, values: Iterable[Value]) -> bytes:
    """Format A of formats.md: titles, a two-row header, one school year, masked cells."""
    speech = Speech(community, "report_card")
    titles = [
        ("State Report Card Export", f"School Year {span(school_year)}"),
        (f"Partnership: {community.name}",),
        ("* = fewer than 10 students, masked by the state",),
        ("",),
        REPORT_CARD_UPPER,
        REPORT_CARD_HEADER,
    ]
    rows: list[Sequence[Cell]] = [*titles, *(_report_card_row(speech, v) for v in in_order(values))]
    return delimited((), rows, ending="\r\n", quote_all=True).encode("utf-8")


def _report_card_row(speech: Speech, value: Value) -> list[Cell]:
    labels: list[Cell] = [
        speech.indicator(value.indicator),
        speech.dimension(value.dimension),
        speech.group(value.dimension, value.group),
    ]
    count, rate = _state_masked(value)
    tail: list[Cell] = [value.participation, count, rate, speech.series(value.series)]
    return [*labels, f"{value.denominator:,}", *tail]


def _state_masked(value: Value) -> tuple[str, str]:
    """Count and Percent as a state prints them."""
    if not value.denominator or value.numerator is None:
        return "0", "N/A"
    rate = percent(value)
    if value.denominator < SMALL:
        return "*", "*"
    if rate <= LOW or rate >= HIGH:
        return "*", "<=5%" if rate <= LOW else "GE95"
    if value.denominator < 2 * SMALL and value.school_year % 3 == 0:
        return str(value.numerator), "*"
    return f"{value.numerator:,}", f"{rate:.1f}"


def wide_table(
    community: Community, school_years: Sequence[int], values: Iterable[Value]
) -> tuple[tuple[str, ...], list[list[Cell]]]:
    """Format B of formats.md: one row for one indicator, group and instrument, one column for each school year."""
    speech = Speech(community, "wide")
    lines: dict[tuple[str, str, str, str], dict[int, Value]] = {}
    for value in in_order(values):
        if value.school_year in school_years:
            key = (value.indicator, value.dimension, value.group, value.series)
            lines.setdefault(key, {})[value.school_year] = value
    rows: list[list[Cell]] = []
    for (indicator, dimension, group, series), by_year in lines.items():
        labels: list[Cell] = [speech.indicator(indicator), speech.dimension(dimension), speech.group(dimension, group)]
        hole = skips_2020(indicator) and assessment(community.state, indicator, 2020)[0] == series
        cells = [_wide_cell(by_year.get(year), hole and year == 2020) for year in school_years]
        rows.append([*labels, speech.series(series) or None, *cells])
    return (*WIDE_HEADER, *(span(year) for year in school_years)), rows


def _wide_cell(value: Value | None, not_collected: bool) -> Cell:
    if value is None:
        return "-" if not_collected else None
    if not value.denominator or value.denominator < SMALL:
        return "*"
    rate = percent(value)
    if rate < LOW or rate > HIGH:
        return "<5" if rate < LOW else ">95"
    return round(rate, 1)


def regional(community: Community, reporting_year: int, values: Iterable[Value], *, tabs: bool) -> bytes:
    """Format C of formats.md: codes instead of names; semicolons and Windows-1252, or tabs and UTF-8."""
    speech = Speech(community, "regional")
    plain = words("plain")
    rows: list[list[Cell]] = []
    for value in in_order(values):
        if not value.denominator or value.numerator is None:
            continue
        masked = value.denominator < SMALL
        year = value.school_year
        rows.append(
            [
                str(year) if value.indicator in calendar_year_indicators() else span(year, long=True),
                speech.indicator(value.indicator),
                plain["indicator", "", value.indicator],
                speech.dimension(value.dimension),
                speech.group(value.dimension, value.group),
                "s" if masked else f"{value.numerator:,}",
                f"{value.denominator:,}",
                "s" if masked else f"{percent(value):.1f}%",
                speech.series(value.series),
            ]
        )
    if tabs:
        return delimited(REGIONAL_HEADER, rows, delimiter="\t").encode("utf-8")
    titled: list[Sequence[Cell]] = [(REGIONAL_TITLE, str(reporting_year)), REGIONAL_HEADER, *rows]
    return delimited((), titled, delimiter=";", ending="\r\n").encode("cp1252")
