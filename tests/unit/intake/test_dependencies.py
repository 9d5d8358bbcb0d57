"""What kept rows depend on is declared: a change of a listed thing reads again, a change of any other does not.

Belongs here: intake_version over copies of code, contracts and seeds, its limits and its libraries.
Does not: which folders a run takes (test_ledger_model.py).
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import contracts
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake import dependencies
from dagster_project.lib.intake.batch import Intake
from dagster_project.lib.intake.dependencies import CODE, LIB, READERS, SEEDS, code_files
from dagster_project.lib.intake.reading.limits import Limits
from tests.support import PROJECT

TELLS_OR_ASKS = (
    *("receipts/receipt_page.py", "receipts/receipts.py", "receipts/marked_copy.py", "receipts/templates/receipt.html"),
    *("member/template.py", "member/suggest.py", "member/check.py", "intake/bucket/grant.py"),
    *(
        "intake/bucket/reconcile.py",
        "intake/answers.py",
        "intake/comparing/comparisons.py",
        "publish/release/release.py",
    ),
)
FOR_PEOPLE = ("examples", "layouts/samples")
OTHER_SEEDS = ("rulesets/comparison_parameters", "rulesets/ruleset_parameters", "network/calendar", "network/waivers")


class House:
    """Copies of code, contracts and seeds that a test may change, and the version made of them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lib, self.contracts, self.seeds = folder / "lib", folder / "contracts", folder / "seeds"
        shutil.copytree(LIB, self.lib, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(contracts.ROOT, self.contracts, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(PROJECT / "seeds", self.seeds)
        monkeypatch.setattr(dependencies, "LIB", self.lib)
        monkeypatch.setattr(contracts, "ROOT", self.contracts)
        monkeypatch.setattr(dependencies, "code_files", lambda: code_files(self.lib))
        monkeypatch.setattr(dependencies, "contract_files", _bound(dependencies.contract_files, self.contracts))

    def version(self, limits: Limits | None = None) -> str:
        """The version as it stands."""
        return Intake(Reference(self.seeds), limits or Limits()).version


def _bound(files: Callable[[Path], object], root: Path) -> Callable[[], object]:
    return lambda: files(root)


def touch(path: Path) -> None:
    """Add one line to a file."""
    path.write_bytes(path.read_bytes() + b"\n# changed\n")


def set_parameter(seeds: Path, parameter: str, value: str) -> None:
    """Give a parameter another value in every ruleset."""
    path = seeds / "rulesets" / "ruleset_parameters.csv"
    path.write_text(re.sub(rf"(,{re.escape(parameter)}),[^,]*,", rf"\1,{value},", path.read_text(encoding="utf-8")))


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(tmp_path, monkeypatch)


def test_each_listed_module_reads_again(house: House) -> None:
    for path in sorted({path.relative_to(house.lib) for path in code_files(house.lib)}):
        before = house.version()
        touch(house.lib / path)
        assert house.version() != before, path


def test_each_listed_seed_reads_again(house: House) -> None:
    for name in SEEDS:
        before = house.version()
        touch(house.seeds / f"{name}.csv")
        assert house.version() != before, name


def test_contracts_the_catalogue_and_layouts_read_again(house: House) -> None:
    for name in ("base.py", "versions.csv", "findings.csv", "v1/indicator_values.py", "layouts/ky_graduation.sql"):
        before = house.version()
        touch(house.contracts / name)
        assert house.version() != before, name


def test_each_limit_reads_again() -> None:
    reference = Reference(PROJECT / "seeds")
    before = Intake(reference).version
    for name, value in vars(Limits()).items():
        assert Intake(reference, replace(Limits(), **{name: value + 1})).version != before, name


@pytest.mark.parametrize("parameter", ["values.agreement", "values.largest_count", "numeric.epsilon"])
def test_each_parameter_that_rows_are_judged_by_reads_again(house: House, parameter: str) -> None:
    before = house.version()
    set_parameter(house.seeds, parameter, "7")
    assert house.version() != before


def test_parameters_that_judge_no_row_read_nothing_again(house: House) -> None:
    before = house.version()
    set_parameter(house.seeds, "trend.min_points", "7")
    assert house.version() == before


def test_another_version_of_a_reader_reads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = Reference(PROJECT / "seeds")
    before = Intake(reference).version
    real = importlib.metadata.version
    for reader in READERS:
        monkeypatch.setattr(
            importlib.metadata, "version", lambda name, changed=reader: "99" if name == changed else real(name)
        )
        assert Intake(reference).version != before, reader


def test_what_only_tells_or_asks_reads_nothing_again(house: House) -> None:
    before = house.version()
    for name in TELLS_OR_ASKS:
        touch(house.lib / name)
    for name in OTHER_SEEDS:
        touch(house.seeds / f"{name}.csv")
    for name in FOR_PEOPLE:
        files = [path for path in (house.contracts / name).rglob("*") if path.is_file()]
        assert files, name
        for path in files:
            touch(path)
    assert house.version() == before


def test_every_seed_that_reading_and_judging_code_names_is_listed() -> None:
    """A seed that a new rule reads joins the list, or the rule would judge by lines that re-read nothing."""
    properties = ("communities", "dimensions", "geographies", "groups", "indicators", "masks", "outcomes", "units")
    code = "\n".join(path.read_text(encoding="utf-8") for path in code_files() if "base/" not in path.as_posix())
    named = set(re.findall(r'reference\.table\("([\w/]+)"\)', code))
    named |= {f"crosswalks/{kind}_labels" for kind in re.findall(r'reference\.crosswalk\("(\w+)"\)', code)}
    folder = {"communities": "network", "geographies": "network"}
    used = {name for name in properties if re.search(rf"reference\.{name}\b", code)}
    named |= {f"{folder.get(name, 'dictionary')}/{name}" for name in used}
    assert named <= set(SEEDS)
    assert set(CODE) == {name for name in CODE if (LIB / name).exists()}
