"""The receipt page and the marked copy: everything is told, nothing a member wrote is ever markup or a formula.

Belongs here: claims about render_receipt and marked_copy on receipts made by hand.
Does not: run intake, or look at the page in a browser (tests/browser).
"""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.receipts.marked_copy import FILLS, MAX_COMMENTS, harmless, marked_copy, sheet_titles
from dagster_project.lib.receipts.receipt_page import render_receipt, where

FILE = "reading.csv"


def finding(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A finding with every column of fct_finding."""
    return {
        "finding_id": f"f{number:04d}",
        "community_id": "alder",
        "reporting_year": 2024,
        "submission_id": "0123456789abcdef",
        "rule_id": "value_mismatch",
        "severity": "error",
        "dimension": "accuracy",
        "source_file": FILE,
        "source_sheet": "",
        "source_row": number + 1,
        "source_column": "value",
        "found": f"{number}.5",
        "allowed": "a rate that agrees with its counts",
        "message": f"File {FILE}, row {number + 1}, column value: The rate is wrong, case {number}.",
        "remedy": "Correct the rate or the counts.",
        "n_rows": 1,
        "status": "open",
        "explanation": None,
    } | changes


def receipt(*findings: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A receipt of one file."""
    return {
        "community_id": "alder",
        "reporting_year": 2024,
        "submission_id": "0123456789abcdef",
        "status": "accepted_with_queries",
        "first_line": "Accepted: 98 of 100 rows.",
        "files": [
            {
                "name": FILE,
                "sha256": "ab" * 32,
                "layout": "contract_csv",
                "rows_read": 100,
                "rows_accepted": 98,
                "rows_rejected": 2,
            }
        ],
        "findings": list(findings),
    } | changes


class Page(HTMLParser):
    """The text of a page, its elements, and how they nest."""

    VOID = frozenset({"meta", "link", "br", "img", "hr", "input", "wbr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], f"unclosed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def test_the_first_line_comes_before_everything_else() -> None:
    page = Page(render_receipt(receipt(finding())))
    body = page.text
    assert body.index("Accepted: 98 of 100 rows.") < body.index("What counted") < body.index("The rate is wrong")


@settings(max_examples=25)
@given(st.integers(0, 60), st.integers(0, 30))
def test_no_finding_is_left_out_however_many_there_are(errors: int, questions: int) -> None:
    asked = [finding(1000 + n, severity="explainable", rule_id="year_over_year") for n in range(questions)]
    told = [finding(n) for n in range(errors)] + asked
    page = Page(render_receipt(receipt(*told)))
    for item in told:
        assert page.text.count(item["finding_id"]) == 1
        assert f"case {int(item['finding_id'][1:])}." in page.text
    folded = sum(tag == "details" for tag, _ in page.tags)
    assert folded == (errors > 8) + (questions > 8)


def test_a_problem_says_where_what_allowed_and_how_to_fix() -> None:
    page = Page(render_receipt(receipt(finding(source_sheet="Data"))))
    for words in (
        "sheet Data, row 2, column value",
        "1.5",
        "a rate that agrees with its counts",
        "Correct the rate or",
    ):
        assert words in page.text


def test_different_remedies_of_one_rule_all_appear() -> None:
    page = Page(render_receipt(receipt(finding(1), finding(2, remedy="Another way.", allowed="something else"))))
    for words in ("Correct the rate or the counts.", "Another way.", "something else", "a rate that agrees"):
        assert words in page.text


def test_the_most_serious_findings_come_first() -> None:
    mixed = [finding(1, severity=s, rule_id=f"rule_{s}") for s in ("info", "explainable", "error", "fatal")]
    headings = [
        attrs["id"] for tag, attrs in Page(render_receipt(receipt(*mixed))).tags if tag == "h2" and "id" in attrs
    ]
    assert headings == ["fatal", "error", "explainable", "info"]


def test_the_same_receipt_gives_the_same_page_in_any_order_of_its_findings() -> None:
    told = [finding(n) for n in range(12)]
    assert render_receipt(receipt(*told)) == render_receipt(receipt(*told[::-1]))


HOSTILE = st.text(alphabet=st.one_of(st.sampled_from("<>&\"'=+-@\t\r\n\x00\x1b{}%/"), st.characters()), max_size=40)


@settings(max_examples=150)
@given(HOSTILE)
def test_a_members_text_is_never_markup(text: str) -> None:
    hostile = f"<script>alert(1)</script>{text}"
    names = ("found", "allowed", "message", "remedy", "source_sheet", "source_column", "explanation")
    changed = dict.fromkeys(names, hostile)
    made = receipt(finding(**changed), finding(2), first_line=hostile, community_id=hostile)
    made["files"][0]["name"] = hostile
    html = render_receipt(made)
    page = Page(html)
    assert not [tag for tag, _ in page.tags if tag in ("script", "img", "iframe", "link", "object")]
    assert not re.search(r"\son\w+=", re.sub(r'"[^"]*"', "", html.split("</style>")[1].split("<code")[0]))
    html.encode("utf-8")


def test_a_page_asks_for_nothing_from_outside() -> None:
    html = render_receipt(receipt(finding()))
    assert not re.search(r"(?:src|href)=\"(?!#)|url\(|@import|https?:", html)


def test_tables_have_captions_and_headers_and_headings_do_not_skip_a_level() -> None:
    page = Page(
        render_receipt(
            receipt(
                *[finding(n) for n in range(12)],
                finding(99, severity="info", source_file=None),
                changes=effects(flip(), values=(gone_value(),)),
            )
        )
    )
    tables = sum(tag == "table" for tag, _ in page.tags)
    assert tables == sum(tag == "caption" for tag, _ in page.tags) > 0
    assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and all(b <= a + 1 for a, b in pairwise(levels))
    assert dict(page.tags)["html"] == {"lang": "en"}


def test_a_receipt_without_findings_says_that_nothing_is_to_be_done() -> None:
    assert "there is no problem and no open question" in Page(render_receipt(receipt())).text


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("rejected", "Put a file with rows into the folder"),
        ("withdrawn", "if the files were taken back on purpose; else put them into the folder again"),
    ],
)
def test_a_folder_of_which_nothing_counts_is_never_told_that_there_is_no_problem(status: str, says: str) -> None:
    text = Page(render_receipt(receipt(finding(1, severity="info"), status=status))).text
    assert says in text
    assert "there is no problem" not in text


def test_a_withdrawn_folder_is_not_said_to_wait_for_its_first_submission() -> None:
    text = Page(render_receipt(receipt(status="withdrawn", submission_id=None))).text
    assert "No submission any more." in text and "No submission yet." not in text


def test_a_cell_of_a_workbook_is_named_as_its_program_names_it() -> None:
    told = finding(rule_id="date_cell", source_sheet="values", source_row=8, source_column="H", message="x")
    assert where(told) == "sheet values, cell H8"
    assert where({**told, "rule_id": "value_mismatch"}) == "sheet values, row 8, column H"


def test_a_finding_of_a_whole_file_has_a_place_too() -> None:
    assert where(finding(source_row=None, source_column=None)) == "whole file"


@pytest.mark.parametrize("file", [None, ""])
def test_a_finding_of_no_file_is_of_the_whole_folder(file: str | None) -> None:
    assert where(finding(source_file=file, source_row=None, source_column=None)) == "whole folder"


# --- what the submission changed -----------------------------------------------------------------------------------


def flip(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A trend that flipped, as changes.py tells it."""
    return {
        "label": f"Students who graduate, group {number}",
        "table": "fct_trend",
        "column": "trend_status",
        "change": "changed",
        "reporting_year": 2024,
        "before": "improving",
        "after": "maintained",
    } | changes


def gone_value(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A value that counts no more."""
    side = {
        "value": 60.0, "value_low": None, "value_high": None, "numerator": 6, "denominator": 10,
        "value_status": "reported", "submission_id": "old", "source_file": FILE, "source_sheet": "",
        "source_row": number,
    }  # fmt: skip
    return {
        "label": f"Students who graduate, group {number}", "change": "gone", "school_year": 2023, "series": "default",
        "period": "annual", "unit": "percent", "before": side, "after": None,
    } | changes  # fmt: skip


def effects(*statuses: dict[str, Any], values: tuple[dict[str, Any], ...] = (), **changes: Any) -> dict[str, Any]:
    """The key `changes` of a receipt."""
    counted = {
        "values": {"added": 0, "gone": len(values), "changed": 0, "same": 90},
        "statuses": {"added": 0, "gone": 0, "changed": len(statuses)},
        "eligibility": {"added": 0, "gone": 0, "changed": 0, "frozen": 0},
    }
    return {
        "state": "told", "kind": "replaced", "previous_submission_id": "old", "release_id": "r2",
        "previous_release_id": "r1", "today": "2024-12-31", "previous_today": "2024-12-01",
        "also_changed": {"folders": [], "causes": []}, "totals": counted, "values": list(values),
        "statuses": list(statuses), "eligibility": [],
    } | changes  # fmt: skip


def test_a_flip_is_a_sentence_that_anybody_reads() -> None:
    text = Page(render_receipt(receipt(changes=effects(flip())))).text
    assert "Students who graduate, group 1: was improving, is now maintained (reporting year 2024)" in text
    assert "Release r2 compared with release r1." in text


def test_until_a_release_is_made_one_line_says_when_the_effects_are_told() -> None:
    html = render_receipt(receipt(changes={"state": "pending"}))
    assert "is told here with the next release" in Page(html).text
    assert html.count('<h2 id="changes">') == 1 and "<h3>Trends" not in html


def test_a_first_submission_is_told_by_counts() -> None:
    made = effects(kind="first", previous_submission_id=None)
    made["totals"]["values"] = {"added": 1234, "gone": 0, "changed": 0, "same": 0}
    page = Page(render_receipt(receipt(changes=made)))
    assert "First submission of this year" in page.text and "Values: 1,234 new." in page.text
    assert sum(tag == "table" for tag, _ in page.tags) == 1


def test_no_change_is_told_as_none() -> None:
    text = Page(render_receipt(receipt(changes=effects()))).text
    assert "Values: 90 as before." in text
    assert "Trends, gaps and outcomes: nothing changed." in text


def test_a_rejected_replacement_shows_the_values_that_are_gone() -> None:
    first = "Rejected: no row could be read, so nothing of this folder counts. The rows that counted before are gone"
    page = Page(render_receipt(receipt(status="rejected", first_line=first, changes=effects(values=(gone_value(),)))))
    assert page.text.index("are gone") < page.text.index("Students who graduate, group 1, 2023")
    for words in ("60.0% (6 of 10)", "no row", f"{FILE}, row 1"):
        assert words in page.text


@settings(max_examples=10)
@given(st.integers(0, 60), st.integers(0, 60))
def test_what_the_page_leaves_out_of_the_changes_it_counts(n_flips: int, n_values: int) -> None:
    made = effects(*(flip(n) for n in range(n_flips)), values=tuple(gone_value(n) for n in range(n_values)))
    text = Page(render_receipt(receipt(changes=made))).text
    for total, shown, key in (
        (n_flips, text.count("was improving"), "statuses"),
        (n_values, text.count("no row"), "values"),
    ):
        left_out = re.search(
            rf"And (\d+) more: all of them stand in receipt.json beside this page, under changes, {key}", text
        )
        assert shown + (int(left_out[1]) if left_out else 0) == total
        assert bool(left_out) == (total > shown)


@settings(max_examples=60)
@given(HOSTILE)
def test_names_and_labels_in_the_changes_are_never_markup(text: str) -> None:
    hostile = f"<script>alert(1)</script>{text}"
    value = gone_value(label=hostile, series=hostile)
    value["before"] |= {"source_file": hostile, "source_sheet": hostile}
    html = render_receipt(receipt(changes=effects(flip(label=hostile), values=(value,), release_id=hostile)))
    assert not [tag for tag, _ in Page(html).tags if tag in ("script", "img", "iframe", "link", "object")]
    html.encode("utf-8")


# --- marked copy ---------------------------------------------------------------------------------------------------

GRID = [
    ["school_year", "indicator", "value"],
    ["2024", "reading", "1.5"],
    ["2024", "math", "-3.5"],
    ["2024", "x", "1.5"],
]


def opened(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def test_a_copy_holds_the_members_cells_as_text_after_a_list_of_findings() -> None:
    book = opened(marked_copy(FILE, [("", GRID)], [finding()]))
    assert book.sheetnames == ["Findings", "reading"]
    assert [[c.value for c in row] for row in book["reading"].iter_rows()] == GRID
    listed = [c.value for row in book["Findings"].iter_rows() for c in row]
    assert "f0001" in listed and "Correct the rate or the counts." in listed


def test_the_cell_in_question_is_filled_and_commented_with_message_and_remedy() -> None:
    cell = opened(marked_copy(FILE, [("", GRID)], [finding()]))["reading"]["C2"]
    assert cell.fill.fgColor.rgb == f"00{FILLS['error']}"
    assert "The rate is wrong" in cell.comment.text and "Correct the rate" in cell.comment.text


def test_a_finding_of_several_rows_marks_every_cell_with_that_text() -> None:
    sheet = opened(marked_copy(FILE, [("", GRID)], [finding(n_rows=2)]))["reading"]
    assert [r for r in range(1, 5) if sheet.cell(r, 3).comment] == [2, 4]


@pytest.mark.parametrize("column", ["value", "Value ", "C"])
def test_a_column_is_found_by_its_header_or_by_its_letter(column: str) -> None:
    assert opened(marked_copy(FILE, [("", GRID)], [finding(source_column=column)]))["reading"]["C2"].comment


def test_a_finding_about_another_file_is_not_in_the_copy() -> None:
    listed = opened(marked_copy(FILE, [("", GRID)], [finding(source_file="other.csv")]))["Findings"]
    assert "f0001" not in [c.value for row in listed.iter_rows() for c in row]


def test_a_finding_without_a_cell_is_in_the_list() -> None:
    listed = opened(
        marked_copy(FILE, [("", GRID)], [finding(source_row=None, source_column=None), finding(2, source_row=99)])
    )
    values = [c.value for row in listed["Findings"].iter_rows() for c in row]
    assert "f0001" in values and "f0002" in values


@settings(max_examples=200)
@given(HOSTILE)
def test_no_text_becomes_a_formula(text: str) -> None:
    for start in ("", "=", "+", "-", "@", "\t", "\r", " ="):
        safe = harmless(start + text)
        assert not re.match(r" *[=@\t\r]", safe)
        assert not re.match(r" *[+-]", safe) or re.fullmatch(r" *(-|[+-][\d,.]+\s?%?) *", safe)


@pytest.mark.parametrize("number", ["-3.5", "+4", "-1,234.5", "-12%", "-", "0.5"])
def test_numbers_and_the_mark_for_not_collected_stay_as_they_are(number: str) -> None:
    assert harmless(number) == number


@settings(max_examples=40)
@given(st.lists(st.lists(HOSTILE, max_size=4), max_size=6))
def test_any_text_can_be_written_and_none_is_stored_as_a_formula(rows: list[list[str]]) -> None:
    book = opened(
        marked_copy("=cmd|x.csv", [("", rows), ("=a/b", rows)], [finding(source_file="=cmd|x.csv", found="=1+1")])
    )
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_the_same_input_gives_the_same_bytes() -> None:
    told = [finding(n) for n in range(1, 4)]
    assert marked_copy(FILE, [("", GRID)], told) == marked_copy(FILE, [("", GRID)], told[::-1])


def test_sheet_names_are_valid_and_different() -> None:
    titles = sheet_titles(["Findings", "a/b", "a:b", "x" * 40, "X" * 40, "", "'q'"])
    assert len({t.casefold() for t in titles} | {"findings"}) == 8
    assert all(0 < len(t) <= 31 and not re.search(r"[\[\]:*?/\\]", t) for t in titles)


def test_a_copy_with_very_many_marks_says_which_have_comments() -> None:
    n = MAX_COMMENTS + 5
    book = opened(marked_copy(FILE, [("", [["value"], *[["bad"]] * n])], [finding(found="bad", n_rows=n)]))
    assert f"{n:,} cells are coloured, the first {MAX_COMMENTS:,} have a comment" in book["Findings"]["A2"].value
    assert book["reading"].cell(n + 1, 1).fill.fgColor.rgb == f"00{FILLS['error']}"
