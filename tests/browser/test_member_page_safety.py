"""What somebody gets from the member's page who should get nothing: other communities, forgers, tricks and floods.

Belongs here: requests over a socket to a running page that no browser of a member would send.
Does not: the way of a member (test_member_page.py).
"""

from __future__ import annotations

import html
import io
import json
import resource
import socket
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dagster_project.lib.receipts.receipt_page import what
from tests.browser.member_site import SECRET, Site, Visitor, multipart, serving
from tests.warm import warm_cradle

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


def test_what_a_colleague_changed_since_the_check_is_not_overwritten(site: Site, own: Visitor) -> None:
    """Neither a file of the same name, nor one beside it of which the check knew nothing."""
    _, place = own.check(YEAR, [("shared.csv", GOOD)])
    assert own.send(place, YEAR) == 303
    (sent,) = (path for path in site.drop() if path.endswith("shared.csv"))
    folder = Path(site.settings["CRADLE_HOME"]) / "drop" / Path(sent).parent
    _, place = own.check(YEAR, [("shared.csv", BAD)])
    assert "replace files of the same name: shared.csv" in own.told
    (folder / "shared.csv").write_bytes(b"from a colleague")
    assert own.send(place, YEAR) == 303
    assert site.drop()[sent] == b"from a colleague"
    _, place = own.check(YEAR, [("late.csv", GOOD)])
    (folder / "beside.csv").write_bytes(GOOD)
    assert own.send(place, YEAR) == 303
    assert not (folder / "late.csv").exists()
    assert "somebody changed the folder" in own.ask("GET", f"/year/{YEAR}?done=taken")[2]
    for name in ("shared.csv", "beside.csv"):
        (folder / name).unlink()


def test_a_file_that_was_replaced_since_the_page_was_opened_is_not_taken_back(site: Site, own: Visitor) -> None:
    _, place = own.check(YEAR, [("mine.csv", GOOD)])
    own.send(place, YEAR)
    (sent,) = (path for path in site.drop() if path.endswith("mine.csv"))
    form = {
        "mark": own.mark(YEAR),
        "do": "withdraw",
        "sure": "yes",
        "name": "mine.csv",
        "tag": own.tag(YEAR, "mine.csv"),
    }
    (Path(site.settings["CRADLE_HOME"]) / "drop" / sent).write_bytes(BAD)
    body, kind = multipart(form, [])
    assert own.ask("POST", f"/year/{YEAR}/change", body, content_type=kind)[1]["location"].endswith("done=changed")
    body, kind = multipart({**form, "tag": own.tag(YEAR, "mine.csv")}, [])
    assert own.ask("POST", f"/year/{YEAR}/change", body, content_type=kind)[1]["location"].endswith("done=withdrawn")
    assert sent not in site.drop()


def test_receipts_and_copies_are_given_to_their_own_community_alone(
    site: Site, own: Visitor, other: Visitor, communities: tuple[str, str]
) -> None:
    outbox = Path(site.settings["CRADLE_HOME"]) / "outbox" / communities[0] / str(YEAR)
    (outbox / "0123456789abcdef").mkdir(parents=True)
    files = [{"name": "a.csv", "marked_copy": "ä.csv.marked.xlsx", "rows_read": 1, "rows_accepted": 1}]
    told = {
        "submission_id": "fedcba9876543210",
        "status": "accepted",
        "first_line": "Now.",
        "files": files,
        "findings": [],
    }
    (outbox / "receipt.json").write_text(json.dumps(told), encoding="utf-8")
    (outbox / "0123456789abcdef" / "receipt.json").write_text(json.dumps({**told, "first_line": "Before."}))
    for place in (outbox, outbox / "0123456789abcdef"):
        (place / "receipt.html").write_text(f"<p>{place.name}</p>")
    (outbox / "ä.csv.marked.xlsx").write_bytes(b"PK marked")
    (outbox / "hidden.marked.xlsx").write_bytes(b"PK stale")
    page = own.ask("GET", f"/year/{YEAR}")[2]
    assert "Before." in page and f"/year/{YEAR}/receipt/0123456789abcdef" in page
    paths = ("receipt", "receipt/0123456789abcdef", "copy/%C3%A4.csv.marked.xlsx")
    for path, words in zip(paths, (str(YEAR), "0123456789abcdef", "PK marked"), strict=True):
        status, headers, text = own.ask("GET", f"/year/{YEAR}/{path}")
        assert (status, words in text) == (200, True)
        assert headers["content-disposition"].startswith("attachment; ")
        assert other.ask("GET", f"/year/{YEAR}/{path}")[0] == 404
        assert Visitor(site).ask("GET", f"/year/{YEAR}/{path}")[0] == 403
    strange = (
        "receipt/..",
        "receipt/../2017",
        "receipt/%2e%2e",
        "copy/receipt.json",
        "copy/hidden.marked.xlsx",
        "copy/..%2f..%2fx",
    )
    for path in strange:
        assert own.ask("GET", f"/year/{YEAR}/{path}")[0] == 404, path
    assert (Path(site.settings["CRADLE_HOME"]) / "serve" / "opened" / communities[0] / f"{YEAR}.json").is_file()


def test_the_page_speaks_the_language_that_is_asked_for_and_then_the_one_that_is_chosen(own: Visitor) -> None:
    _, _, text = own.ask("GET", "/", accept_language="es-MX,en;q=0.5")
    assert '<html lang="es">' in text and "Sus años" in text
    status, headers, _ = own.ask("GET", f"/language/en?back=/year/{YEAR}", accept_language="es")
    assert (status, headers["location"]) == (303, f"/year/{YEAR}")
    chosen = f"{own.headers['cookie']}; {headers['set-cookie'].split(';')[0]}"
    assert '<html lang="en">' in own.ask("GET", "/", accept_language="es", cookie=chosen)[2]
    for away in ("//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example"):
        assert own.ask("GET", f"/language/es?back={away}")[1]["location"] == "/"
    assert own.ask("GET", "/language/xx")[0] == 404


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


def test_files_that_cannot_be_deleted_are_not_said_to_be_deleted(site: Site, own: Visitor) -> None:
    status, place = own.check(YEAR, [("kept.csv", GOOD)])
    assert status == 303
    (held,) = (Path(site.settings["CRADLE_HOME"]) / "work" / "serve").glob(f"*/{YEAR}/{place.rsplit('/', 1)[1]}")
    # What is no folder of its own cannot be deleted as one, whatever the rights of who asks.
    held.rename(held.with_name("moved"))
    held.symlink_to(held.with_name("moved"))
    body, kind = multipart({"mark": own.mark(YEAR), "do": "discard"}, [])
    answer, _, text = own.ask("POST", place, body, content_type=kind)
    assert answer == 503 and "The files could not be deleted here. They were not sent." in text
    held.unlink()
    held.with_name("moved").rename(held)
    assert own.send(place, YEAR, "discard") == 303
    assert not held.exists() and not any(path.endswith("kept.csv") for path in site.drop())


def test_a_disk_that_takes_no_more_is_told_in_words_and_leaves_nothing(site: Site, own: Visitor) -> None:
    mark, large = own.mark(YEAR), GOOD + b"," * 100_000
    before = resource.prlimit(site.pid, resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
    try:
        status, text = own.check(YEAR, [("large.csv", large)], mark)
    finally:
        resource.prlimit(site.pid, resource.RLIMIT_FSIZE, before)
    assert status == 503 and "The files could not be kept here" in text
    assert not any(path.name == "large.csv" for path in site.left_over(b","))


def test_a_slow_upload_keeps_nobody_waiting(site: Site, own: Visitor, other: Visitor) -> None:
    """Half a form that never ends: another community checks its files beside it."""
    body, kind = multipart({"mark": own.mark(YEAR)}, [("slow.csv", GOOD)])
    head = f"POST /year/{YEAR}/check HTTP/1.1\r\nhost: x\r\ncookie: {own.headers['cookie']}\r\ncontent-type: {kind}\r\n"
    with socket.create_connection(("127.0.0.1", site.port)) as slow:
        slow.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body[:10])
        assert own.ask("GET", f"/year/{YEAR}")[0] == 200
        status, place = other.check(YEAR, [("beside.csv", GOOD)])
        assert status == 303
        assert other.send(place, YEAR, "discard") == 303
    assert not any(path.endswith("slow.csv") for path in site.drop())


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
    told = warm_cradle(
        "check", str(folder), "--community", communities[0], "--year", str(YEAR), "--json", **site.settings
    ).stdout
    (note,) = Path(site.settings["CRADLE_HOME"]).glob(f"work/serve/*/*/{place.rsplit('/', 1)[1]}/note.json")
    assert json.loads(note.read_text(encoding="utf-8"))["receipt"] == told
    page = html.unescape(own.ask("GET", place)[2])
    findings = json.loads(told)["findings"]
    assert findings
    assert all(finding["remedy"] in page and what(finding) in page for finding in findings)


def test_serve_refuses_to_run_open_to_everybody(tmp_path: Path) -> None:
    assert warm_cradle("serve", "--port", "8000", CRADLE_HOME=tmp_path).returncode == 2
    assert warm_cradle("serve", "--host", "0.0.0.0", CRADLE_HOME=tmp_path, CRADLE_SERVE_SECRET=SECRET).returncode == 2


def test_there_are_links_for_communities_of_the_network_and_with_a_secret_alone(
    tmp_path: Path, communities: tuple[str, str]
) -> None:
    assert warm_cradle("invite", "nobody_of_us", CRADLE_HOME=tmp_path, CRADLE_SERVE_SECRET=SECRET).returncode == 2
    assert warm_cradle("invite", communities[0], CRADLE_HOME=tmp_path).returncode == 2
    assert warm_cradle("invite", communities[0], CRADLE_HOME=tmp_path, CRADLE_SERVE_SECRET="too short").returncode == 2
