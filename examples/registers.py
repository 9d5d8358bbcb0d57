"""What a partnership tells about itself: the registers, so that communities stand at every gateway.

Belongs here: a partnership's story by year (when each gateway's work was done) and the register rows that follow.
Does not: figures of indicators (model.py), the network's own tables (network.py), or any gateway rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from examples.tables import GATEWAYS, LAST_YEAR, Community, table
from examples.workbook import Cell

Rows = list[list[Cell]]
CORE = (
    ("kindergarten_ready_pct", "kindergarten_readiness"),
    ("grade3_reading_proficient_pct", "early_grade_reading"),
    ("grade8_math_proficient_pct", "middle_grade_math"),
    ("graduation_4yr_pct", "high_school_graduation"),
    ("postsecondary_enrolled_pct", "postsecondary_enrollment"),
    ("postsecondary_completed_pct", "postsecondary_completion"),
    ("employed_pct", "employment"),
)
CONTRIBUTING = ("chronic_absence_pct", "attendance_rate_pct", "postsecondary_persistence_pct")
ADJACENT = ("housing_cost_burdened_pct", "insured_children_pct")
PARTNERS = (
    ("a", "Residents' Circle"),
    ("b", "Neighbors Together"),
    ("c", "Office of the Mayor"),
    ("d", "Early Learning Collaborative"),
    ("e", "Public Schools"),
    ("f", "Community College"),
    ("g", "Community Fund"),
    ("h", "Chamber of Employers"),
)
ROLES = ("daily_management", "data", "communication", "community_engagement")
LAST_KNOWN_DAY = dt.date(LAST_YEAR, 6, 20)


@dataclass(frozen=True)
class Story:
    """When a partnership did the work of each gateway it has met: gateway number (1 to 5) to year."""

    community: Community
    reached: tuple[int, ...]

    def met(self, year: int) -> int:
        """How many gateways' work was done by the end of a year."""
        return sum(1 for when in self.reached if when <= year)

    def works_on(self, gateway: int, year: int) -> bool:
        """Whether the work of a gateway is done, or it is the next one and in its last year of preparation."""
        return self.met(year + 1) >= gateway or self.met(year) >= gateway


def story(community: Community) -> Story:
    """The years in which a community completes the gateways of its plan, evenly spaced from its first file."""
    wanted = community.gateways_met
    first = community.first_sent + 1
    last = min(community.left_year or 2025, 2025)
    step = max(1, min(2, (last - first) // max(1, wanted - 1))) if wanted else 1
    planned = (min(first + step * i, last) for i in range(wanted))
    return Story(community, tuple(_next_sent(community, year) for year in planned))


def _next_sent(community: Community, year: int) -> int:
    return next(later for later in range(year, LAST_YEAR + 1) if later == LAST_YEAR or community.sends_in(later))


def day(year: int, month: int, number: int) -> dt.date:
    """A date of the year, never after the last day the open year knows of."""
    return min(dt.date(year, month, number), LAST_KNOWN_DAY)


def link(community: Community, *parts: object) -> str:
    """An invented address of a piece of evidence."""
    return "https://evidence.example.org/" + "/".join([community.community_id, *(str(part) for part in parts)])


def register_rows(community: Community, year: int) -> dict[str, Rows]:
    """The registers a community sends in a reporting year, by table; tables without rows are left out."""
    told = story(community)
    tables = {name: write(told, year) for name, (_, write) in REGISTERS.items()}
    return {name: rows for name, rows in tables.items() if rows}


def starts(told: Story, year: int) -> bool:
    """Whether it is the community's first folder."""
    return year == told.community.first_sent


def renews(told: Story, year: int) -> bool:
    """Whether slow registers are sent again: first, every fourth year, and when a gateway's work is done."""
    return starts(told, year) or (year - told.community.first_sent) % 4 == 0 or year in told.reached


def partnership_profile(told: Story, year: int) -> Rows:
    """One row: the area, the anchor, the vision."""
    c = told.community
    if not renews(told, year):
        return []
    anchor = f"{c.name} Community Fund" if told.met(year) or c.position % 2 else None
    scope = f"{c.name}; county:{99100 + c.position}" if told.met(year) or c.position % 3 else None
    return [[scope, anchor, dt.date(c.joined_year, 3, 1) if anchor else None, link(c, "vision")]]


def partner_roster(told: Story, year: int) -> Rows:
    """Partners and leaders; before the first gateway too few sectors, and in some places no residents."""
    c = told.community
    since = dt.date(c.joined_year, 2, 1)
    if starts(told, year):
        few = PARTNERS[3:7] if c.position % 2 else PARTNERS[:4]
        return [[f"{c.name} {name}", body, letter, since, None] for body in BODIES for letter, name in few]
    if told.reached and year == max(told.reached[0], c.first_sent + 1):
        rows: Rows = []
        for body in BODIES:
            for letter, name in PARTNERS[: 7 + c.position % 2]:
                ends = day(year + 4, 6, 30) if letter == "h" and c.position % 4 == 1 and year < 2020 else None
                rows.append([f"{c.name} {name}", body, letter, since if ends is None else day(year, 1, 15), ends])
        return rows
    return []


BODIES = ("partnership", "leadership")


def capacity(told: Story, year: int) -> Rows:
    """Who does the work: half a post at first, then a full-time manager, then all four roles."""
    if not renews(told, year):
        return []
    met = told.met(year)
    if met == 0:
        return [["daily_management", "director", 0.5, "staff"]]
    ways = ("staff", "contracted", "committee", "donated")
    some = ROLES if met >= 2 or told.works_on(2, year) else ROLES[:2]
    return [
        [role, "director" if not i else f"{role} lead", 1.0 if i < 2 else 0.5, ways[i]] for i, role in enumerate(some)
    ]


def funding(told: Story, year: int) -> Rows:
    """Money for operations, three and a half years at a time once the first gateway is near; one year before that."""
    c = told.community
    if (year - c.first_sent) % 2 and year not in told.reached:
        return []
    months = (year + 4, 6, 30) if told.works_on(1, year) else (year + 1, 3, 31)
    amount = 60_000 + 5_000 * (c.position % 9) + 10_000 * told.met(year)
    rows: Rows = [
        [f"{c.name} Community Fund", "operations", amount, "no", dt.date(year, 1, 1), dt.date(*months)],
    ]
    if told.met(year) >= 2:
        end = dt.date(year + 3, 12, 31)
        rows.append([f"{c.name} Public Schools", "collaborative_work", 40_000, "yes", dt.date(year, 7, 1), end])
    return rows


def indicator_selection(told: Story, year: int) -> Rows:
    """The seven core indicators, contributing and adjacent ones; two core ones where the first gateway is far."""
    c = told.community
    if not renews(told, year) or (not told.reached and c.position % 3 == 0 and starts(told, year)):
        return []
    revised = None if starts(told, year) else day(year, 2, 10)
    why = None if revised is None else "Wording of the denominator made clear after a review with partners"
    base = c.joined_year
    chosen = CORE if told.reached else CORE[1:3]
    no_primary = c.position % 11 == 4
    rows: Rows = []
    for indicator, outcome in chosen:
        primary = "no" if no_primary and outcome == "high_school_graduation" else "yes"
        first = indicator == "grade3_reading_proficient_pct"
        rows.append([indicator, outcome, "core", primary, base, "yes" if first else "no", revised, why])
        if outcome == "high_school_graduation" and c.position % 4 == 0:
            rows.append(["graduation_5yr_pct", outcome, "core", "no", base, "no", revised, why])
    if told.works_on(1, year):
        rows += [
            [i, None, "contributing", "no", base, "no" if n else "yes", None, None] for n, i in enumerate(CONTRIBUTING)
        ]
        rows += [[i, None, "adjacent", "no", base, "no", None, None] for i in ADJACENT]
    return rows


def burdened_groups(told: Story, year: int) -> Rows:
    """Every second community decides on its groups when it starts; a few decide anew later."""
    c = told.community
    if c.position % 2 == 0:
        return []
    from_day, approved = dt.date(year, 1, 1), dt.date(year, 1, 20)
    if starts(told, year):
        groups = ["black", "hispanic"] + (["american_indian_alaska_native"] if c.mix == "tribal" else [])
        rows: Rows = [["race_ethnicity", group, "burdened", from_day, approved] for group in groups]
        return [*rows, ["race_ethnicity", "white", "reference", from_day, approved]]
    if c.position % 10 == 3 and year == c.first_sent + 5:
        groups = ["black", "hispanic", "american_indian_alaska_native", "native_hawaiian_pacific_islander"]
        rows = [["race_ethnicity", group, "burdened", from_day, approved] for group in groups]
        return [*rows, ["race_ethnicity", "white", "reference", from_day, approved]]
    return []


def targets(told: Story, year: int) -> Rows:
    """Near and far targets, set when the second gateway's work is done and every third year after."""
    if len(told.reached) < 2 or year < told.reached[1] or (year - told.reached[1]) % 3:
        return []
    rows: Rows = []
    for indicator, short, long in (
        ("grade3_reading_proficient_pct", 52, 65),
        ("graduation_4yr_pct", 90, 94),
        ("chronic_absence_pct", 15, 9),
    ):
        rows.append([indicator, "all", "all", short, dt.date(year + 2, 6, 30), "short"])
        rows.append([indicator, "all", "all", long, dt.date(year + 8, 6, 30), "long"])
    rows.append(["grade3_reading_proficient_pct", "race_ethnicity", "black", 48, dt.date(year + 8, 6, 30), "long"])
    return rows


def benchmark_evidence(told: Story, year: int) -> Rows:
    """Claims with evidence for the gateways met, sent every second year; for the next one, first and partial claims."""
    c = told.community
    after_gap = year > c.first_sent and not c.sends_in(year - 1)
    due = (year - c.first_sent) % 2 == 0 or year in told.reached or year == LAST_YEAR or after_gap
    if not due:
        return []
    as_of = day(year, 7 + c.position % 4, 5 + c.position % 20)
    rows: Rows = []
    for n, criterion in enumerate(table("claims")):
        gateway = GATEWAYS.index(criterion["gateway"]) + 1
        name = criterion["criterion_id"]
        if gateway <= told.met(year):
            rows.append([name, "met", link(c, name, year), "Described on the page behind the link", as_of])
        elif gateway == told.met(year) + 1 and n % 3 != 2:
            rows.append(_early_claim(told, name, year, n, as_of))
    return rows


def _early_claim(told: Story, criterion: str, year: int, n: int, as_of: dt.date) -> list[Cell]:
    claim = ("met", "planned", "met", "not_met")[n % 4]
    proof = link(told.community, criterion, year) if claim == "met" and n % 5 else None
    return [criterion, claim, proof, "Work has begun", as_of]


def examples(told: Story, year: int) -> Rows:
    """Feedback used, strategies, systems changes and policies, each told again with its later status."""
    c = told.community
    if len(told.reached) < 3 or year < told.reached[2]:
        return []
    since = told.reached[2]
    rows: Rows = []
    for n in range(3):
        rows.append(_example(c, "feedback", n, since, year, "accepted"))
        rows.append(_example(c, "strategy", n, since, year, "accepted"))
    for n in range(2 * (year - since) + 2):
        first = since + n // 2
        status = "accepted" if year - first <= 1 else ("sustained" if n % 3 else "advanced")
        ended = c.position % 13 == 5 and n == 1 and year >= since + 3
        rows.append(_example(c, "systems_change", n, first, year, "ended" if ended else status))
    if len(told.reached) >= 4 and year >= told.reached[3]:
        rows.append(_example(c, "policy", 0, told.reached[3], year, "accepted", "institutional"))
        rows.append(_example(c, "policy", 1, told.reached[3], year, "accepted", "public"))
    return rows


CYCLE_COLUMNS = ("planned", "done", "studied", "acted")
CYCLE = ("A visit to each family", "Tried at two sites", "Absence beside the year before", "Kept and widened")
"""A cycle of improvement of a strategy, as a community would tell it."""


def _example(
    c: Community, kind: str, n: int, first: int, year: int, status: str, level: str | None = None
) -> list[Cell]:
    title = f"{kind.replace('_', ' ').capitalize()} {n + 1} in {c.name}"
    told = [f"{kind}-{n + 1}", kind, title, level, status, day(first, 4, 10 + n % 15), day(year, 5, 12)]
    return [*told, *CYCLE] if kind == "strategy" else [*told, *(None for _ in CYCLE)]


def communications(told: Story, year: int) -> Rows:
    """Report cards and data releases every year, progress and feedback every quarter once the third gateway is near."""
    c = told.community
    if not told.works_on(2, year) or len(told.reached) < 2:
        return []
    rows: Rows = []
    sent = (y for y in range(c.first_sent, year + 1) if c.sends_in(y) and told.works_on(2, y))
    baseline = "yes" if year == next(sent) else "no"
    for audience in ("partners", "community"):
        card = day(year, 5, 6)
        rows.append(["report_card", audience, card, "online", link(c, "card", year), baseline, "yes"])
        rows.append(["data_release", audience, day(year, 5, 20), "online", link(c, "data", year), "no", "no"])
    if told.works_on(3, year) and len(told.reached) >= 3:
        for kind in ("progress", "feedback"):
            for audience in ("partners", "community"):
                rows += [
                    [kind, audience, when, "meeting", link(c, kind, when), "no", "no"]
                    for when in (dt.date(year, month, 9) for month in (2, 5, 8, 10))
                    if when <= LAST_KNOWN_DAY
                ]
    return rows


def report_card_items(told: Story, year: int) -> Rows:
    """What the year's report card showed: core indicators by race, two also by income; at last shared measures."""
    if not told.works_on(2, year) or len(told.reached) < 2:
        return []
    when = day(year, 5, 6)
    rows: Rows = [[when, indicator, "race_ethnicity", "no"] for indicator, _ in CORE]
    rows += [[when, indicator, "economic_status", "no"] for indicator, _ in CORE[1:3]]
    if told.works_on(5, year) and len(told.reached) >= 5:
        rows.append([when, "housing_cost_burdened_pct", "economic_status", "yes"])
        rows.append([when, "insured_children_pct", "race_ethnicity", "yes"])
    return rows


def networks(told: Story, year: int) -> Rows:
    """Two working groups from the second gateway on."""
    if len(told.reached) < 2 or year not in told.reached[1:]:
        return []
    return [
        ["Early literacy network", "early_grade_reading", "grade3_reading_proficient_pct"],
        ["On time to graduation network", "high_school_graduation", "chronic_absence_pct"],
    ]


def measures(told: Story, year: int) -> Rows:
    """Measures of actions from the third gateway on, kept by two sectors."""
    if len(told.reached) < 3 or year not in told.reached[2:]:
        return []
    return [
        ["Children tutored twice a week", "High-dosage tutoring", "grade3_reading_proficient_pct", "education"],
        ["Families kept housed", "Eviction diversion", "chronic_absence_pct", "housing"],
    ]


def results(told: Story, year: int) -> Rows:
    """Populations of focus and the results wanted for them."""
    if not told.reached or year != told.reached[0]:
        return []
    return [
        ["Children of families with low income", "Every child reads well by the end of grade 3", "early_grade_reading"],
        ["Black and Hispanic students", "Every student graduates on time", "high_school_graduation"],
    ]


def factors(told: Story, year: int) -> Rows:
    """Causes behind trends, from three kinds of evidence, from the second gateway on."""
    if len(told.reached) < 2 or year not in told.reached[1:]:
        return []
    return [
        ["grade3_reading_proficient_pct", "Days missed in the early grades", "quantitative"],
        ["grade3_reading_proficient_pct", "Books at home", "community_voice"],
        ["chronic_absence_pct", "Unreliable transport", "qualitative"],
    ]


def data_sharing_agreements(told: Story, year: int) -> Rows:
    """Agreements from the third gateway on, with person-level ones across sectors at the last."""
    c = told.community
    rows: Rows = []
    start = dt.date(year, 1, 10)
    late = (dt.date(year + 9, 12, 31), dt.date(year + 10, 12, 31))
    if len(told.reached) >= 3 and year == told.reached[2]:
        purpose = "Yearly results by group"
        rows.append([f"{c.name} Public Schools", "education", "program", "Written agreement", purpose, start, *late])
    if len(told.reached) >= 5 and year == told.reached[4]:
        purpose = "Joint support of families"
        rows.append([f"{c.name} Health Department", "health", "individual", "Consent", purpose, start, *late])
        rows.append([f"{c.name} Housing Authority", "housing", "individual", "Consent", purpose, start, *late])
    return rows


def staff_composition(told: Story, year: int) -> Rows:
    """Staff and board by gender beside the community's people, at the last gateway."""
    if len(told.reached) < 5 or year != told.reached[4]:
        return []
    rows: Rows = []
    for body, women, men in (("staff", 7 + told.community.position % 4, 5), ("board", 9, 11)):
        for dimension, group, people, residents in (
            ("all", "all", women + men, 40_000),
            ("gender", "female", women, 20_400),
            ("gender", "male", men, 19_600),
        ):
            rows.append([body, dimension, group, people, residents, "invented"])
    return rows


def stories(told: Story, year: int) -> Rows:
    """A story now and then, some without consent to publish."""
    c = told.community
    if not told.reached or (year + c.position) % 5:
        return []
    text = "A tutor, a bus pass and a quiet table at the library: what changed a year of reading."
    consent = "no" if c.position % 4 == 3 else "yes"
    return [[f"What changed in {c.name} in {year}", text, "grade3_reading_proficient_pct", consent, "parent", "en"]]


Writer = Callable[[Story, int], Rows]
REGISTERS: dict[str, tuple[Sequence[str], Writer]] = {
    "partnership_profile": (
        ("geographic_scope", "anchor_organization", "anchor_since", "vision_url"),
        partnership_profile,
    ),
    "partner_roster": (("organization", "body", "sector_category", "active_from", "active_to"), partner_roster),
    "capacity": (("role", "person", "fte", "arrangement"), capacity),
    "funding": (("partner", "purpose", "amount", "in_kind", "start_date", "end_date"), funding),
    "indicator_selection": (
        ("indicator", "outcome", "role", "primary", "baseline_year", "prioritized", "revised_on", "rationale"),
        indicator_selection,
    ),
    "burdened_groups": (("dimension", "group", "standing", "effective_from", "approved_on"), burdened_groups),
    "targets": (("indicator", "dimension", "group", "value", "deadline", "horizon"), targets),
    "benchmark_evidence": (("criterion_id", "claim", "evidence_url", "statement", "as_of"), benchmark_evidence),
    "examples": (
        ("example_id", "kind", "title", "level", "status", "first_evidenced_on", "as_of", *CYCLE_COLUMNS),
        examples,
    ),
    "communications": (("kind", "audience", "date", "channel", "url", "baseline", "call_to_action"), communications),
    "report_card_items": (("release_date", "indicator", "dimension", "shared_measure"), report_card_items),
    "networks": (("name", "outcome", "indicator"), networks),
    "measures": (("name", "action", "indicator", "owner_sector"), measures),
    "results": (("population", "statement", "outcome"), results),
    "factors": (("indicator", "factor", "evidence"), factors),
    "data_sharing_agreements": (
        ("party", "sector", "data_level", "legal_basis", "purpose", "start_date", "end_date", "destruction_date"),
        data_sharing_agreements,
    ),
    "staff_composition": (
        ("body", "dimension", "group", "people", "community_people", "source"),
        staff_composition,
    ),
    "stories": (("title", "text", "indicator", "consent", "author_role", "language"), stories),
}
"""Each register's columns and the function that writes its rows."""
