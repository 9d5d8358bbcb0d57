"""The report in other languages: every text goes through the catalogue, and no page says other than its rows.

Belongs here: pages in Spanish and in a language that nobody speaks, made of a small database.
Does not: what English pages say (test_report.py), whether a catalogue is whole (tests/structure/test_catalogues.py).
"""

from __future__ import annotations

import re
from collections import Counter
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest
from babel import Locale

from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.base.store import Store
from dagster_project.lib.intake.findings import catalogue_in, rule_title
from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.languages import catalogue
from dagster_project.lib.publish.report.languages.catalogue import Language, speaking
from dagster_project.lib.publish.report.languages.names import English
from dagster_project.lib.publish.report.languages.published import (
    dictionary_names,
    internal_details,
    published_languages,
)
from dagster_project.lib.publish.report.languages.rules import rule_name
from dagster_project.lib.publish.report.making.pdf import NoCardError, cards
from dagster_project.lib.publish.report.render import write_report
from tests import said_back, traced
from tests.unit.publish.test_report import SINCE, context, report_marts
from tests.unit.publish.test_report_traced import database

YEAR = report_marts.YEAR


@pytest.fixture(scope="module", params=["internal", "public"])
def edition(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """An edition in English and Spanish, with its database and its folder."""
    out = tmp_path_factory.mktemp(request.param)
    path = database(out, request.param)
    with duckdb.connect(str(path), read_only=True) as connection:
        write_report(connection, out, request.param, context(languages=("en", "es")))
    return request.param, path, out / "report"


def test_spanish_pages_say_what_the_cells_they_name_say(edition: tuple[str, Path, Path]) -> None:
    name, path, report = edition
    back, seen = said_back.english("es"), Counter[str]()
    with duckdb.connect(str(path), read_only=True) as connection:
        rows, known = traced.stored(connection, YEAR), traced.indicators(connection)
        for page in sorted((report / "es").rglob("*.html")):
            html = back.page(page.read_text(encoding="utf-8"))
            wrong, looked_at = traced.faults(html, rows, known)
            assert wrong == [], page.name
            assert traced.stated_faults(html, {"since": SINCE}, catalogue.language("es").day) == [], page.name
            for spec, text in traced.Traced(html).counts:
                assert text == f"{traced.counted(connection, YEAR, spec):,}", (page.name, spec)
            for spec, text in traced.Traced(html).shares:
                assert text == traced.share(connection, YEAR, spec), (page.name, spec)
            seen += looked_at
    assert seen["mark of fct_trend"] > 15 and seen["says fitted"] > 5
    if name == "public":
        assert seen["says trend"] > 20 and seen["says gap"] > 50


def test_english_pages_keep_their_addresses_and_differ_by_the_link_alone(
    edition: tuple[str, Path, Path], tmp_path: Path
) -> None:
    name, path, report = edition
    with duckdb.connect(str(path), read_only=True) as connection:
        alone = write_report(connection, tmp_path, name, context())
    for file in alone:
        beside = (report / file.relative_to(tmp_path / "report")).read_text(encoding="utf-8")
        beside = re.sub(r'<link rel="alternate"[^>]*>\n', "", beside)
        beside = re.sub(r'<p class="languages screen">.*</p>\n', "", beside)
        assert beside == file.read_text(encoding="utf-8"), file


def test_every_link_between_the_languages_leads_to_a_page(edition: tuple[str, Path, Path]) -> None:
    _, _, report = edition
    checked = 0
    for page in sorted(report.rglob("*.html")):
        for href in re.findall(r'href="([^"#]+)', page.read_text(encoding="utf-8")):
            if "://" not in href:
                assert (page.parent / unquote(href)).is_file(), (page, href)
                checked += 1
    spanish = report / "es" / "communities" / "c00.html"
    assert '<html lang="es">' in spanish.read_text(encoding="utf-8") and checked > 200


def test_a_name_without_a_translation_is_printed_in_english_and_marked(edition: tuple[str, Path, Path]) -> None:
    page = (edition[2] / "es" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'<th scope="row"><span lang="en">[^<]+</span>', page)
    with duckdb.connect(str(edition[1]), read_only=True) as connection:
        first = connection.execute("select name from marts.dim_outcome order by all limit 1").fetchone()
        out = edition[2].parent / "named"
        names = {"es": {str(first and first[0]): "Un resultado"}}
        write_report(connection, out, edition[0], context(languages=("en", "es"), names=names))
    assert '<th scope="row">Un resultado</th>' in (out / "report" / "es" / "index.html").read_text(encoding="utf-8")


def test_a_rule_of_the_checks_is_called_as_on_a_receipt_in_each_language(edition: tuple[str, Path, Path]) -> None:
    named = re.compile(r'<tr><td>[^<]*</td><th scope="row">(.*?)</th>')
    pages = [(edition[2] / folder / "data-quality.html").read_text(encoding="utf-8") for folder in ("", "es")]
    english, spanish = (named.findall(html) for html in pages)
    assert english == ["The value is not numerator over denominator"]
    assert spanish == ["El valor no es numerador entre denominador"]


def test_a_rule_that_the_catalogue_does_not_list_is_named_by_its_code_in_english() -> None:
    assert rule_name("no_such_rule") == "No such rule" and not isinstance(rule_name("no_such_rule"), English)
    with speaking(catalogue.language("es")):
        assert rule_name("bad_year") == catalogue_in("es")["bad_year"]["title"] != rule_title("bad_year")
        assert isinstance(rule_name("no_such_rule"), English)


def test_numbers_and_days_are_written_as_the_locale_does() -> None:
    with speaking(Language("de", "de_DE", NullTranslations())):
        assert (words.number(-1234.56), words.count(1234567)) == ("−1.234,6", "1.234.567")
        assert words.day("2026-10-31") == "31. Oktober 2026"
    with speaking(catalogue.language("es")):
        assert (words.number(-1234.56), words.share(1, 3)) == ("−1,234.6", "33.3%")
        assert words.day("2026-10-31") == "31 de octubre de 2026"
    assert words.day("2026-10-31") == "2026-10-31"


_LEFT = re.compile(r"(%\(\w+\)s|%%|\{[a-z_.]+\}|<[^>]+>|&\w+;)")
FOREIGN = "ж"


def foreign(text: str) -> str:
    """A text of which only places and marks are left: no letter of it can be read."""
    parts = _LEFT.split(text)
    return "".join(part if i % 2 else re.sub("[A-Za-z]", FOREIGN, part) for i, part in enumerate(parts))


class Foreign(NullTranslations):
    """A catalogue of a language that nobody speaks."""

    def gettext(self, message: str) -> str:
        return foreign(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return foreign(msgid1 if n == 1 else msgid2)


class Everything(dict[str, str]):
    """A dictionary that has a foreign name for each name."""

    def get(self, key: str, default: object = None) -> str:  # type: ignore[override]
        return foreign(key)


class Read(HTMLParser):
    """What a reader of a page reads or hears: its text and the names of its parts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in traced.VOID:
            self.open.append(tag)
        self.said += [value or "" for name, value in attrs if name in ("aria-label", "title", "alt")]

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not {"style", "script", "code"} & set(self.open):
            self.said.append(data)


# Whatever a member or the network wrote itself, and what a release is called.
DATA = {
    "dim_community": ("name", "state", "community_id"),
    "dim_population_group": ("dimension",),  # this small database has no names of dimensions: their codes stand there
    "fct_story": ("title", "text", "author_role"),
    "fct_strategy": ("title", "action", "status"),  # this database invents words for it
    "fct_trend_point": ("series", "source_file", "source_sheet"),
    "fct_indicator_value": ("series", "data_source"),
    "fct_finding": ("message", "source_file"),
    "fct_criterion_status": ("evidence", "criterion_id"),
    "fct_series_change": ("series", "explanation"),
    "fct_reference_value": ("source",),
    "fct_submission_status": ("submission_id",),
    "fct_designation_requirement": ("evidence", "required", "actual", "requirement_id"),
}


def data_of(path: Path) -> set[str]:
    """Every word of the data that a page may print as it is."""
    found = set[str]()
    with duckdb.connect(str(path), read_only=True) as connection:
        sql = "select table_name, column_name from information_schema.columns where table_schema = 'marts'"
        there = set(connection.execute(sql).fetchall())
        for table, columns in DATA.items():
            for column in columns:
                if (table, column) in there:
                    values = connection.execute(f"select distinct {column}::varchar from marts.{table}").fetchall()
                    found |= {word for (value,) in values for word in re.findall("[A-Za-z]+", value or "")}
    stated = context()
    texts = (stated.release_id, stated.ruleset_id, stated.code_version, stated.network_name)
    names = [part for p in stated.parameters for part in (p.name, p.value)]
    found |= {word for text in (*texts, *names) for word in re.findall("[A-Za-z]+", text)}
    return {word.lower() for word in found}


@pytest.mark.parametrize("name", ["internal", "public"])
def test_every_visible_text_goes_through_the_catalogue(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database(tmp_path, name)
    spoken = {"en": catalogue.language("en"), "xx": Language("xx", "en_US", Foreign())}
    monkeypatch.setattr(catalogue, "language", spoken.__getitem__)
    with duckdb.connect(str(path), read_only=True) as connection:
        write_report(connection, tmp_path, name, context(languages=("en", "xx"), names={"xx": Everything()}))
    # A language is named by itself, and days are the locale's.
    known = data_of(path) | {"english", *(Locale("en").months["format"]["wide"][n].lower() for n in range(1, 13))}
    pages = sorted((tmp_path / "report" / "xx").rglob("*.html"))
    for page in pages:
        html = re.sub(r'<span lang="en">.*?</span>', "", page.read_text(encoding="utf-8"))
        left = [t.strip()[:80] for t in Read(html).said if set(re.findall("[a-z]{2,}", t.lower())) - known]
        assert not left, (page.name, left)
    assert len(pages) > 20


def seeds(folder: Path, lines: str) -> Reference:
    (folder / "network").mkdir(parents=True)
    (folder / "network" / "publication.csv").write_text(f"name,value\ntitle,A title\n{lines}", encoding="utf-8")
    return Reference(folder)


def test_the_seeds_name_the_languages_and_english_is_always_the_first(tmp_path: Path) -> None:
    assert published_languages(seeds(tmp_path / "two", 'languages,"es, en"\n')) == ("en", "es")
    assert published_languages(seeds(tmp_path / "blank", "languages,\n")) == ("en",)
    assert published_languages(Reference(tmp_path / "none")) == ("en",) and dictionary_names(Reference(tmp_path)) == {}
    with pytest.raises(SeedError, match="languages names fr"):
        published_languages(seeds(tmp_path / "other", 'languages,"en,fr"\n'))


def test_the_internal_editions_further_pages_are_in_the_languages_that_the_seeds_name_of_the_reports(
    tmp_path: Path,
) -> None:
    both = 'languages,"en,es"\n'
    assert internal_details(seeds(tmp_path / "blank", f"{both}internal_details,\n")) == ("en",)
    assert internal_details(seeds(tmp_path / "none", both)) == ("en",)
    assert internal_details(seeds(tmp_path / "both", f'{both}internal_details,"es"\n')) == ("en", "es")
    with pytest.raises(SeedError, match="internal_details names es; its line languages has en:"):
        internal_details(seeds(tmp_path / "other", "languages,en\ninternal_details,es\n"))


def test_where_further_pages_are_in_english_alone_cards_lead_to_them_and_say_so(
    edition: tuple[str, Path, Path], tmp_path: Path
) -> None:
    name, path, report = edition
    with duckdb.connect(str(path), read_only=True) as connection:
        written = write_report(connection, tmp_path, name, context(languages=("en", "es"), details=("en",)))
    made, whole = (
        {p.relative_to(f / "report").as_posix() for p in ps}
        for f, ps in [(tmp_path, written), (report.parent, files(report))]
    )
    gone = whole - made
    assert gone and all(re.match("es/communities/[^/]+/", each) for each in gone) and made < whole
    card = (tmp_path / "report" / "es" / "communities" / "c00.html").read_text(encoding="utf-8")
    assert 'href="../../communities/c00/standing.html" hreflang="en"' in card
    assert "hreflang" not in (tmp_path / "report" / "communities" / "c00" / "standing.html").read_text(encoding="utf-8")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_card_in_a_language_that_the_release_has_not_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "releases" / "r" / "report" / "communities").mkdir(parents=True)
    with pytest.raises(NoCardError, match="no card in the language es"):
        next(cards(Store(str(tmp_path)), "r", "2024-12-31", None, "no browser is asked", "es"))


def test_a_card_of_a_community_that_the_release_does_not_know_is_not_put_down_to_the_language(tmp_path: Path) -> None:
    folder = tmp_path / "releases" / "r" / "report" / "communities"
    folder.mkdir(parents=True)
    (folder / "old_name.html").write_text("<p>card</p>")
    with pytest.raises(NoCardError, match=r"has no card of new_name$") as told:
        next(cards(Store(str(tmp_path)), "r", "2024-12-31", ["new_name"], "no browser is asked"))
    assert "renamed since" in told.value.hint and "language" not in told.value.hint
    with pytest.raises(NoCardError, match="no card of old_name in the language es") as told:
        next(cards(Store(str(tmp_path)), "r", "2024-12-31", ["old_name"], "no browser is asked", "es"))
    assert "languages" in told.value.hint
