"""Renames of communities: lines that contradict each other are named, and sound ones are read everywhere.

Belongs here: faults of network/community_successions.csv with file and line, ids in reference data, folders, findings.
Does not: a whole run after a rename (tests/integration/test_renames.py).
"""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.cli.base import CradleError, known_communities
from dagster_project.lib.app.ready import reference_faults
from dagster_project.lib.base.reference import Reference, SeedError
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import Succession, names_of, succession_faults, write_as_read
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.bucket.drop import LOCATED, list_drop, open_drop, submission_id
from dagster_project.lib.intake.bucket.lake import move_partitions, partition_key, read_partitions, write_partition
from dagster_project.lib.intake.bucket.ledger import EVENTS, Ledger
from dagster_project.lib.intake.bucket.plan import ChoiceError, Selection, require_known
from dagster_project.lib.intake.findings import to_findings
from tests.conftest import take_folder
from tests.support import PROJECT, cradle

TODAY = dt.date(2024, 6, 30)
FILE = "seeds/network/community_successions.csv"
# A member with a place and a label of its own, of the project's seeds.
MEMBER, OTHER, NOW = "aspenreach", "alderwick_bend", "aspen_city"


def seeds_with(folder: Path, *lines: str) -> Path:
    """The project's seeds with renames."""
    seeds = folder / "seeds"
    shutil.copytree(PROJECT / "seeds", seeds)
    text = "".join(f"{line}\n" for line in ("community_id,successor_id,note", *lines))
    (seeds / "network/community_successions.csv").write_text(text, encoding="utf-8")
    return seeds


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            [f"{MEMBER},aspen_b,", f"aspen_b,{MEMBER},"],
            f"lines 2 and 3: the renames go in a circle ({MEMBER} to aspen_b to {MEMBER})",
        ),
        ([f"{MEMBER},{MEMBER},"], "line 2: the renames go in a circle"),
        (["nowhere,elsewhere,"], "line 2: neither nowhere nor elsewhere is in network/communities.csv"),
        (
            [f"{MEMBER},aspen_a,", f"{MEMBER},aspen_b,"],
            f"lines 2 and 3: {MEMBER} has 2 successors (aspen_a and aspen_b)",
        ),
        (
            [f"{MEMBER},joined,", f"{OTHER},joined,"],
            f"lines 2 and 3: {MEMBER} and {OTHER} both become joined; that is a merger, not a rename",
        ),
        ([f"{MEMBER},{OTHER},"], f"line 2: {MEMBER} and {OTHER} are one community and have a line each"),
        ([f"{MEMBER},,"], "line 2: successor_id is blank"),
    ],
)
def test_lines_that_contradict_each_other_are_named_with_file_and_line(
    tmp_path: Path, lines: list[str], told: str
) -> None:
    seeds = seeds_with(tmp_path, *lines)
    assert any(fault.startswith(f"{FILE}, {told}") for fault in reference_faults(Reference(seeds), TODAY))


def test_doctor_and_run_name_a_circle_in_one_line(tmp_path: Path) -> None:
    seeds = seeds_with(tmp_path, f"{MEMBER},aspen_b,", f"aspen_b,{MEMBER},")
    (tmp_path / "drop").mkdir()
    for command in ("doctor", "run"):
        done = cradle(command, CRADLE_HOME=tmp_path, CRADLE_SEEDS=seeds, CRADLE_TODAY="2024-06-30")
        assert done.returncode and "Traceback" not in done.stderr, command
        assert f"{FILE}, lines 2 and 3: the renames go in a circle" in done.stdout + done.stderr, command


def test_one_line_reads_every_seed_under_the_new_id(tmp_path: Path) -> None:
    was, now = Reference(PROJECT / "seeds"), Reference(seeds_with(tmp_path, f"{MEMBER},{NOW},"))
    assert not reference_faults(now, TODAY)
    assert set(now.communities["community_id"]) == {*was.communities["community_id"], NOW} - {MEMBER}
    for seed, column in (("network/geographies", "community_id"), ("crosswalks/geography_labels", "scope_id")):
        before, after = (one.table(seed)[column].to_list() for one in (was, now))
        assert MEMBER in before and MEMBER not in after
        assert after.count(NOW) == before.count(MEMBER)


def test_the_copy_for_dbt_says_what_the_reference_says(tmp_path: Path) -> None:
    reference = Reference(seeds_with(tmp_path, f"{MEMBER},{NOW},"))
    write_as_read(reference.folder, tmp_path / "copy", reference.names)
    copy = Reference(tmp_path / "copy")
    for path in sorted((tmp_path / "copy").rglob("*.csv")):
        seed = path.relative_to(tmp_path / "copy").with_suffix("").as_posix()
        if seed != "network/community_successions":
            assert copy.as_written(seed).equals(reference.table(seed)), seed


def test_folders_of_both_names_are_one_communitys_and_keep_their_submissions(tmp_path: Path) -> None:
    reference = Reference(seeds_with(tmp_path, f"{MEMBER},aspen_b,", f"aspen_b,{NOW},"))
    for name, year in ((MEMBER, 2019), (MEMBER, 2020), ("aspen_b", 2020), (NOW, 2021)):
        (tmp_path / "drop" / name / str(year)).mkdir(parents=True)
        (tmp_path / "drop" / name / str(year) / "a.csv").write_text("x\n")
    years = range(2018, 2023)
    listing = list_drop(open_drop(str(tmp_path / "drop")), [NOW], years, reference.names)
    files = [("a.csv", "0" * 64)]
    assert [(*folder.partition, folder.id_of(files)) for folder in listing.folders] == [
        (NOW, 2019, submission_id(MEMBER, 2019, files)),
        (NOW, 2020, submission_id("aspen_b", 2020, files)),
        (NOW, 2021, submission_id(NOW, 2021, files)),
    ]
    (stray,) = listing.strays
    assert (stray.rule_id, stray.found) == ("folder_of_two_names", f"{MEMBER}/2020 and aspen_b/2020")
    assert f"{FILE}, line 2" in str(stray.allowed)


def test_a_question_keeps_its_id_and_with_it_its_answer(tmp_path: Path) -> None:
    names = Reference(seeds_with(tmp_path, f"{MEMBER},{NOW},")).names
    issue = {"reporting_year": 2020, "rule_id": "count_change", "found": "from 10 to 90", "subject": "a"}
    asked = [
        to_findings(pl.DataFrame([{**dict.fromkeys(LOCATED), **issue, "community_id": name}], schema=LOCATED), known)
        for name, known in ((MEMBER, names), (NOW, names))
    ]
    assert asked[0]["finding_id"].to_list() == asked[1]["finding_id"].to_list()
    assert asked[1]["community_id"].to_list() == [NOW]


def test_a_question_about_a_communitys_own_value_keeps_its_id_although_the_value_lies_in_a_place_of_its_name(
    tmp_path: Path,
) -> None:
    names = Reference(seeds_with(tmp_path, f"{MEMBER},{NOW},")).names
    issue = {"reporting_year": 2020, "rule_id": "count_change", "found": "from 10 to 90"}
    ids = [
        to_findings(pl.DataFrame([{**dict.fromkeys(LOCATED), **issue, **own}], schema=LOCATED), names)["finding_id"][0]
        for own in ({"community_id": name, "subject": f"reading|all|{name}|default|2020"} for name in (MEMBER, NOW))
    ]
    assert ids[0] == ids[1]


def test_the_networks_own_tables_may_name_either_id(tmp_path: Path) -> None:
    intake = Intake(Reference(seeds_with(tmp_path, f"{MEMBER},{NOW},")))
    head = "community_id,kind,code,decision,decided_on,approver,reason"
    rows = "".join(f"{name},gateway,exploring,granted,2020-0{n}-01,Board,\n" for n, name in enumerate((MEMBER, NOW), 1))
    taken = take_folder(intake, {"gateway_decisions.csv": f"{head}\n{rows}"}, "_network", 2020)
    assert taken.findings.is_empty()
    assert taken.register("gateway_decisions")["community_id"].to_list() == [NOW, NOW]


def test_kept_rows_and_the_ledger_follow_and_a_second_move_changes_nothing(tmp_path: Path) -> None:
    reference = Reference(seeds_with(tmp_path, f"{MEMBER},{NOW},"))
    lake = Store(str(tmp_path / "lake"), create=True)
    taken = take_folder(Intake(Reference(PROJECT / "seeds")), {"values.csv": VALUES}, MEMBER, 2020).taken
    write_partition(lake, MEMBER, 2020, taken.tables)
    event = {**dict.fromkeys(EVENTS), "event": "submission", "community_id": MEMBER, "reporting_year": 2020}
    Ledger(lake).append(pl.DataFrame([event], schema=EVENTS))
    for _ in range(2):
        move_partitions(lake, reference.names)
        rows = read_partitions(lake, "observations", [(NOW, 2020)])
        assert rows.height and set(rows["community_id"]) == set(rows["geography_id"]) == {NOW}
        assert lake.get_or_none(partition_key("files", MEMBER, 2020)) is None
    assert Ledger(lake, reference.names).events()["community_id"].to_list() == [NOW]
    assert Ledger(lake).events()["community_id"].to_list() == [MEMBER]


VALUES = (
    "school_year,indicator,dimension,group,numerator,denominator,value\n"
    "2020,grade3_reading_proficient_pct,all,all,46,100,46\n"
)


def test_a_rename_that_names_no_project_seed_is_refused_where_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match="line 2: neither nowhere nor elsewhere"):
        _ = Reference(seeds_with(tmp_path, "nowhere,elsewhere,")).communities


def test_a_former_id_that_is_asked_for_is_told_what_it_is_called_now(tmp_path: Path) -> None:
    reference = Reference(seeds_with(tmp_path, f"first_name,{MEMBER},", f"{MEMBER},{NOW},"))
    for former in ("first_name", MEMBER):
        with pytest.raises(CradleError) as refused:
            known_communities(reference, [former])
        assert (
            refused.value.message == f"{former} is not a community of the network; it is called {NOW} since its rename"
        )
        assert refused.value.hint == f"write {NOW}"
        with pytest.raises(ChoiceError, match=f"it is called {NOW} since"):
            require_known(
                Selection(frozenset([former])), reference.communities["community_id"], [2020], reference.names
            )
    with pytest.raises(CradleError) as refused:
        known_communities(reference, ["elsewhere"])
    assert refused.value.message == "elsewhere is not a community of the network"


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=8),
    st.sets(st.sampled_from("abcdef")),
)
def test_lines_without_a_fault_give_each_former_id_one_member_and_each_member_one_first_id(
    pairs: list[tuple[str, str]], members: set[str]
) -> None:
    lines = [Succession(number, *pair) for number, pair in enumerate(pairs, 2)]
    if list(succession_faults(lines, dict.fromkeys(members, 2))):
        return
    names = names_of(lines)
    assert set(names.now) == {former for former, _ in pairs}
    assert not set(names.now) & set(names.now.values())
    assert all(names.of(first) == now for now, first in names.first.items())
    assert set(names.first) == set(names.now.values())
