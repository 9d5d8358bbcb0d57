"""Fixtures that several kinds of tests share.

Belongs here: a small seeds folder, what intake needs, taking a folder given as a dict; what two workers may not divide.
Does not: fixtures of one room (the conftest.py of its folder), or any expectation.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

import contracts
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import Given
from dagster_project.lib.intake.batch import Intake, Taken
from dagster_project.lib.intake.bucket.drop import DroppedFile, Folder
from dagster_project.lib.intake.findings import FINDINGS
from dagster_project.lib.intake.reading.files import WorkbookReader
from dagster_project.lib.intake.reading.limits import Limits
from dagster_project.lib.intake.rows.registers import unfold
from dagster_project.lib.intake.tables import OBSERVATIONS, REGISTER_ROWS
from dagster_project.lib.intake.take_in import take_in

ROOT = Path(__file__).resolve().parents[1]
# Test folders are no packages (import mode importlib): helpers such as Outcome are found from the project's root.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
# How long one example takes on a machine that does other work as well is no claim of any test.
settings.register_profile(
    "unhurried",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")
# One without anything of its own, one with a crosswalk line of its own, one with districts.
COMMUNITIES = ("alderwick_bend", "ashgrove_hollow", "birchmont_falls")
COMMUNITY, YEAR = "birchmont_falls", 2024
HOMES = {
    "the shared home": re.compile(r"[(,]\s*(example|example_again|changed|elsewhere|from_nothing): "),
    "the Connecticut home": re.compile(r"[(,]\s*connecticut: "),
}
"""Homes that several modules look at, by how a test asks for them: all of these modules are one worker's."""
HOME_OF = {"[example]": "the shared home", "[connecticut]": "the Connecticut home"}
"""The home of a test that is made for several, by the end of its name."""
LONGEST_FIRST = (
    "test_main_job",
    "test_member_page",
    "test_orchestration",
    "test_killed_runs",
    "test_year",
    "test_retention",
    "test_odd_bucket",
    "test_connecticut",
    "test_dagster_ui",
    "test_report_pages",
    "test_beside_the_figures",
    "test_forgetting",
    "test_releases",
    "test_cycle",
    "test_changes",
    "test_former_versions",
    "test_person_level_path",
    "test_previews",
    "test_renames",
)


class ByHome(LoadScopeScheduling):
    """With `-n 4 --dist loadscope` a module is one worker's, and so are all modules of a home that several share."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        text = (ROOT / module).read_text(encoding="utf-8")
        named = (home for end, home in HOME_OF.items() if nodeid.endswith(end))
        asked = (home for home, asking in HOMES.items() if asking.search(text))
        return next(named, next(asked, module))


def pytest_configure(config: pytest.Config) -> None:
    """Patience is the tests' own: what runs in this process would refuse it as a setting that it does not know."""
    import tests.support  # noqa: F401 - reads it

    # A process that only deals out tests hands it on to those that run them.
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        os.environ.pop("CRADLE_PATIENCE_SECONDS", None)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByHome | None:
    """No home, port or server is ever two workers': see the Makefile."""
    return ByHome(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest modules first, so that no worker begins one when the other is done."""
    place = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def small_seeds(target: Path, of: Sequence[str] = COMMUNITIES) -> Path:
    """A copy of the project's seeds with a few communities; lines of other communities stay and are to be ignored."""
    shutil.copytree(ROOT / "seeds", target)
    communities = target / "network" / "communities.csv"
    header, *lines = communities.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.split(",")[0] in of]
    communities.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    return target


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small seeds folder. Tests that change seeds copy it first."""
    return small_seeds(tmp_path_factory.mktemp("seeds") / "seeds")


@pytest.fixture(scope="session")
def reference(seeds: Path) -> Reference:
    """The small seeds, read."""
    return Reference(seeds)


@pytest.fixture(scope="session")
def intake(reference: Reference) -> Intake:
    """What intake needs, with the default limits."""
    return Intake(reference)


@dataclass(frozen=True)
class Outcome:
    """What intake made of one folder."""

    taken: Taken

    @property
    def observations(self) -> pl.DataFrame:
        """Rows of indicator_values."""
        return self.taken.tables.get("observations", pl.DataFrame(schema=OBSERVATIONS))

    @property
    def findings(self) -> pl.DataFrame:
        """All findings."""
        return self.taken.tables.get("findings", pl.DataFrame(schema=FINDINGS))

    @property
    def rules(self) -> set[str]:
        """Ids of the rules that fired."""
        return set(self.findings["rule_id"])

    @property
    def files(self) -> pl.DataFrame:
        """One line a file."""
        return self.taken.tables["files"]

    @property
    def register_rows(self) -> pl.DataFrame:
        """Rows of registers as they are kept."""
        return self.taken.tables.get("register_rows", pl.DataFrame(schema=REGISTER_ROWS))

    def register(self, table: str) -> pl.DataFrame:
        """Accepted rows of one register, typed."""
        return unfold(self.register_rows, contracts.landed()[table])


def take_folder(
    intake: Intake, files: Mapping[str, str | bytes], community_id: str = COMMUNITY, reporting_year: int = YEAR
) -> Outcome:
    """Take one folder, given as file names and contents, without keeping anything."""
    contents = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    names = sorted(contents, key=str.encode)
    dropped = tuple(DroppedFile(name, name, len(contents[name]), "") for name in names)
    with WorkbookReader(intake.limits) as workbooks:
        folder = Folder(community_id, reporting_year, dropped)
        (taken,) = take_in(intake, [folder], Given(contents.__getitem__), None, workbooks)
    return Outcome(taken)


Take = Callable[..., Outcome]


@pytest.fixture(scope="session")
def take(intake: Intake) -> Take:
    """Takes one folder: `take({name: content}, community_id=..., reporting_year=...)`."""

    def call(files: Mapping[str, str | bytes], community_id: str = COMMUNITY, reporting_year: int = YEAR) -> Outcome:
        return take_folder(intake, files, community_id, reporting_year)

    return call


@pytest.fixture(scope="session")
def intake_with(reference: Reference) -> Callable[..., Intake]:
    """What intake needs with other limits: `intake_with(rows=3)`."""
    return lambda **limits: Intake(reference, Limits(**limits))
