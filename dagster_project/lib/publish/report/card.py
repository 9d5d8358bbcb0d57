"""A community's report card: each core indicator with its groups, baseline, target, trend, gap, strategy and story.

Belongs here: what the first, printable page of a community says of each core indicator, from its own rows.
Does not: arrange an indicator's detail page (indicator.py), lay out the card (templates), or decide a status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import TOTAL, Row
from dagster_project.lib.publish.report.indicator import group_label
from dagster_project.lib.publish.report.marts import Marts

STRATEGY_KINDS = ("strategy", "systems_change", "policy", "feedback")
STORY_LETTERS = 420
STRATEGIES_SHOWN, GROUPS_SHOWN = 2, 4
MET = ("met", "met_late")


def is_core(chosen: Mapping[str, Row], indicator: Row) -> bool:
    """Whether an indicator is core: by the community's own choice where it made one, else as the dictionary's primary.

    What a community that chose left out is none, whatever the dictionary says (RULES 5).
    """
    if chosen:
        own = chosen.get(indicator["indicator_id"])
        return own is not None and bool(own["role"] == "core")
    return bool(indicator["role"] == "core") and indicator.get("is_primary") is not False


def _baseline(view: Row, chosen: Row | None, targets: Sequence[Row]) -> Row | None:
    """Year and value that a target starts from: the target's own, else the value of the year the community chose.

    `value` is None where that year has none; None where no baseline is stated at all.
    """
    for target in targets:
        if target["baseline_year"] is not None:
            row = f"fct_target_progress:{_target_key(target)}"
            return {
                "year": target["baseline_year"],
                "value": target["baseline_value"],
                "row": row,
                "column": "baseline_value",
            }
    year = chosen["baseline_year"] if chosen else None
    if year is None:
        return None
    known = [p for p in view["points"] if p.population_group_id == TOTAL and p.school_year == year]
    point = next((p for p in known if p.value is not None), None)
    series = point.series if point else ""
    row = f"fct_trend_point:{view['key']}/{TOTAL}/{series}"
    return {"year": year, "value": point.value if point else None, "row": row, "column": f"value@{year}"}


def _target_key(target: Row) -> str:
    keys = ("community_id", "indicator_id", "population_group_id", "deadline", "horizon")
    return "/".join(str(target[key]) for key in keys)


def _targets(marts: Marts, community_id: str, indicator_id: str) -> list[Row]:
    """The targets in force of an indicator, each with its key, its group by name and whether it was lost again."""
    direction = marts.indicators[indicator_id]["direction"] or 0
    return [
        {
            **t,
            "key": _target_key(t),
            "group_label": group_label(marts, t["population_group_id"]),
            "is_lost": is_lost(t, direction),
        }
        for t in marts.targets.get(community_id, [])
        if t["indicator_id"] == indicator_id
    ]


def is_lost(target: Row, direction: int) -> bool:
    """Whether a target that was met, and so stays met, lies beyond the latest value again."""
    if target["status"] not in MET or target["latest_value"] is None:
        return False
    missing = direction * (target["target_value"] - target["latest_value"])
    return bool(missing > 0 and not words.is_zero(missing))


def _groups(view: Row) -> list[Row]:
    """The groups whose gaps decide; where none does, those of the first dimension that have a gap."""
    rows = [row for block in view["groups"] for row in block["rows"] if row["gap"] is not None]
    deciding = [row for row in rows if row["decides"]]
    first = [row for block in view["groups"][:1] for row in block["rows"] if row["gap"] is not None]
    return deciding or first


def _story(stories: Sequence[Row]) -> Row | None:
    """The newest story, cut after a few lines where it is long."""
    if not stories:
        return None
    story = stories[-1]
    text = str(story["text"])
    cut = text if len(text) <= STORY_LETTERS else text[:STORY_LETTERS].rsplit(" ", 1)[0] + " …"
    return {**story, "shown": cut, "is_cut": cut != text}


def report_card(marts: Marts, community: Row, views: Sequence[Row]) -> Row:
    """What the card shows beside the headlines: a block for each core indicator, and the rest by name.

    `views`: the community's indicators as `indicator.indicator_view` arranges them.
    """
    ident = community["community_id"]
    chosen = {row["indicator_id"]: row for row in marts.chosen.get(ident, [])}
    stories = marts.stories.get(ident, [])
    blocks, others = [], []
    for view in views:
        indicator = view["indicator"]
        name = indicator["indicator_id"]
        if not is_core(chosen, indicator):
            others.append(view)
            continue
        targets = [t for t in _targets(marts, ident, name) if t["population_group_id"] == TOTAL]
        groups = _groups(view)
        strategies = _of_indicator(marts.strategies.get(ident, []), indicator)
        blocks.append(
            {
                **view,
                "chosen": chosen.get(name),
                "baseline": _baseline(view, chosen.get(name), targets),
                "targets": targets,
                "card_groups": groups[:GROUPS_SHOWN],
                "more_groups": len(groups[GROUPS_SHOWN:]),
                "has_group_values": any(row["latest"] for block in view["groups"] for row in block["rows"]),
                "strategies": strategies[:STRATEGIES_SHOWN],
                "more_strategies": len(strategies[STRATEGIES_SHOWN:]),
                "own_sources": _sources(marts, ident, name),
            }
        )
    return {"blocks": blocks, "others": others, "story": _story(stories), "n_stories": len(stories)}


def _sources(marts: Marts, community_id: str, indicator_id: str) -> list[str]:
    """Who published the figures of an indicator, each once."""
    own = [str(s["data_source"]) for s in marts.sources.get(community_id, []) if s["indicator_id"] == indicator_id]
    return list(dict.fromkeys(own))


def _of_indicator(strategies: Sequence[Row], indicator: Row) -> list[Row]:
    """Strategies that name the indicator, in the order of their kinds; factors and measures are no strategies."""
    own = [s for s in strategies if s["indicator_id"] == indicator["indicator_id"] and s["kind"] in STRATEGY_KINDS]
    return sorted(own, key=lambda s: STRATEGY_KINDS.index(s["kind"]))


def detail(marts: Marts, community_id: str, view: Row) -> Row:
    """What an indicator's detail page shows beside its figures: every target, strategy, factor, story and source."""
    name = view["indicator"]["indicator_id"]
    return {
        "v": view,
        "targets": _targets(marts, community_id, name),
        "strategies": [s for s in marts.strategies.get(community_id, []) if s["indicator_id"] == name],
        "stories": [s for s in marts.stories.get(community_id, []) if s["indicator_id"] == name],
        "own_sources": [s for s in marts.sources.get(community_id, []) if s["indicator_id"] == name],
    }
