"""Protectors to try the attacker with: three that must fail, one that asks the attacker until it finds nothing.

Belongs here: public rows of RULES 8.1 for a given set of withheld cells, derived rows of 8.3, naive choices of cells.
Does not: choose well, or stand in for the product.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from tests.reference.disclosure import model
from tests.reference.disclosure.attacker import Report, attack
from tests.reference.disclosure.knowledge import SAID
from tests.reference.disclosure.model import (
    GAP_NUMBERS,
    TREND_NUMBERS,
    Key,
    Network,
    PublicRelease,
    Row,
    family_of,
    frame_of,
    values_of,
)
from tests.reference.disclosure.rules import (
    CODED,
    PLAIN,
    RATE,
    SMALL,
    SOURCE,
    Cell,
    cells_of,
    sums_of,
    ties_of,
    zone,
)

WITHHELD = "withheld"
BY_CHOICE = (PLAIN, CODED, SOURCE, RATE)
"""Kinds that a fall-back can withhold; only the first two protect another cell."""
EMPTY = dict.fromkeys(("value", "value_low", "value_high", "numerator", "denominator"))
_WINDOW = dict.fromkeys(("series", "first_year", "last_year", "n_years"))


@dataclass(frozen=True)
class Register:
    """What a protector here remembers: all networks so far and what was withheld beyond the primary cells."""

    networks: tuple[Network, ...]
    withheld: frozenset[Key]


def primary_only(network: Network, _: Sequence[PublicRelease]) -> PublicRelease:
    """RULES 8.1 without a complementary cell."""
    return release(network, frozenset())


def two_per_line(network: Network, _: Sequence[PublicRelease]) -> PublicRelease:
    """One cell more in each line that has one withheld cell, until no line has just one."""
    cells = cells_of(network)
    withheld: set[Key] = set()
    lines = {(line.total, *line.parts) for line in sums_of(network, cells)}
    moved = True
    while moved:
        moved = False
        for line in sorted(lines):
            hidden = [key for key in line if key in withheld or cells[key].kind in (SMALL, CODED, SOURCE, RATE)]
            others = [key for key in line[1:] if cells[key].kind == PLAIN and key not in withheld]
            others = others or [key for key in line[:1] if cells[key].kind == PLAIN and key not in withheld]
            if len(hidden) == 1 and others:
                withheld.add(min(others, key=lambda key: (cells[key].n or 0, key)))
                moved = True
    return release(network, withheld)


def asking(network: Network, out: Sequence[PublicRelease]) -> PublicRelease:
    """Withhold a cell of each family that the attacker sees through, then all of it, until it sees through none."""
    return _asking(network, out, release)


def class_only(network: Network, out: Sequence[PublicRelease]) -> PublicRelease:
    """As `asking`, which knows nothing of derived rows; then the class of a withheld trend or gap is let out."""
    return with_classes(asking(network, out), network)


def with_classes(made: PublicRelease, network: Network) -> PublicRelease:
    """A release that lets out the class of every trend and gap."""
    trends = [
        row | {"trend_status": inside["trend_status"]}
        for row, inside in zip(made.fct_trend.to_dicts(), network.fct_trend.to_dicts(), strict=True)
    ]
    gaps = [
        row | {"gap_status": inside["gap_status"]}
        for row, inside in zip(made.fct_gap.to_dicts(), network.fct_gap.to_dicts(), strict=True)
    ]
    return PublicRelease(made.fct_indicator_value, frame_of(trends, model.TREND), frame_of(gaps, model.GAP), made.state)


def _asking(
    network: Network, out: Sequence[PublicRelease], make: Callable[[Network, Collection[Key]], PublicRelease]
) -> PublicRelease:
    register = out[-1].state if out else Register((), frozenset())
    if not isinstance(register, Register):
        raise TypeError("the releases that are out were made by another protector")
    cells, networks = cells_of(network), (*register.networks, network)
    published = _published_before(register, out, network)
    # What was withheld stays withheld; what was published stays published while its row is the same.
    withheld = {key for key in register.withheld if key in cells and cells[key].kind in BY_CHOICE} - published
    failed: set[model.Family] = set()
    while True:
        withheld |= _tied_with(network, cells, withheld) - published
        made = make(network, withheld)
        report = attack(networks, [*out, made])
        if not report.findings:
            return PublicRelease(
                made.fct_indicator_value, made.fct_trend, made.fct_gap, Register(networks, frozenset(withheld))
            )
        before = set(withheld)
        _withhold_more(cells, report, withheld, published, failed)
        if withheld == before:
            # The last fall-back: all that the families print, the denominators of masked rows too.
            families = _with_tied(network, cells, {finding.family for finding in report.findings})
            whole = {key for key, c in cells.items() if family_of(key) in families and c.kind in BY_CHOICE}
            withheld |= whole - published
        if withheld == before:
            raise AssertionError("nothing is left to withhold: " + "; ".join(map(str, report.findings)))


def _withhold_more(
    cells: dict[Key, Cell], report: Report, withheld: set[Key], published: Collection[Key], failed: set[model.Family]
) -> None:
    """One cell more in each family with a finding; a family that was helped so three times goes whole."""
    for family in sorted({finding.family for finding in report.findings}):
        left = [
            key
            for key, cell in cells.items()
            if family_of(key) == family and key not in withheld | set(published) and _can_be_withheld(cell)
        ]
        near = {place for finding in report.findings for place in [finding.version[0][5]] if finding.family == family}
        # A family with nothing left is helped through those that share its children.
        left = left or [key for key, c in cells.items() if key not in withheld | set(published) and _can_be_withheld(c)]
        if sum(1 for key in withheld if family_of(key) == family) >= 4:
            failed.add(family)
        if family in failed:
            withheld.update(left)
        elif left:
            withheld.add(min(left, key=lambda k: (k[4] == "all", k[5] not in near, cells[k].n or 0, k)))


def _with_tied(network: Network, cells: dict[Key, Cell], families: set[model.Family]) -> set[model.Family]:
    ties = [(family_of(one), family_of(other)) for (one, _), (other, _) in ties_of(network, cells)]
    return families | {family for tie in ties if families & set(tie) for family in tie}


def _can_be_withheld(cell: Cell) -> bool:
    return cell.kind in (PLAIN, CODED)


def _published_before(register: Register, out: Sequence[PublicRelease], network: Network) -> set[Key]:
    """Keys whose row is the same as in a release that published its counts."""
    rows, found = values_of(network.fct_indicator_value), set()
    for earlier, made in zip(register.networks, out, strict=True):
        inside, public = values_of(earlier.fct_indicator_value), values_of(made.fct_indicator_value)
        for key, row in rows.items():
            same = key in inside and all(inside[key][name] == row[name] for name in SAID)
            if same and key in public and any(public[key][name] is not None for name in EMPTY):
                found.add(key)
    return found


def _tied_with(network: Network, cells: dict[Key, Cell], withheld: Collection[Key]) -> set[Key]:
    found = set()
    for (one, _), (other, _) in ties_of(network, cells):
        for here, there in ((one, other), (other, one)):
            if here in withheld and _can_be_withheld(cells[there]):
                found.add(there)
    return found


def release(network: Network, withheld: Collection[Key]) -> PublicRelease:
    """The public rows with these cells withheld beside the primary ones; derived rows equal or absent (RULES 8.3)."""
    cells = cells_of(network)
    open_sources = {row["label"]: row for row in network.data_sources.iter_rows(named=True)}
    public = {}
    for key, row in values_of(network.fct_indicator_value).items():
        source = open_sources.get(row["data_source"])
        shown = public_row(row, cells[key], bool(source and source["is_public"]))
        if key in withheld:
            word = row["value_status"] if cells[key].kind == SOURCE else WITHHELD
            shown = row | EMPTY | {"value_status": word}
        public[key] = shown | {"data_source": source and source["public_name"]}
    return PublicRelease(
        frame_of(public.values(), model.VALUE),
        frame_of(_trends(network, public), model.TREND),
        frame_of(_gaps(network, public), model.GAP),
        Register((network,), frozenset(withheld)),
    )


def public_row(row: Row, cell: Cell, open_source: bool) -> Row:
    """A row as RULES 8.1 publishes it where nothing else needs it."""
    hidden = row | EMPTY | {"value_status": WITHHELD}
    if cell.kind == SMALL or (cell.kind == RATE and not open_source):
        return hidden
    if cell.kind == SOURCE:
        n = row["denominator"]
        return row | {"numerator": None, "denominator": n if n is not None and n >= cell.min_n else None}
    if cell.kind == CODED:
        ends = _ends(cell)
        return row | {"value": None, "numerator": None, "value_status": "range"} | ends
    return row


def _ends(cell: Cell) -> Row:
    bound = zone(cell.n or 0)
    low, high = (0, bound) if cell.side == "low" else (100 - bound, 100)
    return {"value_low": float(low), "value_high": float(high)}


def _hidden_points(network: Network, public: dict[Key, Row], row: Row, groups: Iterable[str]) -> bool:
    """Whether a valid point of these groups (n of at least 10, or none) is not published; the whole series counts."""
    inside = values_of(network.fct_indicator_value)
    for key, value in inside.items():
        same = key[0] == row["community_id"] and key[1] == row["indicator_id"] and key[3] == "annual"
        if same and key[4] in groups and key[5] == row["geography_id"] and value["value"] is not None:
            valid = value["denominator"] is None or value["denominator"] >= 10
            if valid and public[key]["value"] is None:
                return True
    return False


def _trends(network: Network, public: dict[Key, Row]) -> list[Row]:
    found = []
    for row in network.fct_trend.iter_rows(named=True):
        if row["trend_status"] != "undetermined" and _hidden_points(network, public, row, [row["population_group_id"]]):
            nothing = dict.fromkeys((*TREND_NUMBERS, "robustness", "reason"))
            row = row | _WINDOW | nothing | {"trend_status": WITHHELD}
        found.append(row)
    return found


def _gaps(network: Network, public: dict[Key, Row]) -> list[Row]:
    found = []
    for row in network.fct_gap.iter_rows(named=True):
        groups = [row["population_group_id"], row["reference_group_id"]]
        if row["gap_status"] != "undetermined" and _hidden_points(network, public, row, groups):
            nothing = dict.fromkeys((*GAP_NUMBERS, "reference_declined", "reason"))
            row = row | _WINDOW | nothing | {"gap_status": WITHHELD}
        found.append(row)
    return found
