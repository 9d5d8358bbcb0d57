"""A file is replaced only where it still is the one that was listed.

Belongs here: `Store.replace` and `Store.listed` on a folder.
Does not: a bucket of S3 (integration/test_s3_bucket.py), who replaces what (browser/test_member_page_safety.py).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dagster_project.lib.base.store import Store


def test_what_somebody_wrote_since_it_was_listed_stays(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.put("a/one.csv", b"first")
    listed = store.listed("a/one.csv")
    assert listed is not None
    store.put("a/one.csv", b"other")
    assert not store.replace("a/one.csv", b"mine", listed.etag)
    assert store.get("a/one.csv") == b"other"
    again = store.listed("a/one.csv")
    assert again is not None
    assert store.replace("a/one.csv", b"mine", again.etag)
    assert store.get("a/one.csv") == b"mine"


def test_what_is_gone_is_not_written_again(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.put("one.csv", b"first")
    listed = store.listed("one.csv")
    assert listed is not None
    store.delete(["one.csv"])
    assert store.listed("one.csv") is None
    assert not store.replace("one.csv", b"mine", listed.etag)


def test_of_many_who_saw_the_same_one_replaces_it(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.put("one.csv", b"first")
    listed = store.listed("one.csv")
    assert listed is not None
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: store.replace("one.csv", b"%d" % n, listed.etag), range(32)))
    assert sum(done) == 1
    assert store.get("one.csv") == b"%d" % done.index(True)
