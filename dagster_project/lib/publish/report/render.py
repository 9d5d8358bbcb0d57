"""The national report: pages that are plain, printable and accessible, written below a release.

Belongs here: templates with their filters and globals, editions that may be written, the files of the report.
Does not: read tables (marts), arrange rows, protect small groups (public pages are made of public marts alone).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import escape

from dagster_project.lib.base import templates
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.shown import visible
from dagster_project.lib.publish.release.release import MARKS
from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import Row, folder_name, page_name
from dagster_project.lib.publish.report.card import detail, report_card
from dagster_project.lib.publish.report.charts.frame import svg_file
from dagster_project.lib.publish.report.community import community_page
from dagster_project.lib.publish.report.explore.figures import FOLDER, explore_files
from dagster_project.lib.publish.report.indicator import detail_name, dimension_label, value_cells
from dagster_project.lib.publish.report.making.kept import KeptPages, each_community
from dagster_project.lib.publish.report.marts import INTERNAL, PUBLIC, Marts, ReportContext, ReportError, read_marts
from dagster_project.lib.publish.report.national.glossary import vocabularies
from dagster_project.lib.publish.report.national.over_years import over_years_page
from dagster_project.lib.publish.report.national.rows import read_national
from dagster_project.lib.publish.report.network import network_page
from dagster_project.lib.publish.report.quality import quality_page
from dagster_project.lib.publish.report.stacking import stacked
from dagster_project.lib.publish.report.values_file import values_csv

EDITION_NOTICES: Mapping[str, str] = {
    INTERNAL: "Internal: contains small groups, not for distribution",
    PUBLIC: "Public: figures that could say something about a small group are withheld",
}
_TEMPLATES = Path(__file__).parent / "templates"


def _environment(context: ReportContext) -> Environment:
    environment = templates.environment(_TEMPLATES)
    filters: list[Callable[..., str]] = [
        words.number,
        words.signed,
        words.count,
        words.status_words,
        words.gap_words,
        words.certainty_words,
        words.target_words,
        words.gap_verdict,
        words.figure,
        words.years_text,
        words.value_text,
        words.humanized,
        words.sentence_case,
        words.plural,
        words.unit_of_change,
    ]
    environment.filters.update({f.__name__: f for f in filters})
    environment.filters["designation_words"] = lambda code: words.DESIGNATION_WORDS.get(code, words.humanized(code))
    environment.filters["gateway_words"] = lambda code: words.GATEWAY_WORDS.get(
        code, words.humanized(code or "unknown")
    )
    environment.filters["value_cells"] = value_cells
    environment.filters["urlpath"] = lambda name: quote(str(name))
    environment.filters["detail_href"] = lambda ident: f"{quote(detail_name(ident))}.html"
    environment.filters["slug"] = lambda text: re.sub(r"[^a-z0-9]+", "-", str(text).lower())
    limits = context.limits()
    environment.filters["simulated_words"] = lambda code: words.simulated_words(code, limits)
    environment.filters["spelled"] = words.spelled
    environment.globals.update(
        context=context,
        limit=lambda name: limits.get(name) or "(not set)",
        limit_percent=lambda name: f"{words.number(100 * float(limits[name]))}%" if limits.get(name) else "(not set)",
        gap_classes=[
            (words.gap_words(c), c, words.filled(meaning, limits)) for c, (_, meaning) in words.GAP_WORDS.items()
        ],
        percent_share=words.share,
        confidence=words.confidence_text(limits),
    )
    return environment


def _deciding_dimensions(marts: Marts, context: ReportContext) -> str:
    """The dimensions whose gaps decide designations, in words within a sentence."""
    return words.joined([dimension_label(marts, code).lower() for code in context.deciding()]) or "(not set)"


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Bytes, not text mode: the same line ends on every platform.
    path.write_bytes(text.encode("utf-8"))
    return path


def write_report(
    connection: Connection, out: Path, edition: str, context: ReportContext, kept: Path | None = None
) -> list[Path]:
    """Write `report/` below the release folder `out` and return the files written, sorted.

    Pages: index.html, over-the-years.html, methods.html, data-quality.html, glossary.html (where the release has its
    words), explore.html with the files of its folder, style.css, communities/{community_id}.html (the report card);
    beside the card a folder with a page, a CSV and an SVG for each indicator, standing.html, sources.html, and in the
    internal edition submissions.html. The folder needs nothing from outside (explore.html alone runs a script, the one
    in its folder), and is byte for byte the same for the same marts and context. `kept`: a folder of this edition where
    pages of communities lie from the last time; those whose inputs are the same are taken from there. ReportError for
    an unknown edition, when the marts are not complete, or when public pages would be made of internal marts: this
    report protects nothing.
    """
    if edition not in EDITION_NOTICES:
        raise ReportError(f"no {edition!r} edition: only {' and '.join(EDITION_NOTICES)} can be written")
    marts = read_marts(connection, context.reporting_year, edition)
    national = read_national(connection, marts.year)
    # Pages are made with marks for what the release is called, so that the next release can have the same ones.
    stated: dict[str, Any] = {**MARKS}
    marked = replace(context, **stated)
    names = {mark: str(escape(getattr(context, name))) for name, mark in MARKS.items()}
    environment = _environment(marked)
    environment.globals.update(edition=edition, notice=EDITION_NOTICES[edition], year=marts.year)
    environment.globals.update(deciding_dimensions=_deciding_dimensions(marts, context))
    environment.filters["indicator_name"] = lambda ident: (
        marts.indicators[ident]["name"] if ident in marts.indicators else words.sentence_case(words.humanized(ident))
    )
    report = out / "report"

    def write(name: str, text: str) -> Path:
        for mark, called in names.items():
            text = text.replace(mark, called)
        return _write(report / name, text)

    def page(name: str, template: str, **view: Any) -> Path:
        html = environment.get_template(template).render(root="", here=name, **view)
        return write(name, visible(stacked(html)))

    written = [
        write("style.css", environment.get_template("_style.html").render()),
        page("index.html", "index.html", **network_page(marts, national)),
        page("over-the-years.html", "over_years.html", **over_years_page(marts, national)),
        page("methods.html", "methods.html", simulated=marts.simulated),
        page("data-quality.html", "data_quality.html", **quality_page(marts)),
        page("explore.html", "explore.html"),
    ]
    if national.statuses:
        words_used = vocabularies(national.statuses, edition == PUBLIC)
        written.append(page("glossary.html", "glossary.html", vocabularies=words_used))
    for name, text in explore_files(marts, context).items():
        written.append(write(f"{FOLDER}/{name}", text))
    pages = KeptPages(kept, edition, marked)
    for community, rows in each_community(marts):
        make = partial(_community_files, environment, edition, rows, marked, community)
        files = pages.files(community["community_id"], rows, make)
        written += [write(f"communities/{name}", text) for name, text in files.items()]
    pages.tidy()
    return sorted(written)


def _community_files(
    environment: Environment, edition: str, marts: Marts, context: ReportContext, community: Row
) -> Iterator[tuple[str, str]]:
    """A community's card, and its further pages and files in a folder beside it: path and text."""
    ident = community["community_id"]
    view = community_page(marts, context, community)
    card, folder = page_name(ident), folder_name(ident)

    def render(template: str, here: str, root: str, **more: Any) -> str:
        hrefs = {"card_href": f"../{quote(card)}", "folder_href": "" if here else f"{quote(folder)}/"}
        html = environment.get_template(template).render(root=root, here=here, **hrefs, **view, **more)
        # No sign that acts on what stands around it is any page's own: all of them are text of a file.
        return visible(stacked(html))

    def beside(name: str, template: str, **more: Any) -> tuple[str, str]:
        return f"{folder}/{name}.html", render(template, name, "../../", **more)

    yield card, render("community.html", "", "../", card=report_card(marts, community, view["indicators"]))
    yield beside("standing", "standing.html")
    yield beside("sources", "sources.html")
    if edition == INTERNAL:
        yield beside("submissions", "submissions.html")
    for each in view["indicators"]:
        yield beside(each["file"], "indicator.html", **detail(marts, ident, each))
        yield f"{folder}/{each['file']}.csv", values_csv(marts, each, edition)
        if each["chart"]:
            yield f"{folder}/{each['file']}.svg", visible(svg_file(each["chart"]))
