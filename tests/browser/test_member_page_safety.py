"""What somebody gets from the member's page who should get nothing: other communities, forgers, tricks and floods.

Belongs here: requests over a socket to a running page that no browser of a member would send.
Does not: the way of a member (test_member_page.py).
"""

from __future__ import annotations

import html
import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dagster_project.lib.receipts.receipt_page import what
from tests.browser.member_site import SECRET, Site, Visitor, serving
from tests.support import cradle

TODAY, YEAR = "2018-06-30", 2018
GOOD = b"school_year,indicator,dimension,group,numerator,denominator\n2018,graduation_4yr_pct,all,all,60,100\n"
BAD = GOOD + b"2018,graduation_4yr_pct,all,all,70,60\n2018,grade3_reading_proficient_pct,all,all,70,60\n"
PERSONS = b"student_id,first_name,last_name,date_of_birth\n" + b"".join(
    f"PUPIL-{n},Zyxwvut{n},Mcinvented{n},2011-01-0{n}\n".encode() for n in range(1, 6)
)


@pytest.fixture(scope="module")
def communities() -> tuple[str, str]:
    lines = (Path(__file__).parents[2] / "seeds/network/communities.csv").read_text(encoding="utf-8").splitlines()
    first, second = (line.split(",")[0] for line in lines[1:3])
    return first, second


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("page") / "home", TODAY) as running:
        yield running


@pytest.fixture
def own(site: Site, communities: tuple[str, str]) -> Visitor:
    visitor = Visitor(site)
    assert visitor.enter(site.link(communities[0])) == 303
    return visitor


@pytest.fixture
def other(site: Site, communities: tuple[str, str]) -> Visitor:
    visitor = Visitor(site)
    assert visitor.enter(site.link(communities[1])) == 303
    return visitor


def test_without_a_link_no_page_opens(site: Site) -> None:
    for path in ("/", f"/year/{YEAR}", f"/year/{YEAR}/template"):
        assert Visitor(site).ask("GET", path)[0] == 403


def test_a_changed_link_and_a_forged_header_open_nothing(site: Site, communities: tuple[str, str]) -> None:
    link = site.link(communities[0])
    assert Visitor(site).enter(link[:-1] + ("0" if link[-1] != "0" else "1")) == 403
    assert Visitor(site).enter(f"{site.address}/enter?link=nonsense") == 403
    for name in ("x-user", "x-remote-user", "x-forwarded-user", "remote-user"):
        assert Visitor(site).ask("GET", "/", **{name: communities[0]})[0] == 403


def test_a_link_works_until_its_last_day_and_not_after(tmp_path: Path, communities: tuple[str, str]) -> None:
    with serving(tmp_path / "home", "2018-06-30") as before:
        link = before.link(communities[0], "--days", "1").removeprefix(before.address)
        assert Visitor(before).enter(link) == 303
    with serving(tmp_path / "home", "2018-07-02") as after:
        assert Visitor(after).enter(link) == 403
        cookie = {"cookie": f"cradle_member={link.partition('=')[2]}"}
        assert Visitor(after, cookie).ask("GET", "/")[0] == 403


def test_the_proxys_header_names_the_community_and_two_of_them_name_nobody(
    tmp_path: Path, communities: tuple[str, str]
) -> None:
    with serving(tmp_path / "home", TODAY, CRADLE_SERVE_USER_HEADER="X-Community") as site:
        assert Visitor(site).ask("GET", "/", x_community=communities[0])[0] == 200
        assert Visitor(site).ask("GET", "/", x_community="nobody_of_us")[0] == 403
        twice = {"X-Community": communities[0], "x-community": communities[1]}
        assert Visitor(site, twice).ask("GET", "/")[0] == 403


def test_nothing_of_another_community_is_shown_or_sent(site: Site, own: Visitor, other: Visitor) -> None:
    status, place = own.check(YEAR, [("ours.csv", GOOD)])
    assert status == 303
    assert own.ask("GET", place)[0] == 200
    assert other.ask("GET", place)[0] == 404
    assert other.send(place, YEAR) == 404
    assert own.send(place, YEAR) == 303
    assert "ours.csv" in own.ask("GET", f"/year/{YEAR}")[2]
    assert "ours.csv" not in other.ask("GET", f"/year/{YEAR}")[2]


def test_a_form_without_the_mark_or_with_anothers_does_nothing(site: Site, own: Visitor, other: Visitor) -> None:
    before = site.drop()
    for mark in ("", "0" * 64, other.mark(YEAR)):
        assert own.check(YEAR, [("forged.csv", GOOD)], mark)[0] == 403
    status, place = own.check(YEAR, [("kept.csv", GOOD)])
    assert status == 303
    own.headers["sec-fetch-site"] = "cross-site"
    assert own.send(place, YEAR) == 403
    assert site.drop() == before


@pytest.mark.parametrize(
    "name", ["../up.csv", "a/b.csv", "/etc/passwd", "..", ".hidden.csv", "a\\\\b.csv", "x" * 300 + ".csv"]
)
def test_names_that_lead_elsewhere_are_refused(site: Site, own: Visitor, name: str) -> None:
    before = site.drop()
    status, words = own.check(YEAR, [(name, GOOD)])
    assert status == 400, words
    assert site.drop() == before


def test_a_list_of_persons_leaves_no_bytes(site: Site, own: Visitor) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inside.csv", PERSONS)
    for files in ([("pupils.csv", PERSONS), ("good.csv", GOOD)], [("pupils.zip", packed.getvalue())]):
        status, place = own.check(YEAR, files)
        assert status == 303
        assert site.left_over(b"Zyxwvut") == []
        assert not list((Path(site.settings["CRADLE_HOME"]) / "work" / "serve").rglob("pupils.*"))
        assert "list single persons" in own.told and "Zyxwvut" not in own.told
        assert own.send(place, YEAR) == 404


def test_too_much_is_refused_before_it_is_read(own: Visitor) -> None:
    two_gib = {"content-length": str(2 * 1024**3), "content-type": "multipart/form-data; boundary=x"}
    assert Visitor(own.site, {**own.headers, **two_gib}).ask("POST", f"/year/{YEAR}/check", b"x")[0] == 413


def test_many_uploads_at_once_are_answered_and_none_is_lost_unseen(site: Site, other: Visitor) -> None:
    mark = other.mark(YEAR)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: other.check(YEAR, [(f"many{n}.csv", GOOD)], mark)[0], range(40)))
    assert set(answers) <= {303, 429}
    assert 303 in answers


def test_every_answer_carries_the_headers_of_safety(own: Visitor) -> None:
    for path in ("/", f"/year/{YEAR}", "/nothing-here", "/static/page.css"):
        _, headers, text = own.ask("GET", path)
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "<script" not in text and "style=" not in text


def test_member_text_is_never_markup(own: Visitor) -> None:
    name = "<img src=x onerror=alert(1)>.csv"
    status, place = own.check(
        YEAR, [(name.replace('"', ""), GOOD.replace(b"graduation_4yr_pct", b"<script>x</script>"))]
    )
    assert status == 303
    page = own.ask("GET", place)[2]
    assert "<script" not in page and "<img" not in page
    assert "&lt;img" in page


def test_the_page_holds_the_very_findings_of_the_command(
    site: Site, own: Visitor, communities: tuple[str, str], tmp_path: Path
) -> None:
    status, place = own.check(YEAR, [("bad.csv", BAD)])
    assert status == 303
    folder = tmp_path / "folder"
    folder.mkdir()
    for path, data in site.drop().items():
        if path.startswith(f"{communities[0]}/{YEAR}/"):
            (folder / path.rsplit("/", 1)[1]).write_bytes(data)
    (folder / "bad.csv").write_bytes(BAD)
    told = cradle("check", folder, "--community", communities[0], "--year", str(YEAR), "--json", **site.settings).stdout
    (note,) = Path(site.settings["CRADLE_HOME"]).glob(f"work/serve/*/*/{place.rsplit('/', 1)[1]}/note.json")
    assert json.loads(note.read_text(encoding="utf-8"))["receipt"] == told
    page = html.unescape(own.ask("GET", place)[2])
    findings = json.loads(told)["findings"]
    assert findings
    assert all(finding["remedy"] in page and what(finding) in page for finding in findings)


def test_serve_refuses_to_run_open_to_everybody(tmp_path: Path) -> None:
    assert cradle("serve", "--port", "8000", CRADLE_HOME=tmp_path).returncode == 2
    assert cradle("serve", "--host", "0.0.0.0", CRADLE_HOME=tmp_path, CRADLE_SERVE_SECRET=SECRET).returncode == 2


def test_there_are_links_for_communities_of_the_network_and_with_a_secret_alone(
    tmp_path: Path, communities: tuple[str, str]
) -> None:
    assert cradle("invite", "nobody_of_us", CRADLE_HOME=tmp_path, CRADLE_SERVE_SECRET=SECRET).returncode == 2
    assert cradle("invite", communities[0], CRADLE_HOME=tmp_path).returncode == 2
    assert cradle("invite", communities[0], CRADLE_HOME=tmp_path, CRADLE_SERVE_SECRET="too short").returncode == 2
