"""Releases through their life by the commands: published, final, withdrawn, pruned, made again from raw bytes.

Belongs here: what a user types on the small example network, in a home of its own.
Does not: each rule alone (tests/unit/publish/test_states.py, test_retention.py), when a run makes a release.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.intake.bucket.lake import raw_key
from dagster_project.lib.publish.report.languages.catalogue import language
from tests import traced
from tests.integration.conftest import EXAMPLE_TODAY, HEADER, Run, lines
from tests.support import current
from tests.warm import warm_cradle


@dataclass
class Life:
    """A copy of the example network's home after its first run, and what each command then printed."""

    home: Path
    seeds: Path
    told: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    before_pruning: Mapping[str, list[str]] = field(default_factory=dict)

    def call(self, name: str, *arguments: str, code: int = 0, **settings: str) -> None:
        """Run a command and expect its exit code."""
        own = {"CRADLE_HOME": self.home, "CRADLE_SEEDS": self.seeds, "CRADLE_TODAY": EXAMPLE_TODAY}
        process = warm_cradle(*arguments, **{**own, "CRADLE_SETTLE_SECONDS": "0", **settings})
        if process.returncode != code:
            pytest.fail(f"cradle {arguments} ended with {process.returncode}:\n{process.stdout}{process.stderr}")
        self.told[name], self.ids[name] = process, current(self.home).folder.name

    def manifest(self, release_id: str) -> dict[str, Any]:
        """The manifest of a release."""
        path = self.home / "publish" / "releases" / release_id / "manifest.json"
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def files(self) -> Mapping[str, list[str]]:
        """Names of the files in each release's folder."""
        folders = (self.home / "publish" / "releases").iterdir()
        return {one.name: sorted(path.name for path in one.rglob("*") if path.is_file()) for one in folders}


@pytest.fixture(scope="module")
def life(first_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """The first release is made final, a second one is withdrawn, pruned alone, and rebuilt."""
    folder = tmp_path_factory.mktemp("retention")
    shutil.copytree(first_run.home, folder / "home", ignore=shutil.ignore_patterns("dagster"))
    shutil.copytree(first_run.seeds, folder / "seeds")
    life = Life(folder / "home", folder / "seeds")
    life.call("unreviewed", "release", "finalize", "current", code=1)
    waiver = ["--waive-reviews", "the councils meet in spring"]
    life.call("final", "release", "finalize", "current", "--reason", "sent to the board", *waiver)
    (life.home / "outbox" / "reedmere" / "2018" / "network_results.csv").unlink()
    life.call("returned again", "release", "results", "current")
    values = life.home / "drop" / "reedmere" / "2018" / "values.csv"
    values.write_text(HEADER + lines("grade3_reading_proficient_pct", {2018: (79, 80)}), encoding="utf-8")
    life.call("second", "run")
    life.call("withdrawn", "release", "withdraw", "current", "--reason", "a typing error, told by the member")
    life.call("doctor while withdrawn", "doctor", code=1)
    life.call("still wrong", "run", code=1)
    values.write_text(HEADER + lines("grade3_reading_proficient_pct", {2018: (70, 80)}), encoding="utf-8")
    life.call("third", "run")
    life.call("dry", "prune", "--dry-run", CRADLE_RELEASES_KEPT="0")
    life.before_pruning = life.files()
    life.call("pruned", "prune", CRADLE_RELEASES_KEPT="0")
    life.call("compared", "compare", life.ids["second"], "current", code=1)
    life.call("rebuilt pruned", "verify", life.ids["second"], "--rebuild")
    life.call("doctor", "doctor")
    return life


def test_a_release_is_final_only_when_every_community_looked_at_it_or_somebody_says_why_not(life: Life) -> None:
    assert "communities have not looked at the figures: " in life.told["unreviewed"].stderr
    assert "quill_harbor" in life.told["unreviewed"].stderr
    states = (life.home / "publish" / "states.csv").read_text(encoding="utf-8")
    assert re.search(r"sent to the board; reviews of .*reedmere.* waived: the councils meet in spring", states)


def test_withdrawing_names_what_was_made_public_of_it_and_is_still_out(life: Life) -> None:
    withdrawn = life.ids["second"]
    register = json.loads((life.home / "lake/disclosure/releases.json").read_text(encoding="utf-8"))
    (public_id,) = [line["public_id"] for line in register if line["release_id"] == withdrawn]
    assert (life.home / "public/releases" / public_id / "manifest.json").is_file()
    assert f"cradle release withdraw {public_id} --reason" in life.told["withdrawn"].stdout
    said = life.told["doctor while withdrawn"].stdout
    assert f"BAD  current public release: made of {withdrawn}, which is withdrawn" in said
    assert "current public release: made of" not in life.told["doctor"].stdout, "another was made since"


def test_results_go_back_to_each_community_and_say_nothing_of_a_network_of_few(life: Life) -> None:
    assert "Returned each community's results" in life.told["final"].stdout
    assert "Returned each community's results" in life.told["returned again"].stdout
    text = (life.home / "outbox" / "reedmere" / "2018" / "network_results.csv").read_text(encoding="utf-8")
    header, *rows = text.splitlines()
    assert header.endswith("own,own_status,n_communities,quartile_1,median,quartile_3,said")
    assert any(row.startswith("grade3_reading_proficient_pct,all,latest value,2018,") for row in rows)
    unsaid = (",,,,,too_few", ",,,,,measured_differently")
    assert all(row.endswith(unsaid) for row in rows), "eight communities are fewer than the profile asks for"


def test_results_go_back_of_a_release_whose_public_figures_are_those_of_an_earlier_one(
    life: Life, tmp_path: Path
) -> None:
    after = Life(tmp_path / "home", life.seeds)
    shutil.copytree(life.home, after.home, ignore=shutil.ignore_patterns("dagster"))
    # An objection to what is public already moves nothing there, and is in the house's own release.
    (after.home / "drop/_network/2018/objection.csv").write_text(
        f"community_id,indicator,decided_on,reason\nreedmere,grade3_reading_proficient_pct,{EXAMPLE_TODAY},Not agreed\n"
    )
    before = (after.home / "public/current").read_text()
    after.call("run", "run")
    assert after.ids["run"] != current(life.home).folder.name
    assert (after.home / "public/current").read_text() == before
    after.call("final", "release", "finalize", "current", "--reason", "sent", "--waive-reviews", "in spring")
    assert "Returned each community's results" in after.told["final"].stdout
    page = (after.home / "outbox/reedmere/2018/network_results.html").read_text(encoding="utf-8")
    assert f"Your own figures of release {after.ids['run']}" in page and before.strip() in page
    after.call("withdrawn", "release", "withdraw", after.ids["final"], "--reason", "counts of another school")
    told = after.told["withdrawn"].stdout
    assert re.search(r"Results +\d+ communities hold results that name it in the outbox: .*reedmere", told)


def test_a_release_tells_what_it_changed_since_the_one_before_that_stands(life: Life) -> None:
    first, second, third = (life.ids[name] for name in ("final", "second", "third"))
    assert life.manifest(first)["since"] == {"state": "first"}
    since = life.manifest(second)["since"]
    assert (since["state"], since["release_id"], since["today"]) == ("compared", first, EXAMPLE_TODAY)
    assert (since["values_new"], since["values_changed"], since["values_gone"]) == (0, 1, 0)
    after = life.manifest(third)["since"]
    assert (after["release_id"], after["values_changed"]) == (first, 1), "the one between them is withdrawn"
    for release_id in (first, third):
        for folder in ("", "es/"):
            page = life.home / "publish" / "releases" / release_id / "report" / folder / "index.html"
            html, day = page.read_text(encoding="utf-8"), language(folder[:2] or "en").day
            assert traced.stated_faults(html, life.manifest(release_id), day) == []
            assert second not in html and "\ue000" not in html
    assert "This is the first release" in (life.home / f"publish/releases/{first}/report/index.html").read_text("utf-8")
    assert '<span data-manifest="since.values_changed">1</span> value has changed.' in (
        life.home / f"publish/releases/{third}/report/index.html"
    ).read_text("utf-8")


def test_a_final_release_is_kept_by_every_policy_and_says_what_it_pins(life: Life) -> None:
    first = life.ids["final"]
    folders = sum(1 for row in current(life.home).manifest["inputs"] if row["submission_id"])
    assert f"of its {folders:,} folders" in life.told["final"].stdout
    assert "internal.duckdb" in life.files()[first]
    line = next(line for line in life.told["pruned"].stdout.splitlines() if first in line)
    assert line.startswith("keep") and line.endswith("  final")


def test_a_withdrawal_makes_the_release_before_current_under_both_names(life: Life) -> None:
    assert life.ids["second"] != life.ids["final"]
    assert life.ids["withdrawn"] == life.ids["final"]
    assert life.ids["still wrong"] == life.ids["final"]


def test_what_was_withdrawn_is_not_published_again_by_the_next_run(life: Life) -> None:
    told = life.told["still wrong"].stderr
    assert f"what release {life.ids['second']} holds, withdrawn on {EXAMPLE_TODAY}" in told
    assert "a typing error, told by the member" in told
    assert "Traceback" not in told


def test_states_are_a_file_that_tells_the_whole_story(life: Life) -> None:
    rows = (life.home / "publish" / "states.csv").read_text(encoding="utf-8").splitlines()
    first, second, third = (life.ids[name] for name in ("final", "second", "third"))
    assert rows[0] == "release_id,state,at,reason"
    assert [row.split(",")[:3] for row in rows[1:]] == [
        [first, "provisional", EXAMPLE_TODAY],
        [first, "final", EXAMPLE_TODAY],
        [second, "provisional", EXAMPLE_TODAY],
        [second, "withdrawn", EXAMPLE_TODAY],
        [third, "provisional", EXAMPLE_TODAY],
    ]


def test_a_dry_run_says_the_bytes_and_deletes_nothing(life: Life) -> None:
    assert life.before_pruning[life.ids["second"]] != ["manifest.json"]
    dry, done = life.told["dry"].stdout, life.told["pruned"].stdout
    freed = dry.split(" bytes would be freed")[0].split("\n")[-1]
    assert int(freed.replace(",", "")) > 1_000_000
    assert f"{freed} bytes freed" in done


def test_a_pruned_release_keeps_its_manifest_and_says_so_when_it_is_asked_for(life: Life) -> None:
    assert life.files()[life.ids["second"]] == ["manifest.json"]
    told = life.told["compared"].stderr
    assert f"the data files of the withdrawn release {life.ids['second']} were pruned" in told
    assert "Traceback" not in told


def test_a_pruned_release_comes_out_again_from_raw_bytes_hash_by_hash(life: Life) -> None:
    tables = len(life.manifest(life.ids["second"])["tables"])
    said = f"{life.ids['second']}: {tables} tables made again, every hash of tables and of the pages came out"
    assert said in life.told["rebuilt pruned"].stdout


def test_the_fixed_path_holds_what_current_names_with_meanings_in_it(life: Life) -> None:
    fixed = life.home / "publish" / "current.duckdb"
    assert fixed.samefile(current(life.home).folder / "internal.duckdb")
    assert "ok   current.duckdb: the current release" in life.told["doctor"].stdout
    with duckdb.connect(str(fixed), read_only=True) as connection:
        query = "select count(*), count(comment) from {} where schema_name = 'marts'"
        for kind in ("duckdb_tables()", "duckdb_columns()"):
            row = connection.execute(query.format(kind)).fetchone()
            assert row is not None and row[0] == row[1] > 30, kind


def test_other_bytes_in_the_lake_do_not_come_out_as_the_release(life: Life) -> None:
    """Last in this file: it damages the lake."""
    data = (HEADER + lines("grade3_reading_proficient_pct", {2018: (70, 80)})).encode()
    manifest = json.loads((current(life.home).folder / "manifest.json").read_text(encoding="utf-8"))
    key = life.home / "lake" / raw_key(hashlib.sha256(data).hexdigest())
    key.write_bytes(data.replace(b"70,80", b"71,80"))
    life.call("damaged", "verify", "--rebuild", code=1)
    assert "BAD  fct_indicator_value: another hash" in life.told["damaged"].stdout
    key.unlink()
    life.call("missing", "verify", "--rebuild", code=1)
    assert "the bytes of reedmere/2018/values.csv" in life.told["missing"].stderr
    assert current(life.home).manifest == manifest
