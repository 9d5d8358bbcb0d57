"""What a former version left is opened, verified and gone on with: home, lake, reference data and releases.

Belongs here: one home of each version (tests/fixtures/versions), by the commands that an update meets.
Does not: versions of the contract within one version of the project (test_contract_versions.py).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.versions.make import COMMUNITIES, MOST_BYTES, TODAY, VALUES
from tests.support import Published, current
from tests.warm import warm_cradle

KEPT = sorted((Path(__file__).resolve().parents[1] / "fixtures" / "versions").glob("*.tar.xz"))
UPLOAD = Path("drop") / COMMUNITIES[1] / "2018" / "values.csv"
SHOWN = (
    "select school_year, numerator, denominator, value from marts.fct_indicator_value "
    "where community_id = ? order by all"
)


@dataclass(frozen=True)
class Home:
    """An unpacked home and its reference data."""

    folder: Path

    def cradle(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the present version over it."""
        own = {"CRADLE_HOME": self.folder / "home", "CRADLE_SEEDS": self.folder / "seeds", "CRADLE_TODAY": TODAY}
        return warm_cradle(*arguments, CRADLE_SETTLE_SECONDS="0", **own)

    @property
    def release(self) -> Published:
        """Its current release."""
        return current(self.folder / "home")


@pytest.fixture(scope="module", params=KEPT, ids=lambda path: path.name.removesuffix(".tar.xz"))
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home of a former version. Tests go on with it in their order, as an update does."""
    folder = tmp_path_factory.mktemp("former")
    shutil.unpack_archive(request.param, folder)
    return Home(folder)


def test_a_kept_home_is_small() -> None:
    assert KEPT, "python -m tests.fixtures.versions.make keeps the home of the present version"
    assert [path.name for path in KEPT if path.stat().st_size > MOST_BYTES] == []


def test_its_reference_data_are_completed_and_its_releases_verified_before_anything_is_made(home: Home) -> None:
    for command in (("seeds", "upgrade"), ("verify",), ("reconcile",), ("status", "--json")):
        done = home.cradle(*command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    assert home.release.rows(SHOWN, COMMUNITIES[1])


def test_what_its_public_edition_would_withhold_is_told_before_anything_is_made(home: Home) -> None:
    done = home.cradle("public", "--dry-run")
    assert done.returncode == 0, done.stderr


def test_the_next_run_gives_a_release_with_the_figures_of_the_former_one_and_what_came_since(home: Home) -> None:
    former = home.release
    upload = home.folder / "home" / UPLOAD
    upload.write_text(VALUES + "2016,graduation_4yr_pct,all,all,55,100\n", encoding="utf-8")
    done = home.cradle("run")
    assert done.returncode == 0, done.stderr
    assert home.release.folder != former.folder
    unchanged = COMMUNITIES[0]
    assert home.release.rows(SHOWN, unchanged) == former.rows(SHOWN, unchanged)
    assert [row[:2] for row in home.release.rows(SHOWN, COMMUNITIES[1])] == [(2016, 55), (2017, 60), (2018, 64)]


def test_the_former_release_is_made_again_from_raw_bytes_with_every_figure_it_had(home: Home) -> None:
    """Its seeds lack what the code of today needs. Forms that a version changed are told; no figure is another one."""
    states = (home.folder / "home" / "publish" / "states.csv").read_text(encoding="utf-8")
    former = states.splitlines()[1].split(",")[0]
    done = home.cradle("verify", former, "--rebuild")
    assert "tables made again" in done.stdout, done.stderr
    assert "The code that makes figures is" in done.stdout
    differing = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("BAD")}
    for figures in ("fct_indicator_value", "fct_trend", "fct_gap", "fct_outcome_status", "fct_designation"):
        assert figures not in differing
    assert not re.search(r": None -> (present|column)$", done.stdout, re.MULTILINE), "what came later is no fault of it"


def test_after_it_old_and_new_release_hold_and_nothing_is_wrong(home: Home) -> None:
    for path in sorted((home.folder / "home" / "publish" / "releases").iterdir()):
        assert home.cradle("verify", path.name).returncode == 0, path.name
    for command in ("reconcile", "doctor"):
        done = home.cradle(command)
        assert done.returncode == 0, done.stdout + done.stderr
