"""What changed since the release before, in words: a section of index.html that quotes counts of the manifest alone.

Belongs here: the section in the language spoken, each count with the field of the manifest that it is traced by.
Does not: count (release/compare.py, receipts/difference.py), or say what changed since the last year (standing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from markupsafe import Markup

from dagster_project.lib.publish.release.compare import COMPARED, FIRST
from dagster_project.lib.publish.release.release import SINCE, since_mark
from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.languages import catalogue
from dagster_project.lib.publish.report.languages.catalogue import _, ngettext, speaking

# Each count by its name in the manifest: the sentence for one, for another number.
SENTENCES: Mapping[str, Callable[[int, Markup], str]] = {
    "values_new": lambda n, shown: ngettext("%(n)s value is new.", "%(n)s values are new.", n, n=shown),
    "values_changed": lambda n, shown: ngettext("%(n)s value has changed.", "%(n)s values have changed.", n, n=shown),
    "values_withheld": lambda n, shown: ngettext(
        "%(n)s of the changed values is withheld now.", "%(n)s of the changed values are withheld now.", n, n=shown
    ),
    "values_gone": lambda n, shown: ngettext(
        "%(n)s value is no longer there.", "%(n)s values are no longer there.", n, n=shown
    ),
    "values_communities": lambda n, shown: ngettext(
        "These are values of %(n)s community.", "These are values of %(n)s communities.", n, n=shown
    ),
    "statuses_moved": lambda n, shown: ngettext(
        "%(n)s status of a trend, a gap or an outcome moved.",
        "%(n)s statuses of trends, gaps and outcomes moved.",
        n,
        n=shown,
    ),
    "designations_moved": lambda n, shown: ngettext(
        "%(n)s status of a designation, a gateway or a criterion moved.",
        "%(n)s statuses of designations, gateways and criteria moved.",
        n,
        n=shown,
    ),
    "judged_new": lambda n, shown: ngettext(
        "%(n)s status is there for the first time.", "%(n)s statuses are there for the first time.", n, n=shown
    ),
    "judged_gone": lambda n, shown: ngettext(
        "%(n)s status is no longer there.", "%(n)s statuses are no longer there.", n, n=shown
    ),
}


def section(since: Mapping[str, Any]) -> Markup:
    """The section in the language spoken. `since`: as a manifest states it (`since_stated` in release/compare.py)."""
    heading = Markup('<h2 id="since-release">{}</h2>').format(_("Since the last release"))
    told = _compared(since) if since["state"] == COMPARED else Markup("<p>{}</p>").format(_not_compared(since["state"]))
    return heading + "\n" + told


def _not_compared(state: str) -> str:
    if state == FIRST:
        return _("This is the first release: there is none before it to compare it with.")
    return _("There is nothing to compare this release with: the one before it was withdrawn or is not kept.")


def _compared(since: Mapping[str, Any]) -> Markup:
    against = {"before": _shown("release_id", since["release_id"]), "day": _shown("today", words.day(since["today"]))}
    said = [sentence(since[name], _shown(name, words.count(since[name]))) for name, sentence in _told(since)]
    if not said:
        # A public edition states values alone; no edition states every status that a release holds.
        none = (
            _(
                "Compared with release %(before)s of %(day)s no value has changed, and no status of a trend, a gap, an "
                "outcome, a designation, a gateway or a criterion.",
                **against,
            )
            if "statuses_moved" in since
            else _("Compared with release %(before)s of %(day)s no value has changed.", **against)
        )
        return Markup("<p>{}</p>").format(Markup(none))
    items = Markup("\n").join(Markup("<li>{}</li>").format(Markup(each)) for each in said)
    meant = _("A value is one figure of a community: of an indicator, a group, a place and a school year.")
    told = Markup(_("Compared with release %(before)s of %(day)s:", **against))
    return Markup('<p>{}</p>\n<ul>\n{}\n</ul>\n<p class="small">{}</p>').format(told, items, meant)


def _told(since: Mapping[str, Any]) -> list[tuple[str, Callable[[int, Markup], str]]]:
    """The counts that are told: an edition does not state all of them, and of none of a kind nothing is said."""
    return [(name, sentence) for name, sentence in SENTENCES.items() if since.get(name)]


def sections(since: Mapping[str, Any], languages: Iterable[str]) -> dict[str, str]:
    """The section by the mark that stands for it on the pages of each language."""
    found = {}
    for code in languages:
        with speaking(catalogue.language(code)):
            found[since_mark(code)] = str(section(since))
    return found


def _shown(name: str, text: object) -> Markup:
    """A figure with the field of the manifest that it is traced by (tests/traced.py)."""
    return Markup('<span data-manifest="{}.{}">{}</span>').format(SINCE, name, text)
