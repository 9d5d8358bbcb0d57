"""What is withheld besides, and that it protects (RULES 8.2, 8.10); brute force beside the programs.

Belongs here: the case of RULES 8.10, sums of groups, nested groups, places, ties, masks, contradictions, fall-backs.
Does not: several releases (test_releases.py), derived figures (test_derived.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import cast

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.base.workers import Processes
from dagster_project.lib.disclosure import Parameters, Profile, Release, audit
from dagster_project.lib.disclosure.choice import _line_of
from dagster_project.lib.disclosure.words import Key
from tests.unit.disclosure.tables import (
    COUNTS,
    RACES,
    RATE,
    SCORE,
    TOWN,
    Cell,
    Row,
    enumerate_tables,
    grid,
    kinds,
    masked,
    pairs_of,
    row,
    run,
    shown,
    tally,
    values,
    with_kinds,
)

# Two cells in every line that holds a small one.
TWO_PER_LINE = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3)]


def cell(place: int, race: int) -> Cell:
    return f"race_ethnicity:{RACES[race]}", f"district_{place}"


def failing(release: Release) -> set[Cell]:
    """Group and place of the cells that fail the audit of one release."""
    return {(each.cell[4], each.cell[3]) for each in audit([release]).failures}


def test_two_per_line_and_primary_only_fail_the_audit_that_the_protection_passes(profile: Profile) -> None:
    rows = grid(COUNTS)
    protected = run(rows, profile)
    assert protected.audit.passed
    assert not protected.fall_backs
    two = {cell(*each): "small" if COUNTS[each[0]][each[1]] < 10 else "complementary" for each in TWO_PER_LINE}
    assert cell(0, 2) in failing(with_kinds(rows, profile, protected, two))
    assert failing(with_kinds(rows, profile, protected, {}))


def test_a_failure_names_the_sums_that_its_cell_stands_in_and_no_others(profile: Profile) -> None:
    rows = grid(COUNTS)
    failures = audit([with_kinds(rows, profile, run(rows, profile), {})]).failures
    assert failures
    races, places = [f"race_ethnicity:{race}" for race in RACES], [f"district_{n}" for n in range(4)]
    for each in failures:
        place, group = each.cell[3], each.cell[4]
        of_place = " + ".join(f"{race} at {place}" for race in races)
        of_group = " + ".join(f"{group} at {name}" for name in places)
        assert each.sums == (f"all at {place} = {of_place} (n)", f"{group} at {TOWN} = {of_group} (n)")


def test_the_cell_of_the_case_is_exactly_forty_by_plain_enumeration(profile: Profile) -> None:
    hidden = {cell(*each) for each in TWO_PER_LINE}
    counts = {cell(i, j): COUNTS[i][j] for i in range(4) for j in range(4)}
    domains = {
        name: [(n, 0) for n in (range(1, 10) if count < 10 else range(10, 60))] if name in hidden else [(count, 0)]
        for name, count in counts.items()
    }
    totals = {("rows", str(i)): sum(COUNTS[i]) for i in range(4)}
    totals |= {("columns", str(j)): sum(line[j] for line in COUNTS) for j in range(4)}
    lines = [(("rows", str(i)), [cell(i, j) for j in range(4)]) for i in range(4)]
    lines += [(("columns", str(j)), [cell(i, j) for i in range(4)]) for j in range(4)]
    found = enumerate_tables({**domains, **{name: [(total, 0)] for name, total in totals.items()}}, lines)
    assert found[cell(0, 2)] == {(40, 0)}


def test_a_single_small_group_takes_another_with_it_and_the_total_stays(profile: Profile) -> None:
    rows = [row(n=200, k=120), row("gender:male", 96, 60), row("gender:female", 97, 58), row("gender:nonbinary", 7, 2)]
    found = kinds(run(rows, profile))
    assert found["gender:nonbinary"] == "small"
    assert found["all"] == "published"
    assert sorted(found.values()).count("complementary") == 1


def test_groups_whose_sum_does_not_hold_take_nothing_with_them(profile: Profile) -> None:
    rows = [row(n=200, k=120), row("gender:male", 100, 60), row("gender:nonbinary", 7, 2)]
    assert sorted(kinds(run(rows, profile)).values()) == ["published", "published", "small"]


def test_nested_groups_add_up_to_their_parent_and_not_to_the_total(profile: Profile) -> None:
    rows = [
        row(n=200, k=120),
        row("economic_status:yes", 80, 40),
        row("economic_status:no", 120, 80),
        row("economic_status:free_lunch", 74, 38),
        row("economic_status:reduced_lunch", 6, 2),
    ]
    protected = run(rows, profile)
    found = kinds(protected)
    assert found["economic_status:free_lunch"] == "complementary" or found["economic_status:yes"] == "complementary"
    assert protected.audit.passed


def test_a_small_district_is_not_the_rest_of_the_community(profile: Profile) -> None:
    rows = [row(n=100, k=60)]
    rows += [
        row("all", n, k, geography_id=place, geography_level="district")
        for place, n, k in (("a", 8, 3), ("b", 42, 27), ("c", 50, 30))
    ]
    protected = run(rows, profile)
    found = [kinds(protected, place)["all"] for place in "abc"]
    assert found[0] == "small"
    assert "complementary" in found
    assert kinds(protected)["all"] == "published"


def test_zip_codes_are_parts_without_a_complete_sum(profile: Profile) -> None:
    rows = [row(n=100, k=60)]
    rows += [
        row("all", n, k, geography_id=place, geography_level="zip") for place, n, k in (("a", 8, 3), ("b", 42, 27))
    ]
    protected = run(rows, profile)
    assert [kinds(protected, place)["all"] for place in "ab"] == ["small", "published"]
    # Where the others leave next to nothing even "at most" gives a part away.
    rows[0] = row(n=44, k=28)
    tight = run(rows, profile)
    assert tight.audit.passed


def test_a_pooled_total_is_the_sum_of_the_districts_that_report(profile: Profile) -> None:
    rows = [row(n=50, k=30, origin="pooled")]
    rows += [
        row("all", n, k, geography_id=place, geography_level="district") for place, n, k in (("a", 8, 3), ("b", 42, 27))
    ]
    rows.append(masked("all", 30, geography_id="c", geography_level="district"))
    protected = run(rows, profile)
    assert kinds(protected, "b")["all"] == "complementary" or kinds(protected)["all"] == "complementary"


def test_a_complementary_cell_is_never_one_that_the_source_masked(profile: Profile) -> None:
    rows = [row(n=100, k=60), row("gender:male", 50, 30), masked("gender:female", 43), row("gender:nonbinary", 7, 3)]
    protected = run(rows, profile)
    found = kinds(protected)
    assert found["gender:female"] == "source_masked"
    assert found["gender:male"] == "complementary"
    assert protected.audit.passed


def test_a_family_whose_sums_leave_only_a_hundred_percent_is_not_safe(profile: Profile) -> None:
    # 200 of 206 and 162 of 168 leave 38 of 38 for all the others.
    rows = [row(n=206, k=200), row("race_ethnicity:white", 168, 162)]
    rows += [masked(f"race_ethnicity:{race}") for race in ("asian", "black", "hispanic")]
    protected = run(rows, profile)
    assert failing(with_kinds(rows, profile, protected, {})) == {
        (f"race_ethnicity:{r}", TOWN) for r in ("asian", "black", "hispanic")
    }
    assert kinds(protected)["race_ethnicity:white"] == "complementary"
    assert protected.audit.passed


def test_sums_with_masked_parts_that_contradict_the_rest_are_left_out_and_counted(profile: Profile) -> None:
    rows = [row(n=100, k=60), row("gender:male", 90, 55)]
    rows.append(masked("gender:female", value_status="range", value_low=0.0, value_high=5.0))
    protected = run(rows, profile)
    assert protected.audit.dropped == 1
    assert protected.audit.passed
    assert kinds(protected)["gender:male"] == "published"


def test_scores_follow_the_sums_of_their_denominators(profile: Profile) -> None:
    more = {"unit": "score", "indicator_id": SCORE}
    rows = [row(n=100, value=240.0, **more), row("gender:male", 60, value=236.0, **more)]
    rows += [row("gender:female", 33, value=250.0, **more), row("gender:nonbinary", 7, value=230.0, **more)]
    assert sorted(kinds(run(rows, profile)).values()) == ["complementary", "published", "published", "small"]


def tied(profile: Profile) -> Profile:
    """Graduates of one indicator are the denominator of another."""
    ties = pl.DataFrame(
        [("graduation", "numerator", "enrolled", "denominator", 0)], schema=profile.ties.schema, orient="row"
    )
    return Profile(profile.profile_id, profile.thresholds, profile.zones, profile.sources, ties, profile.parents)


def test_counts_that_are_one_are_withheld_together(profile: Profile) -> None:
    rows = [row("gender:male", 60, 59), row("gender:male", 59, 30, indicator_id="enrolled")]
    by_indicator = dict(run(rows, tied(profile)).cells.select("indicator_id", "kind").iter_rows())
    assert by_indicator == {"graduation": "coded", "enrolled": "complementary"}
    apart = dict(run(rows, profile).cells.select("indicator_id", "kind").iter_rows())
    assert apart == {"graduation": "coded", "enrolled": "published"}
    rows[1] = row("gender:male", 58, 30, indicator_id="enrolled")
    unequal = dict(run(rows, tied(profile)).cells.select("indicator_id", "kind").iter_rows())
    assert unequal == {"graduation": "coded", "enrolled": "published"}


def test_families_fall_back_by_places_then_groups_then_whole(profile: Profile) -> None:
    rows = grid(COUNTS)
    protected = run(rows, profile, parameters=Parameters(programs_per_family=1))
    below = protected.cells.filter(pl.col("geography_id") != TOWN)
    assert set(protected.fall_backs.values()) == {1}
    assert set(below["kind"].unique()) <= {"small", "complementary"}
    assert protected.audit.passed


def test_a_family_that_only_all_can_protect_withholds_all(profile: Profile) -> None:
    rows = [row(n=8 + 9, k=9), row("gender:male", 8, 4), row("gender:female", 9, 5)]
    two_small = run(rows, profile)
    assert two_small.audit.passed
    rows = [
        row(n=17, k=9),
        masked("gender:male", 8),
        row("gender:female", 9, 5),
        row("english_learner:yes", 1, 1),
        row("english_learner:no", 16, 8),
    ]
    assert run(rows, profile).audit.passed


def test_the_choice_prefers_small_classes_by_last_years_published_size(profile: Profile) -> None:
    def year(at: int, small: int) -> list[Row]:
        sizes = {"male": 200, "female": 40, "nonbinary": small}
        rows = [row(f"gender:{name}", n, n // 2, school_year=at) for name, n in sizes.items()]
        return [row(n=240 + small, k=sum(n // 2 for n in sizes.values()), school_year=at), *rows]

    protected = run([*year(2023, 30), *year(2024, 6)], profile)
    found = dict(
        protected.cells.filter(pl.col("school_year") == 2024).select("population_group_id", "kind").iter_rows()
    )
    assert found == {
        "all": "published",
        "gender:male": "published",
        "gender:female": "complementary",
        "gender:nonbinary": "small",
    }


def test_two_processes_and_any_order_of_rows_give_the_same_release(profile: Profile) -> None:
    rows = [
        *grid(COUNTS),
        *(
            {**each, "community_id": "village", "geography_id": str(each["geography_id"]).replace(TOWN, "village")}
            for each in grid(COUNTS)
        ),
    ]
    one, other = run(rows, profile), run(rows[::-1], profile, spread=Processes(2))
    assert one.values.equals(other.values)
    assert one.release.register.equals(other.release.register)


def in_zone(n: int, k: int) -> bool:
    """The zones of RULES 8.1, written out again."""
    low = 20 if n <= 20 else 10 if n <= 40 else 5 if n <= 100 else 2 if n <= 200 else 1
    return 100 * k <= low * n or 100 * k >= (100 - low) * n


def too_many(domains: Iterable[Sequence[object]]) -> bool:
    """Whether the plain search would look at too many tables."""
    sizes = sorted(len(each) for each in domains)
    return math.prod(sizes[:-1]) > 20_000


COUNTED = st.tuples(st.integers(0, 16), st.floats(0, 1)).map(lambda each: (each[0], round(each[0] * each[1])))


@settings(max_examples=25)
@given(st.lists(COUNTED, min_size=2, max_size=3), st.lists(COUNTED, min_size=1, max_size=1))
def test_no_table_of_one_community_lets_a_cell_out_by_brute_force(
    profile: Profile, races: list[tuple[int, int]], one: list[tuple[int, int]]
) -> None:
    """Every hidden cell of a finished release keeps at least three feasible n, k and m in a plain enumeration."""
    total = tuple(sum(each[i] for each in races) for i in (0, 1))
    other = (total[0] - one[0][0], total[1] - one[0][1])
    dimensions = {"race_ethnicity": dict(zip(RACES, races, strict=False))}
    if min(other) >= 0 and other[0] >= other[1]:
        dimensions["disability"] = {"yes": one[0], "no": other}
    rows = [row(n=total[0], k=total[1])]
    rows += [row(f"{name}:{group}", *pair) for name, groups in dimensions.items() for group, pair in groups.items()]
    protected = run(rows, profile)
    assert protected.audit.passed
    found = kinds(protected)
    cap = sum(pair[0] for pair in races) + 14
    domains = {
        (group, ""): [(0, 0)] if kind == "not_applicable" else pairs_of(kind, shown(protected, group), cap, in_zone)
        for group, kind in found.items()
    }
    if too_many(domains.values()):
        return
    lines = [(("all", ""), [(f"{name}:{group}", "") for group in groups]) for name, groups in dimensions.items()]
    feasible = enumerate_tables(domains, lines)
    for (group, _), pairs in feasible.items():
        if found[group] == "small":
            assert min(len({n for n, _ in pairs}), len({k for _, k in pairs}), len({n - k for n, k in pairs})) >= 3
        elif found[group] == "coded":
            assert len({k for _, k in pairs}) >= 3
        elif found[group] == "complementary":
            assert len(pairs) >= 2
            assert any(k > 0 for _, k in pairs)
            assert any(k < n for n, k in pairs)


@settings(max_examples=15)
@given(st.lists(st.lists(st.integers(0, 24), min_size=3, max_size=3), min_size=3, max_size=3))
def test_no_grid_of_districts_lets_a_count_out_by_brute_force(profile: Profile, counts: list[list[int]]) -> None:
    rows = [tally("all", sum(map(sum, counts)))]
    rows += [tally(f"race_ethnicity:{RACES[i]}", sum(line[i] for line in counts)) for i in range(3)]
    for number, line in enumerate(counts):
        rows.append(tally("all", sum(line), f"district_{number}", "district"))
        rows += [tally(f"race_ethnicity:{RACES[i]}", line[i], f"district_{number}", "district") for i in range(3)]
    protected = run(rows, profile)
    assert protected.audit.passed
    register = protected.cells.select("population_group_id", "geography_id", "kind").iter_rows()
    found = {(group, place): kind for group, place, kind in register}
    if sum(kind in ("small", "complementary") for kind in found.values()) > 6:
        return  # More would take the plain search too long.
    truth = {
        (str(r["population_group_id"]), str(r["geography_id"])): int(r["value"])
        for r in values(rows).iter_rows(named=True)
    }
    domains = {
        name: [(n, 0) for n in (range(1, 10) if kind == "small" else range(10, 75))]
        if kind in ("small", "complementary")
        else [(truth[name], 0)]
        for name, kind in found.items()
    }
    if too_many(domains.values()):
        return
    groups, places = [f"race_ethnicity:{RACES[i]}" for i in range(3)], [f"district_{i}" for i in range(3)]
    lines = [(("all", place), [(group, place) for group in groups]) for place in [TOWN, *places]]
    lines += [((group, TOWN), [(group, place) for place in places]) for group in ["all", *groups]]
    feasible = enumerate_tables(domains, lines)
    for name, pairs in feasible.items():
        assert len(pairs) >= {"small": 3, "complementary": 2}.get(found[name], 1), (name, found[name], pairs)


def test_rates_alone_pin_nothing_but_a_total_of_a_hundred_percent(profile: Profile) -> None:
    def network(total: float) -> list[Row]:
        public = {"data_source": "State report card", "indicator_id": RATE}
        rows = [row(value=total, **public), row("gender:male", value=total, **public)]
        return [*rows, masked("gender:female", indicator_id=RATE)]

    assert kinds(run(network(61.5), profile))["gender:male"] == "rate_without_n"
    sure = run(network(100.0), profile)
    assert sure.audit.passed


@pytest.mark.parametrize("programs", [1, 5, 1000])
def test_no_budget_lets_an_unprotected_release_pass(profile: Profile, programs: int) -> None:
    assert run(grid(COUNTS), profile, parameters=Parameters(programs_per_family=programs)).audit.passed


@pytest.mark.parametrize("place", range(7))
def test_a_cell_is_the_same_over_the_years_and_another_by_all_else(place: int) -> None:
    key = ("town", "graduation", "default", "town", "all", 2024, "annual")
    other = tuple(2025 if at == 5 else "other" if at == place else name for at, name in enumerate(key))
    assert (_line_of(key) == _line_of(cast("Key", other))) is (place == 5)
