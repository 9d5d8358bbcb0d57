"""Frozen records: kept byte for byte, decided again from themselves, and beside them what would be now.

Belongs here: the frozen file, frozen rows in the tables that speak of determinations, what differs from today's record.
Does not: a whole run over a frozen cycle (tests/integration/test_cycle.py), deciding (tests/unit/rubric).
"""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import pytest

from dagster_project.lib.analysis.records import beside
from dagster_project.lib.analysis.records.build import build_record, build_records, verify
from dagster_project.lib.analysis.records.distance import designation_distance
from dagster_project.lib.analysis.records.inputs import RecordInputs
from dagster_project.lib.analysis.records.recompute import Record, recompute, stated
from dagster_project.lib.analysis.tables import TABLES, before_freezing
from dagster_project.lib.analysis.vocabulary import FROZEN, PROVISIONAL
from dagster_project.lib.app import frozen
from dagster_project.lib.app.frozen import DETERMINATION, keep_frozen, put_back, released_cycles
from dagster_project.lib.app.stands.cycles import (
    FrozenContent,
    FrozenCycle,
    frozen_key,
    lost_cycles,
    manifest_inputs,
    read_frozen,
)
from dagster_project.lib.base.state import StateError
from dagster_project.lib.base.store import Store
from tests.unit.rubric.conftest import COMMUNITY, World, analysed, random_values, seed

COMMUNITIES = (COMMUNITY, "alpha", "beta")
YEARS = range(2019, 2024)
YEAR = 2022
RULESET = ("toa-default", "1.0.0")
THEN, NOW = 3, 4
KEPT = [*DETERMINATION, *frozen.KEPT]
RUBRIC_ROW = ["community_id", "reporting_year", "criterion_id"]
RANKED = [*DETERMINATION, "requirement_id", "rank"]
KEPT_FIGURES = [*DETERMINATION, "requirement_id", *frozen.KEPT_OF_REQUIREMENT]


@cache
def inputs(random_seed: int, communities: tuple[str, ...] = COMMUNITIES) -> RecordInputs:
    """Three communities with invented values; another seed stands for data that were restated."""
    world = World(first_year=YEARS[0], last_year=YEARS[-1])
    granted = {"kind": "designation", "decision": "granted", "approver": "N", "reason": "r"}
    world.add("gateway_decisions", {**granted, "code": "proof_point_initial", "decided_on": "2020-12-31"}, year=2020)
    return analysed(world, random_values(communities, range(2014, 2024), random_seed), communities)


@cache
def distances(random_seed: int, communities: tuple[str, ...] = COMMUNITIES) -> pl.DataFrame:
    """fct_designation_distance of the same communities."""
    return designation_distance(inputs(random_seed, communities))


def tables(random_seed: int, communities: tuple[str, ...] = COMMUNITIES) -> dict[str, pl.DataFrame]:
    """Everything that a run would hand over to be kept as frozen."""
    made = inputs(random_seed, communities).tables
    return {**made, "fct_designation_distance": distances(random_seed, communities)}


def content(random_seed: int = THEN) -> bytes:
    kept = [{**record, "state": FROZEN} for record in build_records(inputs(random_seed), YEAR)]
    rows = distances(random_seed).filter(reporting_year=YEAR).to_dicts()
    return frozen.file_bytes(YEAR, FrozenContent(kept, rows), "2023-12-31-0123456789ab", RULESET)


@cache
def cycle() -> FrozenCycle:
    return FrozenCycle(YEAR, content())


def kept(random_seed: int = NOW, communities: tuple[str, ...] = COMMUNITIES) -> dict[str, pl.DataFrame]:
    return keep_frozen(tables(random_seed, communities), [cycle()], COMMUNITIES, seed("rubric/rubric"))


def of_year(table: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    return table.filter(reporting_year=YEAR).select(columns).sort(columns[:4])


def test_the_same_records_give_the_same_bytes() -> None:
    assert content() == content()
    assert content(THEN) != content(NOW)


def test_a_year_is_frozen_once_and_a_second_freeze_changes_nothing(tmp_path: Path) -> None:
    lake = Store(str(tmp_path))
    assert frozen.freeze_cycle(lake, YEAR, content()) == hashlib.sha256(content()).hexdigest()
    with pytest.raises(frozen.FrozenAlreadyError, match=r"^reporting year 2022 is frozen already"):
        frozen.freeze_cycle(lake, YEAR, content(NOW))
    with pytest.raises(frozen.FrozenAlreadyError):
        frozen.refuse_frozen(lake, YEAR)
    assert lake.get(frozen_key(YEAR)) == content()


def test_cycles_are_read_by_year_and_only_of_the_years_asked_for(tmp_path: Path) -> None:
    lake = Store(str(tmp_path))
    assert read_frozen(lake) == ()
    frozen.freeze_cycle(lake, YEAR, content())
    lake.put("frozen/readme.txt", b"no cycle")
    assert [found.reporting_year for found in read_frozen(lake)] == [YEAR]
    assert read_frozen(lake, range(2015, YEAR)) == ()


def test_a_file_in_another_years_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="frozen/2021"):
        FrozenCycle(2021, content()).read()


def test_every_frozen_record_gives_the_same_answer_from_itself_alone() -> None:
    assert len(cycle().read().records) == 9
    for record in cycle().read().records:
        assert record["state"] == FROZEN
        assert verify(record)
        assert recompute(record) == stated(record)


def test_frozen_rows_stay_when_every_value_was_restated() -> None:
    before, after = inputs(THEN).tables, kept()
    for name, columns in (("fct_designation", KEPT), ("fct_designation_requirement", KEPT_FIGURES)):
        assert of_year(after[name], columns).equals(of_year(before[name], columns)), name


def test_what_would_be_now_stands_beside_a_frozen_row() -> None:
    table = kept()["fct_designation"]
    now = inputs(NOW).tables["fct_designation"]
    shown = table.select(*DETERMINATION, *[pl.col(f"{name}_now").alias(name) for name in ("status", "record_id")])
    assert shown.equals(now.select(shown.columns).sort(DETERMINATION))
    mine = table.filter(reporting_year=YEAR)
    assert set(mine["record_state"]) == {FROZEN}
    assert mine.filter(pl.col("record_id") != pl.col("record_id_now")).height == mine.height
    figures = kept()["fct_designation_requirement"].filter(reporting_year=YEAR)
    assert figures.filter(pl.col("actual").ne_missing(pl.col("actual_now"))).height
    assert figures.filter(pl.col("status") != pl.col("status_now")).height


def test_rows_of_other_years_are_provisional_and_equal_what_would_be_now() -> None:
    table = kept()["fct_designation"].filter(pl.col("reporting_year") != YEAR)
    assert set(table["record_state"]) == {PROVISIONAL}
    for name in ("status", "standing", "record_id"):
        assert table[name].equals(table[f"{name}_now"].rename(name))
    figures = kept()["fct_designation_requirement"].filter(pl.col("reporting_year") != YEAR)
    assert figures["actual"].equals(figures["actual_now"].rename("actual"), null_equal=True)


def test_without_frozen_cycles_no_row_changes() -> None:
    before = tables(THEN)
    after = keep_frozen(before, [], COMMUNITIES, seed("rubric/rubric"))
    for name in ("fct_designation", "fct_designation_requirement"):
        assert after[name].select(before[name].columns).equals(before[name])
        assert set(after[name]["record_state"]) == {PROVISIONAL}
    for name in frozen.JUDGED:
        key = list(TABLES[name].key)
        assert after[name].select(before[name].columns).sort(key).equals(before[name].sort(key)), name
        for shown in frozen.JUDGED[name]:
            assert after[name][shown].equals(after[name][f"{shown}_now"].rename(shown), null_equal=True)
    assert after["fct_gateway_missing"].sort(RUBRIC_ROW).equals(before["fct_gateway_missing"].sort(RUBRIC_ROW))
    assert after["fct_designation_distance"].sort(RANKED).equals(before["fct_designation_distance"].sort(RANKED))


def test_a_community_without_any_folder_left_keeps_its_frozen_rows() -> None:
    left = (COMMUNITY, "alpha")
    rows = kept(NOW, left)["fct_designation"].filter(community_id="beta")
    assert rows.select(KEPT).equals(
        of_year(inputs(THEN).tables["fct_designation"], KEPT).filter(community_id="beta").sort(DETERMINATION)
    )
    assert rows["status_now"].null_count() == rows.height == 3
    assert kept(NOW, left)["fct_designation_requirement"].filter(community_id="beta").height


def test_records_of_communities_that_are_not_of_the_network_are_left_aside() -> None:
    after = keep_frozen(tables(NOW), [cycle()], [COMMUNITY], seed("rubric/rubric"))
    states = after["fct_designation"].filter(record_state=FROZEN)
    assert set(states["community_id"]) == {COMMUNITY}
    others = pl.col("community_id") != COMMUNITY
    assert after["fct_designation_distance"].filter(others).equals(distances(NOW).filter(others).sort(RANKED))


def test_a_requirement_that_came_with_later_rules_is_none_of_a_frozen_determination() -> None:
    now = tables(NOW)
    later = now["fct_designation_requirement"].with_columns(pl.col("requirement_id") + ".later")
    now["fct_designation_requirement"] = later
    rows = keep_frozen(now, [cycle()], COMMUNITIES, seed("rubric/rubric"))["fct_designation_requirement"]
    mine = rows.filter(reporting_year=YEAR)
    assert not mine.filter(pl.col("requirement_id").str.ends_with(".later")).height
    assert mine["status_now"].null_count() == mine.height > 0
    assert rows.filter(pl.col("reporting_year") != YEAR).height == later.filter(pl.col("reporting_year") != YEAR).height


def test_rubric_rows_of_a_frozen_determination_say_what_its_requirements_say() -> None:
    after = kept()
    criteria, required = after["fct_criterion_status"], after["fct_designation_requirement"]
    both = criteria.join(
        required.select("community_id", "reporting_year", "requirement_id", "status", "evidence", "record_state"),
        left_on=RUBRIC_ROW,
        right_on=["community_id", "reporting_year", "requirement_id"],
        suffix="_required",
    )
    assert both.height == 10 * len(COMMUNITIES) * len(YEARS)
    for name in ("status", "evidence"):
        assert both[name].equals(both[f"{name}_required"].rename(name), null_equal=True)
    # The seeds differ enough that today's rubric rows would not agree with the frozen year's.
    frozen_ones = both.filter(record_state=FROZEN).select(*RUBRIC_ROW, "status")
    today = tables(NOW)["fct_criterion_status"].select(*RUBRIC_ROW, today="status")
    assert frozen_ones.join(today, on=RUBRIC_ROW).filter(pl.col("status") != pl.col("today")).height


def test_every_community_year_keeps_all_rows_of_the_rubric() -> None:
    counts = kept()["fct_criterion_status"].group_by("community_id", "reporting_year").len()
    assert counts["len"].to_list() == [184] * len(COMMUNITIES) * len(YEARS)


def test_a_community_without_any_folder_left_keeps_the_rubric_rows_of_its_frozen_determinations() -> None:
    rows = kept(NOW, (COMMUNITY, "alpha"))["fct_criterion_status"].filter(community_id="beta")
    assert rows.height == 11
    assert set(rows["reporting_year"]) == {YEAR}


def judged(random_seed: int = THEN) -> dict[str, list[dict[str, object]]]:
    """What `freeze` takes of the judged tables out of a release."""
    made = kept_without_cycles(random_seed)
    return {
        name: made[name]
        .filter(reporting_year=YEAR)
        .select(before_freezing(TABLES[name]))
        .sort(TABLES[name].key)
        .to_dicts()
        for name in (*frozen.JUDGED, "fct_gateway_missing")
    }


@cache
def kept_without_cycles(random_seed: int) -> dict[str, pl.DataFrame]:
    return keep_frozen(tables(random_seed), [], COMMUNITIES, seed("rubric/rubric"))


@cache
def judged_cycle() -> FrozenCycle:
    before = cycle().read()
    content = FrozenContent(before.records, before.distances, judged())
    return FrozenCycle(YEAR, frozen.file_bytes(YEAR, content, "2023-12-31-0123456789ab", RULESET))


JUDGED_TABLES = (*frozen.JUDGED, "fct_gateway_missing")


@pytest.mark.parametrize("name", JUDGED_TABLES)
def test_what_was_judged_of_a_frozen_year_stays_and_other_years_follow_the_data(name: str) -> None:
    then, now = kept_without_cycles(THEN)[name], kept_without_cycles(NOW)[name]
    after = keep_frozen(tables(NOW), [judged_cycle()], COMMUNITIES, seed("rubric/rubric"))[name]
    key, columns, mine = list(TABLES[name].key), before_freezing(TABLES[name]), pl.col("reporting_year") == YEAR
    assert after.filter(mine).select(columns).sort(key).equals(then.filter(mine).select(columns).sort(key))
    assert after.filter(~mine).sort(key).equals(now.filter(~mine).select(after.columns).sort(key))
    for shown in frozen.JUDGED.get(name, ()):
        frozen_ones = after.filter(mine)
        assert set(frozen_ones["record_state"]) == {FROZEN}
        today = now.filter(mine).select(*key, shown).sort(key)
        assert frozen_ones.sort(key)[f"{shown}_now"].equals(today[shown].rename(f"{shown}_now"), null_equal=True)


def test_a_new_booklet_rewrites_no_frozen_year() -> None:
    booklet = seed("rubric/rubric").with_columns(pl.col("criterion_id") + ".later")
    # What a run would judge by a booklet of other lines: every criterion under another name, none of them met.
    now = {**tables(NOW)}
    now["fct_criterion_status"] = now["fct_criterion_status"].with_columns(
        pl.col("criterion_id") + ".later", pl.lit("not_met").alias("status")
    )
    now["fct_benchmark_status"] = now["fct_benchmark_status"].with_columns(pl.col("benchmark_no") + 100)
    after = keep_frozen(now, [judged_cycle()], COMMUNITIES, booklet)
    for name in ("fct_criterion_status", "fct_benchmark_status"):
        key, columns = list(TABLES[name].key), before_freezing(TABLES[name])
        then = kept_without_cycles(THEN)[name].filter(reporting_year=YEAR).select(columns).sort(key)
        mine = after[name].filter(reporting_year=YEAR).sort(key)
        assert mine.select(columns).write_csv() == then.write_csv()
        assert mine["status_now"].null_count() == mine.height
    others = after["fct_criterion_status"].filter(pl.col("reporting_year") != YEAR)
    assert others["criterion_id"].str.ends_with(".later").all()


def test_rubric_rows_of_a_file_from_before_they_were_kept_speak_from_todays_data() -> None:
    ruled = seed("rubric/rubric").filter(pl.col("pillar") != "designation").select("criterion_id")
    now = tables(NOW)["fct_criterion_status"]
    after = kept()["fct_criterion_status"].select(now.columns).join(ruled, on="criterion_id")
    assert after.sort(RUBRIC_ROW).equals(now.join(ruled, on="criterion_id").sort(RUBRIC_ROW))


def test_distances_of_a_frozen_determination_stay_and_those_of_other_years_follow_the_data() -> None:
    after = kept()["fct_designation_distance"]
    then, now = distances(THEN).sort(RANKED), distances(NOW).sort(RANKED)
    mine = pl.col("reporting_year") == YEAR
    assert then.filter(mine).height > 0
    assert after.filter(mine).equals(then.filter(mine))
    assert after.filter(~mine).equals(now.filter(~mine))
    assert not then.filter(mine).equals(now.filter(mine))


def test_distances_of_a_frozen_year_belong_to_determinations_that_are_not_eligible() -> None:
    after = kept()
    states = after["fct_designation_distance"].join(after["fct_designation"], on=DETERMINATION)
    assert states.filter(reporting_year=YEAR).height > 0
    assert "eligible" not in set(states["status"])


def test_a_file_from_before_distances_were_kept_has_none() -> None:
    held = json.loads(gzip.decompress(content()))
    del held["distances"]
    older = FrozenCycle(YEAR, gzip.compress(json.dumps(held).encode()))
    assert older.read() == FrozenContent(cycle().read().records, [])
    after = keep_frozen(tables(NOW), [older], COMMUNITIES, seed("rubric/rubric"))
    assert not after["fct_designation_distance"].filter(reporting_year=YEAR).height


def test_a_determination_that_first_appears_in_a_frozen_year_is_provisional_and_follows_the_data() -> None:
    here = (COMMUNITY, "alpha")
    early = [record for record in cycle().read().records if record["community_id"] in here]
    rows = [row for row in cycle().read().distances if row["community_id"] in here]
    without = FrozenCycle(YEAR, frozen.file_bytes(YEAR, FrozenContent(early, rows), "r", RULESET))
    now = tables(NOW)
    after = keep_frozen(now, [without], COMMUNITIES, seed("rubric/rubric"))
    late = pl.col("community_id") == "beta"
    mine = after["fct_designation"].filter(late & (pl.col("reporting_year") == YEAR))
    assert mine["record_state"].to_list() == [PROVISIONAL] * 3
    for name, key in (("fct_criterion_status", RUBRIC_ROW), ("fct_designation_distance", RANKED)):
        mine = after[name].filter(late).select(now[name].columns).sort(key)
        assert mine.equals(now[name].filter(late).sort(key)), name


def test_a_cycle_is_an_input_of_a_release_by_the_sha256_of_its_file() -> None:
    (entry,) = manifest_inputs([cycle()])
    assert entry["reporting_year"] == YEAR
    assert entry["frozen_records_sha256"] == hashlib.sha256(content()).hexdigest()


def test_a_release_carries_the_very_bytes_of_the_frozen_file() -> None:
    assert frozen.released_cycles([cycle()]).row(0) == (YEAR, hashlib.sha256(content()).hexdigest(), content())
    assert frozen.released_cycles([]).is_empty()


# ---- beside ----


def record(random_seed: int, state: str = PROVISIONAL) -> Record:
    return {**build_record(inputs(random_seed), COMMUNITY, "proof_point_ongoing", YEAR), "state": state}


def test_a_record_that_did_not_change_is_said_to_be_the_same() -> None:
    assert beside.differences(record(THEN), record(THEN)) == []
    assert beside.beside_lines(record(THEN), record(THEN))[-1] == "Would be now: the same record."


def test_every_status_that_differs_is_told_with_what_it_follows_from() -> None:
    then, now = record(THEN), record(NOW)
    found = beside.differences(then, now)
    told = {(difference.kind, difference.name) for difference in found}
    for kind, part in (("gap", "gaps"), ("trend", "trends")):
        before, after = stated(then)[part], stated(now)[part]
        changed = {(kind, name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert changed <= told
    assert {"requirement", "outcome", "trend", "value"} <= {kind for kind, _ in told}
    lines = beside.beside_lines(then, now)
    assert lines[0] == beside.FROZEN_SENTENCE
    assert lines[1].startswith("Would be now: ")
    assert len(lines) == 2 + sum(difference.kind != "decision" for difference in found)


def test_what_would_be_now_can_be_printed_as_json() -> None:
    told = beside.would_be_now(record(THEN), record(NOW))
    assert told is not None
    assert json.loads(json.dumps(told))["record_id"] == record(NOW)["record_id"]
    assert beside.would_be_now(record(THEN), None) is None


def test_a_frozen_record_without_any_data_left_says_that_nothing_would_be_now() -> None:
    assert beside.beside_lines(record(THEN), None)[-1].startswith("Would be now: nothing")


def test_a_cycle_that_the_lake_lost_is_put_back_as_the_release_carries_it(tmp_path: Path) -> None:
    lake, held = Store(str(tmp_path)), cycle()
    release = duckdb.connect()
    release.execute("create schema inputs")
    release.register("carried", released_cycles([held]).to_arrow())
    release.execute("create table inputs.frozen_cycles as from carried")
    manifest = {"inputs": [*manifest_inputs([held]), {"community_id": "a", "reporting_year": 2024}]}
    lost = lost_cycles(lake, manifest)
    assert lost == {held.reporting_year: held.sha256}
    with pytest.raises(StateError, match="put it back from a backup"):
        list(put_back(release, lake, {held.reporting_year: "0" * 64}))
    assert read_frozen(lake) == ()
    (said,) = put_back(release, lake, lost)
    assert str(held.reporting_year) in said
    assert read_frozen(lake) == (held,)
    assert lost_cycles(lake, manifest) == {}
