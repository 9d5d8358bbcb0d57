"""Primary rules: what each kind of row lets the public know (RULES 8.1).

Belongs here: small, coded, masked at the source, counts, scores, rates and numerators without n, n = 0, profiles.
Does not: what is withheld besides (test_choice.py).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.disclosure import Profile, load_profile
from dagster_project.lib.disclosure.cells import with_classes
from dagster_project.lib.disclosure.words import CODED, COMPLEMENTARY, PUBLISHED, SMALL, SOURCE_MASKED
from tests.unit.disclosure.conftest import ROOT
from tests.unit.disclosure.tables import HEALTH, RATE, SCORE, TALLY, TOWN, kinds, masked, row, run, shown, tally

NUMBERS = ("value", "value_low", "value_high", "numerator", "denominator")


def alone(profile: Profile, **more: object) -> dict[str, object]:
    """The public row of a network of one row."""
    return shown(run([row(**more)], profile), "all")  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [1, 5, 9])
def test_a_small_cell_keeps_none_of_its_numbers(profile: Profile, n: int) -> None:
    public = alone(profile, n=n, k=1)
    assert [public[name] for name in NUMBERS] == [None] * 5
    assert public["value_status"] == "withheld"


def test_ten_is_published_whole_and_the_health_sector_asks_for_eleven(profile: Profile) -> None:
    assert alone(profile, n=10, k=5)["denominator"] == 10
    assert alone(profile, n=10, k=5, indicator_id=HEALTH)["value_status"] == "withheld"
    assert alone(profile, n=11, k=5, indicator_id=HEALTH)["value"] == pytest.approx(500 / 11)


@pytest.mark.parametrize(
    ("n", "low", "high"),
    [
        (10, 20, 80),
        (20, 20, 80),
        (21, 10, 90),
        (40, 10, 90),
        (41, 5, 95),
        (100, 5, 95),
        (101, 2, 98),
        (200, 2, 98),
        (201, 1, 99),
        (5000, 1, 99),
    ],
)
def test_a_rate_in_the_zone_of_its_n_is_published_as_the_zones_bounds(
    profile: Profile, n: int, low: int, high: int
) -> None:
    last_coded = n * low // 100
    assert alone(profile, n=n, k=last_coded + 1)["value_status"] == "derived"
    for k in (0, last_coded, n - last_coded, n):
        public = alone(profile, n=n, k=k)
        assert (public["value_low"], public["value_high"]) == ((0, low) if k <= last_coded else (high, 100))
        assert (public["value"], public["numerator"], public["denominator"]) == (None, None, n)
        assert public["value_status"] == "range"
    assert last_coded + 1 >= 3


def test_no_denominator_is_not_applicable_and_stays(profile: Profile) -> None:
    public = alone(profile, n=0, k=0)
    assert public["value_status"] == "not_applicable"
    assert public["denominator"] == 0


def test_a_plain_count_is_its_own_n_and_is_never_coded(profile: Profile) -> None:
    for count, status in ((0, "derived"), (1, "withheld"), (9, "withheld"), (10, "derived"), (500, "derived")):
        public = shown(run([tally("all", count)], profile), "all")
        assert public["value_status"] == status
        assert public["value"] == (None if status == "withheld" else count)


@pytest.mark.parametrize("value", [None, 30.0])
@pytest.mark.parametrize(("k", "n"), [(3, None), (None, 7), (3, 7), (12, 500)])
def test_what_stands_beside_a_plain_count_where_counts_belong_is_not_published(
    profile: Profile, value: float | None, k: int | None, n: int | None
) -> None:
    """Neither its n nor its k, and judged by no audit: a small number there would leave the house as it is."""
    status = "missing" if value is None else "reported"
    public = alone(profile, n=n, k=k, unit="count", indicator_id=TALLY, value=value, value_status=status)
    assert (public["value"], public["value_status"]) == (value, status)
    assert (public["numerator"], public["denominator"]) == (None, None)


@pytest.mark.parametrize("unit", ["per_1000", "score", "usd"])
def test_other_units_follow_their_n_and_have_no_zone(profile: Profile, unit: str) -> None:
    assert alone(profile, n=9, unit=unit, value=2.0, indicator_id=SCORE)["value"] is None
    assert alone(profile, n=10, unit=unit, value=0.5, indicator_id=SCORE)["value"] == 0.5


def test_a_numerator_without_n_is_withheld_below_min_n_and_where_the_rate_is_masked(profile: Profile) -> None:
    assert alone(profile, k=9, value_status="missing")["numerator"] is None
    assert alone(profile, k=12, value_status="missing")["numerator"] == 12
    public = alone(profile, k=12, value_status="suppressed_at_source")
    assert (public["numerator"], public["value_status"]) == (None, "suppressed_at_source")


def test_a_rate_without_n_is_published_only_from_a_public_source(profile: Profile) -> None:
    public = alone(profile, value=41.5, data_source="state report card")
    # The source is called as the network publishes it, not as the member wrote it.
    assert (public["value"], public["data_source"]) == (41.5, "State report card")
    for source in ("local partner", None):
        public = alone(profile, value=41.5, data_source=source)
        assert (public["value"], public["value_status"]) == (None, "withheld")


def test_a_masked_cell_keeps_the_sources_word_and_a_denominator_that_is_not_small(profile: Profile) -> None:
    public = run(
        [
            masked("gender:male", 25),
            masked("gender:female", 6),
            masked("disability:yes", value_status="range", value_high=5.0),
        ],
        profile,
    )
    assert (shown(public, "gender:male")["denominator"], shown(public, "gender:female")["denominator"]) == (25, None)
    assert {shown(public, group)["value_status"] for group in ("gender:male", "gender:female")} == {
        "suppressed_at_source"
    }
    assert (shown(public, "disability:yes")["value_status"], shown(public, "disability:yes")["value_high"]) == (
        "range",
        5.0,
    )


def test_a_rate_that_leaves_one_numerator_counts_as_printing_it(profile: Profile) -> None:
    cells = run([row(n=13, value=46.2), row("gender:male", 2000, value=46.2)], profile).cells
    assert dict(cells.select("population_group_id", "k").iter_rows()) == {"all": 6, "gender:male": None}


def test_a_printed_rate_in_the_zone_is_coded_without_its_numerator(profile: Profile) -> None:
    public = alone(profile, n=2000, value=0.9)
    assert (public["value"], public["value_high"], public["denominator"]) == (None, 1.0, 2000)


def test_the_largest_threshold_of_all_lines_that_apply_wins(profile: Profile) -> None:
    lines = [("all", None, None, 10, 0), ("state", "CT", None, 15, 2020), ("community", TOWN, "education", 20, 2024)]
    stricter = Profile(
        profile.profile_id,
        pl.DataFrame(lines, schema=profile.thresholds.schema, orient="row"),
        profile.zones,
        profile.sources,
        profile.ties,
        profile.parents,
    )
    kind = {year: kinds(run([row(n=19, k=8, school_year=year)], stricter))["all"] for year in (2023, 2024)}
    other = kinds(run([row(n=14, k=8, community_id="village", school_year=2024)], stricter))["all"]
    assert kind == {2023: "published", 2024: "small"}
    assert other == "small"


def test_what_no_term_in_force_lets_out_is_absent(profile: Profile) -> None:
    terms = {
        "community_id": [TOWN, "village", "city"],
        "indicator": [None, RATE, None],
        "basis": ["agreement"] * 3,
        "from": [None, None, "2025-02-01"],
        "to": [None, None, None],
    }
    rows = [row(n=50, k=20, community_id=name) for name in (TOWN, "village", "city")]
    public = run(rows, profile, terms=pl.DataFrame(terms))
    assert public.values["community_id"].to_list() == [TOWN]


@pytest.mark.parametrize(
    ("first", "last", "is_out"),
    [
        ("2025-01-01", None, True),
        ("2025-01-02", None, False),
        (None, "2025-01-01", True),
        (None, "2024-12-31", False),
        ("2025-01-01", "2025-01-01", True),
    ],
)
def test_a_term_is_in_force_from_its_first_day_to_its_last(
    profile: Profile, first: str | None, last: str | None, is_out: bool
) -> None:
    term = {"community_id": [TOWN], "indicator": [None], "basis": ["agreement"], "from": [first], "to": [last]}
    public = run([row(n=50, k=20)], profile, terms=pl.DataFrame(term, schema=dict.fromkeys(term, pl.String)))
    assert public.values.height == is_out


def test_a_profile_without_a_line_for_everybody_is_refused(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(Path(ROOT) / "seeds", seeds)
    file = seeds / "network" / "disclosure_profiles.csv"
    file.write_text(
        "profile,scope,scope_id,sector,min_n,from_school_year\nedu_public_v1,state,CT,,ten,\n", encoding="utf-8"
    )
    with pytest.raises(SeedError, match="line 2, column min_n: a whole number"):
        load_profile(Reference(seeds))
    file.write_text(
        "profile,scope,scope_id,sector,min_n,from_school_year\nedu_public_v1,state,CT,,10,\n", encoding="utf-8"
    )
    with pytest.raises(SeedError, match="scope all"):
        load_profile(Reference(seeds))


@pytest.mark.parametrize("file", ["disclosure_profiles", "disclosure_zones"])
def test_a_profile_without_any_line_names_the_file_that_lacks_it(tmp_path: Path, file: str) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(Path(ROOT) / "seeds", seeds)
    path = seeds / "network" / f"{file}.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("edu_public_v1,", "another,"), encoding="utf-8")
    with pytest.raises(SeedError, match=f"network/{file}.csv has no line of profile edu_public_v1"):
        load_profile(Reference(seeds))


def test_a_data_source_with_two_meanings_in_one_year_names_both_lines(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(Path(ROOT) / "seeds", seeds)
    file = seeds / "crosswalks" / "data_sources.csv"
    file.write_text(
        "label,public_name,is_public,valid_from,valid_to\nLocal,Ours,false,,2020\nlocal,Theirs,true,2020,\n",
        encoding="utf-8",
    )
    with pytest.raises(SeedError, match="lines 2 and 3: the label Local stands in both"):
        load_profile(Reference(seeds))


@pytest.mark.parametrize(
    ("kind", "n", "unit", "hides_n", "expected"),
    [
        (PUBLISHED, 50, "percent", False, ("printed", "none")),
        (CODED, 50, "percent", False, ("printed", "none")),
        (SMALL, 4, "percent", False, ("small", "none")),
        (SMALL, None, "percent", False, ("none", "small")),
        (SMALL, None, "count", False, ("none", "none")),
        (COMPLEMENTARY, 50, "percent", False, ("large", "none")),
        (SOURCE_MASKED, 50, "percent", False, ("printed", "none")),
        (SOURCE_MASKED, 10, "percent", False, ("printed", "none")),
        (SOURCE_MASKED, 50, "percent", True, ("large", "none")),
        (SOURCE_MASKED, 4, "percent", False, ("small", "none")),
        (SOURCE_MASKED, None, "percent", False, ("none", "none")),
    ],
)
def test_of_a_count_the_public_knows_what_its_kind_lets_out_and_no_more(
    kind: str, n: int | None, unit: str, hides_n: bool, expected: tuple[str, str]
) -> None:
    cell = {"kind": kind, "n": n, "min_n": 10, "unit": unit, "hides_n": hides_n}
    types = {"kind": pl.String, "n": pl.Int64, "min_n": pl.Int64, "unit": pl.String, "hides_n": pl.Boolean}
    classed = with_classes(pl.DataFrame([cell], schema=types))
    assert classed.select("n_class", "k_class").row(0) == expected
    if not hides_n:
        assert with_classes(pl.DataFrame([cell], schema=types).drop("hides_n"))["n_class"].item() == expected[0]
