"""Every mistake of docs/mistakes.md, planted: the commands it names say what it says, in one line, and stop in time.

Belongs here: one way to plant each line of the page's table, and the commands over a small home.
Does not: what each check computes (tests of the rooms), mistakes of members (tests/unit/intake).
"""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from click.testing import CliRunner, Result

import contracts
from dagster_project.cli.main import cli
from dagster_project.lib.app.pipeline import Pipeline
from dagster_project.lib.intake.bucket.ledger import EVENTS
from dagster_project.lib.intake.bucket.plan import Selection
from dagster_project.settings import from_environment

PROJECT = Path(__file__).resolve().parents[3]
PAGE = PROJECT / "docs" / "mistakes.md"
LINE = re.compile(r"\| (\d+) \| (.+?) \| (.+?) \| `(.+)` \|")
VALUES = "school_year,indicator,dimension,group,numerator,denominator\n2022,graduation_4yr_pct,all,all,880,1000\n"
LAYOUT = """-- Planted.
-- ---
-- id: planted
-- version: 1
-- table: indicator_values
-- describes: planted
-- required: [Jahr, Wert]
-- ---
select _file_id, _sheet, _row, jahr as school_year, 'x' as indicator, 'all' as dimension,
    'all' as "group", wert as value
from file
"""


@dataclass(frozen=True)
class Mistake:
    """One line of the page's table."""

    number: int
    what: str
    commands: tuple[str, ...]
    says: str


@dataclass
class Home:
    """A home with two folders taken, its own copy of the seeds and of the layouts."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    free: int | None = None

    @property
    def seeds(self) -> Path:
        return self.folder / "seeds"

    @property
    def layouts(self) -> Path:
        return self.folder / "layouts"

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    def cradle(self, command: str) -> Result:
        upload = self.folder / "upload.csv"
        upload.write_text(VALUES, encoding="utf-8")
        more = {"check": [str(upload), "--community", "birchmont_falls", "--year", "2023"]}.get(command, [])
        with pytest.MonkeyPatch.context() as machine:
            if self.free is not None:
                machine.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=self.free))
            return CliRunner().invoke(cli, [command, *more], env=self.environment)

    def append(self, seed: str, line: str) -> None:
        path = self.seeds / f"{seed}.csv"
        path.write_bytes(path.read_bytes() + line.encode() + b"\n")

    def replace(self, seed: str, before: str, after: str) -> None:
        path = self.seeds / f"{seed}.csv"
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")

    def plant_layout(self, before: str, after: str) -> None:
        assert before in LAYOUT
        (self.layouts / "planted.sql").write_text(LAYOUT.replace(before, after), encoding="utf-8")

    def write(self, key: str, text: str) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def damage(self, key: str) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xfe no longer what it was")


def table() -> list[Mistake]:
    found = [LINE.fullmatch(line) for line in PAGE.read_text(encoding="utf-8").splitlines()]
    return [
        Mistake(
            int(match[1]),
            match[2],
            tuple(match[3].split(", ")),
            match[4].replace("'cradle seeds upgrade'", "`cradle seeds upgrade`"),
        )
        for match in found
        if match
    ]


def without_column(home: Home) -> None:
    path = home.seeds / "rubric" / "designations.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("".join(f"{line.rpartition(',')[0]}\n" for line in lines), encoding="utf-8")


def without_rows(home: Home) -> None:
    shutil.rmtree(home.lake / "intake" / "observations" / "community_id=birchmont_falls" / "reporting_year=2023")


def without_partition(home: Home) -> None:
    for table_folder in (home.lake / "intake").iterdir():
        shutil.rmtree(table_folder / "community_id=birchmont_falls" / "reporting_year=2023", ignore_errors=True)


def without_parameter(home: Home) -> None:
    path = home.seeds / "rulesets" / "ruleset_parameters.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if ",1.1.0,trend.min_points," not in line), encoding="utf-8")


def misspelt(home: Home) -> None:
    home.environment["CRADLE_DROP_URL"] = str(home.folder / "dorp")


def readable_key(home: Home) -> None:
    home.write("lake/disclosure/hash.key", "00" * 32)
    (home.lake / "disclosure" / "hash.key").chmod(0o644)


def later_than_now(home: Home) -> None:
    row = dict.fromkeys(EVENTS) | {"event": "object", "seen_at": "2999-01-01T00:00:00+00:00", "sequence": 1}
    pl.DataFrame([row], schema=EVENTS).write_parquet(home.lake / "ops" / "ledger" / "00000002.parquet")


def unused_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def nobody_answers() -> dict[str, str]:
    """Settings of an S3 service that is not there."""
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
    return {"CRADLE_S3_ENDPOINT": f"http://127.0.0.1:{unused_port()}", **keys}


INDICATOR = "new_pct,{outcome},New,{role},false,{unit},1,false,annual,false,education,?,a,b,,"
PLANTED: dict[int, Callable[[Home], object]] = {
    1: lambda home: home.append("network/communities", "alderwick_bend,Second,OH,2015,,"),
    2: lambda home: home.append("network/calendar", "2000,2000-01-15,2000-12-31,"),
    3: lambda home: home.append(
        "dictionary/indicators", INDICATOR.format(outcome="early_reading", role="core", unit="percent")
    ),
    4: lambda home: home.append(
        "dictionary/indicators", INDICATOR.format(outcome="employment", role="core", unit="pct")
    ),
    5: lambda home: home.append("dictionary/groups", "sex,female,Female,,,,"),
    6: lambda home: home.append("dictionary/masks", "n/a,suppressed_at_source"),
    7: lambda home: home.append(
        "dictionary/indicators", INDICATOR.format(outcome="employment", role="main", unit="percent")
    ),
    8: lambda home: [
        home.append("crosswalks/group_labels", f"community,clearhaven,race_ethnicity,Pacific,{code},,,")
        for code in ("asian", "two_or_more")
    ],
    9: lambda home: home.append(
        "crosswalks/indicator_labels", "global,,kindergarten  readiness,kindergarten_ready_pct,,,,"
    ),
    10: lambda home: home.append("network/waivers", "cedarbrook_landing,2020,Another,Network data team"),
    11: without_parameter,
    12: lambda home: home.replace(
        "rulesets/comparison_parameters",
        "toa-default,1.1.0,year_over_year.points,5",
        "toa-default,1.1.0,year_over_year.points,five",
    ),
    13: lambda home: (home.seeds / "dictionary" / "statuses.csv").unlink(),
    14: without_column,
    15: lambda home: home.append("network/waivers", "emberton,2021,A flood, and no power,Network data team"),
    16: lambda home: (home.seeds / "network" / "waivers.csv").write_bytes(
        (home.seeds / "network" / "waivers.csv").read_bytes() + b"emberton,2021,Caf\xe9,Team\n"
    ),
    17: lambda home: home.append("network/calendar", "2036,2036-01-15,11/30/2036,"),
    18: lambda home: home.plant_layout("'all' as \"group\"", 'grupo as "group"'),
    19: lambda home: home.plant_layout("wert as value", "wert as valu"),
    20: lambda home: home.plant_layout("required: [Jahr, Wert]", "required: [Jahr, Wert"),
    21: lambda home: home.plant_layout(" 'all' as dimension,", ""),
    22: misspelt,
    23: lambda home: shutil.rmtree(home.folder / "drop" / "birchmont_falls"),
    24: lambda home: home.damage("lake/ops/ledger/00000001.parquet"),
    25: without_partition,
    26: without_rows,
    27: lambda home: home.damage("lake/ops/strays.parquet"),
    28: lambda home: home.damage("publish/current"),
    29: lambda home: home.damage("lake/frozen/2023/records.json.gz"),
    30: lambda home: home.damage("dagster/history/runs/index.db"),
    31: lambda home: home.environment.update(CRADLE_OUTBOX_URL="/sys/kernel"),
    32: lambda home: home.folder.chmod(0o777),
    33: readable_key,
    34: lambda home: home.write("public/current", "2024-12-31-0123456789ab\n"),
    35: later_than_now,
    36: lambda home: home.environment.update(CRADLE_DROP_URL="s3://bucket", **nobody_answers()),
    37: lambda home: setattr(home, "free", 2**20),
    38: lambda home: home.environment.update(CRADLE_LAKE_URL="s3://bucket/lake", **nobody_answers()),
    39: lambda home: home.replace("network/calendar", "\n2024,", "\n2124,"),
    40: lambda home: home.append("network/disclosure_profiles", "edu_public_v1,all,,helth,20,,"),
    41: lambda home: home.append(
        "crosswalks/indicator_labels", "global,birchmont_falls,A label,graduation_4yr_pct,,,,"
    ),
    42: lambda home: home.replace(
        "network/communities", "alderwick_bend,Alderwick Bend,OH,2015", "alderwick_bend,Alderwick Bend,OH,2051"
    ),
    43: lambda home: home.replace("network/calendar", "2024,2024-01-15,2024-11-30", "2024,2024-01-15,2034-11-30"),
}


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which two folders were taken."""
    home = tmp_path_factory.mktemp("taken")
    shutil.copytree(PROJECT / "seeds", home / "seeds")
    shutil.copytree(contracts.LAYOUTS, home / "layouts", ignore=shutil.ignore_patterns("samples"))
    for year in (2022, 2023):
        folder = home / "drop" / "birchmont_falls" / str(year)
        folder.mkdir(parents=True)
        (folder / "v.csv").write_text(VALUES, encoding="utf-8")
    for _ in Pipeline(from_environment(environment_of(home))).take(Selection(), "run"):
        pass
    return home


def environment_of(home: Path) -> dict[str, str]:
    return {
        "CRADLE_HOME": str(home),
        "CRADLE_SEEDS": str(home / "seeds"),
        "CRADLE_TODAY": "2024-12-31",
        "CRADLE_SETTLE_SECONDS": "0",
        "DAGSTER_HOME": "",
    }


@pytest.fixture
def home(taken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of that home to make mistakes in."""
    shutil.copytree(taken, tmp_path / "home")
    monkeypatch.setattr(contracts, "LAYOUTS", tmp_path / "home" / "layouts")
    return Home(tmp_path / "home", environment_of(tmp_path / "home"))


def test_the_page_lists_at_least_25_mistakes_and_each_is_planted_here() -> None:
    assert [mistake.number for mistake in table()] == list(PLANTED)
    assert len(PLANTED) >= 25


def test_without_a_mistake_nothing_is_said(home: Home) -> None:
    for command in ("doctor", "check", "reconcile"):
        result = home.cradle(command)
        assert (result.exit_code, "BAD" in result.output) == (0, False), result.output


@pytest.mark.parametrize("mistake", table(), ids=lambda mistake: mistake.what)
def test_a_planted_mistake_is_named_with_its_place_by_each_command(mistake: Mistake, home: Home) -> None:
    PLANTED[mistake.number](home)
    before = sorted(path.relative_to(home.folder) for path in (home.folder / "lake").rglob("*"))
    words = re.escape(mistake.says).replace(r"\ N", r"\ (\S+)").replace(r"line\ (\S+)", r"line\ \d+")
    for command in mistake.commands:
        result = home.cradle(command)
        assert result.exit_code != 0
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        (said, *_) = [line for line in result.output.splitlines() if re.search(words, line)] or [None]
        assert said is not None, result.output
        assert "Traceback" not in result.output
    assert sorted(path.relative_to(home.folder) for path in (home.folder / "lake").rglob("*")) == before
