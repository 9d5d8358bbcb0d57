"""The folder as it stands is the submission, and nothing in the bucket is passed over in silence.

Belongs here: the identity of a submission, folders and strays of a listing.
Does not: reading files, the ledger (test_ledger.py), S3 (tests/integration).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.intake.drop import Listing, list_drop, stray_findings, submission_id
from dagster_project.lib.intake.issues import to_findings
from dagster_project.lib.store import Store

COMMUNITIES = ("birchmont_falls", "alderwick_bend")
YEARS = range(2015, 2025)


def listing_of(root: Path, *names: str) -> Listing:
    """The listing of a bucket with these files."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a,b\n1,2\n", encoding="utf-8")
    return list_drop(Store(str(root)), COMMUNITIES, YEARS)


def test_the_submission_id_is_the_hash_of_the_folders_names_and_contents() -> None:
    first, second = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()
    text = f'["birchmont_falls",2024,[["B.csv","{second}"],["a.csv","{first}"],["é.csv","{first}"]]]'
    expected = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
    # Sorted by the names' UTF-8 bytes: capitals before small letters, é after both.
    files = [("é.csv", first), ("a.csv", first), ("B.csv", second)]
    assert submission_id("birchmont_falls", 2024, files) == expected


def test_the_submission_id_of_one_known_file_never_changes() -> None:
    digest = hashlib.sha256(b"school_year,indicator\n").hexdigest()
    assert digest.startswith("a1a5")
    assert submission_id("birchmont_falls", 2024, [("values.csv", digest)]) == "56dfb5fef458bfec"


@given(st.lists(st.tuples(st.text(min_size=1, max_size=5), st.just("0" * 64)), unique_by=lambda pair: pair[0]))
def test_the_order_of_arrival_leaves_no_trace_in_the_id(files: list[tuple[str, str]]) -> None:
    assert submission_id("a", 2024, files) == submission_id("a", 2024, list(reversed(files)))


@pytest.mark.parametrize(
    ("community", "year", "files"),
    [
        ("other", 2024, [("a.csv", "0")]),
        ("own", 2023, [("a.csv", "0")]),
        ("own", 2024, [("b.csv", "0")]),
        ("own", 2024, [("a.csv", "1")]),
        ("own", 2024, [("a.csv", "0"), ("b.csv", "0")]),
        ("own", 2024, []),
    ],
)
def test_any_change_of_a_folder_is_another_submission(community: str, year: int, files: list[tuple[str, str]]) -> None:
    assert submission_id(community, year, files) != submission_id("own", 2024, [("a.csv", "0")])


def test_folders_are_listed_by_community_and_year_with_their_files_in_order(tmp_path: Path) -> None:
    listing = listing_of(
        tmp_path,
        "birchmont_falls/2024/b.csv",
        "birchmont_falls/2024/B.csv",
        "birchmont_falls/2024/é.csv",
        "birchmont_falls/2015/a.csv",
        "alderwick_bend/2020/a.csv",
        "_network/2024/scores.csv",
    )
    assert [folder.partition for folder in listing.folders] == [
        ("_network", 2024),
        ("alderwick_bend", 2020),
        ("birchmont_falls", 2015),
        ("birchmont_falls", 2024),
    ]
    assert [file.name for file in listing.folders[-1].files] == ["B.csv", "b.csv", "é.csv"]
    assert listing.strays == ()


@pytest.mark.parametrize(
    ("name", "rule", "found"),
    [
        ("notes.csv", "stray_file", "notes.csv"),
        ("birchmont_falls/notes.csv", "stray_file", "birchmont_falls/notes.csv"),
        ("birchmont_falls/2024/old/a.csv", "stray_file", "birchmont_falls/2024/old/a.csv"),
        ("nowhere/2024/a.csv", "unknown_community", "nowhere"),
        ("birchmont_falls/2014/a.csv", "unknown_year", "birchmont_falls/2014"),
        ("birchmont_falls/2025/a.csv", "unknown_year", "birchmont_falls/2025"),
        ("birchmont_falls/latest/a.csv", "unknown_year", "birchmont_falls/latest"),
    ],
)
def test_what_lies_elsewhere_is_a_finding_on_the_networks_own_list(
    tmp_path: Path, name: str, rule: str, found: str
) -> None:
    listing = listing_of(tmp_path, name, "birchmont_falls/2024/a.csv")
    assert [(stray.rule_id, stray.found) for stray in listing.strays] == [(rule, found)]
    assert [folder.partition for folder in listing.folders] == [("birchmont_falls", 2024)]
    finding = to_findings(stray_findings(listing.strays)).row(0, named=True)
    assert (finding["community_id"], finding["rule_id"]) == (None, rule)
    assert found in finding["message"]


def test_a_folder_of_an_unknown_year_is_told_once_whatever_it_holds(tmp_path: Path) -> None:
    listing = listing_of(tmp_path, *(f"birchmont_falls/2014/{n}.csv" for n in range(5)))
    assert len(listing.strays) == 1


def test_one_odd_name_spoils_no_other_communitys_listing(tmp_path: Path) -> None:
    listing = listing_of(tmp_path, "birchmont_falls/2024/a\n.csv", "alderwick_bend/2024/a.csv")
    assert ("alderwick_bend", 2024) in [folder.partition for folder in listing.folders]
    assert "odd_key" in [stray.rule_id for stray in listing.strays]
