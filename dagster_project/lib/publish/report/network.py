"""The report's first page: the network in counts of stored statuses, communities by name.

Belongs here: outcomes, indicators, gateways and designations over all communities, and the list of communities.
Does not: rank communities, compute an estimate, or lay out the page (templates/index.html).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from urllib.parse import quote

from markupsafe import Markup

from dagster_project.lib.publish.report import certainty, words
from dagster_project.lib.publish.report.arranging import GAP_ORDER, TOTAL, Row, headline, page_name, rank, tally
from dagster_project.lib.publish.report.charts.spread import SpreadRow, share_bar, spread_chart
from dagster_project.lib.publish.report.languages.catalogue import _
from dagster_project.lib.publish.report.marts import Marts
from dagster_project.lib.publish.report.national import standing
from dagster_project.lib.publish.report.national.rows import NationalRows

STATUS_ORDER = ("improving", "maintained", "declining", "mixed", "undetermined")
WITH_WITHHELD = (*STATUS_ORDER, words.WITHHELD)


def _network_indicators(marts: Marts) -> list[Row]:
    position = {o["outcome_id"]: i for i, o in enumerate(marts.outcomes)}
    rows = [
        {**r, "indicator": marts.indicators[r["indicator_id"]]}
        for r in marts.network_trends
        if r["population_group_id"] == TOTAL and r["indicator_id"] in marts.indicators
    ]
    return sorted(
        rows,
        key=lambda r: (
            position.get(r["indicator"]["outcome_id"], 10**6),
            r["indicator"]["role"] != "core",
            r["indicator"]["name"],
        ),
    )


def _spread(rows: Sequence[Row]) -> Markup | None:
    """The chart of medians and quartiles; one scale, so only indicators in percent."""
    shown = [
        SpreadRow(
            r["indicator"]["name"],
            _("lower is better") if r["indicator"]["direction"] == -1 else "",
            r["slope_q1"],
            r["slope_median"],
            r["slope_q3"],
            f"fct_network_trend:{r['indicator_id']}/{r['population_group_id']}/{r['reporting_year']}",
        )
        for r in rows
        if r["indicator"]["unit"] == "percent"
    ]
    if not any(r.middle is not None for r in shown):
        return None
    title = _("Yearly change by indicator: median and quartiles of communities")
    return spread_chart("network", title, "percent", shown)


def _network_outcomes(marts: Marts, every: Sequence[Row]) -> list[Row]:
    result = []
    for outcome in marts.outcomes:
        rows = [r for r in every if r["outcome_id"] == outcome["outcome_id"]]
        if rows:
            trend = tally((r["trend_status"] for r in rows), WITH_WITHHELD)
            gap = tally((r["gap_reduced"] for r in rows), (*GAP_ORDER, words.WITHHELD))
            shown = [(words.status_words(code), code, n) for code, n in trend if n or code != words.WITHHELD]
            bar = share_bar(shown, f"fct_outcome_status|outcome_id={outcome['outcome_id']}|trend_status=")
            result.append({"outcome": outcome, "trend": dict(trend), "gap": dict(gap), "n": len(rows), "bar": bar})
            result[-1]["certain"] = dict(certainty.counted(rows, "improving"))[certainty.CERTAIN]
    return result


def _community_list(marts: Marts) -> list[Row]:
    """Every community, by name: where it stands in its own work, nothing that could be read as a league table."""
    status = {r["community_id"]: r["status"] for r in marts.submissions if r["reporting_year"] == marts.year}
    result = []
    for community in marts.communities:
        ident = community["community_id"]
        gateway = (marts.gateway_status.get(ident) or [{}])[0]
        standing = [d for d in marts.designations.get(ident, []) if d["standing"] not in (None, "none")]
        result.append(
            {
                "community": community,
                "left_year": marts.left_year(community),
                "href": quote(page_name(ident)),
                "submission": status.get(ident),
                "operating_in": gateway.get("operating_in"),
                "designations": standing,
            }
        )
    return result


def _designation_summary(marts: Marts) -> list[Row]:
    names = {c["community_id"]: c["name"] for c in marts.communities}
    members = marts.members()
    every = [d for c, rows in marts.designations.items() if c in members for d in rows]
    result = []
    for code in sorted({d["designation"] for d in every}, key=lambda c: (rank(words.DESIGNATIONS, c), c)):
        rows = [d for d in every if d["designation"] == code]
        result.append(
            {
                "designation": code,
                "status": dict(tally((d["status"] for d in rows), ("eligible", "not_eligible", "undetermined"))),
                "held": sorted(
                    (
                        {"name": names.get(d["community_id"], d["community_id"]), **d}
                        for d in rows
                        if d["standing"] not in (None, "none")
                    ),
                    key=lambda d: (d["name"].casefold(), d["community_id"]),
                ),
            }
        )
    return result


def network_page(marts: Marts, national: NationalRows) -> Row:
    """What index.html shows; counts of stored statuses only, communities in alphabetical order."""
    members = marts.members()
    outcomes = [r for c, rows in marts.outcome_status.items() if c in members for r in rows]
    trends = [r for c, rows in marts.trends.items() if c in members for r in rows]
    every = certainty.of_outcomes(outcomes, trends, marts.indicators)
    indicators = _network_indicators(marts)
    statuses = [r for r in marts.submissions if r["reporting_year"] == marts.year and r["community_id"] in members]
    gateways = Counter(r["operating_in"] for c, rows in marts.gateway_status.items() if c in members for r in rows)
    known = [g for g in (*words.GATEWAYS, "completed") if gateways[g]]
    return {
        "improving": headline(every, "trend_status", "improving"),
        "reduced": headline(every, "gap_reduced", "met"),
        "improving_certainty": certainty.improving_sentence(certainty.counted(every, "improving")),
        "improving_chance": certainty.chance_of_improving(certainty.by_chance(marts.simulated, "outcome_improving")),
        "reduced_chance": certainty.chance_of_reduced_gaps(
            certainty.by_chance(marts.simulated, "outcome_gaps_reduced")
        ),
        "n_members": len(members),
        "n_left": sum(marts.left_year(c) is not None for c in marts.communities),
        "n_joining": sum(marts.joins_later(c) for c in marts.communities),
        "outcomes": _network_outcomes(marts, every),
        "indicators": indicators,
        "spread": _spread(indicators),
        "later_years": sorted({r["reporting_year"] for r in marts.submissions if r["reporting_year"] > marts.year}),
        "submissions": sorted(Counter(r["status"] for r in statuses).items(), key=lambda i: (-i[1], i[0])),
        "n_submissions": len(statuses),
        "gateways": [(g, gateways[g]) for g in known],
        "designations": _designation_summary(marts),
        "reach": standing.reach(marts, national),
        "spread_counts": standing.spread(marts, indicators),
        "target_counts": standing.targets(marts),
        "since": standing.since_last_year(marts, national),
        "due": standing.due(marts, national),
        "has_glossary": bool(national.statuses),
        **_filtered(_community_list(marts)),
    }


def _gateway_name(code: str | None) -> str | None:
    return words.gateway_words(code) if code in words.GATEWAY_WORDS else None


def _filtered(communities: list[Row]) -> Row:
    """The list with what it can be narrowed by: a choice is a number, so that no text of a member becomes a class."""
    gateways = [words.gateway_words(code) for code in words.GATEWAY_WORDS]
    statuses = [words.status_words(code) for code in words.SUBMISSION_ORDER]
    wanted: Sequence[tuple[str, str, Sequence[str], Callable[[Row], str | None]]] = (
        ("state", _("State"), [], lambda c: c["community"]["state"]),
        ("gateway", _("Gateway"), gateways, lambda c: _gateway_name(c["operating_in"])),
        (
            "files",
            _("Submission"),
            statuses,
            lambda c: words.status_words(c["submission"]) if c["submission"] else None,
        ),
    )
    filters: list[tuple[str, str, list[str]]] = []
    classes: list[list[str]] = [[] for _ in communities]
    for name, legend, order, value in wanted:
        choices = sorted({str(value(c)) for c in communities if value(c)}, key=lambda said: (rank(order, said), said))
        if len(choices) > 1:
            filters.append((name, legend, choices))
            for own, community in zip(classes, communities, strict=True):
                known = value(community)
                own.append(f"{name}-{choices.index(str(known)) + 1 if known else 'none'}")
    rows = [{**c, "filtered": " ".join(own)} for c, own in zip(communities, classes, strict=True)]
    return {"communities": rows, "filters": filters}
