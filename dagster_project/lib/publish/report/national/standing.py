"""Where the network stands this year: reach, spread of yearly changes, targets, what changed, what is due.

Belongs here: sections of index.html that count stored rows of all members, with what each count is over.
Does not: name communities in the order of a figure, or compute one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import TOTAL, Row, rank
from dagster_project.lib.publish.report.languages.catalogue import _
from dagster_project.lib.publish.report.marts import Marts
from dagster_project.lib.publish.report.national.rows import NationalRows

# Yearly changes in percentage points; the outer classes are open.
_EDGES = (-2.0, -1.0, 0.0, 1.0, 2.0)
# `superseded` is not among them: a target that another one replaced is not counted.
_TARGET_ORDER = ("met", "on_track", "off_track", "met_late", "missed", words.UNDETERMINED, words.WITHHELD)


def reach(marts: Marts, national: NationalRows) -> Row:
    """Communities, states, and the newest year of places and children, where the network states them."""
    members = marts.members()
    states = {c["state"] for c in marts.communities if c["community_id"] in members and c["state"]}
    known = [r for r in national.reach if r["reach_year"] <= marts.year]
    return {"communities": len(members), "states": len(states), "places": known[-1] if known else None}


def _between(low: float | None, high: float | None) -> tuple[str, str]:
    """The label of a class of yearly changes, and how its rows are found."""
    if low is None:
        return _("fell by more than %(low)s", low=f"{-(high or 0):.0f}"), f"slope<{high}"
    if high is None:
        return _("rose by %(low)s or more", low=f"{low:.0f}"), f"slope>={low}"
    found = f"slope>={low}|slope<{high}"
    if high <= 0:
        if high == 0:
            return _("fell, by up to %(high)s", high=f"{-low:.0f}"), found
        return _("fell by %(low)s to %(high)s", low=f"{-high:.0f}", high=f"{-low:.0f}"), found
    if low == 0:
        return _("rose or stayed, by less than %(high)s", high=f"{high:.0f}"), found
    return _("rose by %(low)s to %(high)s", low=f"{low:.0f}", high=f"{high:.0f}"), found


def spread(marts: Marts, indicators: Sequence[Row]) -> Row:
    """How many communities' yearly change lies in each class, for indicators in percent: a spread without names."""
    members = marts.members()
    slopes: dict[str, list[float]] = {}
    for community, trends in marts.trends.items():
        for trend in trends:
            if community in members and trend["population_group_id"] == TOTAL and trend["slope"] is not None:
                slopes.setdefault(trend["indicator_id"], []).append(trend["slope"])
    classes = list(zip((None, *_EDGES), (*_EDGES, None), strict=True))
    rows = []
    for each in indicators:
        own = slopes.get(each["indicator_id"], [])
        if each["indicator"]["unit"] == "percent" and own:
            counts = [
                (sum((low is None or s >= low) and (high is None or s < high) for s in own), _between(low, high)[1])
                for low, high in classes
            ]
            rows.append({"indicator": each["indicator"], "counts": counts})
    return {"heads": [_between(low, high)[0] for low, high in classes], "rows": rows}


def targets(marts: Marts) -> list[Row]:
    """Targets in force for everyone, by indicator and status; a target that another one replaced is not counted."""
    members = marts.members()
    every = [
        t
        for community, rows in marts.targets.items()
        for t in rows
        if community in members and t["population_group_id"] == TOTAL and t["status"] in _TARGET_ORDER
    ]
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for target in every:
        counted[target["indicator_id"]][target["status"]] += 1
    shown = [code for code in _TARGET_ORDER if any(c[code] for c in counted.values())]
    position = {o["outcome_id"]: i for i, o in enumerate(marts.outcomes)}
    names = [marts.indicators[i] for i in counted if i in marts.indicators]
    names.sort(key=lambda i: (position.get(i["outcome_id"], len(position)), i["role"] != "core", i["name"]))
    return [{"indicator": i, "counts": [(code, counted[i["indicator_id"]][code]) for code in shown]} for i in names]


def since_last_year(marts: Marts, national: NationalRows) -> Row:
    """What is different from the year before: outcomes by stored counts, gateways, members that came and left."""
    before = {r["outcome_id"]: r for r in national.outcomes if r["reporting_year"] == marts.year - 1}
    now = {r["outcome_id"]: r for r in national.outcomes if r["reporting_year"] == marts.year}
    outcomes = [
        {"outcome": o, "before": before[o["outcome_id"]], "now": now[o["outcome_id"]]}
        for o in marts.outcomes
        if o["outcome_id"] in before and o["outcome_id"] in now
    ]
    return {
        "outcomes": outcomes,
        "gateways": _moved(marts, national),
        "joined": [c["name"] for c in marts.communities if c["joined_year"] == marts.year],
        "left": [c["name"] for c in marts.communities if c.get("left_year") == marts.year - 1],
    }


def _moved(marts: Marts, national: NationalRows) -> Row | None:
    """How many members work in a later, the same or an earlier gateway than the year before; None without that year."""
    order = (*words.GATEWAYS, "completed")
    former = {r["community_id"]: rank(order, r["operating_in"]) for r in national.gateways}
    counts = Counter[str]()
    for community in sorted(marts.members() & former.keys()):
        row = next(iter(marts.gateway_status.get(community, [])), None)
        if row is not None:
            step = rank(order, row["operating_in"]) - former[community]
            counts["later" if step > 0 else "earlier" if step < 0 else "same"] += 1
    return dict.fromkeys(("later", "same", "earlier"), 0) | dict(counts) if counts else None


def due(marts: Marts, national: NationalRows) -> Row:
    """When the files of the report's year and of the next known one are due."""
    later = [y for y in sorted(national.calendar) if y > marts.year and national.calendar[y]["due_on"] is not None]
    own = national.calendar.get(marts.year)
    return {
        "on": own["due_on"] if own else None,
        "next_year": later[0] if later else None,
        "next_on": national.calendar[later[0]]["due_on"] if later else None,
    }
