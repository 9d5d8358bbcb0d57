"""What the command leaves of files on single persons: a hash, a reason and a place, and nothing else anywhere.

Belongs here: every form of the corpus through `cradle run` and `cradle check`, and a search of all that was written.
Does not: which forms are refused and why (tests/unit/intake/test_person_level_corpus.py).
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.integration.conftest import EXAMPLE_TODAY, HEADER, READING, lines, small_seeds
from tests.support import receipt
from tests.unit.intake.person_level_forms import forms, written
from tests.warm import warm_cradle

COMMUNITY, YEAR = "reedmere", 2018
CANARY = "Qzxcanary"
SURNAMES = ("Inventado", "Nowhereson", "Trandeng", "Fictif", "Ficticio", "Madeupper")
NUMBERS = ("123-45-67", "917100231", "917100245")
"""Long enough that no hash and no figure holds one by chance."""
SECRETS = (CANARY, CANARY.upper(), CANARY.lower(), *NUMBERS)
GOOD = "values.csv"
BARE = HEADER + lines("grade3_reading_proficient_pct", READING)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Every positive form of the corpus under a name of its own, with surnames that occur nowhere else."""
    made = {}
    for position, form in enumerate(forms("positive")):
        text = json.dumps(form, ensure_ascii=False)
        text = re.sub(r'"100(2\d\d)"', r'"917100\1"', text)
        for number, surname in enumerate(SURNAMES):
            text = text.replace(surname, CANARY + "abcdef"[number])
        name, data = written(json.loads(text))
        made[f"{position:03d}_{name}"] = data
    return made


@pytest.fixture(scope="module")
def home(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after two runs: the second with one file replaced by another of its kind."""
    folder = tmp_path_factory.mktemp("persons")
    seeds, home, scratch = small_seeds(folder / "seeds"), folder / "home", folder / "scratch"
    scratch.mkdir()
    drop = home / "drop" / COMMUNITY / str(YEAR)
    drop.mkdir(parents=True)
    for name, data in {**files, GOOD: BARE.encode()}.items():
        (drop / name).write_bytes(data)
    for again in (False, True):
        if again:
            (drop / "000_table.csv").write_bytes(files["000_table.csv"] + b"917100999,240\n")
        own = {"CRADLE_HOME": home, "CRADLE_SEEDS": seeds, "CRADLE_TODAY": EXAMPLE_TODAY, "TMPDIR": scratch}
        process = warm_cradle("run", **own, CRADLE_SETTLE_SECONDS="0")
        told = process.stdout + process.stderr
        assert process.returncode == 0, told
        assert not [secret for secret in SECRETS if secret in told]
    return home


def test_every_file_is_refused_and_its_neighbour_is_taken(home: Path, files: dict[str, bytes]) -> None:
    told = receipt(home, COMMUNITY, YEAR)
    listed = {file["name"]: file for file in told["files"]}
    for name in files:
        data = (home / "drop" / COMMUNITY / str(YEAR) / name).read_bytes()
        assert (listed[name]["kind"], listed[name]["sha256"]) == ("refused", hashlib.sha256(data).hexdigest()), name
        (finding,) = [finding for finding in told["findings"] if finding["source_file"] == name]
        assert finding["rule_id"] == "person_level" and finding["remedy"]
    assert listed[GOOD]["rows_accepted"] == len(READING)


def test_no_byte_of_them_lies_anywhere_below_the_home_but_in_the_bucket(home: Path, files: dict[str, bytes]) -> None:
    assert all(any(secret in text for text in _texts(home / "drop")) for secret in (CANARY, NUMBERS[0]))
    for path in _written(home):
        content = path.read_bytes()
        for secret in SECRETS:
            assert secret.encode() not in content and secret.encode("utf-16-le") not in content, path
        assert hashlib.sha256(content).hexdigest() not in {hashlib.sha256(data).hexdigest() for data in files.values()}
    for path, text in _tables(home):
        assert not [secret for secret in SECRETS if secret in text], path


def test_nothing_is_left_in_the_scratch_folder(home: Path) -> None:
    for path in sorted((home.parent / "scratch").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            assert not [secret for secret in SECRETS if secret.encode() in content], path


def test_the_check_before_upload_tells_the_same_and_repeats_no_value(home: Path, files: dict[str, bytes]) -> None:
    folder = home / "drop" / COMMUNITY / str(YEAR)
    where = {"CRADLE_HOME": home, "CRADLE_SEEDS": home.parent / "seeds", "CRADLE_TODAY": EXAMPLE_TODAY}
    checked = warm_cradle("check", str(folder), "--community", COMMUNITY, "--year", str(YEAR), "--json", **where)
    assert checked.returncode == 1
    assert not [secret for secret in SECRETS if secret in checked.stdout + checked.stderr]
    refused = {file["name"] for file in json.loads(checked.stdout)["files"] if file["kind"] == "refused"}
    assert refused == set(files)


def _written(home: Path) -> list[Path]:
    return [path for path in sorted(home.rglob("*")) if path.is_file() and path.relative_to(home).parts[0] != "drop"]


def _texts(folder: Path) -> list[str]:
    return [path.read_bytes().decode("latin-1") for path in sorted(folder.rglob("*")) if path.is_file()]


def _tables(home: Path) -> Iterator[tuple[Path, str]]:
    """All text of files that are compressed or paged: Parquet, DuckDB, SQLite."""
    for path in _written(home):
        if path.suffix == ".parquet":
            yield path, _of_frame(pl.read_parquet(path))
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as database:
                query = "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
                for schema, table in database.execute(query).fetchall():
                    yield path, _of_frame(database.execute(f'select * from "{schema}"."{table}"').pl())
        elif path.read_bytes()[:15] == b"SQLite format 3":
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                yield path, "\n".join(database.iterdump())


def _of_frame(frame: pl.DataFrame) -> str:
    return "\n".join(str(row) for row in frame.select(pl.col(pl.String)).unique(maintain_order=True).rows())
