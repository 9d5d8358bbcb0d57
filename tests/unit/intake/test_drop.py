"""The folder as it stands is the submission, and nothing in the bucket is passed over in silence.

Belongs here: the identity of a submission, folders and strays of a listing.
Does not: reading files, the ledger (test_ledger.py), S3 (tests/integration).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.base.folder_tree import is_odd, printable
from dagster_project.lib.intake.bucket.drop import (
    SUBFOLDER_RULE,
    Listing,
    list_drop,
    open_drop,
    stray_findings,
    submission_id,
)
from dagster_project.lib.intake.findings import to_findings

COMMUNITIES = ("birchmont_falls", "alderwick_bend")
YEARS = range(2015, 2025)


def listing_of(root: Path, *names: str) -> Listing:
    """The listing of a bucket with these files."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a,b\n1,2\n", encoding="utf-8")
    return list_drop(open_drop(str(root), create=True), COMMUNITIES, YEARS)


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
        ("birchmont_falls/2024/.trash/a.csv", "stray_file", "birchmont_falls/2024/.trash/a.csv"),
        ("nowhere/2024/a.csv", "unknown_community", "nowhere"),
        ("birchmont_falls/2014/a.csv", "unknown_year", "birchmont_falls/2014"),
        ("birchmont_falls/2025/a.csv", "unknown_year", "birchmont_falls/2025"),
        ("birchmont_falls/latest/a.csv", "unknown_year", "birchmont_falls/latest"),
        ("birchmont_falls/२०२३/a.csv", "unknown_year", "birchmont_falls/२०२३"),
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


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"a\n.csv", "a\\n.csv"),
        (b"a\t.csv", "a\\t.csv"),
        (b"\xff\xe9.csv", "\\xff\\xe9.csv"),
        (b"a\x01\x7f.csv", "a\\x01\\x7f.csv"),
    ],
)
def test_an_odd_name_costs_its_file_alone_and_is_told_beside_the_others(
    tmp_path: Path, name: bytes, shown: str
) -> None:
    listing_of(tmp_path, "birchmont_falls/2024/a.csv", "alderwick_bend/2024/a.csv", "birchmont_falls/2023/a.csv")
    (tmp_path / "birchmont_falls" / "2024" / os.fsdecode(name)).write_bytes(b"x")
    (tmp_path / "birchmont_falls" / "2022").mkdir()
    (tmp_path / "birchmont_falls" / "2022" / os.fsdecode(name)).write_bytes(b"x")
    listing = listing_of(tmp_path)
    assert [folder.partition for folder in listing.folders] == [
        ("alderwick_bend", 2024),
        ("birchmont_falls", 2023),
        ("birchmont_falls", 2024),
    ]
    odd = listing.folders[-1]
    assert ([file.name for file in odd.files], odd.others) == (["a.csv"], (("odd_name", shown),))
    assert odd.links_tag is not None
    assert [(left.partition, left.rule_id, left.source_file) for left in listing.left] == [
        (("birchmont_falls", 2022), "odd_name", shown)
    ]
    assert not listing.unlisted


@pytest.mark.parametrize("name", ["x#1", "values.csv#1", "a#1.csv", "..a.csv", "...", "v.csv.", "%41.csv", "a\\b.csv"])
def test_a_strange_name_that_can_be_kept_is_a_file_like_any_other(tmp_path: Path, name: str) -> None:
    listing = listing_of(tmp_path, f"birchmont_falls/2024/{name}")
    assert [[file.name for file in folder.files] for folder in listing.folders] == [[name]]
    assert (listing.strays, listing.left) == ((), ())


def test_a_pipe_in_a_folder_is_told_and_nobody_waits_for_it(tmp_path: Path) -> None:
    listing_of(tmp_path, "birchmont_falls/2024/a.csv")
    os.mkfifo(tmp_path / "birchmont_falls" / "2024" / "pipe.csv")
    (folder,) = listing_of(tmp_path).folders
    assert ([file.name for file in folder.files], folder.others) == (["a.csv"], (("unsupported_file", "pipe.csv"),))


@given(st.text(min_size=1))
def test_every_name_can_be_printed_and_stays_as_it_is_where_it_is_not_odd(name: str) -> None:
    shown = printable(name)
    assert not is_odd(shown)
    assert shown.encode()
    assert (shown == name) == (not is_odd(name))


def outside(tmp_path: Path) -> Path:
    """A folder beside the bucket with a file that no member may submit by pointing at it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.csv").write_text("a,b\nsecret,2\n", encoding="utf-8")
    return folder


def linked(tmp_path: Path) -> Path:
    """A bucket with links of every kind at every place."""
    secret, root = outside(tmp_path), tmp_path / "drop"
    listing_of(root, "birchmont_falls/2024/a.csv", "birchmont_falls/2024/old/b.csv", "alderwick_bend/2023/a.csv")
    folder = root / "birchmont_falls" / "2024"
    (folder / "file.csv").symlink_to(secret / "secret.csv")
    (folder / "broken.csv").symlink_to(tmp_path / "nowhere")
    (folder / "loop").symlink_to(root / "birchmont_falls")
    (folder / "folder").symlink_to(secret)
    (folder / "old" / "deep.csv").symlink_to(secret / "secret.csv")
    (root / "birchmont_falls" / "2023").symlink_to(secret)
    (root / "alderwick_bend" / "2022").mkdir()
    (root / "alderwick_bend" / "2022" / "only.csv").symlink_to(secret / "secret.csv")
    (root / "top.csv").symlink_to(secret / "secret.csv")
    (root / "birchmont_twin").symlink_to(root / "birchmont_falls")
    return root


def test_no_link_below_the_bucket_is_followed_and_every_one_is_told(tmp_path: Path) -> None:
    listing = list_drop(open_drop(str(linked(tmp_path))), COMMUNITIES, YEARS)
    assert [(folder.partition, [file.name for file in folder.files]) for folder in listing.folders] == [
        (("alderwick_bend", 2023), ["a.csv"]),
        (("birchmont_falls", 2024), ["a.csv"]),
    ]
    assert listing.folders[1].links == ("broken.csv", "file.csv", "folder", "loop")
    told = [stray.found for stray in listing.strays if stray.rule_id == "link_not_followed"]
    assert sorted(told) == [
        "alderwick_bend/2022/only.csv",
        "birchmont_falls/2023",
        "birchmont_falls/2024/old/deep.csv",
        "birchmont_twin",
        "top.csv",
    ]
    assert [stray for stray in listing.strays if stray.rule_id == "stray_file"] == []
    assert listing.folders[1].others == ((SUBFOLDER_RULE, "old"),)
    assert not listing.unlisted


@pytest.mark.parametrize("place", ["2024/file.csv", "2024/folder/secret.csv", "2023/secret.csv"])
def test_what_lies_behind_a_link_cannot_be_read_by_its_key(tmp_path: Path, place: str) -> None:
    root, key = linked(tmp_path), f"birchmont_falls/{place}"
    assert b"secret" in (root / key).read_bytes()
    drop = open_drop(str(root))
    with pytest.raises(FileNotFoundError):
        drop.get(key)
    with pytest.raises(FileNotFoundError):
        list(drop.stream(key))


def test_a_bucket_that_is_a_link_itself_is_read(tmp_path: Path) -> None:
    listing_of(tmp_path / "real", "birchmont_falls/2024/a.csv")
    (tmp_path / "drop").symlink_to(tmp_path / "real")
    drop = open_drop(str(tmp_path / "drop"))
    listing = list_drop(drop, COMMUNITIES, YEARS)
    assert [folder.partition for folder in listing.folders] == [("birchmont_falls", 2024)]
    assert listing.strays == ()
    assert drop.get(listing.folders[0].files[0].key) == b"a,b\n1,2\n"


def test_an_odd_name_beside_a_link_is_still_told(tmp_path: Path) -> None:
    root = linked(tmp_path)
    (root / "birchmont_falls" / "2024" / "odd\n.csv").write_text("a", encoding="utf-8")
    listing = list_drop(open_drop(str(root)), COMMUNITIES, YEARS)
    assert ("birchmont_falls", 2024) in [folder.partition for folder in listing.folders]
    (folder,) = [folder for folder in listing.folders if folder.partition == ("birchmont_falls", 2024)]
    assert (folder.others, len(folder.links)) == ((("odd_name", "odd\\n.csv"), (SUBFOLDER_RULE, "old")), 4)


def test_the_same_files_have_the_same_tags_whether_or_not_a_link_lies_beside_them(tmp_path: Path) -> None:
    before = listing_of(tmp_path / "drop", "birchmont_falls/2024/a.csv").folders[0]
    (tmp_path / "drop" / "birchmont_falls" / "2024" / "l.csv").symlink_to(tmp_path)
    after = list_drop(open_drop(str(tmp_path / "drop")), COMMUNITIES, YEARS).folders[0]
    assert after.files == before.files
    assert (before.links_tag, after.links_tag is None) == (None, False)
