"""Every command that the guides of the data team and of operations name is there, and a test runs it.

Belongs here: commands and options in code of the two guides, held against the program and against calls in tests.
Does not: running any of them (tests/integration/test_year.py and others), links and settings (test_docs.py).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dagster_project.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [ROOT / "docs" / name for name in ("data-team.md", "operations.md")]
PATH_TESTS = [*ROOT.glob("tests/integration/test_*.py"), *ROOT.glob("tests/browser/test_*.py")]
PATH_TESTS += ROOT.glob("tests/unit/cli/test_*.py")
NOT_BUILT = re.compile(r"^## What is not built yet$.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"(?<![\w./-])(?:\S*/)?(cradle|dagster(?:-daemon|-webserver)?)((?: .*)?)$")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
WORD = re.compile(r"[a-z][a-z-]+")
RUNNERS = frozenset(
    {
        *("cradle", "cradle_bound_by_modes", "warm_cradle", "start_warm"),
        *("call", "step", "say", "run", "invoke", "dagster", "started"),
    }
)
"""Functions of tests that run a command whose words are among their arguments."""
Named = tuple[str, ...]


def code_of(guide: Path) -> Iterator[str]:
    """Every piece of code of a guide as one line: lines of fences without comments, and spans."""
    text = NOT_BUILT.sub("", guide.read_text(encoding="utf-8"))
    for fence in FENCE.findall(text):
        for line in fence.replace("\\\n", " ").splitlines():
            yield re.sub(r"\s+#.*$", "", line).strip()
    for span in SPAN.findall(FENCE.sub("", text)):
        yield re.sub(r"\s+", " ", span)


def named_in(guide: Path) -> set[Named]:
    """Program, command words and long options of every command line that a guide shows; `--help` is everywhere."""
    found = set()
    for code in code_of(guide):
        match = COMMAND.search(code)
        if match is None:
            continue
        program, rest = match.groups()
        words = []
        for word in rest.split():
            if not WORD.fullmatch(word):
                break
            words.append(word)
        if program == "cradle":
            words = words[: depth(words)]
        options = set(OPTION.findall(rest)) - {"--help"}
        if words or "-" in program:
            found.add((program, *words, *sorted(options)))
    return found


def depth(words: list[str]) -> int:
    """How many words name a command of `cradle`; what follows are its arguments."""
    group: click.Command | None = cli
    for number, word in enumerate(words):
        if not isinstance(group, click.Group):
            return number
        group = group.commands.get(word)
        if group is None:
            return number + 1
    return len(words)


def command_of(words: Named) -> click.Command | None:
    found: click.Command | None = cli
    for word in words[1:]:
        if word.startswith("--"):
            break
        found = found.commands.get(word) if isinstance(found, click.Group) else None
    return found


def words_of(call: ast.Call) -> set[str]:
    """All words that stand in a call: of texts (options without their values), and names that it passes on."""
    parts = [text for node in ast.walk(call) if isinstance(node, ast.Constant) and isinstance(text := node.value, str)]
    parts += [node.id for node in ast.walk(call) if isinstance(node, ast.Name)]
    return {word for part in parts for word in part.split()}


def runs() -> Iterator[set[str]]:
    for path in PATH_TESTS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in RUNNERS:
                    yield words_of(node)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_command_and_option_of_a_guide_is_there(guide: Path) -> None:
    for named in sorted(named_in(guide)):
        if named[0] != "cradle":
            continue
        command = command_of(named)
        assert command is not None, f"{guide.name} names {' '.join(named)}"
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in named if word.startswith("--")} <= known, f"{guide.name} names {' '.join(named)}"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_command_that_a_guide_names_is_run_by_a_test_of_a_path(guide: Path) -> None:
    ran = list(runs())
    named = named_in(guide)
    assert len(named) > 10
    # In tests `cradle` is the function; each option of a line is asked for by itself, with its command.
    untried = []
    for program, *words in sorted(named):
        command = [word for word in words if not word.startswith("--")]
        needed = {*command, *([program] if program != "cradle" else [])}
        for option in [word for word in words if word.startswith("--")] or [None]:
            if not any(needed | ({option} if option else set()) <= words_there for words_there in ran):
                untried.append(" ".join([program, *command, *([option] if option else [])]))
    assert not untried, f"{guide.name} names what no test of a path runs: {', '.join(sorted(set(untried)))}"


def test_a_command_that_no_test_runs_would_be_told(tmp_path: Path) -> None:
    guide = tmp_path / "guide.md"
    guide.write_text("Say `cradle\nseeds upgrade --dry-run`.\n\n```\ncradle run --years 2015   # all\n```\n", "utf-8")
    assert named_in(guide) == {("cradle", "seeds", "upgrade", "--dry-run"), ("cradle", "run", "--years")}
    assert not any({"run", "--no-such-option"} <= words for words in runs())
