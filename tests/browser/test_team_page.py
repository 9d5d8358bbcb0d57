"""The data team's page in a real browser, and what members get of it: nothing.

Belongs here: the worklist of an invented release on a phone and on a desk, its two forms, who may not open it.
Does not: the ways of members (test_member_page*.py), what waits (unit/monitoring/test_worklist.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.member_site import Site, Visitor, multipart, serving
from tests.browser.test_member_page import browser, page, seen

__all__ = ["browser", "page"]

COMMUNITY, TODAY, YEAR = "alderwick_bend", "2018-12-05", 2018
TEAM = "_network"
RELEASE = f"""
create schema marts;
create table marts.fct_finding (finding_id text, community_id text, reporting_year int, rule_id text, severity text,
    status text, message text, allowed text, explanation text, n_rows int);
insert into marts.fct_finding values
    ('cause', '{TEAM}', 2018, 'shared_cause', 'explainable', 'open',
     'Twelve folders of OH changed at once.', null, null, 12),
    ('given', '{COMMUNITY}', 2018, 'count_change', 'explainable', 'explained',
     'It jumped.', null, '<b>We joined</b>', 1),
    ('older', '{COMMUNITY}', 2017, 'count_change', 'explainable', 'explained', 'It fell.', null, 'We left.', 1),
    ('stray', null, null, 'unknown_community', 'error', null,
     'The bucket holds a folder reedmeer.', 'reedmere', null, 1);
create table marts.dim_community (community_id text, left_year int);
create table marts.fct_submission_status (community_id text, reporting_year int, status text, due_on date,
    submission_id text, findings_blocking int, findings_open int, rows_read int, rows_accepted int);
insert into marts.fct_submission_status values
    ('{COMMUNITY}', 2018, 'accepted_with_queries', '2018-11-30', 's1', 1, 2, 3, 2),
    ('amberly_shoals', 2018, 'expected', '2018-11-30', null, 0, 0, 0, 0);
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("team") / "home"
    release = home / "publish" / "releases" / "invented"
    release.mkdir(parents=True)
    with duckdb.connect(str(release / "internal.duckdb")) as database:
        database.execute(RELEASE)
    (home / "publish" / "current").write_text("invented\n", encoding="ascii")
    with serving(home, TODAY) as running:
        yield running


def written(site: Site, name: str, year: int = YEAR) -> list[str]:
    """Lines of a table of the network's own folder, without its header."""
    return site.drop().get(f"{TEAM}/{year}/{name}", b"").decode().splitlines()[1:]


def test_the_team_sees_who_is_late_and_what_is_open_answers_a_cause_and_reviews_an_answer(
    site: Site, page: Page, tmp_path: Path
) -> None:
    page.goto(site.link(TEAM))
    text = seen(page, tmp_path, "team")
    said = "Accepted, with something to mend or to answer · Rows or files to mend: 1"
    assert f"Alderwick Bend, 2018{said}" in text.replace("\n", "")
    assert "Late: nothing has come yet" in text
    assert "<b>We joined</b>" in text
    assert "The bucket holds a folder reedmeer.\nAllowed: reedmere" in text
    page.get_by_role("navigation", name="Years").get_by_role("link", name=str(YEAR)).click()
    assert "It fell." not in seen(page, tmp_path, "team-year")

    page.get_by_label("Kind of reason").select_option("real_change")
    page.get_by_label("Why the values are right").fill("A new test, in all of OH.")
    page.get_by_role("button", name="Answer for all folders: cause 1").click()
    assert "The answer was written down for all folders" in seen(page, tmp_path, "team-answered")
    assert written(site, "answers-from-the-page.csv") == ['cause,"A new test, in all of OH.",real_change']

    page.get_by_role("button", name="Reject answer 1").click()
    assert "Please say why the answer is rejected" in seen(page, tmp_path, "team-no-reason")
    page.go_back()
    page.get_by_label("Reason, if you reject it").fill("Which school?")
    page.get_by_role("button", name="Reject answer 1").click()
    assert "The review was written down" in seen(page, tmp_path, "team-rejected")
    assert "Rejected. The network's next run takes it" in seen(page, tmp_path, "team-rejected")
    assert written(site, "decisions-on-answers.csv") == [f"given,rejected,{TODAY},data team,Which school?"]
    page.get_by_role("button", name="Accept answer 1").click()
    assert written(site, "decisions-on-answers.csv")[0].startswith(f"given,accepted,{TODAY},data team,")
    page.get_by_role("link", name="Español").click()
    assert "Lo que espera al equipo de datos" in seen(page, tmp_path, "team-es")


def test_a_member_and_a_stranger_get_nothing_of_the_teams_page(site: Site) -> None:
    member, team, stranger = Visitor(site), Visitor(site), Visitor(site)
    assert (member.enter(site.link(COMMUNITY)), team.enter(site.link(TEAM))) == (303, 303)
    body, kind = multipart({"mark": member.mark(YEAR), "finding_id": "older", "decision": "accepted"}, [])
    for visitor, code in ((member, 404), (stranger, 403)):
        status, _, text = visitor.ask("GET", "/team")
        assert (status, "Twelve folders" in text, "It jumped" in text) == (code, False, False)
        for path in ("/team/answer", "/team/review"):
            assert visitor.ask("POST", path, body, content_type=kind)[0] == code
    assert team.ask("GET", "/team")[0] == 200
    # Neither with the mark of a member's forms, nor from another site.
    assert team.ask("POST", "/team/review", body, content_type=kind)[0] == 403
    assert team.ask("POST", "/team/review", body, content_type=kind, sec_fetch_site="cross-site")[0] == 403
    for path in (f"/year/{YEAR}", f"/year/{YEAR}/template", f"/year/{YEAR}/receipt"):
        assert team.ask("GET", path)[0] == 403
    assert written(site, "decisions-on-answers.csv", 2017) == []


def test_a_header_of_the_proxy_names_the_team_as_it_names_a_member(tmp_path: Path) -> None:
    with serving(tmp_path / "home", TODAY, CRADLE_SERVE_USER_HEADER="X-Community") as site:
        status, _, text = Visitor(site).ask("GET", "/team", x_community=TEAM)
        assert (status, "Nothing is published yet" in text) == (200, True)
        assert Visitor(site).ask("GET", "/team", x_community=COMMUNITY)[0] == 404
        assert Visitor(site).ask("GET", "/team?year=1901", x_community=TEAM)[0] == 404


def test_the_page_fits_a_browser_of_any_width(site: Site, browser: Browser) -> None:
    for width in (320, 768):
        narrow = browser.new_context(
            viewport=ViewportSize(width=width, height=800), java_script_enabled=False
        ).new_page()
        narrow.goto(site.link(TEAM))
        box = narrow.locator("main").bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= width
