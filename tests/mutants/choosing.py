"""What each run of pytest is told here: which test it is that reaches a statement, and which tests are to be run.

Belongs here: pytest's hooks, of runs with faults and of those before. Does not: which tests are chosen (reach.py).
"""

from __future__ import annotations

import builtins
import functools
import gc
import inspect
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.mutants.seen.sitecustomize import BY

CHOSEN = "CHOSEN_TESTS"
"""A file with the tests to run, in this order."""
TOLD = "TOLD_TESTS"
"""A file that gets the tests which were run, with their seconds and fixtures."""
_told: dict[str, dict[str, Any]] = {}
_kept: list[Any] = []


def fixture(name: str) -> str:
    """What is told of a fixture that several tests share."""
    return f"fixture {name}"


def pytest_collection() -> None:
    """A failed example is not made smaller: that one was found is enough."""
    found = settings(phases=[Phase.explicit, Phase.generate], database=None, report_multiple_bugs=False)
    settings.register_profile("planted", found)
    settings.load_profile("planted")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """The chosen tests alone."""
    yield
    if CHOSEN in os.environ:
        chosen = json.loads(Path(os.environ[CHOSEN]).read_text(encoding="utf-8"))
        place = {name: number for number, name in enumerate(chosen)}
        items[:] = sorted((one for one in items if one.nodeid in place), key=lambda one: place[one.nodeid])


def pytest_collection_finish() -> None:
    """Answers that tests keep for each other: each test is to reach what it needs by itself."""
    if TOLD in os.environ:
        tests = str(Path("tests").absolute())
        wrappers = [one for one in gc.get_objects() if isinstance(one, functools._lru_cache_wrapper)]
        codes = [getattr(inspect.unwrap(one), "__code__", None) for one in wrappers]
        _kept.extend(one for one, code in zip(wrappers, codes, strict=True) if code and tests in code.co_filename)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """Says which test runs, and how long it takes."""
    if TOLD not in os.environ:
        return (yield)
    for kept in _kept:
        kept.cache_clear()
    began = time.monotonic()
    _by(item.nodeid)
    done = yield
    _told[item.nodeid] = {"seconds": time.monotonic() - began, "fixtures": [fixture(one) for one in item.fixturenames]}  # type: ignore[attr-defined]
    return done


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any) -> Iterator[Any]:
    """What a fixture of several tests reaches is reached by each of them."""
    if TOLD not in os.environ or fixturedef.scope == "function":
        return (yield)
    before = os.environ.get(BY, "")
    _by(fixture(fixturedef.argname))
    try:
        return (yield)
    finally:
        _by(before)


def _by(name: str) -> None:
    told: Callable[[str], None] = builtins.__seen_by__  # type: ignore[attr-defined]
    told(name)


def pytest_sessionfinish() -> None:
    """Keep what was run."""
    if TOLD in os.environ:
        Path(os.environ[TOLD]).write_text(json.dumps(_told), encoding="utf-8")
