"""The national report: pages that are plain, printable and accessible, written below a release.

Belongs here: templates with their filters and globals, editions that may be written, the files of the report.
Does not: read tables (marts), arrange rows, protect small groups (public pages are made of public marts alone).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup, escape

from dagster_project.lib.base import templates
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.shown import visible
from dagster_project.lib.publish.release.release import MARKS, since_mark
from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import Row, folder_name, page_name
from dagster_project.lib.publish.report.card import detail, report_card
from dagster_project.lib.publish.report.charts.frame import svg_file
from dagster_project.lib.publish.report.community import community_page
from dagster_project.lib.publish.report.explore.figures import FOLDER, NAMES, Explored, explored
from dagster_project.lib.publish.report.indicator import detail_name, dimension_label, value_cells
from dagster_project.lib.publish.report.languages import catalogue
from dagster_project.lib.publish.report.languages.catalogue import ENGLISH, N_, Language, _, speaking
from dagster_project.lib.publish.report.languages.names import Names
from dagster_project.lib.publish.report.languages.rules import rule_name
from dagster_project.lib.publish.report.making.kept import KeptPages, each_community
from dagster_project.lib.publish.report.marts import INTERNAL, PUBLIC, Marts, ReportContext, ReportError, read_marts
from dagster_project.lib.publish.report.national.glossary import vocabularies
from dagster_project.lib.publish.report.national.over_years import over_years_page
from dagster_project.lib.publish.report.national.rows import NationalRows, read_national
from dagster_project.lib.publish.report.national.since_release import sections
from dagster_project.lib.publish.report.network import network_page
from dagster_project.lib.publish.report.quality import quality_page
from dagster_project.lib.publish.report.sentences.trend import interval_name
from dagster_project.lib.publish.report.stacking import stacked
from dagster_project.lib.publish.report.values_file import values_csv

EDITION_NOTICES: Mapping[str, str] = {
    INTERNAL: N_("Internal: contains small groups, not for distribution"),
    PUBLIC: N_("Public: figures that could say something about a small group are withheld"),
}
REPORT = "report"
_TEMPLATES = Path(__file__).parent / "templates"
_COMPILED = templates.Compiled()


@dataclass(frozen=True)
class Edition:
    """An edition in one language: how its pages are made, and where they lie below the report's folder."""

    name: str
    language: Language
    names: Names
    environment: Environment
    languages: Sequence[Language]
    details: Sequence[str]

    @property
    def folder(self) -> str:
        """The folder of the language's pages: none for English, whose addresses stay what they were."""
        return _folder(self.language)

    def has(self, page: str) -> bool:
        """Whether the edition has a page in this language: some are in English alone."""
        is_detail = page.count("/") > 1
        return not is_detail or self.language.code in self.details

    def render(self, template: str, page: str, **view: Any) -> str:
        """A page from a template, with the addresses of the same page in the other languages."""
        root = "../" * page.count("/")
        top = root + "../" * self.folder.count("/")
        elsewhere = [
            (other, f"{top}{_folder(other)}{quote(page)}")
            for other in self.languages
            if other is not self.language and replace(self, language=other).has(page)
        ]
        html = self.environment.get_template(template).render(root=root, program_root=top, elsewhere=elsewhere, **view)
        # No sign that acts on what stands around it is any page's own: all of them are text of a file.
        return visible(stacked(html))


def _folder(language: Language) -> str:
    return "" if language.code == ENGLISH else f"{language.code}/"


def _span(attribute: str, key: str, text: object) -> Markup:
    """A figure with what it is traced by: a column, a count or a share (tests/traced.py)."""
    return Markup('<span {}="{}">{}</span>').format(attribute, key, text)


def _environment(context: ReportContext, names: Names) -> Environment:
    environment = templates.environment(_TEMPLATES)
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(catalogue.text, catalogue.texts, newstyle=True)  # type: ignore[attr-defined]
    filters: list[Callable[..., str]] = [
        *(words.number, words.signed, words.count, words.figure, words.years_text, words.value_text),
        *(words.status_words, words.gap_words, words.certainty_words, words.target_words, words.gap_verdict),
        *(words.designation_words, words.gateway_words, words.measure_words, words.severity_words),
        *(words.horizon_words, words.role_words, words.kind_words, words.evidence_words),
        *(words.humanized, words.sentence_case, words.years_counted, words.unit_of_change, words.joined),
        *(words.spelled, words.day, names.term, rule_name),
    ]
    environment.filters.update({f.__name__: f for f in filters})
    environment.filters["named"] = names.marked
    environment.filters["value_cells"] = value_cells
    environment.filters["urlpath"] = lambda name: quote(str(name))
    environment.filters["detail_href"] = lambda ident: f"{quote(detail_name(ident))}.html"
    environment.filters["slug"] = lambda text: re.sub(r"[^a-z0-9]+", "-", str(text).lower())
    limits = context.limits()
    environment.filters["simulated_words"] = lambda code: words.simulated_words(code, limits)
    environment.globals.update(
        context=context,
        limit=lambda name: limits.get(name) or _("(not set)"),
        limit_percent=lambda name: (
            f"{words.number(100 * float(limits[name]))}%" if limits.get(name) else _("(not set)")
        ),
        gap_classes=[
            (words.gap_words(c), c, words.filled(_(meaning), limits))
            for c, (_label, meaning) in words.GAP_WORDS.items()
        ],
        percent_share=words.share,
        interval=interval_name(limits),
        cell=partial(_span, "data-col"),
        count_span=lambda where, n: _span("data-count", where, words.count(n)),
        share_span=partial(_span, "data-share"),
        only_english="",
    )
    return environment


def _deciding_dimensions(marts: Marts, context: ReportContext) -> str:
    """The dimensions whose gaps decide designations, in words within a sentence."""
    return words.joined([dimension_label(marts, code).lower() for code in context.deciding()]) or _("(not set)")


def _write(path: Path, text: str, released: Path | None) -> Path:
    """Write a file; where a released one holds the same bytes it is that one under a second name, which costs less."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Bytes, not text mode: the same line ends on every platform.
    data = text.encode("utf-8")
    if released is None or not _is_linked(path, data, released):
        path.write_bytes(data)
    return path


def _is_linked(path: Path, data: bytes, released: Path) -> bool:
    try:
        if released.read_bytes() != data:
            return False
        path.hardlink_to(released)
    except OSError:
        # There is none, it lies on another file system or belongs to somebody else: a link saves, nothing needs it.
        return False
    return True


def write_report(
    connection: Connection,
    out: Path,
    edition: str,
    context: ReportContext,
    kept: Path | None = None,
    released: Path | None = None,
) -> list[Path]:
    """Write `report/` below the release folder `out` and return the files written, sorted.

    Pages: index.html, over-the-years.html, methods.html, data-quality.html, glossary.html (where the release has its
    words), explore.html with the files of its folder, style.css, communities/{community_id}.html (the report card);
    beside the card a folder with a page, a CSV and an SVG for each indicator, standing.html, sources.html, and in the
    internal edition submissions.html. The folder needs nothing from outside (explore.html alone runs scripts, those
    of its folder), and is byte for byte the same for the same marts and context. `kept`: a folder of this edition where
    pages of communities lie from the last time; those whose inputs are the same are taken from there. `released`: the
    folder of a release; files that are the same as there are linked and not written again. ReportError for
    an unknown edition, when the marts are not complete, or when public pages would be made of internal marts: this
    report protects nothing.
    """
    if edition not in EDITION_NOTICES:
        raise ReportError(f"no {edition!r} edition: only {' and '.join(EDITION_NOTICES)} can be written")
    marts = read_marts(connection, context.reporting_year, edition)
    national = read_national(connection, marts.year)
    # Pages are made with marks for what the release is called, so that the next release can have the same ones.
    stated: dict[str, Any] = {**MARKS}
    marked = replace(context, **stated, since=None)
    spoken = [catalogue.language(code) for code in context.languages]
    editions = [_edition(edition, language, spoken, marts, marked) for language in spoken]
    report = out / REPORT

    called = {language.code: _called(context, language) for language in spoken}

    def write(language: Language, name: str, text: str) -> Path:
        for mark, said in called[language.code].items():
            text = text.replace(mark, said)
        return _write(report / name, text, released and released / REPORT / name)

    written, beside = [], explored(marts, context, national.trends)
    for each in editions:
        with speaking(each.language):
            own = each.names.marts(marts)
            pages = _network_pages(each, own, national, beside)
            written += [write(each.language, f"{each.folder}{name}", text) for name, text in pages]
    kept_pages = KeptPages(kept, edition, marked)
    for community, rows in each_community(marts):
        make = partial(_every_language, editions, rows, marked, community)
        files = kept_pages.files(community["community_id"], rows, make)
        for name, text in files.items():
            said = next((e.language for e in editions if e.folder and name.startswith(e.folder)), spoken[0])
            written.append(write(said, name, text))
    kept_pages.tidy()
    return sorted(written)


def _called(context: ReportContext, language: Language) -> Mapping[str, str]:
    """What stands in place of each mark on a page of a language."""
    called = {mark: str(getattr(context, name)) for name, mark in MARKS.items()}
    called[MARKS["today"]] = language.day(context.today)
    since = {} if context.since is None else sections(context.since, [language.code])
    if not since and context.release_id != MARKS["release_id"]:
        since = {since_mark(language.code): ""}
    return {mark: str(escape(said)) for mark, said in called.items()} | since


def _edition(
    name: str, language: Language, languages: Sequence[Language], marts: Marts, marked: ReportContext
) -> Edition:
    """An edition in a language, with what all of its pages say."""
    with speaking(language):
        names = Names(language, marked.names.get(language.code, {}))
        environment = _environment(names.context(marked), names)
        own = names.marts(marts)
        environment.globals.update(
            edition=name,
            notice=_(EDITION_NOTICES[name]),
            english_notice=EDITION_NOTICES[name],
            year=marts.year,
            spoken=language,
            since_release=Markup(since_mark(language.code)),
        )
        environment.globals.update(deciding_dimensions=_deciding_dimensions(own, marked))
    called = _names_of_codes(own)
    environment.filters["without_codes"] = lambda text: _LISTED_CODE.sub(lambda m: called.get(m[0], m[0]), text)
    environment.filters["indicator_name"] = lambda ident: (
        own.indicators[ident]["name"] if ident in own.indicators else words.sentence_case(words.humanized(ident))
    )
    templates.share(environment, _COMPILED)
    details = marked.languages if marked.details is None else (ENGLISH, *marked.details)
    return Edition(name, language, names, environment, languages, details)


# A code in the list that a stored remark ends with: `2 of 7 (employment, early_grade_reading)`.
_LISTED_CODE = re.compile(r"(?<=[( ])[a-z][a-z0-9_]*(?=[,)])")


def _names_of_codes(marts: Marts) -> Mapping[str, str]:
    """What indicators, outcomes and gateways are called, by the codes that stored remarks list."""
    indicators = {ident: str(row["name"]) for ident, row in marts.indicators.items()}
    outcomes = {str(row["outcome_id"]): str(row["name"]) for row in marts.outcomes}
    return {**indicators, **outcomes, **{code: words.gateway_words(code) for code in words.GATEWAYS}}


def _network_pages(
    edition: Edition, marts: Marts, national: NationalRows, beside: Explored
) -> Iterator[tuple[str, str]]:
    """The pages of the network in one language, and what lies beside them: path and text."""

    def page(name: str, template: str, **view: Any) -> tuple[str, str]:
        return name, edition.render(template, name, here=name, **view)

    yield "style.css", edition.environment.get_template("_style.html").render()
    yield page("index.html", "index.html", **network_page(marts, national))
    yield page("over-the-years.html", "over_years.html", **over_years_page(marts, national))
    yield page("methods.html", "methods.html", simulated=marts.simulated)
    yield page("data-quality.html", "data_quality.html", **quality_page(marts))
    yield page("explore.html", "explore.html")
    yield f"{FOLDER}/{NAMES}", beside.names(marts, f"../{FOLDER}/" if edition.folder else "")
    if not edition.folder:
        yield from ((f"{FOLDER}/{name}", text) for name, text in beside.files.items())
    if national.statuses:
        rows = edition.names.statuses(national.statuses)
        yield page("glossary.html", "glossary.html", vocabularies=vocabularies(rows, edition.name == PUBLIC))


def _every_language(
    editions: Sequence[Edition], marts: Marts, context: ReportContext, community: Row
) -> Iterator[tuple[str, str]]:
    """A community's pages in every language."""
    for edition in editions:
        with speaking(edition.language):
            for name, text in _community_files(edition, edition.names.marts(marts), context, community):
                yield f"{edition.folder}communities/{name}", text


def _community_files(
    edition: Edition, marts: Marts, context: ReportContext, community: Row
) -> Iterator[tuple[str, str]]:
    """A community's card, and its further pages and files in a folder beside it: path and text."""
    ident = community["community_id"]
    view = community_page(marts, context, community)
    card, folder = page_name(ident), folder_name(ident)
    whole = edition.has(f"communities/{folder}/")
    beside_card = f"{quote(folder)}/" if whole else f"../../communities/{quote(folder)}/"
    own: dict[str, Any] = {} if whole else {"only_english": Markup(' hreflang="en"')}

    def beside(name: str, template: str, **more: Any) -> tuple[str, str]:
        csv_href = "" if not edition.folder else f"../../../communities/{quote(folder)}/"
        hrefs = {"card_href": f"../{quote(card)}", "folder_href": "", "csv_href": csv_href}
        path = f"communities/{folder}/{name}.html"
        return f"{folder}/{name}.html", edition.render(template, path, here=name, **hrefs, **view, **more)

    yield (
        card,
        edition.render(
            "community.html",
            f"communities/{card}",
            here="",
            folder_href=beside_card,
            card=report_card(marts, community, view["indicators"]),
            **own,
            **view,
        ),
    )
    if not whole:
        return
    yield beside("standing", "standing.html")
    yield beside("sources", "sources.html")
    if edition.name == INTERNAL:
        yield beside("submissions", "submissions.html")
    for each in view["indicators"]:
        yield beside(each["file"], "indicator.html", **detail(marts, ident, each))
        if not edition.folder:
            yield f"{folder}/{each['file']}.csv", values_csv(marts, each, edition.name)
        if each["chart"]:
            yield f"{folder}/{each['file']}.svg", visible(svg_file(each["chart"]))
