"""What makes figures and what makes words is declared apart: a change of one is no change of the other.

Belongs here: versions over a copy of the code, that every file is declared, that figures import no words.
Does not: what re-reads a folder (tests/unit/intake/test_dependencies.py).
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from dagster_project.lib.publish.release.dependencies import (
    CODE_FOLDERS,
    FIGURES,
    LIB,
    PAGES,
    PROTECTS,
    WORDS,
    code_files,
    code_version,
    is_figures,
    pages_version,
    protection_version,
)
from dagster_project.lib.publish.release.dependencies import versions as stated
from dagster_project.lib.receipts.changes import CAUSES
from tests.support import PROJECT

MAKES_FIGURES = (
    "contracts/findings.csv",
    "contracts/layouts/ky_graduation.sql",
    "dagster_project/lib/analysis/figures/trend.py",
    "dagster_project/lib/intake/rows/values.py",
    "dagster_project/lib/intake/comparing/over_years.py",
    "dagster_project/lib/app/frozen.py",
    "dagster_project/lib/app/stands/cycles.py",
    "dagster_project/lib/publish/release/hashing.py",
    "dbt/models/intermediate/int_values__pooled.sql",
)
MAKES_WORDS = (
    "dagster_project/lib/publish/report/words.py",
    "dagster_project/lib/publish/report/templates/community.html",
    "dagster_project/lib/receipts/receipt_page.py",
    "dagster_project/lib/analysis/records/explain.py",
    "dagster_project/lib/app/stands/public.py",
    "dagster_project/lib/member/template.py",
    "dagster_project/cli/release.py",
    "contracts/languages/es.csv",
    "contracts/layouts/samples/ky_graduation/expected_rows.csv",
)
# They order all steps, and hold what each is asked with: those that only tell among them.
ORDERS = (Path("dagster_project/lib/app/pipeline.py"), Path("dagster_project/lib/app/stands/house.py"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code that a test may change."""
    root = tmp_path_factory.mktemp("house")
    for folder in CODE_FOLDERS:
        shutil.copytree(PROJECT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
    return root


def versions(root: Path) -> tuple[str, str, str]:
    """Of figures, of words, of all code."""
    all_of_it = stated(root)
    assert all_of_it["code_version"] == code_version(root)
    return all_of_it["figures_version"], all_of_it["words_version"], all_of_it["code_version"]


def changes(version: Callable[[Path], str], house: Path, name: str) -> bool:
    """Whether a version is another once a file is."""
    before = version(house)
    (house / name).write_bytes((house / name).read_bytes() + b"\n")
    return version(house) != before


@pytest.mark.parametrize("name", MAKES_FIGURES)
def test_what_makes_figures_changes_their_version_and_no_other(house: Path, name: str) -> None:
    before = versions(house)
    (house / name).write_bytes((house / name).read_bytes() + b"\n")
    figures, words, all_of_it = versions(house)
    assert figures != before[0] and words == before[1] and all_of_it != before[2]


@pytest.mark.parametrize("name", MAKES_WORDS)
def test_what_makes_words_looks_like_no_change_of_figures(house: Path, name: str) -> None:
    before = versions(house)
    (house / name).write_bytes((house / name).read_bytes() + b"\n")
    figures, words, all_of_it = versions(house)
    assert figures == before[0] and words != before[1] and all_of_it != before[2]


def test_a_receipt_names_other_code_as_a_cause_only_where_it_makes_figures() -> None:
    assert CAUSES["code"] == ("figures_version",)


def test_every_file_of_code_is_declared_and_every_declaration_holds_a_file() -> None:
    inner = [path.relative_to(PROJECT) for path in code_files(PROJECT)]
    undeclared = [str(path) for path in inner if not any(path.is_relative_to(name) for name in (*FIGURES, *WORDS))]
    assert not undeclared
    assert not [name for name in (*FIGURES, *WORDS) if not any(path.is_relative_to(name) for path in inner)]


def test_code_that_makes_figures_imports_none_that_only_makes_words() -> None:
    wrong = {
        f"{path.relative_to(PROJECT)} imports {named}"
        for path in code_files(PROJECT)
        if path.suffix == ".py" and is_figures(path.relative_to(PROJECT)) and path.relative_to(PROJECT) not in ORDERS
        for named in imported(path)
        if not is_figures(named)
    }
    assert not wrong


@pytest.mark.parametrize(
    ("name", "is_another"),
    [
        ("dagster_project/lib/publish/report/words.py", True),
        ("dagster_project/lib/publish/report/templates/community.html", True),
        ("dagster_project/lib/publish/report/languages/es.po", True),
        ("dagster_project/lib/publish/report/explore/explore.js", True),
        ("contracts/findings.csv", True),
        ("dagster_project/cli/release.py", False),
        ("dagster_project/lib/receipts/receipt_page.py", False),
    ],
)
def test_public_pages_have_another_version_where_their_words_are_made_otherwise(
    house: Path, name: str, is_another: bool
) -> None:
    assert changes(pages_version, house, name) == is_another


def test_every_module_of_words_that_makes_public_pages_is_of_their_version() -> None:
    """What states of releases and hashes them (publish/release) makes no word of a page; but for it all are named."""
    found = all_imported([PROJECT / LIB / "publish" / "public" / "pages.py"])
    words = {path for path in found if not is_figures(path)}
    assert len(words) > 30
    beside = {path for path in words if path.parent == Path(LIB, "publish", "release") or path.name == "__init__.py"}
    unnamed = {str(path) for path in words - beside if not any(path.is_relative_to(name) for name in PAGES)}
    assert unnamed == {f"{LIB}/warehouse/declared.py"}, "what is declared is hashed as it is (Candidate.texts_version)"


@pytest.mark.parametrize(
    ("name", "is_another"),
    [
        ("dagster_project/lib/disclosure/feasible/programs.py", True),
        ("dagster_project/lib/base/workers.py", True),
        ("dagster_project/lib/publish/report/languages/es.po", False),
        ("dagster_project/lib/publish/public/tables.py", False),
        ("dagster_project/lib/analysis/figures/trend.py", False),
    ],
)
def test_kept_answers_of_protection_hold_for_as_long_as_its_own_code_does(
    house: Path, name: str, is_another: bool
) -> None:
    assert changes(protection_version, house, name) == is_another


def test_every_module_that_protects_is_of_its_version() -> None:
    found = all_imported(sorted((PROJECT / LIB / "disclosure").rglob("*.py")))
    assert len(found) > 15
    assert not [path for path in found if not any(path.is_relative_to(name) for name in PROTECTS)]


def all_imported(start: Sequence[Path]) -> set[Path]:
    """Modules of the project that some modules need, themselves among them, by their path below the root."""
    found, waiting = set(start), list(start)
    while waiting:
        for path in imported(waiting.pop()):
            if (PROJECT / path) not in found:
                found.add(PROJECT / path)
                waiting.append(PROJECT / path)
    return {path.relative_to(PROJECT) for path in found}


def imported(path: Path) -> Iterator[Path]:
    """Files of the project that a module imports, by their path below the root."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            for place in (Path(*name.split(".")).with_suffix(".py"), Path(*name.split("."), "__init__.py")):
                if name and (PROJECT / place).is_file():
                    yield place
