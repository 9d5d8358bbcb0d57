"""The network's own tables: reviews of claims, decisions on gateways and designations, scores.

Belongs here: the rows below `_network/{reporting_year}` that follow from the communities' stories.
Does not: the communities' own registers (registers.py), or any rule that weighs decisions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence

from examples.registers import LAST_KNOWN_DAY, Rows, Story, story
from examples.tables import GATEWAYS, LAST_YEAR, Community, table
from examples.workbook import Cell

PANEL = "Review panel"
HEADERS: dict[str, tuple[str, ...]] = {
    "review_decisions": ("community_id", "criterion_id", "decision", "decided_on", "approver", "reason"),
    "gateway_decisions": ("community_id", "kind", "code", "decision", "decided_on", "approver", "reason"),
    "scores": ("community_id", "code", "score", "decided_on"),
}
REVIEW_AFTER = 2


def network_rows(name: str, communities: Iterable[Community], year: int) -> Iterator[Sequence[Cell]]:
    """The rows of one of the network's tables in a reporting year, community by community."""
    for community in communities:
        yield from WRITERS[name](story(community), year)


def decided(year: int, month: int, day: int) -> dt.date:
    """A day of decision; in the open year never after what is known."""
    return min(dt.date(year, month, day), LAST_KNOWN_DAY)


def reviews(told: Story, year: int) -> Rows:
    """A sample of claims: accepted, rejected while the next gateway is open, a few overridden."""
    c = told.community
    if not c.sends_in(year) or not told.met(year):
        return []
    when = decided(year, 12, 5)
    rows: Rows = [
        [c.community_id, _doubtful(told, gateway), "accepted", when, PANEL, "Shown on a second look"]
        for gateway, reached in enumerate(told.reached)
        if reached == year and gateway
    ]
    if (year + c.position) % 3:
        return rows
    names = claims_of(told.met(year) - 1)
    rows.append([c.community_id, names[year % len(names)], "accepted", when, PANEL, None])
    if told.met(year) < len(GATEWAYS):
        reason = "The page behind the link does not show what the criterion asks for"
        rows.append([c.community_id, _doubtful(told, told.met(year)), "rejected", when, PANEL, reason])
    if c.position % 17 == 6:
        reason = "Seen on a site visit; the page had moved"
        rows.append([c.community_id, names[(year + 3) % len(names)], "override", when, PANEL, reason])
    # A criterion is decided on once a year: the first word stands.
    return list({row[1]: row for row in reversed(rows)}.values())[::-1]


def claims_of(gateway: int) -> list[str]:
    """The criteria of a gateway (0 to 4) that rest on a claim."""
    return [row["criterion_id"] for row in table("claims") if row["gateway"] == GATEWAYS[gateway]]


def _doubtful(told: Story, gateway: int) -> str:
    names = claims_of(gateway)
    return names[told.community.position % len(names)]


def decisions(told: Story, year: int) -> Rows:
    """Gateways granted in the year their work was done, for most; then the designations."""
    c = told.community
    rows: Rows = []
    if c.position % 7 != 3:
        when = decided(year, 12, 10)
        rows += [
            [c.community_id, "gateway", GATEWAYS[i], "granted", when, PANEL, None]
            for i, reached in enumerate(told.reached)
            if reached == year
        ]
    return rows + designations(told, year)


def designations(told: Story, year: int) -> Rows:
    """Proof points: granted a year after the third gateway, renewed every second year by most, revoked once."""
    c = told.community
    if len(told.reached) < 3 or c.position % 3 == 0:
        return []
    granted = told.reached[2] + 1
    when = decided(year, 12, 12)
    initial, ongoing = "proof_point_initial", "proof_point_ongoing"
    if year == granted:
        return [[c.community_id, "designation", initial, "granted", when, PANEL, "Core indicators held or rose"]]
    since = year - granted
    if since > 0 and c.position % 16 == 3 and since == 3:
        return [[c.community_id, "designation", initial, "revoked", when, PANEL, "Figures were found to be wrong"]]
    rows: Rows = []
    if since > 0 and since % REVIEW_AFTER == 0 and c.position % 4 != 1 and year < LAST_YEAR:
        rows.append([c.community_id, "designation", ongoing, "renewed", when, PANEL, "Reviewed after two years"])
    if len(told.reached) == len(GATEWAYS) and year == told.reached[-1] + 1 and c.position % 2:
        rows.append([c.community_id, "designation", "systems_transformation", "granted", when, PANEL, "Panel's vote"])
    return rows


def scores(told: Story, year: int) -> Rows:
    """A score of the panel for the partnerships that have done the work of the last gateway."""
    if len(told.reached) < len(GATEWAYS) or year < told.reached[-1]:
        return []
    c = told.community
    return [[c.community_id, "systems_transformation", 60 + (7 * c.position + 3 * year) % 35, decided(year, 12, 11)]]


WRITERS: dict[str, Callable[[Story, int], Rows]] = {
    "review_decisions": reviews,
    "gateway_decisions": decisions,
    "scores": scores,
}
"""The function that writes a community's rows of each of the network's tables."""
