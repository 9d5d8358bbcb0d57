"""Several releases, judged together (RULES 8.8): the same unknown, what stays withheld, what stays published, out.

Belongs here: sequences of releases with corrections, objections, thresholds that change, families taken over.
Does not: one release by itself (test_choice.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

import polars as pl
import pytest

from dagster_project.lib.disclosure import Audit, Profile, Protected, Release, audit, protect
from dagster_project.lib.disclosure.audit import _seen, audited_frame, audited_from
from dagster_project.lib.disclosure.register import Readings
from dagster_project.lib.disclosure.release import _content
from dagster_project.lib.disclosure.sums import Tie, Truth
from dagster_project.lib.disclosure.unit import JUDGED, Cell, Earlier, Joint, Known, Unit, distinct
from dagster_project.lib.disclosure.words import (
    CODED,
    COMPLEMENTARY,
    INF,
    NO_COUNT,
    PUBLISHED,
    RATE_ONLY,
    SMALL,
    SOURCE_MASKED,
    Bounds,
    FamilyKey,
    Key,
    family_of,
)
from tests.unit.disclosure.tables import KEY, TOWN, Row, inputs, kinds, masked, row, run, shown, with_kinds

GROUPS = ("male", "female", "nonbinary")


def network(male: tuple[int, int], female: tuple[int, int], nonbinary: tuple[int, int]) -> list[Row]:
    """One family of three groups and their sum."""
    groups = dict(zip(GROUPS, (male, female, nonbinary), strict=True))
    rows = [row(f"gender:{name}", *counts) for name, counts in groups.items()]
    return [row(n=sum(n for n, _ in groups.values()), k=sum(k for _, k in groups.values())), *rows]


FIRST = network((96, 60), (97, 58), (7, 2))


def test_an_unchanged_network_is_taken_over_without_a_program(profile: Profile) -> None:
    first = run(FIRST, profile)
    again = run(FIRST, profile, [first.release])
    assert again.values.equals(first.values)
    assert again.outcomes[TOWN].reused == 1
    assert (again.outcomes[TOWN].solved, again.outcomes[TOWN].programs) == (0, 0)
    assert again.audit.passed


def again(rows: list[Row], profile: Profile, history: Sequence[Release], before: Protected) -> Protected:
    """A release with all that the one before it left for it."""
    return protect(inputs(rows), history, profile, KEY, solved=before.solved, audited=before.audited)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The communities that audits judge, in order."""
    names: list[str] = []
    audits = import_module("dagster_project.lib.disclosure.audit")  # the room's `audit` is the function
    judge_one = audits._audit_community

    def watched(work):  # type: ignore[no-untyped-def]
        names.append(work[0])
        return judge_one(work)

    monkeypatch.setattr(audits, "_audit_community", watched)
    return names


def test_a_community_of_which_all_releases_say_the_same_is_not_audited_again_and_the_audit_is_the_same(
    profile: Profile, looked_at: list[str]
) -> None:
    first = run(FIRST, profile)
    second = again(FIRST, profile, [first.release], first)
    assert looked_at == [TOWN, TOWN]  # a first release has none before it: that is another question
    third = again(FIRST, profile, [first.release, second.release], second)
    assert looked_at == [TOWN, TOWN]
    whole = run(FIRST, profile, [first.release, second.release])
    assert looked_at == [TOWN, TOWN, TOWN]
    assert replace(third.audit, answers={}) == replace(whole.audit, answers={})
    assert third.cells.equals(whole.cells) and third.audited.equals(whole.audited)


def test_a_correction_is_audited_whatever_was_found_before(profile: Profile, looked_at: list[str]) -> None:
    first = run(FIRST, profile)
    second = again(FIRST, profile, [first.release], first)
    looked_at.clear()
    changed = network((96, 60), (97, 58), (8, 2))
    third = again(changed, profile, [first.release, second.release], second)
    assert looked_at == [TOWN]
    assert third.audit == run(changed, profile, [first.release, second.release]).audit


def test_an_audit_of_nothing_counts_nothing_and_passes() -> None:
    nothing = Audit()
    counts = ("families", "judged", "programs", "dropped", "out", "forced")
    assert nothing.passed and [getattr(nothing, name) for name in counts] == [0] * len(counts)
    assert nothing.smallest == INF


def test_what_was_seen_of_releases_one_of_which_has_no_digest_is_not_known_again() -> None:
    one, other, none = (Earlier({}, {}, [], digest=digest) for digest in ("1", "2", ""))
    seen = {_seen(releases, newest) for releases in ([one], [one, other], [other, one]) for newest in (True, False)}
    assert len(seen) == 6 and all(seen)
    assert _seen([one, none], True) == _seen([none, one], True) == _seen([none], False) == ""


def test_a_failed_audit_is_kept_for_nobody(profile: Profile) -> None:
    first = run(FIRST, profile)
    hidden = next(group for group, kind in kinds(first).items() if kind == "complementary")
    other = next(group for group in ("gender:male", "gender:female") if group != hidden)
    both = audit([first.release, with_kinds(FIRST, profile, first, {(other, TOWN): "complementary"})])
    assert not both.passed and not both.parts


def test_releases_that_say_the_same_are_one_and_another_between_them_keeps_them_apart(profile: Profile) -> None:
    first, other = run(FIRST, profile).release, run(network((90, 50), (97, 58), (7, 2)), profile).release
    readings = Readings()
    a, b, c, d = (readings.read(release)[TOWN] for release in (first, first, other, first))
    assert a is b and distinct([a, b, c, d]) == [a, c, d]
    assert a.digest == d.digest != c.digest and a.cells == d.cells


def test_what_an_audit_found_comes_back_from_its_table_as_it_was(profile: Profile) -> None:
    first = run(FIRST, profile)
    parts = run(network((96, 60), (97, 58), (3, 2)), profile, [first.release]).audit.parts
    assert parts and audited_from(audited_frame(parts)) == parts


def test_what_was_withheld_beside_an_unchanged_small_cell_stays_withheld(profile: Profile) -> None:
    first = run(FIRST, profile)
    hidden = next(group for group, kind in kinds(first).items() if kind == "complementary")
    # The published group is corrected, so another choice would now be as good.
    other = "gender:male" if hidden == "gender:female" else "gender:female"
    changed = network((90, 50), (97, 58), (7, 2)) if other == "gender:male" else network((96, 60), (90, 50), (7, 2))
    second = run(changed, profile, [first.release])
    assert kinds(second)[hidden] == "complementary"
    assert kinds(second)[other] == "published"
    assert second.audit.passed


def test_publishing_later_what_protected_an_unchanged_cell_fails_the_audit_of_both(profile: Profile) -> None:
    first = run(FIRST, profile)
    hidden = next(group for group, kind in kinds(first).items() if kind == "complementary")
    other = next(group for group in ("gender:male", "gender:female") if group != hidden)
    swapped = with_kinds(FIRST, profile, first, {(other, TOWN): "complementary"})
    assert audit([swapped]).passed
    both = audit([first.release, swapped])
    assert {each.cell[4] for each in both.failures} >= {"gender:nonbinary"}


def test_a_small_cell_corrected_to_a_large_one_may_be_published_with_what_protected_it(profile: Profile) -> None:
    first = run(FIRST, profile)
    second = run(network((80, 50), (81, 48), (39, 20)), profile, [first.release])
    assert second.audit.passed
    assert kinds(second)["gender:nonbinary"] == "published"


def test_what_was_published_is_never_withheld_to_protect_another(profile: Profile) -> None:
    first = run(network((96, 60), (97, 58), (17, 8)), profile)
    assert set(kinds(first).values()) == {"published"}
    second = run(network((96, 60), (97, 58), (7, 2)), profile, [first.release])
    assert kinds(second)["gender:male"] == kinds(second)["gender:female"] == "published"
    small = second.cells.filter(pl.col("population_group_id") == "gender:nonbinary").row(0, named=True)
    # The correction made it small, and its neighbours were out: it is told, and stops nothing.
    assert (small["kind"], small["is_out"]) == ("small", True)
    assert second.audit.passed


def test_a_higher_threshold_makes_a_published_cell_out_not_a_fault(profile: Profile) -> None:
    rows = network((96, 60), (97, 58), (11, 5))
    first = run(rows, profile)
    higher = replace(profile, thresholds=profile.thresholds.with_columns(pl.lit(15, pl.Int64).alias("min_n")))
    second = run(rows, higher, [first.release])
    assert shown(second, "gender:nonbinary")["value_status"] == "withheld"
    assert second.cells.filter("is_out")["population_group_id"].to_list() == ["gender:nonbinary"]
    assert second.audit.passed
    # The audit that looks at the whole again finds the same cell to be out, and no other.
    assert [key[4] for key in second.audit.out_cells] == ["gender:nonbinary"]


def test_an_objection_withholds_new_families_whole_and_leaves_what_was_public(profile: Profile) -> None:
    old, new = [row(n=50, k=20, school_year=2023)], [row(n=60, k=30, school_year=2024)]
    objections = pl.DataFrame(
        {"community_id": [TOWN], "indicator": [None]}, schema={"community_id": pl.String, "indicator": pl.String}
    )
    first = run(old, profile)
    second = run([*old, *new], profile, [first.release], objections=objections)
    status = dict(second.values.select("school_year", "value_status").iter_rows())
    assert status == {2023: "derived", 2024: "withheld"}
    assert (
        run([*old, *new], profile, [first.release, second.release]).values["value_status"].to_list() == ["derived"] * 2
    )


def test_three_releases_withhold_correct_and_publish_and_pin_nothing(profile: Profile) -> None:
    first = run(FIRST, profile)
    second = run(network((96, 60), (97, 58), (8, 2)), profile, [first.release])
    third = run(network((96, 60), (97, 58), (28, 9)), profile, [first.release, second.release])
    past = [first.release, second.release, third.release]
    fourth = run(network((90, 55), (91, 50), (29, 9)), profile, past)
    for protected in (first, second, third, fourth):
        assert protected.audit.passed
    # Printed beside the unchanged groups it would give away theirs, and with them the small cells before it.
    assert shown(third, "gender:nonbinary")["denominator"] is None
    assert shown(fourth, "gender:female")["denominator"] == 91


def test_the_register_holds_no_value_and_its_hash_needs_the_key(profile: Profile) -> None:
    first = run(FIRST, profile)
    register = first.release.register
    assert not {"n", "k", "value", "numerator", "denominator"} & set(register.columns)
    assert register["token"].n_unique() == register.height


HIDDEN_OR_SHOWN = (PUBLISHED, CODED, SMALL, SOURCE_MASKED, COMPLEMENTARY, NO_COUNT)


@pytest.mark.parametrize("then", [None, *HIDDEN_OR_SHOWN])
@pytest.mark.parametrize("kind", HIDDEN_OR_SHOWN)
@pytest.mark.parametrize("is_out", [False, True])
def test_what_is_known_and_asked_after_one_cell_changed_is_what_it_would_be_from_the_start(
    kind: str, then: str | None, is_out: bool
) -> None:
    key: Key = (TOWN, "graduation_4yr_pct", "annual", TOWN, "gender:male", 2018, "")
    cell = Cell(
        key,
        PUBLISHED,
        Bounds(n_low=40, n_high=40, k_low=20, k_high=20),
        Truth(40, 20, True, PUBLISHED, "community", False),
        10,
        "token",
    )
    before = {} if then is None else {key: Known(then, Bounds(n_low=10, n_high=90), "token")}
    joint = Joint((family_of(key),), {key: cell}, [], [], [Earlier(before, {}, [])])
    cell.kind = PUBLISHED
    out = {cell.unknown} if is_out else set()
    system = joint.system(out)
    cell.kind = kind
    anew, changed = joint.system(out), joint.changed(system, cell, out)
    assert (changed.bounds, changed.needs) == (anew.bounds, anew.needs)
    asks = not is_out and PUBLISHED not in (kind, then) and (kind in JUDGED or then in JUDGED)
    assert set(changed.needs) == ({cell.unknown} if asks else set())


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"x": "1", "y": "2"}, {"x": "1", "y": "2"}, True),
        ({"x": "1", "y": "2"}, {"x": "1"}, True),
        ({"x": "1", "y": "2"}, {"x": "1", "y": "3"}, False),
        ({"x": "1"}, {"x": "1", "y": "2"}, False),
        ({}, {}, False),
        (None, {"x": "1"}, False),
    ],
)
def test_a_community_is_as_before_where_every_family_holds_what_it_held(
    before: dict[str, str] | None, now: dict[str, str], expected: bool
) -> None:
    def named(contents: dict[str, str]) -> dict[FamilyKey, str]:
        return {("a", indicator, "", 2018, "annual"): content for indicator, content in contents.items()}

    earlier = [] if before is None else [Earlier({}, {}, [], named(before))]
    assert Unit("a", {}, {}, [], earlier, named(now)).is_as_before is expected


def test_families_of_earlier_years_are_settled_first_whatever_they_are_called() -> None:
    years = {"b": 2017, "a": 2018, "c": 2016}
    keys: list[Key] = [("a", indicator, "annual", "a", "all", year, "") for indicator, year in years.items()]
    cells = {key: Known(PUBLISHED, Bounds(n_low=10, n_high=90), "token") for key in keys}
    unit = Unit("a", {}, {}, [], [Earlier(cells, {}, [])], {})
    assert [family[0][1] for family in unit.joint_families()] == ["c", "b", "a"]


def test_a_family_is_taken_over_by_what_it_holds_its_own_ties_among_it_and_no_others() -> None:
    keys: list[Key] = [("a", indicator, "annual", "a", "all", 2018, "") for indicator in ("one", "tied", "far")]
    one, tied, far = keys

    def content(*ties: Tie) -> str:
        return _content(family_of(one), {}, {}, [], ties)

    assert content(Tie(one, "n", tied, "n")) != content()
    assert content(Tie(tied, "n", one, "n")) != content()
    assert content(Tie(tied, "n", far, "n")) == content()


def test_the_printed_size_of_a_masked_row_stays_where_its_family_is_taken_over(profile: Profile) -> None:
    rows = [*FIRST, masked("disability:yes", 30)]
    first = run(rows, profile)
    again = run(rows, profile, [first.release])
    assert again.outcomes[TOWN].reused == 1
    assert [shown(each, "disability:yes")["denominator"] for each in (first, again)] == [30, 30]


COUNTED = Bounds(40, 40, 20, 20, 20, 20)
SIZED = Bounds(n_low=40, n_high=40).tight()
AT_LEAST_TEN = Bounds(n_low=10).tight()


def cell_of(kind: str, bounds: Bounds = COUNTED, n: int | None = 40, k: int | None = 20) -> Cell:
    key: Key = (TOWN, "graduation", "default", TOWN, "gender:male", 2024, "annual")
    cell = Cell(key, kind, bounds, Truth(n, k, bounds.has_k, kind, "community", False), 10, "token")
    cell.kind = kind
    return cell


@pytest.mark.parametrize(
    ("cell", "kind", "known"),
    [
        (cell_of(PUBLISHED), COMPLEMENTARY, AT_LEAST_TEN),
        (cell_of(CODED), COMPLEMENTARY, AT_LEAST_TEN),
        (cell_of(RATE_ONLY, n=None, k=None), NO_COUNT, Bounds()),
        (cell_of(SMALL, AT_LEAST_TEN), SMALL, AT_LEAST_TEN),
        (cell_of(SOURCE_MASKED, SIZED), SOURCE_MASKED, Bounds(n_low=10)),
        (cell_of(SOURCE_MASKED, Bounds(n_low=1, n_high=9)), SOURCE_MASKED, Bounds(n_low=1, n_high=9)),
        (cell_of(NO_COUNT, Bounds()), NO_COUNT, Bounds()),
    ],
    ids=lambda value: value.kind if isinstance(value, Cell) else None,
)
def test_a_cell_that_is_withheld_lets_out_that_it_is_large_or_nothing_and_a_mask_keeps_its_word(
    cell: Cell, kind: str, known: Bounds
) -> None:
    assert cell.known() == cell.bounds or cell.kind == NO_COUNT
    cell.withhold()
    assert (cell.kind, cell.known()) == (kind, known)
    assert not cell.prints_n
    count = cell_of(COMPLEMENTARY, Bounds(40, 40, has_k=False))
    assert count.known() == Bounds(n_low=10, has_k=False)


@pytest.mark.parametrize(
    ("kind", "bounds", "prints"),
    [(PUBLISHED, COUNTED, True), (CODED, SIZED, True), (PUBLISHED, Bounds(), False), (SOURCE_MASKED, SIZED, False)],
)
def test_a_size_is_printed_by_what_is_published_with_one(kind: str, bounds: Bounds, prints: bool) -> None:
    assert cell_of(kind, bounds).prints_n is prints
