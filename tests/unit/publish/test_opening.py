"""A release of a bucket as a file of this machine.

Belongs here: that it is fetched whole or not at all.
Does not: finding releases (test_states.py), buckets that fail (tests/unit/base/test_store_faults.py).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.opening import fetch
from tests.support import PROJECT

FETCH_WITHOUT_ROOM = """
import resource, sys
from pathlib import Path
from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.opening import fetch
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
fetch(Store(sys.argv[1]), "internal.duckdb", Path(sys.argv[2]))
"""


def test_a_fetch_that_ends_in_its_middle_leaves_no_half_of_a_database(tmp_path: Path) -> None:
    bucket, local = Store(str(tmp_path / "bucket")), tmp_path / "work" / "fetched" / "r" / "internal.duckdb"
    bucket.put("internal.duckdb", bytes(2**20))
    ended = subprocess.run(
        [sys.executable, "-c", FETCH_WITHOUT_ROOM, bucket.url, str(local)], cwd=PROJECT, capture_output=True, text=True
    )
    assert ended.returncode != 0 and "File too large" in ended.stderr
    assert not local.exists()
    fetch(bucket, "internal.duckdb", local)
    assert local.read_bytes() == bytes(2**20) and local.parent.stat().st_mode & 0o077 == 0
