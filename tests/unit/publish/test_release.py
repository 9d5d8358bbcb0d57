"""Releases as claims: whole, immutable, hashed by content, comparable cell by cell.

Belongs here: lib/publish/{release,hashing,compare}.py on small databases.
Does not: the report's pages (test_report.py), the whole chain (tests/integration).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from dagster_project.lib.analysis.vocabulary import DAYS_AFTER
from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.as_built import ReleaseFacts
from dagster_project.lib.publish.release.compare import (
    TableCounts,
    compare_releases,
    count_differences,
    verify_release,
)
from dagster_project.lib.publish.release.decisions import withdraw
from dagster_project.lib.publish.release.pointing import current_release, read_manifest
from dagster_project.lib.publish.release.release import (
    EDITION_SENTENCE,
    MARKS,
    Release,
    Since,
    WithdrawnContentError,
    hash_tables,
    publish,
    since_mark,
)
from dagster_project.lib.publish.release.retention import delete_data
from dagster_project.lib.publish.release.states import StateLine, add, read_states
from dagster_project.lib.warehouse.declared import ColumnWords, TableWords

FACTS = ReleaseFacts("2026-06-30", "toa-default", "1.0.0", 1, "code", "figures", "words", "lock", "seeds", "inputs", [])
KEYS = {"fct_trend": ["community_id"], "dim_submission": ["submission_id"]}
Report = Callable[[Path, Path, Mapping[str, Any]], None]
ROWS = [("a", 1.5, "x"), ("b", 2.25, None), ("c", None, "z")]


def warehouse(path: Path, rows: list[tuple[str, float | None, str | None]] = ROWS, superseded: bool = False) -> Path:
    connection = duckdb.connect(str(path))
    connection.execute("create schema marts")
    connection.execute("create table marts.fct_trend (community_id varchar, slope double, reason varchar)")
    connection.executemany("insert into marts.fct_trend values (?, ?, ?)", rows)
    connection.execute("create table marts.dim_submission as select 's1' as submission_id, 'accepted' as status")
    if superseded:
        connection.execute("insert into marts.dim_submission values ('s0', 'superseded')")
    connection.close()
    return path


def no_pages(database: Path, folder: Path, manifest: Mapping[str, Any]) -> None:
    (folder / "report").mkdir()
    (folder / "report" / "index.html").write_text(manifest["notice"], encoding="utf-8")


def released(
    tmp_path: Path, source: Path, facts: ReleaseFacts = FACTS, pages: Report = no_pages
) -> tuple[Store, Release]:
    store = Store(str(tmp_path / "publish"))
    return store, publish(store, source, facts, KEYS, {}, tmp_path / "scratch", pages)


def hashes(path: Path) -> dict[str, str]:
    return {table["name"]: table["sha256"] for table in hash_tables(path, {})}


def test_the_same_rows_in_another_order_have_the_same_hash(tmp_path: Path) -> None:
    assert hashes(warehouse(tmp_path / "a")) == hashes(warehouse(tmp_path / "b", ROWS[::-1]))


def test_ten_digits_decide_and_zero_has_no_sign(tmp_path: Path) -> None:
    base = hashes(warehouse(tmp_path / "a", [("a", 0.1 + 0.2, None), ("b", 0.0, None)]))
    assert base == hashes(warehouse(tmp_path / "b", [("a", 0.3, None), ("b", -0.0, None)]))
    assert base != hashes(warehouse(tmp_path / "c", [("a", 0.300000001, None), ("b", 0.0, None)]))


def test_nothing_and_an_empty_text_are_not_the_same(tmp_path: Path) -> None:
    empty = hashes(warehouse(tmp_path / "a", [("a", 1.0, "")]))
    assert empty != hashes(warehouse(tmp_path / "b", [("a", 1.0, None)]))


def test_what_was_replaced_leaves_no_trace_in_a_hash(tmp_path: Path) -> None:
    assert hashes(warehouse(tmp_path / "a")) == hashes(warehouse(tmp_path / "b", superseded=True))


def test_current_names_the_release_and_its_manifest_says_what_it_is(tmp_path: Path) -> None:
    store, release = released(tmp_path, warehouse(tmp_path / "w"))
    assert current_release(store) == release.release_id
    manifest = read_manifest(store, release.release_id)
    assert manifest["report_edition"] == "internal"
    assert manifest["notice"] == EDITION_SENTENCE
    folder = tmp_path / "publish" / "releases" / release.release_id
    assert not (folder / "public.duckdb").exists()


def test_the_same_content_is_released_once(tmp_path: Path) -> None:
    _, first = released(tmp_path, warehouse(tmp_path / "w"))
    _, second = released(tmp_path, tmp_path / "w")
    assert (first.is_new, second.is_new) == (True, False)
    assert first.release_id == second.release_id


def named_pages(database: Path, folder: Path, manifest: Mapping[str, Any]) -> None:
    (folder / "report").mkdir()
    text = f"{manifest['release_id']} of {manifest['today']} by {manifest['code_version']}"
    (folder / "report" / "index.html").write_text(text, encoding="utf-8")


def test_the_same_content_on_another_day_from_other_code_makes_no_release(tmp_path: Path) -> None:
    store, first = released(tmp_path, warehouse(tmp_path / "w"), pages=named_pages)
    later = replace(FACTS, today="2026-07-01", code_version="newer", lock_sha256="newer", seeds_sha256="newer")
    _, second = released(tmp_path, tmp_path / "w", later, named_pages)
    assert (second.release_id, second.is_new) == (first.release_id, False)
    assert second.manifest == read_manifest(store, first.release_id)
    page = tmp_path / "publish" / "releases" / first.release_id / "report" / "index.html"
    assert page.read_text(encoding="utf-8") == f"{first.release_id} of 2026-06-30 by code"
    assert store.folders("releases") == [first.release_id]


def test_another_page_makes_a_release_of_its_own_day(tmp_path: Path) -> None:
    _, first = released(tmp_path, warehouse(tmp_path / "w"))
    _, second = released(tmp_path, tmp_path / "w", replace(FACTS, today="2026-07-01"), named_pages)
    assert second.is_new
    assert second.release_id.startswith("2026-07-01-")
    assert second.release_id.rsplit("-", 1)[1] != first.release_id.rsplit("-", 1)[1]


def test_what_was_replaced_leaves_no_trace_in_the_name_of_a_release(tmp_path: Path) -> None:
    _, plain = released(tmp_path / "a", warehouse(tmp_path / "one"))
    _, resubmitted = released(tmp_path / "b", warehouse(tmp_path / "two", superseded=True))
    assert resubmitted.release_id == plain.release_id


def test_content_that_comes_back_on_its_day_is_current_again_as_it_was(tmp_path: Path) -> None:
    store, first = released(tmp_path, warehouse(tmp_path / "w1"))
    released(tmp_path, warehouse(tmp_path / "w2", [("a", 9.0, "x")]))
    _, back = released(tmp_path, tmp_path / "w1", replace(FACTS, code_version="newer"))
    assert (back.release_id, back.is_new) == (first.release_id, False)
    assert current_release(store) == first.release_id
    assert back.manifest["code_version"] == "code"


def criteria(path: Path, evidence: str) -> Path:
    connection = duckdb.connect(str(path))
    connection.execute("create schema marts")
    connection.execute("create table marts.fct_criterion_status as select ? as evidence", [evidence])
    connection.close()
    return path


def test_days_counted_in_a_text_name_no_release_and_stay_in_the_hash_of_their_table(tmp_path: Path) -> None:
    days = [criteria(tmp_path / f"w{n}", f"funding runs until 2028-06-30, {n} {DAYS_AFTER}") for n in (9, 10)]
    assert hashes(days[0]) != hashes(days[1])
    _, first = released(tmp_path, days[0])
    assert released(tmp_path, days[1])[1].release_id == first.release_id
    other = criteria(tmp_path / "other", f"funding runs until 2028-07-01, 9 {DAYS_AFTER}")
    assert released(tmp_path, other)[1].is_new


def test_a_reader_of_an_older_release_is_not_disturbed_by_a_newer_one(tmp_path: Path) -> None:
    _, first = released(tmp_path, warehouse(tmp_path / "w1"))
    path = tmp_path / "publish" / "releases" / first.release_id / "internal.duckdb"
    reader = duckdb.connect(str(path), read_only=True)
    _, second = released(tmp_path, warehouse(tmp_path / "w2", [("a", 9.0, "x")]))
    assert second.release_id != first.release_id
    assert reader.execute("select count(*) from marts.fct_trend").fetchone() == (3,)
    reader.close()


def test_a_release_is_moved_whole_also_from_another_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def across(self: Path, target: Path) -> Path:
        if self.name.startswith("release-"):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(self, target)

    _, here = released(tmp_path / "here", warehouse(tmp_path / "a.duckdb"))
    monkeypatch.setattr(Path, "rename", across)
    _, there = released(tmp_path / "there", warehouse(tmp_path / "b.duckdb"))
    assert here.release_id == there.release_id
    folders = [tmp_path / place / "publish" / "releases" / here.release_id for place in ("here", "there")]
    names = [sorted(path.name for path in folder.iterdir()) for folder in folders]
    assert names[0] == names[1] and "internal.duckdb" in names[0]
    assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o755, 0o755]
    assert [path.name for path in folders[1].parent.iterdir()] == [here.release_id], "nothing is left beside it"


def test_a_report_that_fails_leaves_current_and_releases_as_they_were(tmp_path: Path) -> None:
    store, first = released(tmp_path, warehouse(tmp_path / "w1"))

    def fail(database: Path, folder: Path, manifest: Mapping[str, Any]) -> None:
        raise RuntimeError("no page")

    source = warehouse(tmp_path / "w2", [("a", 9.0, "x")])
    with pytest.raises(RuntimeError, match="no page"):
        publish(store, source, FACTS, KEYS, {}, tmp_path / "scratch", fail)
    assert current_release(store) == first.release_id
    assert store.folders("releases") == [first.release_id]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_compare_names_the_cell_the_row_and_both_values(tmp_path: Path) -> None:
    store, a = released(tmp_path, warehouse(tmp_path / "w1"))
    changed = [("a", 1.5, "x"), ("b", 3.0, None), ("d", 0.5, "z")]
    _, b = released(tmp_path, warehouse(tmp_path / "w2", changed))
    paths = [tmp_path / "publish" / "releases" / r.release_id / "internal.duckdb" for r in (a, b)]
    manifests = [read_manifest(store, r.release_id) for r in (a, b)]
    found = [(d.table, d.key, d.column, d.a, d.b) for d in compare_releases(*paths, *manifests)]
    assert found == [
        ("fct_trend", "b", "slope", 2.25, 3.0),
        ("fct_trend", "c", "", "row", None),
        ("fct_trend", "d", "", None, "row"),
    ]


def test_verify_finds_a_table_that_is_not_what_the_manifest_says(tmp_path: Path) -> None:
    store, release = released(tmp_path, warehouse(tmp_path / "w"))
    path = tmp_path / "publish" / "releases" / release.release_id / "internal.duckdb"
    manifest = read_manifest(store, release.release_id)
    assert all(verdict.ok for verdict in verify_release(path, manifest, store))
    path.chmod(0o644)
    connection = duckdb.connect(str(path))
    connection.execute("update marts.fct_trend set slope = 99 where community_id = 'a'")
    connection.close()
    assert [v.table for v in verify_release(path, manifest, store) if not v.ok] == ["fct_trend"]


def test_every_released_file_is_read_only_under_both_names(tmp_path: Path) -> None:
    released(tmp_path, warehouse(tmp_path / "w"))
    files = [path for path in (tmp_path / "publish" / "releases").rglob("*") if path.is_file()]
    files.append(tmp_path / "publish" / "current.duckdb")
    assert {path.stat().st_mode & 0o777 for path in files} == {0o444}
    assert len(files) == 4


def test_each_publication_is_a_line_and_the_same_content_none(tmp_path: Path) -> None:
    _, a = released(tmp_path, warehouse(tmp_path / "w1"))
    _, b = released(tmp_path, warehouse(tmp_path / "w2", ROWS[:1]))
    released(tmp_path, tmp_path / "w2")
    store, _ = released(tmp_path, tmp_path / "w1")
    assert [line.release_id for line in read_states(store).lines] == [a.release_id, b.release_id, a.release_id]


def test_withdrawn_content_is_not_published_again_on_any_day_until_the_withdrawal_is_taken_back(tmp_path: Path) -> None:
    _, good = released(tmp_path, warehouse(tmp_path / "w1"))
    store, wrong = released(tmp_path, warehouse(tmp_path / "w2", ROWS[:1]))
    withdraw(store, wrong.release_id, date(2026, 7, 1), "one row only")
    later = replace(FACTS, today="2026-07-02")
    for facts in (FACTS, later):
        with pytest.raises(WithdrawnContentError, match="withdrawn on 2026-07-01 \\(one row only\\)"):
            released(tmp_path, tmp_path / "w2", facts)
    assert current_release(store) == good.release_id
    assert len(store.folders("releases")) == 2
    add(store, StateLine(wrong.release_id, "provisional", "2026-07-03", "was right"))
    assert released(tmp_path, tmp_path / "w2")[1].release_id == wrong.release_id


def test_content_whose_data_were_pruned_fills_its_folder_again_under_its_own_manifest(tmp_path: Path) -> None:
    store, first = released(tmp_path, warehouse(tmp_path / "w1"), pages=named_pages)
    released(tmp_path, warehouse(tmp_path / "w2", ROWS[:1]), pages=named_pages)
    folder = tmp_path / "publish" / "releases" / first.release_id
    before = {path.relative_to(folder): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    delete_data(store, first.release_id)
    _, again = released(tmp_path, tmp_path / "w1", replace(FACTS, code_version="newer"), named_pages)
    assert (again.release_id, again.is_new, again.manifest) == (first.release_id, False, first.manifest)
    after = {path.relative_to(folder): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    assert after == before
    assert "by code" in (folder / "report" / "index.html").read_text(encoding="utf-8")
    assert all(verdict.ok for verdict in verify_release(folder / "internal.duckdb", first.manifest, store))
    assert (tmp_path / "publish" / "current.duckdb").samefile(folder / "internal.duckdb")


def marked_pages(database: Path, folder: Path, manifest: Mapping[str, Any]) -> None:
    (folder / "report").mkdir()
    (folder / "report" / "index.html").write_text(f"{MARKS['release_id']} {since_mark('en')}", encoding="utf-8")


def test_what_is_stated_of_the_release_before_is_in_no_hash_and_asked_for_once(tmp_path: Path) -> None:
    store, asked = Store(str(tmp_path / "publish")), list[str]()

    def counted(manifest: Mapping[str, Any], database: Path) -> Mapping[str, Any]:
        assert database.is_file() and {"tables", "inputs", "seeds_sha256"} <= manifest.keys()
        asked.append(str(current_release(store)))
        return {"n": len(asked)}

    def made(source: Path) -> Release:
        since = Since(counted, lambda stated: {since_mark("en"): f"counted {stated['n']}"})
        return publish(store, source, FACTS, KEYS, {}, tmp_path / "scratch", marked_pages, since=since)

    def page(release: Release) -> str:
        path = tmp_path / "publish" / "releases" / release.release_id / "report" / "index.html"
        return path.read_text(encoding="utf-8")

    one, other = warehouse(tmp_path / "one"), warehouse(tmp_path / "other", ROWS[:2])
    first, again, second = made(one), made(one), made(other)
    assert (again.is_new, again.manifest, asked) == (False, first.manifest, ["None", first.release_id])
    assert (first.manifest["since"], second.manifest["since"]) == ({"n": 1}, {"n": 2})
    assert [page(release) for release in (first, second)] == [
        f"{first.release_id} counted 1",
        f"{second.release_id} counted 2",
    ]
    delete_data(store, first.release_id)
    filled = made(one)
    assert (filled.release_id, len(asked), page(filled)) == (first.release_id, 2, f"{first.release_id} counted 1")


def test_meanings_are_comments_of_the_released_tables_and_no_part_of_their_hash(tmp_path: Path) -> None:
    told = ColumnWords("reason", "varchar", 'Why; it\'s "said".', ("x", "z"), "dim_reason.reason", "reasons")
    absent = ColumnWords("no_such_column", "varchar", "Not there.")
    words = {"fct_trend": TableWords("fct_trend", "Trends.\nOne row per x.", ("community_id",), (told, absent))}
    store = Store(str(tmp_path / "publish"))
    source = warehouse(tmp_path / "w")
    release = publish(store, source, FACTS, KEYS, {}, tmp_path / "scratch", no_pages, words)
    assert released(tmp_path / "plain", source)[1].manifest["tables"] == release.manifest["tables"]
    connection = duckdb.connect(str(tmp_path / "publish" / "current.duckdb"), read_only=True)
    tables = "select comment from duckdb_tables() where table_name = 'fct_trend'"
    assert connection.execute(tables).fetchall() == [("Trends. One row per x. Key: community_id.",)]
    columns = "select column_name, comment from duckdb_columns() where table_name = 'fct_trend' and comment is not null"
    comment = 'Why; it\'s "said". One of: x, z (dim_status, domain reasons). Refers to dim_reason.reason.'
    assert connection.execute(columns).fetchall() == [("reason", comment)]
    connection.close()


def test_verify_finds_a_page_or_an_input_that_is_not_what_the_manifest_says(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "publish"))
    pl.DataFrame({"a": [1, 2]}).write_parquet(tmp_path / "own.parquet")
    extra = {"inputs": {"own": tmp_path / "own.parquet"}}
    release = publish(store, warehouse(tmp_path / "w"), FACTS, KEYS, extra, tmp_path / "scratch", no_pages)
    folder = tmp_path / "publish" / "releases" / release.release_id
    manifest = read_manifest(store, release.release_id)
    assert [file["path"] for file in manifest["files"]] == ["report/index.html"]

    def bad() -> list[str]:
        return [v.table for v in verify_release(folder / "internal.duckdb", manifest, store) if not v.ok]

    assert bad() == []
    for path in (folder / "report" / "index.html", folder / "internal.duckdb"):
        path.chmod(0o644)
    (folder / "report" / "index.html").write_text("another page", encoding="utf-8")
    (folder / "report" / "more.html").write_text("a page of nobody", encoding="utf-8")
    with duckdb.connect(str(folder / "internal.duckdb")) as connection:
        connection.execute("delete from inputs.own where a = 1")
    assert bad() == ["inputs.own", "report/index.html", "report/more.html"]


def test_a_manifest_from_before_files_were_stated_is_verified_by_its_tables(tmp_path: Path) -> None:
    store, release = released(tmp_path, warehouse(tmp_path / "w"))
    older = {name: value for name, value in release.manifest.items() if name not in ("files", "inputs_tables")}
    path = tmp_path / "publish" / "releases" / release.release_id / "internal.duckdb"
    assert [v.table for v in verify_release(path, older, store)] == ["dim_submission", "fct_trend"]


def test_a_list_beside_a_text_of_an_older_release_is_told_and_two_equal_lists_are_not(tmp_path: Path) -> None:
    """The column `names` was a text in the first release, and is a list in the others."""
    stored = ("'b'", "['b']", "['b']", "['b', 'c']")
    paths = [tmp_path / f"{number}.duckdb" for number in range(len(stored))]
    manifests = []
    for path, names in zip(paths, stored, strict=True):
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                f"create schema marts; create table marts.fct_trend as select 'a' as id, {names} as names"
            )
        manifests.append({"tables": hash_tables(path, {"fct_trend": ("id",)})})
    found = [
        [(d.column, d.a, d.b) for d in compare_releases(*paths[n : n + 2], *manifests[n : n + 2])] for n in range(3)
    ]
    assert found == [[("names", "b", ["b"])], [], [("names", ["b"], ["b", "c"])]]
    assert [count_differences(*paths[n : n + 2], *manifests[n : n + 2]) for n in range(2)] == [
        [TableCounts("fct_trend", 0, 0, 1)],
        [],
    ]
