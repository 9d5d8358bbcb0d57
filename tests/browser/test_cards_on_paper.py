"""`cradle report pdf`: cards of a release printed by the system's Chromium, beside the release.

Belongs here: the command on a small published report, what the PDFs are, what they leave alone.
Does not: how a card looks on a screen (test_report_pages.py).
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli.main import cli
from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.retention import delete_data
from tests.browser.chromium import launched
from tests.browser.report_site import written

browser = pytest.fixture(launched, scope="module")
RELEASE = "2024-12-31-abc"
SEEDS = Path(__file__).resolve().parents[2] / "seeds"
COMMUNITIES = [f"c{n:02d}" for n in range(5)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A publish folder with one release: its pages, and a manifest that says its day."""
    release = tmp_path / "publish" / "releases" / RELEASE
    release.mkdir(parents=True)
    written(release, "internal")
    (release / "manifest.json").write_text(json.dumps({"release_id": RELEASE, "today": "2024-12-31"}), encoding="utf-8")
    (tmp_path / "publish" / "current").write_text(f"{RELEASE}\n", encoding="utf-8")
    monkeypatch.setenv("CRADLE_HOME", str(tmp_path))
    monkeypatch.setenv("CRADLE_SEEDS", str(SEEDS))
    return tmp_path / "publish"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["report", "pdf", *arguments])


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_card_is_one_printed_page_beside_the_release_and_the_same_bytes_again(
    home: Path, browser: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(home)
    done = run()
    assert done.exit_code == 0, done.output
    made = {path.stem: path.read_bytes() for path in (home / "cards" / RELEASE).iterdir()}
    assert sorted(made) == COMMUNITIES
    for name, pdf in made.items():
        assert pdf.startswith(b"%PDF-") and re.findall(rb"/Type /Pages\s+/Count (\d+)", pdf) == [b"1"], name
        assert b"file:" not in pdf, name
        assert set(re.findall(rb"/(?:Creation|Mod)Date \(D:(\d+)", pdf)) == {b"20241231000000"}
    assert {name: data for name, data in files(home).items() if not name.startswith("cards/")} == before
    (home / "cards" / RELEASE / "c01.pdf").unlink()
    assert run().exit_code == 0
    assert {path.stem: path.read_bytes() for path in (home / "cards" / RELEASE).iterdir()} == made
    delete_data(Store(str(home)), RELEASE)
    assert not (home / "cards" / RELEASE).exists() and (home / "releases" / RELEASE / "manifest.json").is_file()


def test_without_a_browser_or_a_release_the_command_refuses_in_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    for done, said in (
        (run(), "no Chromium is on PATH"),
        (run("--browser", "nowhere-at-all"), "there is no program nowhere-at-all"),
        (run("--public"), "nothing is published"),
        (run("--community", "c77"), "c77"),
    ):
        assert done.exit_code and said in done.output and "hint:" in done.output, done.output
        assert "Traceback" not in done.output
    assert not (home / "cards").exists()
