"""The example network is what its README says, and the same on every run.

Belongs here: claims about the generator's output, its distributions and its deliberate faults.
Does not: what intake makes of the files (tests/integration).
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from pathlib import Path

import openpyxl
import pytest

import contracts
from examples.exports import CONTRACT_HEADER, PLACE_HEADER
from examples.faults import ALONE
from examples.folders import known_in, reported
from examples.generate import Summary, generate, main
from examples.model import Value, simulate
from examples.network import HEADERS
from examples.registers import REGISTERS, story
from examples.tables import GATEWAYS, SEEDS, communities, districts, laws, read_rows, table

ROOT = Path(__file__).resolve().parents[3]
BYTES_OF_THE_NETWORK = "28cc6c3f03ce50b4a490910c2b4d790553c6665c39477975a6b62f4ead3d1475"
"""What measurements of other versions stand on; it changes only where the network is meant to be another one."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    drop = tmp_path_factory.mktemp("network") / "drop"
    return drop, generate(drop)


@pytest.fixture(scope="module")
def figures() -> dict[str, list[Value]]:
    some = ("alderwick_bend", "birchmont_falls", "bannerfield", "pena_hollow", "umbra_springs")
    return {c.community_id: simulate(c, seed=1) for c in communities() if c.community_id in some}


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_network_keeps_its_bytes(whole: tuple[Path, Summary]) -> None:
    drop, _ = whole
    found = hashlib.sha256()
    for path in sorted(each.relative_to(drop).as_posix() for each in drop.rglob("*") if each.is_file()):
        found.update(path.encode() + b"\0" + hashlib.sha256((drop / path).read_bytes()).digest())
    assert found.hexdigest() == BYTES_OF_THE_NETWORK


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        generate(tmp_path / name, communities=19, first_year=2019, last_year=2020)
    first = bytes_below(tmp_path / "a")
    assert first == bytes_below(tmp_path / "b")
    assert any(name.endswith(".xlsx") for name in first)


def test_a_smaller_network_is_a_part_of_the_larger_one(whole: tuple[Path, Summary], tmp_path: Path) -> None:
    drop, _ = whole
    generate(tmp_path, communities=5, first_year=2017, last_year=2018)
    small = {name: data for name, data in bytes_below(tmp_path).items() if not name.startswith("_network")}
    assert small
    assert all((drop / name).read_bytes() == data for name, data in small.items())


def test_another_seed_draws_other_figures_for_the_same_network() -> None:
    community = communities()[0]
    one, two = simulate(community, seed=1), simulate(community, seed=2)
    assert [v[:5] for v in one] == [v[:5] for v in two]
    assert one != two


def test_a_second_run_rewrites_nothing_and_leaves_foreign_files_alone(tmp_path: Path) -> None:
    generate(tmp_path, communities=2, first_year=2018, last_year=2018)
    times = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    other = tmp_path / "my_own" / "2018" / "values.csv"
    other.parent.mkdir(parents=True)
    other.write_text("a,b\n")
    summary = generate(tmp_path, communities=2, first_year=2018, last_year=2018)
    assert {p: p.stat().st_mtime_ns for p in times} == times
    assert summary.others == ("my_own/2018/values.csv",)
    assert other.read_text() == "a,b\n"


def test_seventy_communities_send_twelve_reporting_years(whole: tuple[Path, Summary]) -> None:
    drop, summary = whole
    assert summary.communities == 70
    assert 650 <= summary.folders <= 840
    years = {path.parent.name for path in drop.glob("*/*/indicator_values.csv")}
    assert {str(year) for year in range(2015, 2027)} <= years
    assert {path.name for path in (drop / "_network").iterdir()} >= {str(year) for year in range(2016, 2027)}
    assert summary.size < 40_000_000


def test_every_community_has_a_plan_and_every_plan_a_community() -> None:
    seeds = [row["community_id"] for row in read_rows(SEEDS / "network" / "communities.csv")]
    assert [row["community_id"] for row in table("plans")] == seeds


ANSWERED = (
    *("explanations", "explanation_decisions", "publication_objections", "declarations"),
    *("confirmations", "community_reviews", "definitions"),
)
"""Registers that answer a receipt or a release; nobody sends them before there is one."""


def test_headers_are_the_contracts_columns() -> None:
    registers = contracts.tables(1)
    for name, (header, _) in REGISTERS.items():
        assert tuple(header) == registers[name].names, name
    for name, network_header in HEADERS.items():
        assert network_header == registers[name].names, name
    assert set(CONTRACT_HEADER) | set(PLACE_HEADER) <= set(registers["indicator_values"].names)
    assert set(registers) - {*REGISTERS, *HEADERS} == {"indicator_values", *ANSWERED}


def test_breakdowns_add_up_to_the_total(figures: dict[str, list[Value]]) -> None:
    for values in figures.values():
        sums: dict[tuple[str, int], dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
        for v in values:
            if v.numerator is not None and v.denominator is not None and not v.geography and not v.period:
                pair = sums[v.indicator, v.school_year][v.dimension]
                pair[0] += v.numerator
                pair[1] += v.denominator
        assert all(pair == by["all"] for by in sums.values() for pair in by.values())


def test_no_numerator_exceeds_its_denominator(figures: dict[str, list[Value]]) -> None:
    counted = [v for values in figures.values() for v in values if v.numerator is not None]
    assert counted
    assert all(0 <= (v.numerator or 0) <= (v.denominator or 0) for v in counted)


def test_districts_add_up_to_the_community(figures: dict[str, list[Value]]) -> None:
    values = [v for v in figures["birchmont_falls"] if v.indicator == "graduation_4yr_pct" and v.dimension == "all"]
    for year in {v.school_year for v in values}:
        own = [v.denominator for v in values if v.school_year == year and not v.geography]
        parts = [v.denominator for v in values if v.school_year == year and v.geography]
        assert len(parts) == len(districts(next(c for c in communities() if c.community_id == "birchmont_falls")))
        assert own == [sum(part or 0 for part in parts)]


def test_communities_that_report_by_district_send_no_row_of_their_own() -> None:
    community = next(c for c in communities() if c.community_id == "birchmont_falls")
    sent = [v for v in simulate(community, 1) if reported(community, v) and known_in(v, 2019)]
    graduation = [v for v in sent if v.indicator == "graduation_4yr_pct"]
    assert graduation
    assert all(v.geography_level == "district" for v in graduation)


def test_one_district_goes_silent_and_leaves_coverage_below_four_fifths() -> None:
    community = next(c for c in communities() if c.community_id == "hawkmoth_valley")
    values = [
        v
        for v in simulate(community, 1)
        if v.indicator == "graduation_4yr_pct" and v.dimension == "all" and v.geography_level == "district"
    ]
    before = {v.geography: v.denominator or 0 for v in values if v.school_year == 2019}
    after = {v.geography: v.denominator or 0 for v in values if v.school_year == 2022}
    silent = set(before) - set(after)
    assert len(silent) == 1
    now = sum(after.values())
    assert now / (now + before[silent.pop()]) < 0.8


def test_the_year_2020_is_a_hole_for_assessments_and_absence(figures: dict[str, list[Value]]) -> None:
    skipped = {law.indicator for law in laws() if law.skips_2020}
    assert {"grade3_reading_proficient_pct", "chronic_absence_pct"} <= skipped
    years = {(v.indicator, v.school_year) for values in figures.values() for v in values}
    assert not {(indicator, 2020) for indicator in skipped} & years
    assert ("graduation_4yr_pct", 2020) in years


def test_some_states_change_their_test_and_its_label() -> None:
    series = defaultdict(set)
    for row in table("assessments"):
        if row["indicator"] == "grade3_reading_proficient_pct":
            series[row["state"]].add(row["series"])
    assert {"state test 2015", "state test 2021"} in series.values()
    assert {"state test 2015"} in series.values()
    assert {c.state for c in communities()} == set(series)


def test_every_format_and_every_gateway_is_in_the_network() -> None:
    assert {c.format for c in communities()} == {
        "contract_csv",
        "contract_xlsx",
        "report_card",
        "wide_csv",
        "wide_xlsx",
        "regional",
        "regional_tab",
    }
    finals = [len(story(c).reached) for c in communities()]
    assert all(finals.count(met) >= 4 for met in range(len(GATEWAYS) + 1))


def test_every_label_a_vocabulary_prints_stands_in_the_crosswalks_or_the_dictionary() -> None:
    known = known_labels()
    for row in table("vocabularies"):
        dimension = row["dimension"] if row["kind"] == "group" else ""
        scopes = ("global", f"layout:example_{row['vocabulary']}_export", "dictionary")
        if row["kind"] == "series":
            continue
        found = {known.get((scope, row["kind"], dimension, fold(row["label"]))) for scope in scopes}
        assert row["code"] in found, row
        assert found <= {row["code"], None}, row


def test_every_series_label_is_renamed_to_the_series_it_stands_for() -> None:
    lines = read_rows(SEEDS / "crosswalks" / "series_labels.csv")
    renamed = {(line["indicator_id"], line["label"]): line["series"] for line in lines if line["scope"] == "global"}
    labels = {
        (row["vocabulary"], row["code"]): row["label"] for row in table("vocabularies") if row["kind"] == "series"
    }
    for row in table("assessments"):
        for vocabulary in ("report_card", "wide", "regional"):
            label = labels[vocabulary, row["series"]]
            assert renamed[row["indicator"], label] == row["series"]


def known_labels() -> dict[tuple[str, str, str, str], str]:
    known: dict[tuple[str, str, str, str], str] = {}
    columns = {"indicator": "indicator_id", "dimension": "dimension", "group": "group_code"}
    for kind, column in columns.items():
        for row in read_rows(SEEDS / "crosswalks" / f"{kind}_labels.csv"):
            scope = row["scope"] if row["scope"] == "global" else f"{row['scope']}:{row['scope_id']}"
            known[scope, kind, row["dimension"] if kind == "group" else "", fold(row["label"])] = row[column]
        for row in read_rows(SEEDS / "dictionary" / f"{kind}s.csv"):
            for label in (row[column], row["name" if kind == "indicator" else "label"]):
                place = row["dimension"] if kind == "group" else ""
                known["dictionary", kind, place, fold(label)] = row[column]
    return known


def fold(label: str) -> str:
    return " ".join(label.split()).casefold()


def test_every_fault_is_written_and_meets_a_rule_of_the_catalogue(whole: tuple[Path, Summary]) -> None:
    drop, summary = whole
    rules = {row["rule_id"] for row in read_rows(contracts.CATALOGUE)}
    ids = {c.community_id: c for c in communities()}
    assert len(summary.faults) >= 20
    for fault in summary.faults:
        assert (drop / fault.community_id / fault.folder / fault.name).read_bytes() == fault.content
        assert set(fault.rules) <= rules, fault.name
        known = ids.get(fault.community_id)
        if known is not None and fault.folder.isdigit() and int(fault.folder) <= 2026:
            assert known.sends_in(int(fault.folder)), fault
    for community_id, year in ALONE:
        names = {fault.name for fault in summary.faults if (fault.community_id, fault.folder) == (community_id, year)}
        assert {path.name for path in (drop / community_id / year).iterdir()} == names


def test_missing_years_have_no_folder_and_come_late_with_the_next(whole: tuple[Path, Summary]) -> None:
    drop, _ = whole
    late = 0
    for community in communities():
        for year in community.missing_years:
            assert not (drop / community.community_id / str(year)).exists()
            late += (drop / community.community_id / str(year + 1) / f"late_{year}.csv").is_file()
    assert late >= 8


def test_a_correction_restates_the_year_before_with_other_counts(whole: tuple[Path, Summary]) -> None:
    drop, _ = whole
    community = next(c for c in communities() if c.community_id == "alderwick_bend")
    assert 2018 in community.corrected_years
    folder = drop / community.community_id
    key = ("2017-18", "graduation_4yr_pct", "all", "all")

    def numerator(path: Path) -> str:
        rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
        found = [r for r in rows if (r["school_year"], r["indicator"], r["dimension"], r["group"]) == key]
        return found[0]["numerator"]

    assert int(numerator(folder / "2019" / "corrections_2018.csv")) < int(
        numerator(folder / "2018" / "indicator_values.csv")
    )


def test_no_register_row_speaks_of_a_day_after_the_example_networks_today(whole: tuple[Path, Summary]) -> None:
    drop, _ = whole
    for name, column in (("benchmark_evidence", "as_of"), ("communications", "date"), ("examples", "as_of")):
        for path in sorted(drop.glob(f"*/2026/{name}.csv")):
            rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
            assert all("2026-01-01" <= row[column] <= "2026-06-30" for row in rows), path


def test_workbooks_open_with_sheets_named_by_table_and_typed_cells(whole: tuple[Path, Summary]) -> None:
    drop, _ = whole
    community = next(c for c in communities() if c.format == "contract_xlsx")
    folder = drop / community.community_id / str(community.first_sent)
    book = openpyxl.load_workbook(folder / f"{community.community_id}_{community.first_sent}.xlsx")
    assert set(book.sheetnames) <= set(contracts.tables(1))
    assert "indicator_values" in book.sheetnames
    funding = book["funding"]
    assert funding["C2"].data_type == "n"
    assert funding["E2"].is_date


def test_the_report_card_has_titles_a_two_row_header_and_masked_cells(whole: tuple[Path, Summary]) -> None:
    drop, _ = whole
    cards = sorted(drop.glob("*/2019/report_card_2018-19.csv"))
    assert cards
    text = [list(csv.reader(io.StringIO(path.read_text(encoding="utf-8")))) for path in cards]
    for rows in text:
        assert rows[0] == ["State Report Card Export", "School Year 2018-19"]
        assert rows[5][0] == "Measure"
        assert all(len(row) == 8 for row in rows[4:])
    assert any(row[5] == "*" and row[6] == "*" for rows in text for row in rows[6:])


def test_the_regional_export_is_windows_1252_with_semicolons(whole: tuple[Path, Summary]) -> None:
    drop, _ = whole
    path = drop / "pena_hollow" / "2019" / "echange_2019.csv"
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode("cp1252")), delimiter=";"))
    assert rows[1][0] == "Année"
    assert all(len(row) == 9 for row in rows[1:])
    with pytest.raises(UnicodeDecodeError):
        path.read_bytes().decode("utf-8")


def test_the_command_writes_below_home_and_refuses_what_it_does_not_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--home", str(tmp_path), "--communities", "1", "--years", "2016..2016"]) == 0
    assert (tmp_path / "drop" / "alderwick_bend" / "2016").is_dir()
    assert "1 communities" in capsys.readouterr().out
    with pytest.raises(SystemExit) as refused:
        main(["--home", str(tmp_path), "--communities", "71"])
    assert refused.value.code == 2


def test_everything_named_is_invented_and_every_address_is_an_example(whole: tuple[Path, Summary]) -> None:
    drop, _ = whole
    for path in sorted(drop.glob("*/*/benchmark_evidence.csv"))[:40]:
        for row in csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8"))):
            assert not row["evidence_url"] or row["evidence_url"].startswith("https://evidence.example.org/")
