"""The effects of a submission in plain words, the same for the receipt's page and for a terminal.

Belongs here: what a changed row is called, words for codes before and after, sections with their first lines.
Does not: find changes (changes.py), lay out a page (receipt_page.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.lib.publish.report import words

Names = Mapping[str, Mapping[str, str]]
"""By dimension table: code to name."""
Row = Mapping[str, Any]

# `told` in a receipt after a release, `predicted` by a check before the upload.
TOLD, PREDICTED, PENDING, UNKNOWN, UNCHANGED = "told", "predicted", "pending", "unknown", "unchanged"
PENDING_CHANGES: Mapping[str, Any] = {"state": PENDING}
UNKNOWN_CHANGES: Mapping[str, Any] = {"state": UNKNOWN}
NOT_TOLD = {
    PENDING: "What this submission changes in values, trends, gaps and eligibility is told here with the next release.",
    UNKNOWN: "No comparison is kept of what this submission changed when a release was first made from it.",
    UNCHANGED: "The release was made from these very files: uploading them again changes nothing.",
}
SHOWN_LINES = 25
"""Lines of a section on a page; the rest is in receipt.json, and the page says how many."""

TOTAL = "all"
EVERYONE = "everyone"
HEADINGS: Mapping[str, str] = {
    "fct_trend": "Trends",
    "fct_gap": "Gaps between groups",
    "fct_outcome_status": "Outcomes",
    "fct_designation": "Designations",
    "fct_gateway_status": "Gateway",
    "fct_criterion_status": "Criteria",
}
# What a second judgement of the same row is about.
COLUMN_WORDS: Mapping[tuple[str, str], str] = {
    ("fct_outcome_status", "trend_status"): "trend",
    ("fct_outcome_status", "gap_reduced"): "gaps",
    ("fct_designation", "status"): "requirements",
    ("fct_designation", "standing"): "standing",
}
CAUSE_WORDS: Mapping[str, str] = {
    "rules": "the network's rules",
    "reference_data": "the network's reference data",
    "code": "the network's program",
}


@dataclass(frozen=True)
class Section:
    """Lines under one heading: `lines` are shown, `more` are only in the receipt's JSON below `key`."""

    key: str
    heading: str
    lines: Sequence[str]
    more: int


# ---- names ----


def label(row: Row, names: Names) -> str:
    """What a changed row is called, by the names of the dimension tables; a code without a name stands for itself."""

    def name(table: str, column: str) -> str:
        return names[table].get(row[column], row[column])

    if row.get("criterion_id"):
        return f"{row['criterion_id']}: {name('dim_criterion', 'criterion_id')}"
    if row.get("designation"):
        return words.DESIGNATION_WORDS.get(row["designation"], words.humanized(row["designation"]))
    if row.get("outcome_id"):
        return name("dim_outcome", "outcome_id")
    if not row.get("indicator_id"):
        return "The gateway you work in"
    parts = [name("dim_indicator", "indicator_id"), _group(row["population_group_id"], names)]
    if row["geography_id"] != row["community_id"]:
        parts.append(name("dim_geography", "geography_id"))
    text = ", ".join(parts)
    reference = row.get("reference_group_id")
    return f"{text}, compared with {_group(reference, names)}" if reference else text


def _group(code: str, names: Names) -> str:
    return EVERYONE if code == TOTAL else names["dim_population_group"].get(code, code)


def judgement_words(table: str, column: str, code: str) -> str:
    """A judgement as it stands in a sentence: improving, not met, closed, Emerging."""
    if code == words.UNDETERMINED:
        return code
    if table == "fct_gap":
        return words.gap_words(code).lower()
    if column == "gap_reduced":
        return words.gap_verdict(code).lower()
    if table == "fct_gateway_status":
        return words.GATEWAY_WORDS.get(code, words.humanized(code))
    return words.humanized(code)


# ---- sentences ----


def summary(changes: Row) -> list[str]:
    """The effects in a few sentences: counts, then what else can stand behind them."""
    if changes["state"] in NOT_TOLD:
        return [NOT_TOLD[changes["state"]]]
    return [*_counts(changes), *_beside(changes)]


def compared(changes: Row) -> str:
    """Which releases are compared; nothing where none are."""
    if changes["state"] != TOLD:
        return ""
    before = changes["previous_release_id"]
    earlier = "nothing, as no release was made before" if before is None else f"release {before}"
    return f"Release {changes['release_id']} compared with {earlier}."


def _counts(changes: Row) -> Iterator[str]:
    totals, predicted = changes["totals"], changes["state"] == PREDICTED
    values = totals["values"]
    if changes["kind"] == "first":
        if changes["previous_release_id"] is None:
            yield "First submission: nothing was released before, so everything it gives is new."
        else:
            yield "First submission of this year: the release before held no file of this folder."
    yield f"Values: {_listed(values, VALUE_COUNTS)}."
    judged = {kind: totals[kind] for kind in ("statuses", "eligibility")}
    yield f"Trends, gaps and outcomes: {_listed(judged['statuses'], JUDGEMENT_COUNTS)}."
    yield f"Designations, gateway and criteria: {_listed(judged['eligibility'], JUDGEMENT_COUNTS)}."
    if judged["eligibility"]["frozen"]:
        yield "A frozen determination stays as it was decided, whatever today's values would give."
    if predicted:
        yield f"Against release {changes['previous_release_id']}; what was uploaded since it was made is not seen."
        if changes["computed_anew"]:
            yield ANEW


ANEW = (
    "That release was made on another day or under other rules, reference data or program than are at hand here: both "
    "sides were computed anew, so that your folder alone makes the difference."
)
VALUE_COUNTS = {"changed": "changed", "added": "new", "gone": "gone", "same": "as before"}
JUDGEMENT_COUNTS = {"changed": "changed", "added": "new", "gone": "gone", "frozen": "kept by a frozen record"}


def _listed(counts: Mapping[str, int], called: Mapping[str, str]) -> str:
    parts = [f"{words.count(counts[name])} {word}" for name, word in called.items() if counts.get(name)]
    return ", ".join(parts) or "nothing changed"


def _beside(changes: Row) -> Iterator[str]:
    """What else changed between the two releases, so that nothing is laid at this folder's door alone."""
    also = changes["also_changed"]
    own = [int(year) for owner, year in map(_split, also["folders"]) if not owner.startswith("_")]
    network = any(owner.startswith("_") for owner, _ in map(_split, also["folders"]))
    parts = []
    if own:
        parts.append(f"your {'folder' if len(own) == 1 else 'folders'} of {years_text(own)}")
    if network:
        parts.append("decisions of the network")
    parts += [CAUSE_WORDS[cause] for cause in also["causes"]]
    if parts:
        yield f"Changed in the same release: {words.joined(parts)}. What is listed may come from there as well."


def _split(folder: str) -> tuple[str, str]:
    owner, _, year = folder.rpartition("/")
    return owner, year


# ---- lines ----


def value_rows(changes: Row) -> list[dict[str, str]]:
    """Changed values for a table: what, before, after, and where the row that counts stands (else the one that did)."""
    return [_value_row(row) for row in changes.get("values", ())]


def _value_row(row: Row) -> dict[str, str]:
    before, after = (_value_text(row[side], row["unit"]) for side in ("before", "after"))
    if before == after:
        # What differs is hidden by rounding, or lies in how the value was come by.
        before, after = (_exact_text(row[side], row["unit"]) for side in ("before", "after"))
    return {
        "what": _value_label(row),
        "before": before,
        "after": after,
        "source": _source(row["after"] or row["before"]),
    }


def _value_label(row: Row) -> str:
    series = "" if row["series"] == "default" else f", {row['series']}"
    period = "" if row["period"] == "annual" else f", {row['period']}"
    return f"{row['label']}, {row['school_year']}{period}{series}"


def _value_text(side: Row | None, unit: str) -> str:
    if side is None:
        return "no row"
    counts = ""
    if side["numerator"] is not None and side["denominator"] is not None:
        counts = f" ({words.count(side['numerator'])} of {words.count(side['denominator'])})"
    if side["value"] is not None:
        return f"{words.value_text(side['value'], unit)}{counts}"
    if side["value_low"] is not None or side["value_high"] is not None:
        return words.interval_text(side["value_low"], side["value_high"], unit)
    return f"{words.state_words(side['value_status'])}{counts}"


def _exact_text(side: Row, unit: str) -> str:
    figures = [f"{side[name]:.10g}" for name in ("value", "value_low", "value_high") if side[name] is not None]
    unit_text = words.unit_of_value(unit) if figures else ""
    return f"{' to '.join(figures)}{unit_text} {words.humanized(side['value_status'])}".strip()


def _source(side: Row) -> str:
    sheet = f", sheet {side['source_sheet']}" if side["source_sheet"] else ""
    row = f", row {side['source_row']}" if side["source_row"] is not None else ""
    return f"{side['source_file'] or ''}{sheet}{row}"


def sections(changes: Row, shown: int | None = SHOWN_LINES) -> list[Section]:
    """Judgements that differ, by table; lines that differ in the reporting year only are one. `shown` None: all."""
    if changes["state"] in NOT_TOLD:
        return []
    found = []
    for key in ("statuses", "eligibility"):
        for table, heading in HEADINGS.items():
            lines = list(_lines([row for row in changes[key] if row["table"] == table], changes["state"] == PREDICTED))
            if lines:
                kept = lines if shown is None else lines[:shown]
                found.append(Section(key, heading, kept, len(lines) - len(kept)))
    return found


Alike = tuple[str, str, str, str, str | None, str | None]
ORDER = ("changed", "gone", "frozen", "added")


def _lines(rows: Sequence[Row], predicted: bool) -> Iterator[str]:
    years: dict[Alike, list[int]] = {}
    for row in rows:
        same = (row["table"], row["column"], row["label"], row["change"], row["before"], row["after"])
        years.setdefault(same, []).append(row["reporting_year"])
    for alike in sorted(years, key=lambda alike: ORDER.index(alike[3])):
        yield _line(alike, sorted(years[alike]), predicted)


def _line(alike: Alike, years: list[int], predicted: bool) -> str:
    table, column, name, change, before, after = alike
    was, stands = ("none" if code is None else judgement_words(table, column, code) for code in (before, after))
    about = COLUMN_WORDS.get((table, column))
    said = {
        "changed": f"is {was}, would be {stands}" if predicted else f"was {was}, is now {stands}",
        "gone": f"is {was}, would not be judged" if predicted else f"was {was}, is not judged any more",
        "added": f"would be {stands}, is not judged yet" if predicted else f"is {stands}, was not judged before",
        "frozen": f"frozen, so it stays; today's values {'give' if predicted else 'gave'} {was}, "
        f"{'with this folder' if predicted else 'now'} {stands}",
    }[change]
    one = "reporting year" if len(years) == 1 else "reporting years"
    return f"{name}{f', {about}' if about else ''}: {said} ({one} {years_text(years)})"


def years_text(years: Sequence[int]) -> str:
    """Years in short: `2016 to 2018 and 2020`."""
    spans: list[list[int]] = []
    for year in sorted(years):
        if spans and year == spans[-1][-1] + 1:
            spans[-1].append(year)
        else:
            spans.append([year])
    texts = [[f"{span[0]} to {span[-1]}"] if len(span) > 2 else [str(year) for year in span] for span in spans]
    return words.joined([text for part in texts for text in part])


def change_lines(changes: Row) -> Iterator[str]:
    """The effects as lines of text for a terminal, every one of them."""
    heading = "What this would change" if changes["state"] == PREDICTED else "What this submission changed"
    yield f"{heading}:"
    yield from (f"  {sentence}" for sentence in summary(changes))
    for row in value_rows(changes):
        yield f"  {row['what']}: {row['before']} -> {row['after']} ({row['source']})"
    for section in sections(changes, None):
        yield f"  {section.heading}"
        yield from (f"    {line}" for line in section.lines)
