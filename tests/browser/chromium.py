"""The system's browser for tests and measurements that open pages.

Belongs here: where Chromium is, how it is started, what happens without it.
Does not: any page, a download of a browser.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
# Keeps the browser itself off the network; the pages must not ask for it either.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def launched() -> Iterator[Browser]:
    """The system's Chromium for as long as a fixture lives; without one the tests skip loudly, in CI they fail."""
    if not CHROMIUM.exists():
        message = f"BROWSER TESTS DID NOT RUN: there is no {CHROMIUM} (install the system package chromium)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message, pytrace=False)
        warnings.warn(pytest.PytestWarning(message), stacklevel=2)
        pytest.skip(message)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield running
        running.close()
