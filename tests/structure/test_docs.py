"""The pages that people write say what is there, and give nothing away.

Belongs here: settings named exactly, links that lead somewhere, no registry host and no machine's path in any file.
Does not: generated pages (test_data_dictionary.py), or whether a sentence is true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.settings import KNOWN

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
SETTING = re.compile(r"^\| `(CRADLE_\w+)` \| (.+) \|$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
TITLE = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NOT_OURS = frozenset({"build", "data", "logs", "target", "__pycache__"})
ENDINGS = frozenset(
    {"", ".cfg", ".csv", ".html", ".lock", ".md", ".py", ".sh", ".sql", ".toml", ".txt", ".yaml", ".yml"}
)
# In pieces, so that this file passes its own test.
HOSTS = [".".join(name) for name in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("crates", "io"))]
PATHS = [*(f"/work/{name}" for name in ("main", "shared", ".library")), "/" + "root/"]


def own_files() -> Iterator[Path]:
    """Text files of the project: no environments, caches or anything a run writes."""
    stack = [ROOT]
    while stack:
        for path in sorted(stack.pop().iterdir()):
            hidden = path.name.startswith(".") and path.name not in (".ci", ".gitattributes", ".gitignore", ".sqlfluff")
            if hidden or path.name in NOT_OURS or path.name.endswith(".egg-info"):
                continue
            if path.is_dir():
                stack.append(path)
            elif path.suffix in ENDINGS:
                yield path


def anchor(title: str) -> str:
    """How a title is linked to within its page."""
    kept = re.sub(r"[^\w\- ]", "", title.strip().lower())
    return kept.replace(" ", "-")


def test_the_settings_page_names_exactly_the_settings_there_are() -> None:
    named = SETTING.findall((DOCS / "settings.md").read_text(encoding="utf-8"))
    assert dict(named) == KNOWN
    assert [name for name, _ in named] == list(KNOWN)


def test_no_page_names_a_setting_that_there_is_not() -> None:
    found = {name for page in PAGES for name in re.findall(r"\bCRADLE_\w*[A-Z]\b", page.read_text(encoding="utf-8"))}
    tests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    of_tests = {name for text in tests for name in re.findall(r'environ\.get\("(CRADLE_\w+)"', text)}
    assert found <= {*KNOWN, *of_tests}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, place = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if place:
            assert place in {anchor(title) for title in TITLE.findall(target.read_text(encoding="utf-8"))}, link


def test_no_file_names_a_registry_host_or_a_path_of_one_machine() -> None:
    told = []
    for path in own_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        told += [f"{path.relative_to(ROOT)}: {word}" for word in (*HOSTS, *PATHS) if word in text]
    assert told == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    for path, name in NAMED_TEST.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / path).is_file(), path
        assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{name}"
