"""When a run makes a release and when it makes none, on a network of four communities and with the command itself.

Belongs here: the days of a year, a seed line that moves nothing, a folder that turns late.
Does not: frozen cycles (test_cycle.py, test_year.py), one release alone (tests/unit/publish/test_release.py).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.definitions import defs
from dagster_project.defs.automation import bucket
from dagster_project.defs.publish import release
from dagster_project.instance.runs import QUIET
from examples.generate import generate
from tests.integration.test_cycle import COMMUNITIES, COMMUNITY, few_seeds
from tests.support import NOTHING_ELSE, Published, current
from tests.warm import warm_cradle

FIRST_DAY, NEXT_DAY, LATE_DAY = "2024-10-15", "2024-10-16", "2024-12-01"
"""The folders of 2024 are due on 30 November; one community has none."""
YEAR = 2023
UNUSED_ALIAS = "global,,A label that no file uses,graduation_4yr_pct,,,,\n"
KEY = "community_id, designation, reporting_year"
DECIDED = f"select {KEY}, status, standing, record_id from marts.fct_designation where reporting_year = ? order by all"
NOTHING_NEW, NO_RELEASE = "Nothing new: ", "No new release: "


@dataclass(frozen=True)
class Step:
    """What one command printed, and what was published after it."""

    process: subprocess.CompletedProcess[str]
    release: Published
    releases: list[str]
    looked: str | None = None

    @property
    def release_id(self) -> str:
        return self.release.folder.name


@dataclass(frozen=True)
class Home:
    """A home and its seeds; `step` runs a command there on a day."""

    folder: Path
    seeds: Path

    def step(self, day: str, *arguments: str) -> Step:
        settings = {"CRADLE_HOME": self.folder, "CRADLE_SEEDS": self.seeds, "CRADLE_TODAY": day}
        process = warm_cradle(*(arguments or ("run",)), **settings, **NOTHING_ELSE)
        if process.returncode:
            pytest.fail(f"cradle {arguments} ended with {process.returncode}:\n{process.stdout}{process.stderr}")
        names = sorted(path.name for path in (self.folder / "publish" / "releases").iterdir())
        return Step(process, current(self.folder), names)

    @contextmanager
    def day(self, day: str) -> Iterator[None]:
        """This process in the home on that day."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {"HOME": self.folder, "SEEDS": self.seeds, "TODAY": day}.items():
                patch.setenv(f"CRADLE_{name}", str(value))
            for name, value in NOTHING_ELSE.items():
                patch.setenv(name, value)
            yield

    def look(self, day: str) -> str | None:
        """Why the sensor `bucket` asks for nothing; None if it asks for a run."""
        with self.day(day), dg.DagsterInstance.ephemeral() as instance:
            seen = bucket(dg.build_sensor_context(instance=instance))
        assert isinstance(seen, dg.SensorResult)
        return None if seen.run_requests else str(getattr(seen.skip_reason, "skip_message", seen.skip_reason))

    def continued(self, day: str) -> str | None:
        """What the release asset says when it alone is made again from what the last build left."""
        with self.day(day), dg.DagsterInstance.ephemeral() as instance:
            done = dg.materialize(
                [release], instance=instance, resources=defs().resources, run_config=QUIET, raise_on_error=False
            )
            failures = [event.step_failure_data for event in done.get_step_failure_events()]
        return failures[0].user_failure_data.description if failures and failures[0].user_failure_data else None


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Step]:
    """One home over some days of a year."""
    folder = tmp_path_factory.mktemp("releases")
    seeds = few_seeds(folder / "seeds")
    home = Home(folder / "home", seeds)
    drop = home.folder / "drop"
    generate(drop, communities=COMMUNITIES, first_year=2019, last_year=2024)
    shutil.rmtree(drop / COMMUNITY / "2024")
    done = {"first": home.step(FIRST_DAY), "next_day": home.step(NEXT_DAY)}
    done["next_day_again"] = replace(home.step(NEXT_DAY), looked=home.look(NEXT_DAY))
    with (seeds / "crosswalks" / "indicator_labels.csv").open("a", encoding="utf-8") as lines:
        lines.write(UNUSED_ALIAS)
    done["seed_without_effect"] = home.step(NEXT_DAY)
    done["late"] = home.step(LATE_DAY)
    return done


def test_the_same_figures_on_the_next_day_make_no_new_release(steps: dict[str, Step]) -> None:
    first, after = steps["first"], steps["next_day"]
    assert first.release_id.startswith(FIRST_DAY)
    assert NO_RELEASE in after.process.stdout
    assert (after.release_id, after.releases) == (first.release_id, [first.release_id])


def test_pages_say_the_id_and_the_day_of_their_release(steps: dict[str, Step]) -> None:
    page = (steps["next_day"].release.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert f"Release {steps['first'].release_id}." in page
    assert f"as known on {FIRST_DAY}." in page
    assert f"code {steps['first'].release.manifest['code_version']}." in page


def test_what_was_built_without_a_new_release_is_not_built_again(steps: dict[str, Step]) -> None:
    again = steps["next_day_again"]
    assert NOTHING_NEW in again.process.stdout
    assert again.looked == f"nothing new; {again.release_id} is what stands", "the daemon asks for no build either"


def test_a_seed_line_that_moves_nothing_makes_no_new_release(steps: dict[str, Step]) -> None:
    step = steps["seed_without_effect"]
    assert NO_RELEASE in step.process.stdout
    assert step.releases == steps["first"].releases


def test_a_folder_that_turns_late_makes_a_release_of_that_day(steps: dict[str, Step]) -> None:
    late = steps["late"]
    assert late.release_id.startswith(f"{LATE_DAY}-")
    query = "select status from marts.fct_submission_status where community_id = ? and reporting_year = 2024"
    status = [step.release.rows(query, COMMUNITY) for step in (steps["seed_without_effect"], late)]
    assert status == [[("expected",)], [("late",)]]
