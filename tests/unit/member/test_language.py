"""Every text of the member's page and of its mails is in every catalogue, and no page holds one that is in none.

Belongs here: catalogues against the texts of templates and code, a language that marks what it says, sentences.
Does not: whether a translation is good, the running page (tests/browser).
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nodes

from dagster_project.lib.base.templates import environment
from dagster_project.lib.member import check
from dagster_project.lib.member.page import views
from dagster_project.lib.member.page.language import OWN, WORDS, Language, asked_for, language, languages
from dagster_project.lib.member.page.spoken import speaker
from dagster_project.lib.monitoring import deciding
from dagster_project.lib.monitoring.mail import messages
from dagster_project.lib.receipts.first_line import NotTaken, first_line, left_line
from dagster_project.lib.receipts.receipt_page import SEVERITIES
from dagster_project.web import app, checks, guard, site, team

WEB = Path(app.__file__).parent
TEMPLATES = WEB / "templates"
REFUSING = ("Refusal", "HTTPException")
PLACES = re.compile(r"\{(\w+)\}")
OTHERS = [code for code in languages() if code != "en"]


def of_templates() -> Iterator[str]:
    pages = environment(TEMPLATES)
    for path in sorted(TEMPLATES.glob("*.html")):
        for call in pages.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_" and isinstance(call.args[0], nodes.Const):
                yield call.args[0].value


def of_code() -> Iterator[str]:
    for path in sorted(WEB.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSING:
                yield from (
                    arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                )


def of_tables() -> Iterator[str]:
    for heading, meaning in SEVERITIES.values():
        yield from (heading, meaning)
    own = (views.YEAR_WORDS, views.DONE, views.ASKED, views.ANSWERED, views.reasons(), team.DONE)
    for table in own:
        yield from (text for text in table.values() if text)
    yield from (*messages.WORDS.values(), *messages.SUBJECTS.values(), *check.STEPS)
    yield from (messages.GREETING, messages.OPEN_PAGE, messages.LINK_FOR_YOU, messages.CLOSING)
    yield from (checks.RECEIVED, checks.BESIDE, checks.STILL, checks.TOO_SLOW, checks.FAILED)
    yield from (deciding.NOT_OPEN, deciding.NO_ANSWER, deciding.NO_TEXT, deciding.NO_REASON, deciding.UNKNOWN_REASON)
    yield from (deciding.UNKNOWN_DECISION, deciding.OTHER_TABLE, deciding.BUSY)
    yield from (site.NOT_KNOWN, app.NO_PAGE, app.NO_FORM, app.NO_BUCKET, guard.TOO_LARGE, OWN)
    yield from filter(None, (views.refused_name("a", 2018, name) for name in (".a", "a/b", "é" * 150)))


def texts() -> list[str]:
    return sorted({*of_templates(), *of_code(), *of_tables()})


def test_there_is_a_language_beside_english() -> None:
    assert "es" in OTHERS
    assert len(texts()) > 100


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_in_every_catalogue(code: str) -> None:
    said = languages()[code].said
    assert [text for text in texts() if not said.get(text)] == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_catalogue_says_each_text_once_and_keeps_its_places(code: str) -> None:
    with (WORDS / f"{code}.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    english = [row["english"] for row in rows]
    assert len(english) == len(set(english))
    assert [row for row in rows if set(PLACES.findall(row["english"])) != set(PLACES.findall(row["said"]))] == []


# A sentence that another one swallowed would leave some of these.
ENGLISH_WORDS = {"Accepted", "Rejected", "Not", "row", "rows", "question", "questions", "file", "files", "were", "was",
                 "sheet", "sheets", "folder", "folders", "header"}  # fmt: skip
counts = st.integers(0, 2000)
names = st.lists(st.from_regex(r"\A[a-z]{1,8}( [a-z]{1,5})?\.(csv|xlsx)\Z"), max_size=5, unique=True)


@given(
    status=st.sampled_from(["accepted", "accepted_with_queries", "rejected", "withdrawn", "expected"]),
    numbers=st.tuples(counts, counts, counts, counts, counts),
    replaced=st.sampled_from([None, "abc"]),
    missing=st.tuples(names, names, names, names),
    left=names,
    rule=st.sampled_from(["still_written", "file_not_read"]),
)
@pytest.mark.parametrize("code", OTHERS)
def test_whatever_the_first_line_says_is_said(
    code: str,
    status: str,
    numbers: tuple[int, ...],
    replaced: str | None,
    missing: tuple[list[str], ...],
    left: list[str],
    rule: str,
) -> None:
    fields = ("rows_read", "rows_accepted", "rows_rejected", "rows_waiting", "findings_open")
    submission = {"status": status, "submission_id": "x", **dict(zip(fields, numbers, strict=True))}
    line = left_line(submission, [{"source_file": name, "rule_id": rule} for name in left])
    line += first_line(submission, replaced, NotTaken(*missing))
    said = languages()[code].again(line)
    assert said is not None, line
    rest = said
    for name in sorted({*chain(*missing), *left}, key=len, reverse=True):
        rest = rest.replace(name, "")
    assert not ENGLISH_WORDS & set(re.findall(r"\w+", rest)), (line, said)
    assert set(re.findall(r"\d[\d,]*", line)) <= set(re.findall(r"\d[\d,]*", said)) | {"1"}


def test_a_sentence_that_no_catalogue_has_is_not_said_by_halves() -> None:
    assert language("es").again("Accepted: 1 of 2 rows. And something new.") is None
    assert language("en").again("Whatever.") == "Whatever."


@pytest.mark.parametrize(
    ("accept", "code"),
    [("es", "es"), ("es-MX,es;q=0.9,en;q=0.8", "es"), ("de,en;q=0.5,es;q=0.4", "en"), ("", "en"), ("es;q=0", "en"),
     ("fr;q=x,*", "en"), ("en;q=0.1, es;q=0.2", "es")],
)  # fmt: skip
def test_the_language_is_the_first_that_the_browser_asks_for(accept: str, code: str) -> None:
    assert asked_for(accept).code == code


class Unsaid(HTMLParser):
    """Texts of a page that are neither said by the language nor marked as English nor what a member gave."""

    EMPTY = ("meta", "link", "input", "br", "option")

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[bool] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name in ("aria-label", "title", "placeholder", "alt"):
            self.look(given.get(name) or "")
        if tag not in ("meta", "link", "input", "br"):
            lang = given.get("lang")
            self.stack.append(lang == "en" if lang else bool(self.stack and self.stack[-1]))

    def handle_endtag(self, tag: str) -> None:
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        if not (self.stack and self.stack[-1]):
            self.look(data)

    def look(self, text: str) -> None:
        rest = re.sub(r"⟦[^⟧]*⟧", "", text)
        rest = re.sub(r"zz\w*(\.\w+)*", "", rest)
        if re.search(r"[^\W\d_]", rest):
            self.found.append(text.strip())


class Marking(Language):
    """A language that marks what it says, and knows no sentence."""

    def say(self, text: str, **given: object) -> str:
        return f"⟦{super().say(text, **given)}⟧"

    def again(self, text: str) -> str | None:
        return None


def finding(severity: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "finding_id": f"zz{severity}{status}", "rule_id": "numerator_above_denominator", "severity": severity,
        "source_file": "zzfile.csv", "source_sheet": None, "source_row": 2, "source_column": "zzcol", "found": "3",
        "allowed": "English words", "message": "File zzfile.csv, row 2: English words.", "remedy": "English words.",
        "n_rows": 1, "status": status, "explanation": "zzmine", **more,
    }  # fmt: skip


def receipt() -> dict[str, Any]:
    told = [
        finding("fatal", "open"),
        finding("error", "open"),
        finding("explainable", "open"),
        finding("explainable", "explained"),
        finding("info", "closed"),
        finding("error", "open", source_file=None),
        *(finding("error", "open", rule_id="out_of_range", source_row=n, remedy=f"English {n}") for n in range(12)),
    ]
    files = [{"name": "zzfile.csv", "rows_accepted": 1, "rows_read": 2, "marked_copy": "zzfile.csv.marked.xlsx"}]
    return {"first_line": "English words.", "files": files, "findings": told, "skipped_rules": ["x"],
            "submission_id": "zzid"}  # fmt: skip


def pages() -> Iterator[tuple[str, dict[str, Any]]]:
    row = {
        "year": 2018,
        "status": "Accepted",
        "due_on": "2018-11-30",
        "left_year": 2017,
        "rows_read": 2,
        "rows_accepted": 1,
        "to_mend": 2,
        "questions": 1,
    }
    yield "message.html", {"words": "⟦x⟧", "member": None}
    yield "overview.html", {"rows": [row]}
    note = SimpleNamespace(persons=[], names=["zzfile.csv"])
    shown = {"year": 2018, "ticket": "zzt", "receipt": receipt(),
             "changes": ["English words"], "replaced": ["zzfile.csv"],
             "sections": views.told_sections(receipt(), asking=True)}  # fmt: skip
    yield "checked.html", {"note": note, **shown}
    yield "checked.html", {"note": SimpleNamespace(persons=["zzfile.csv"], names=[]), **shown, "sections": []}
    yield "waiting.html", {"split": "[]", "year": 2018}
    yield "failed.html", {"words": "⟦x⟧", "year": 2018}
    yield "step.html", {"words": "⟦x⟧"}
    given = receipt()
    year = {"row": row, "files": [{"name": "zzfile.csv", "tag": "t"}], "receipt": given, "longest": 10,
            "questions": views.open_questions(given), "sections": views.told_sections(given),
            "reasons": views.reasons(),
            "answers": {"zzexplainableopen": {"text": "zzmine", "reason": "other"}},
            "earlier": [{"id": "zzid", "line": "English words."}], "done": views.DONE["sent"]}  # fmt: skip
    cause = {"finding_id": "zzc", "reporting_year": 2018, "message": "English words."}
    given = {
        "finding_id": "zzg",
        "reporting_year": 2018,
        "community_id": "zza",
        "message": "English.",
        "answer": "zzwe",
    }
    folder = {"community_id": "zza", "reporting_year": 2018, "status": "late", "due_on": "2018-11-30",
              "submission_id": None, "findings_blocking": 0, "findings_open": 0, "receipt_opened": None}  # fmt: skip
    told = {**folder, "submission_id": "s", "status": "rejected", "findings_blocking": 1, "findings_open": 2}
    waiting = [folder, told, {**told, "receipt_opened": "2018-12-01"}]
    team_page: dict[str, Any] = {
        "years": [2018, 2017], "year": 2018, "names": {"zza": "zzname"}, "status_words": views.YEAR_WORDS,
        "reasons": views.reasons(), "longest": 9, "done": team.DONE["answered"],
        "lists": {"shared": {"shown": [cause], "all": 2}, "answers": {"shown": [given], "all": 1},
                  "folders": {"shown": waiting, "all": 3},
                  "own": {"shown": [{"message": "English words.", "allowed": "English."}], "all": 1}},
    }  # fmt: skip
    yield "team.html", {**team_page, "decided": {"zzc": {"text": "zzt", "reason": "other"},
                                                 "zzg": {"decision": "rejected", "reason": "zzr"}}}  # fmt: skip
    yield (
        "team.html",
        {**team_page, "decided": {"zzg": {"decision": "accepted", "reason": ""}}, "year": None, "done": ""},
    )
    yield "team.html", {**team_page, "lists": {}, "decided": {}}
    yield "year.html", year
    yield "year.html", {**year, "files": [], "receipt": None, "done": ""}


@pytest.mark.parametrize(("name", "given"), list(pages()))
def test_no_text_of_a_page_is_left_out_of_the_catalogues(name: str, given: dict[str, Any]) -> None:
    spoken = Marking("xx")
    made = environment(TEMPLATES, link=str)
    member = SimpleNamespace(name="zzcommunity", mark="m")
    frame = {"_": spoken.say, "language": spoken, "others": [], "here": "/", "member": member,
             "checks": speaker("xx")}  # fmt: skip
    unsaid = Unsaid()
    unsaid.feed(made.get_template(name).render(**{**frame, **given}))
    assert unsaid.found == []
