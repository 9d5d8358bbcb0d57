"""The national report: pages that are plain, printable and accessible, written below a release.

Belongs here: templates with their filters and globals, editions that may be written, the files of the report.
Does not: read tables (marts), arrange rows, protect small groups (public pages are made of public marts alone).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment

from dagster_project.lib.base import templates
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import page_name
from dagster_project.lib.publish.report.community import community_page, dimension_label
from dagster_project.lib.publish.report.marts import INTERNAL, PUBLIC, Marts, ReportContext, ReportError, read_marts
from dagster_project.lib.publish.report.network import network_page
from dagster_project.lib.publish.report.quality import quality_page

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


def write_report(connection: Connection, out: Path, edition: str, context: ReportContext) -> list[Path]:
    """Write `report/` below the release folder `out` and return the files written, sorted.

    Pages: index.html, methods.html, data-quality.html, communities/{community_id}.html. Self-contained (no script, no
    asset), and byte for byte the same for the same marts and context. Raises ReportError for an unknown edition, when
    the marts are not complete, or when public pages would be made of internal marts: this report protects nothing.
    """
    if edition not in EDITION_NOTICES:
        raise ReportError(f"no {edition!r} edition: only {' and '.join(EDITION_NOTICES)} can be written")
    marts = read_marts(connection, context.reporting_year, edition)
    environment = _environment(context)
    environment.globals.update(edition=edition, notice=EDITION_NOTICES[edition], year=marts.year)
    environment.globals.update(deciding_dimensions=_deciding_dimensions(marts, context))
    report = out / "report"

    def page(name: str, template: str, **view: Any) -> Path:
        return _write(report / name, environment.get_template(template).render(root="", here=name, **view))

    written = [
        page("index.html", "index.html", **network_page(marts)),
        page("methods.html", "methods.html", simulated=marts.simulated),
        page("data-quality.html", "data_quality.html", **quality_page(marts)),
    ]
    template = environment.get_template("community.html")
    for community in marts.communities:
        text = template.render(root="../", here="", **community_page(marts, context, community))
        written.append(_write(report / "communities" / page_name(community["community_id"]), text))
    return sorted(written)
