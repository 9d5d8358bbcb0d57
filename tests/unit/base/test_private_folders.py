"""Folders that the warehouse makes for itself are its user's alone, whoever makes them first.

Belongs here: the rights of scratch below the home, in every order in which its parts may be made.
Does not: rights of released files (tests/unit/publish/test_release.py).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.lib.base.store import FOR_ALL, Store, make_private
from dagster_project.lib.publish.release.release import move_into_place
from dagster_project.web.held import Holding

ROOT = Path(__file__).resolve().parents[3] / "dagster_project"
OPEN_PARENTS = re.compile(r"mkdir\([^)]*parents=True")
# Folders inside one that is made for its user alone, of a release, or where the operator asked for a file.
INSIDE = {
    "instance/runs.py": "the home itself, which the drop folder of others may lie in",
    "lib/app/rebuild.py": "the side home",
    "lib/base/seeds/upgrade.py": "reference data",
    "lib/publish/public/files.py": "the public edition",
    "lib/publish/release/dictionary.py": "a release that is built",
    "lib/publish/release/release.py": "the release's own folders, which all may read",
    "lib/publish/report/render.py": "pages that are built",
}


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


def test_what_is_for_all_may_be_read_by_all_also_where_a_service_closes_its_files(tmp_path: Path) -> None:
    os.umask(0o077)
    scratch = make_private(tmp_path / "work" / "release")
    (scratch / "report" / "es").mkdir(parents=True)
    (scratch / "report" / "es" / "index.html").write_text("page", encoding="utf-8")
    public, own = Store(str(tmp_path / "public"), mode=FOR_ALL), Store(str(tmp_path / "publish"))
    move_into_place(scratch, public, "releases/one")
    for store in (public, own):
        store.put("current", b"one")
        store.put("states/of/all.csv", b"one,final")
    found = {path.relative_to(tmp_path).as_posix(): rights(path) for path in (tmp_path / "public").rglob("*")}
    assert len(found) == 9
    assert [name for name, mode in found.items() if mode != (0o755 if (tmp_path / name).is_dir() else 0o644)] == []
    assert rights(tmp_path / "public") == 0o755
    assert [rights(path) for path in (tmp_path / "publish", tmp_path / "publish/current")] == [0o700, 0o600]


def test_every_folder_that_was_missing_is_its_users_alone_and_one_that_was_there_keeps_its_rights(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    made = make_private(home / "work" / "a" / "b")
    assert [rights(each) for each in (made, made.parent, made.parent.parent)] == [0o700] * 3
    assert rights(home) == 0o755
    made.chmod(0o750)
    assert rights(make_private(made)) == 0o750


def test_uploads_wait_where_nobody_else_may_look_also_when_scratch_was_deleted_under_a_running_page(
    tmp_path: Path,
) -> None:
    work = tmp_path / "work"
    holding = Holding(work / "serve")
    holding.clear()
    assert rights(work) == rights(holding.root) == 0o700
    holding.clear()
    for folder in (holding.root, work):
        folder.rmdir()
    files = holding.new("alpha", 2018).files
    made = [folder for folder in (files, *files.parents) if folder.is_relative_to(work)]
    assert {rights(folder) for folder in made} == {0o700}


def test_no_module_makes_scratch_with_the_rights_of_the_users_umask() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if OPEN_PARENTS.search(path.read_text(encoding="utf-8"))
    }
    assert found == set(INSIDE)
