"""The attacker wins against naive protectors and loses against one that asks it, on networks drawn at random.

Belongs here: RULES 8.10, what the search finds beside plain enumeration, each way to protect too little, sequences.
Does not: try the product's own protection.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from random import Random

import polars as pl
import pytest

from tests.reference.disclosure import cases, protectors
from tests.reference.disclosure.attacker import FaultError, Tables, attack, history, tied_with
from tests.reference.disclosure.derived import unequal
from tests.reference.disclosure.generate import LARGEST, MOST_HIDDEN, networks
from tests.reference.disclosure.knowledge import Model, model_of, releases_known
from tests.reference.disclosure.model import Network, Protector, PublicRelease, family_of, values_of
from tests.reference.disclosure.rules import CODED, RATE, SMALL, SOURCE, ZERO, cells_of, sums_of, ties_of, zone
from tests.reference.disclosure.search import Program

SEEDS = range(50)
SEQUENCES = range(1000, 1015)
FAMILIES_AT_ODDS = 826
"""A network where masked rows contradict a sum through a tie to another indicator."""
YEARS = (2022, 2023, 2024)
Rates = dict[int, tuple[int, int]]
LEVEL: Rates = dict.fromkeys(YEARS, (60, 100))


def caught(protector: Protector, seeds: range = SEEDS) -> Iterator[int]:
    """Seeds whose first release the attacker sees through, found as they are asked for."""
    return (seed for seed in seeds if history(protector, networks(seed))[1][0].findings)


# RULES 8.10


def the_case() -> tuple[Network, PublicRelease]:
    network = cases.case_8_10()
    return network, protectors.release(network, {cases.key_of_cell(*cell) for cell in cases.WITHHELD})


def test_two_cells_withheld_in_every_line_leave_one_of_them_exactly_40() -> None:
    network, release = the_case()
    pinned = {finding.version[0]: finding.found for finding in attack([network], [release]).findings}
    assert pinned == {cases.key_of_cell(*cases.PINNED): (cases.PINNED_COUNT,)}
    hidden = set(cases.WITHHELD)
    for number in range(4):
        assert sum((number, column) in hidden for column in range(4)) >= 2
        assert sum((row, number) in hidden for row in range(4)) >= 2


def test_the_case_is_safe_once_the_attacker_has_been_asked() -> None:
    network = cases.case_8_10()
    _, [report] = history(protectors.asking, [network])
    assert report.is_safe


def test_two_per_line_does_not_protect_the_case() -> None:
    network = cases.case_8_10()
    assert history(protectors.primary_only, [network])[1][0].findings
    withheld = set(cases.WITHHELD)
    made = protectors.release(network, {cases.key_of_cell(*cell) for cell in withheld})
    # Every line has two already: the naive rule has nothing to add.
    public = values_of(made.fct_indicator_value)
    assert {
        cell for cell in itertools.product(range(4), range(4)) if public[cases.key_of_cell(*cell)]["value"] is None
    } == (withheld)


# The search


def enumerated(program: Program) -> list[tuple[int, ...]]:
    """Every table of a program, by trying all."""
    domains = [range(a, b + 1) for a, b in zip(program.low, program.high, strict=True)]
    return [
        table
        for table in itertools.product(*domains)
        if all(
            (row.low is None or sum(c * table[v] for v, c in row.terms) >= row.low)
            and (row.high is None or sum(c * table[v] for v, c in row.terms) <= row.high)
            for row in program.linear
        )
    ]


@pytest.mark.parametrize("seed", range(60))
def test_the_search_finds_the_values_that_trying_every_table_finds(seed: int) -> None:
    chance = Random(seed)
    model = Model()
    for _ in range(5):
        low = chance.randint(0, 2)
        variable = model.program.variable(low, low + chance.randint(0, 4))
        model.family[variable] = ("", "", "", "", 0)
    for _ in range(chance.randint(1, 4)):
        members = chance.sample(range(5), chance.randint(2, 4))
        terms = [(v, chance.choice((-2, -1, 1, 1, 1))) for v in members]
        middle = sum(c * chance.randint(model.program.low[v], model.program.high[v]) for v, c in terms)
        model.program.add(terms, *chance.choice(((middle, middle), (middle, middle), (middle, None), (None, middle))))
    tables, every = Tables(model), enumerated(model.program)
    assert (tables.consistent and not tables.broken) == bool(every)
    if every:
        for variable in range(5):
            assert tables.values(variable, 99) == {table[variable] for table in every}


# What the attacker holds to be true


@pytest.mark.parametrize("protector", [protectors.primary_only, protectors.two_per_line, protectors.class_only])
def test_what_the_source_printed_fits_all_that_the_attacker_knows(protector: Protector) -> None:
    compared = 0
    for seed in range(30):
        [network] = networks(seed)
        model = model_of(known := releases_known([network], [protector(network, [])]))
        truth: dict[int, int] = {}
        for key, cell in known[0].cells.items():
            version = known[0].versions[key]
            if cell.n is not None:
                truth[model.n[version]] = cell.n
                if cell.k is not None and cell.has_k:
                    truth |= {model.k[version]: cell.k, model.rest[version]: cell.n - cell.k}
        assert all(model.program.low[v] <= count <= model.program.high[v] for v, count in truth.items())
        for row in model.program.linear:
            if all(v in truth for v, _ in row.terms):
                total = sum(c * truth[v] for v, c in row.terms)
                assert row.low is None or total >= row.low
                assert row.high is None or total <= row.high
        for figure in model.program.figures:
            rates = [100 * truth[rate.k] / truth[rate.n] for rate in figure.rates]
            rates = [round(p, 1) if r.rounded else p for p, r in zip(rates, figure.rates, strict=True)]
            assert figure.low <= sum(r.weight * p for r, p in zip(figure.rates, rates, strict=True)) <= figure.high
            compared += 1
    assert compared or protector is not protectors.class_only


def test_a_release_that_contradicts_itself_is_no_safe_one() -> None:
    network = cases.case_rates({"all": {2024: (20, 40)}, "white": {2024: (12, 25)}, "black": {2024: (8, 15)}})
    made = protectors.primary_only(network, [])
    wrong = made.fct_indicator_value.with_columns(
        numerator=pl.when(population_group_id="all").then(21).otherwise("numerator")
    )
    with pytest.raises(FaultError):
        attack([network], [PublicRelease(wrong, made.fct_trend, made.fct_gap)])


def test_sums_that_fit_no_table_are_left_out_of_all_families_of_their_program() -> None:
    [network] = networks(FAMILIES_AT_ODDS)
    known = releases_known([network], [protectors.primary_only(network, [])])
    assert not Tables(model_of(known)).consistent
    _, [report] = history(protectors.primary_only, [network])
    assert report.families_without_unchecked_sums == 2
    program = {family_of(key) for tie in known[0].ties for key, _ in tie}
    assert len(program) == 2
    assert all(tied_with(known, {family}) == program for family in program)


def test_a_cell_hidden_by_one_equation_is_found() -> None:
    network = cases.case_rates({"all": {2024: (20, 32)}, "white": {2024: (15, 25)}, "black": {2024: (5, 7)}})
    found = attack([network], [protectors.primary_only(network, [])]).findings
    assert {(finding.what, finding.found) for finding in found} == {("n", (7,)), ("k", (5,)), ("n - k", (2,))}


def test_a_count_published_by_mistake_is_found() -> None:
    network = cases.case_rates({"white": {2024: (15, 25)}, "black": {2024: (5, 7)}})
    release = PublicRelease(network.fct_indicator_value, network.fct_trend, network.fct_gap)
    assert {finding.kind for finding in attack([network], [release]).findings} == {SMALL}


# Protectors that protect too little


def test_without_complementary_cells_the_attacker_wins() -> None:
    assert len(list(caught(protectors.primary_only))) > len(SEEDS) / 2


def test_two_cells_in_each_line_are_not_enough() -> None:
    assert len(list(caught(protectors.two_per_line))) > len(SEEDS) / 4


def test_the_class_of_a_withheld_gap_gives_a_coded_cell_away() -> None:
    # The reference's 97.1 % is published; `reversed` says that the group was more than a point ahead of it: 35 of 35.
    reference = {2022: (101, 104), 2023: (97, 103), 2024: (98, 104)}
    group = {2022: (35, 35), 2023: (33, 38), 2024: (34, 38)}
    network = cases.case_rates({"white": reference, "black": group})
    safe = protectors.asking(network, [])
    assert attack([network], [safe]).is_safe
    report = attack([network], [protectors.with_classes(safe, network)])
    assert ("k", (35,)) in {(finding.what, finding.found) for finding in report.findings}


def test_a_published_slope_gives_a_hidden_point_away() -> None:
    network = cases.case_rates({"white": LEVEL | {2023: (30, 31)}})
    safe = protectors.asking(network, [])
    assert attack([network], [safe]).is_safe
    # The middle year does not move the slope, but the fitted value at the last year.
    made = PublicRelease(safe.fct_indicator_value, network.fct_trend, network.fct_gap)
    assert {finding.found for finding in attack([network], [made]).findings} == {(30,), (1,)}


def test_class_only_is_caught_on_random_networks() -> None:
    assert next(caught(protectors.class_only, range(15, 45)), None) is not None


def test_a_figure_that_is_neither_the_internal_one_nor_absent_is_seen() -> None:
    network = cases.case_rates({"white": LEVEL, "black": LEVEL | {2023: (30, 31)}})
    made = protectors.primary_only(network, [])
    assert "withheld" in set(made.fct_trend["trend_status"])
    assert not unequal(network, made)
    moved = made.fct_trend.with_columns(intercept=pl.col("intercept") + 0.1)
    said = PublicRelease(made.fct_indicator_value, moved, made.fct_gap)
    assert [row["population_group_id"] for row in unequal(network, said)] == ["race_ethnicity:white"]


# One that protects enough


def test_one_that_asks_the_attacker_is_not_caught() -> None:
    judged = 0
    for seed in SEEDS:
        _, [report] = history(protectors.asking, networks(seed))
        assert report.is_safe, (seed, report.findings, report.undecided)
        judged += report.cells
    assert judged > 4 * len(SEEDS)


def test_nor_over_three_releases_with_corrections() -> None:
    for seed in SEQUENCES:
        _, reports = history(protectors.asking, networks(seed, 3))
        for report in reports:
            assert report.is_safe, (seed, report.findings, report.undecided)


def test_protecting_each_release_by_itself_is_not_enough() -> None:
    def forgetful(network: Network, _: object) -> PublicRelease:
        return protectors.asking(network, [])

    assert any(report.findings for seed in SEQUENCES for report in history(forgetful, networks(seed, 3))[1])


def test_the_version_before_a_correction_is_found_from_the_one_after() -> None:
    before = cases.case_rates(
        {"all": {2024: (22, 39)}, "white": {2024: (15, 20)}, "black": {2024: (4, 8)}, "hispanic": {2024: (3, 11)}}
    )
    after = cases.case_rates(
        {"all": {2024: (24, 42)}, "white": {2024: (15, 20)}, "black": {2024: (6, 11)}, "hispanic": {2024: (3, 11)}}
    )
    hispanic = "race_ethnicity:hispanic"
    kept = {key for key in values_of(before.fct_indicator_value) if key[4] == hispanic}
    first = protectors.release(before, kept)
    assert attack([before], [first]).is_safe
    report = attack([before, after], [first, protectors.release(after, kept)])
    assert {finding.kind for finding in report.findings} >= {SMALL}


def test_a_masked_cell_of_which_the_source_left_one_count_is_no_finding() -> None:
    network = cases.case_rates({"all": {2024: (20, 40)}, "white": {2024: (12, 25)}, "black": {2024: (8, 15)}})
    masked = network.fct_indicator_value.with_columns(
        pl.when(population_group_id="race_ethnicity:black").then(None).otherwise(name).alias(name)
        for name in ("value", "numerator")
    )
    printed = Network(**(vars(network) | {"fct_indicator_value": masked}))
    assert {cell.kind for cell in cells_of(printed).values()} >= {SOURCE}
    assert attack([printed], [protectors.primary_only(printed, [])]).is_safe


# The networks themselves


def test_the_networks_hold_every_kind_of_row_and_sum() -> None:
    kinds, shapes, determined = set(), set(), set()
    for seed in range(150):
        for network in networks(seed, 3):
            cells = cells_of(network)
            kinds |= {cell.kind for cell in cells.values()}
            shapes |= set(network.dim_geography["geography_level"])
            shapes |= {f"nested {'asian_east' in key[4]}" for key in cells}
            shapes |= {f"checked {line.checked}, equal {line.equal}" for line in sums_of(network, cells)}
            shapes |= {"tied"} if ties_of(network, cells) else set()
            shapes |= {key[3] == "annual" for key in cells}
            determined |= set(network.fct_trend["trend_status"]) | set(network.fct_gap["gap_status"])
    assert kinds >= {SMALL, CODED, SOURCE, RATE, ZERO}
    assert shapes >= {"district", "zip", "nested True", "tied", True, False}
    assert shapes >= {f"checked {a}, equal {b}" for a in (True, False) for b in (True, False)}
    assert determined >= {"improving", "declining", "narrowed", "widened", "reversed"}


def test_the_networks_are_small_and_the_same_for_a_seed() -> None:
    for seed in range(40):
        found = networks(seed, 2)
        again = networks(seed, 2)
        for network, other in zip(found, again, strict=True):
            assert network.fct_indicator_value.equals(other.fct_indicator_value)
            hidden = [family_of(k) for k, c in cells_of(network).items() if c.kind in (SMALL, CODED, SOURCE)]
            assert max((hidden.count(family) for family in hidden), default=0) <= MOST_HIDDEN
    assert LARGEST == 20


@pytest.mark.parametrize("n", [10, 11, 20, 21, 40, 41, 100, 101, 200, 201, 300])
def test_each_zone_leaves_three_counts(n: int) -> None:
    assert sum(100 * k <= zone(n) * n for k in range(n + 1)) >= 3
