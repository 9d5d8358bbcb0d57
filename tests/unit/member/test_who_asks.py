"""Whose page a link or a sign-in opens.

Belongs here: the community that is asked for, by every id that it had.
Does not: signatures and pages (tests/browser/test_member_page*.py).
"""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
from starlette.requests import Request

from dagster_project.lib.member.page.access import link_text
from dagster_project.settings import from_environment
from dagster_project.web.site import COOKIE, Refusal, Site
from tests.support import PROJECT

SECRET, NOW, FORMER = "s" * 32, "alderwick_bend", "old_bend"


@pytest.mark.parametrize("asked", [NOW, FORMER])
def test_a_link_from_before_a_rename_opens_the_page_of_the_same_community(tmp_path: Path, asked: str) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(PROJECT / "seeds", seeds)
    with (seeds / "network" / "community_successions.csv").open("a", encoding="utf-8") as lines:
        lines.write(f"{FORMER},{NOW},\n")
    settings = {"CRADLE_HOME": str(tmp_path), "CRADLE_SEEDS": str(seeds), "CRADLE_TODAY": "2018-06-30"}
    site = Site(lambda: from_environment({**settings, "CRADLE_SERVE_SECRET": SECRET}))
    link = link_text(SECRET, asked, dt.date(2018, 7, 1))
    assert (
        site.member(Request({"type": "http", "headers": [(b"cookie", f"{COOKIE}={link}".encode())]})).community_id
        == NOW
    )
    by_name = Site(lambda: from_environment({**settings, "CRADLE_SERVE_USER_HEADER": "X-Community"}))
    assert by_name.member(Request({"type": "http", "headers": [(b"x-community", asked.encode())]})).community_id == NOW
    with pytest.raises(Refusal):
        by_name.member(Request({"type": "http", "headers": [(b"x-community", b"elsewhere")]}))
