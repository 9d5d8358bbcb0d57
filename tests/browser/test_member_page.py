"""The whole way of a member through the page in a real browser: link, mistake, mending, receipt, taking back.

Belongs here: what a member sees and does, on a phone and on a desk.
Does not: what others must not get (test_member_page_safety.py).
"""

from __future__ import annotations

import html
import itertools
import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from dagster_project.lib.member.page.views import PERSON_RULE
from dagster_project.lib.receipts.receipt_page import what
from tests.browser.chromium import launched
from tests.browser.member_site import Site, Visitor, multipart, serving
from tests.browser.report_site import RULES
from tests.fuzz.harness import files
from tests.support import PROJECT
from tests.warm import warm_cradle

COMMUNITY, ANSWERING = "alderwick_bend", "amberly_shoals"
TODAY, YEAR = "2018-06-30", 2018
HEAD = "school_year,indicator,dimension,group,numerator,denominator\n"
MISTAKEN = HEAD + "2018,graduation_4yr_pct,all,all,160,100\n"
MENDED = HEAD + "2018,graduation_4yr_pct,all,all,60,100\n"
FOLDERS = int(os.environ.get("CRADLE_FOLDERS", "4"))
"""Random folders whose findings are compared: `make folders` takes two hundred."""
DESK, PHONE = (ViewportSize(width=width, height=800) for width in (1280, 390))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("way") / "home", TODAY) as running:
        yield running


@pytest.fixture
def browser() -> Iterator[Browser]:
    yield from launched()


@pytest.fixture
def page(browser: Browser) -> Page:
    """A browser without JavaScript, on a phone: nothing essential may need it."""
    return browser.new_context(viewport=PHONE, java_script_enabled=False).new_page()


def breaches(page: Page) -> list[str]:
    """What axe-core finds wrong on the page, opened again by the same visitor with scripts, which axe is one of."""
    assert page.context.browser is not None
    again = page.context.browser.new_context(storage_state=page.context.storage_state())
    looked_at, told = again.new_page(), []
    looked_at.goto(page.url)
    for size in (DESK, PHONE):
        looked_at.set_viewport_size(size)
        found = Axe().run(looked_at, options={"runOnly": RULES}).response["violations"]
        told += [f"{size['width']}: {each['id']}: {node['html']}" for each in found for node in each["nodes"]]
    again.close()
    return told


def seen(page: Page, shots: Path, name: str) -> str:
    """The page's text; it fits a desk's width and a phone's, has one heading of its own, a label for each field."""
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        page.screenshot(path=shots / f"{name}-{size['width']}.png", full_page=True)
        box = page.locator("main").bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= size["width"]
    assert page.locator("h1").count() == 1
    assert page.locator("main").count() == page.locator("html[lang]").count() == 1
    assert breaches(page) == []
    for field in page.locator("input:not([type=hidden]), textarea, select").all():
        assert page.locator(f"label[for='{field.get_attribute('id')}']").count() == 1
    return page.locator("main").text_content() or ""


def choose(page: Page, name: str, text: str) -> None:
    page.get_by_label("Files").set_input_files([{"name": name, "mimeType": "text/csv", "buffer": text.encode()}])
    page.get_by_role("button", name="Check, without sending").click()
    page.get_by_role("heading", name="What the checks found").wait_for(timeout=120_000)


def test_from_the_link_to_a_clean_receipt_and_back(site: Site, page: Page, tmp_path: Path) -> None:
    page.goto(site.link(COMMUNITY))
    assert str(YEAR) in seen(page, tmp_path, "years")
    page.get_by_role("link", name=str(YEAR), exact=True).click()
    assert "The folder is empty" in seen(page, tmp_path, "year")

    choose(page, "graduation.csv", MISTAKEN)
    assert "Problems that keep rows out" in seen(page, tmp_path, "mistake")
    assert site.drop() == {}
    page.get_by_role("button", name="Do not send").click()
    choose(page, "graduation.csv", MENDED)
    assert "Problems that keep rows out" not in seen(page, tmp_path, "mended")
    page.get_by_role("button", name="Send these files").click()
    assert "Your files were sent" in seen(page, tmp_path, "sent")
    assert site.drop() == {f"{COMMUNITY}/{YEAR}/graduation.csv": MENDED.encode()}

    page.locator("summary").first.click()
    page.get_by_label("I am sure").check()
    page.get_by_role("button", name="Take it back").click()
    assert "taken back" in seen(page, tmp_path, "back")
    assert site.drop() == {}


UNKNOWN_LABEL = HEAD + "2018,graduation_4yr_pct,race_ethnicity,Zebras,60,100\n"
JUMP = HEAD + "2017,graduation_4yr_pct,all,all,500,1000\n2018,graduation_4yr_pct,all,all,950,1000\n"


def random_folders() -> dict[tuple[str, int], list[tuple[str, bytes]]]:
    """Folders of one to three random files each, by community and year; the same ones each time."""
    lines = (PROJECT / "seeds/network/communities.csv").read_text(encoding="utf-8").splitlines()[1:]
    others = [line.split(",")[0] for line in lines if line.split(",")[0] not in (COMMUNITY, ANSWERING)]
    places = ((other, year) for year in (YEAR, YEAR - 1, YEAR - 2) for other in others)
    draw, numbers = random.Random(21), itertools.count()
    made = {}
    for place in itertools.islice(places, FOLDERS):
        wanted = draw.randint(1, 3)
        drawn = (file for number in numbers for _, file in files(21, range(number, number + 1)))
        named = dict(itertools.islice(drawn, wanted))
        made[place] = list(named.items())
    return made


def _answered(home: Path) -> None:
    """A folder of another community with a question, answered in it."""
    folder = home / "drop" / ANSWERING / str(YEAR)
    folder.mkdir(parents=True)
    (folder / "label.csv").write_text(UNKNOWN_LABEL, encoding="utf-8")
    checked = warm_cradle("check", str(folder), "--community", ANSWERING, "--year", str(YEAR), "--json",
                     CRADLE_HOME=home, CRADLE_TODAY=TODAY)  # fmt: skip
    (asked,) = (row["finding_id"] for row in json.loads(checked.stdout)["findings"] if row["severity"] == "explainable")
    (folder / "why.csv").write_text(f"finding_id,text\n{asked},We joined two schools.\n", encoding="utf-8")


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A page after the network's run took a folder that raises a question, and random ones of other communities."""
    home = tmp_path_factory.mktemp("taken") / "home"
    for (community, year), own in random_folders().items():
        place = home / "drop" / community / str(year)
        place.mkdir(parents=True)
        for name, data in own:
            (place / name).write_bytes(data)
    folder = home / "drop" / COMMUNITY / str(YEAR)
    folder.mkdir(parents=True)
    (folder / "jump.csv").write_text(JUMP, encoding="utf-8")
    _answered(home)
    with serving(home, TODAY, CRADLE_PUBLIC="off") as running:
        ran = warm_cradle("run", **running.settings)
        assert ran.returncode == 0, ran.stderr
        yield running


def test_the_receipt_stands_on_the_page_and_its_question_is_answered_there(
    taken: Site, page: Page, tmp_path: Path
) -> None:
    page.goto(taken.link(COMMUNITY))
    assert "Accepted, with something to mend or to answer" in seen(page, tmp_path, "years-after")
    page.goto(f"{taken.address}/year/{YEAR}")
    assert "Question 1" in seen(page, tmp_path, "question")
    question = page.locator("form.question").first
    asked = question.locator("input[name=finding_id]").get_attribute("value")
    question.get_by_label("Kind of reason").select_option("real_change")
    question.get_by_label("In your own words").fill('The school joined; "two" classes, =1+1')
    question.get_by_role("button", name="Answer question 1").click()
    assert "Your answer was sent" in seen(page, tmp_path, "answered")
    drop = Path(taken.settings["CRADLE_HOME"]) / "drop" / COMMUNITY / str(YEAR)
    checked = warm_cradle(
        "check", str(drop), "--community", COMMUNITY, "--year", str(YEAR), "--against", "current", "--json",
        **taken.settings,
    )  # fmt: skip
    told = {row["finding_id"]: row for row in json.loads(checked.stdout)["findings"]}
    assert told[str(asked)]["status"] == "explained"
    assert told[str(asked)]["explanation"] == 'The school joined; "two" classes, =1+1'
    assert all(row["severity"] in ("explainable", "info") for row in told.values()), told


def test_a_check_on_the_page_says_what_would_change(taken: Site, page: Page, tmp_path: Path) -> None:
    page.goto(taken.link(COMMUNITY))
    page.goto(f"{taken.address}/year/{YEAR}")
    page.get_by_label("Also say what would change").check()
    choose(page, "jump.csv", MENDED)
    text = seen(page, tmp_path, "changes")
    assert "These files replace files of the same name: jump.csv" in text
    assert "What would change" in text


def test_what_waits_for_the_data_team_is_listed_and_an_answer_is_reviewed(taken: Site) -> None:
    waits = warm_cradle("worklist", "--year", str(YEAR), **taken.settings).stdout
    assert f"{YEAR}  {COMMUNITY:<28} accepted with queries: 1 open question, receipt" in waits
    listed = json.loads(warm_cradle("worklist", "--json", **taken.settings).stdout)
    (answer,) = (row for row in listed["answers"] if row["community_id"] == ANSWERING)
    assert answer["answer"] == "We joined two schools."
    reviewed = warm_cradle(
        "review", answer["finding_id"], "rejected", "--reason", "Which?", "--by", "lead", **taken.settings
    )
    assert reviewed.returncode == 0, reviewed.stderr
    folder = Path(taken.settings["CRADLE_HOME"]) / "drop" / "_network" / str(YEAR)
    place = ["--community", "_network", "--year", str(YEAR)]
    told = json.loads(warm_cradle("check", str(folder), *place, "--json", **taken.settings).stdout)
    assert [(file["rows_read"], file["rows_accepted"]) for file in told["files"]] == [(1, 1)]
    assert warm_cradle("answer", "nobody asked", "text", "--reason", "other", **taken.settings).returncode == 2


@pytest.mark.parametrize("place", sorted(random_folders()), ids=str)
def test_the_findings_of_the_page_are_those_of_the_command_and_of_the_networks_run(
    taken: Site, place: tuple[str, int]
) -> None:
    """Byte for byte; a list of persons is told by all three and then gone from the page."""
    community, year = place
    home = Path(taken.settings["CRADLE_HOME"])
    folder, path = home / "drop" / community / str(year), ["--community", community, "--year", str(year)]
    told = json.loads((home / "outbox" / community / str(year) / "receipt.json").read_text(encoding="utf-8"))
    checked = warm_cradle("check", str(folder), *path, "--against", "current", "--json", **taken.settings).stdout
    visitor = Visitor(taken)
    assert visitor.enter(taken.link(community)) == 303
    status, where = visitor.check(year, random_folders()[place])
    assert status == 303, where
    assert "</html>" in visitor.told
    notes = list(home.glob(f"work/serve/{community}/{year}/{where.rsplit('/', 1)[1]}/note.json"))
    persons = [row for row in told["findings"] if row["rule_id"] == PERSON_RULE]
    assert bool(notes) != bool(persons)
    for note in notes:
        assert json.loads(note.read_text(encoding="utf-8"))["receipt"] == checked
    said = [json.dumps(each["findings"], ensure_ascii=False).encode() for each in (json.loads(checked), told)]
    assert said[0] == said[1]
    page = html.unescape(visitor.told)
    assert all(what(row) in page and row["remedy"] in page for row in told["findings"])


def test_a_browser_that_asks_for_spanish_gets_the_whole_way_in_spanish(
    taken: Site, browser: Browser, tmp_path: Path
) -> None:
    page = browser.new_context(viewport=PHONE, java_script_enabled=False, locale="es-US").new_page()
    page.goto(taken.link(COMMUNITY))
    assert "Aceptado, con algo que corregir o responder" in seen(page, tmp_path, "years-es")
    page.goto(f"{taken.address}/year/{YEAR}")
    assert "Aceptado: 2 de 2 filas. 1 pregunta está abierta." in seen(page, tmp_path, "year-es")
    page.get_by_label("Archivos").set_input_files(
        [{"name": "j.csv", "mimeType": "text/csv", "buffer": MISTAKEN.encode()}]
    )
    page.get_by_role("button", name="Comprobar sin enviar").click()
    page.get_by_text("Archivos recibidos.").wait_for()
    page.screenshot(path=tmp_path / "waiting-es.png", full_page=True)
    page.get_by_role("heading", name="Lo que encontró la comprobación").wait_for(timeout=120_000)
    assert "Problemas que dejan filas fuera" in seen(page, tmp_path, "checked-es")
    page.get_by_role("button", name="No enviar y borrarlos aquí").click()
    assert "no se enviaron" in seen(page, tmp_path, "discarded-es")
    page.goto(f"{taken.address}/year/1901")
    assert "1901 no es un año de informe." in seen(page, tmp_path, "message-es")
    page.get_by_role("link", name="English").click()
    assert page.locator("html[lang=en]").count() == 1


def test_nothing_to_report_is_said_and_the_template_is_a_workbook(site: Site, tmp_path: Path) -> None:
    visitor = Visitor(site)
    visitor.enter(site.link(COMMUNITY))
    body, kind = multipart({"mark": visitor.mark(YEAR), "do": "nothing", "text": "The program began late."}, [])
    assert visitor.ask("POST", f"/year/{YEAR}/change", body, content_type=kind)[0] == 303
    folder = Path(site.settings["CRADLE_HOME"]) / "drop" / COMMUNITY / str(YEAR)
    receipt = warm_cradle(
        "check", str(folder), "--community", COMMUNITY, "--year", str(YEAR), "--json", **site.settings
    )
    assert json.loads(receipt.stdout)["status"] == "accepted"
    assert receipt.returncode == 0
    status, headers, text = visitor.ask("GET", f"/year/{YEAR}/template")
    assert (status, text[:2]) == (200, "PK")
    assert headers["content-disposition"] == f'attachment; filename="template-{YEAR}.xlsx"'


def test_a_community_that_left_reads_so_and_one_that_stayed_does_not(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "seeds", tmp_path / "seeds")
    communities = tmp_path / "seeds/network/communities.csv"
    lines = communities.read_text(encoding="utf-8").splitlines()
    left = [f"{line.rsplit(',', 2)[0]},{YEAR - 1}," if line.startswith(f"{COMMUNITY},") else line for line in lines]
    communities.write_text("\n".join(left) + "\n", encoding="utf-8")
    with serving(tmp_path / "home", TODAY, CRADLE_SEEDS=str(tmp_path / "seeds")) as running:
        said = {}
        for community in (COMMUNITY, ANSWERING):
            visitor = Visitor(running)
            visitor.enter(running.link(community))
            pages = ("/", f"/year/{YEAR}", f"/year/{YEAR - 1}")
            said[community] = [
                "left the network after reporting year 2017" in visitor.ask("GET", at)[2] for at in pages
            ]
    assert said == {COMMUNITY: [True, True, False], ANSWERING: [False] * 3}
