"""Everything at once: two runs of different scopes, uploads, a freeze, the public edition and readers.

Belongs here: that nobody who uses the warehouse meanwhile sees an error, and that one right result is left.
Does not: processes that die (test_killed_servers.py), the lock alone (tests/integration/test_orchestration.py).
"""

from __future__ import annotations

import random
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from tests.integration.conftest import HEADER, lines
from tests.long.conftest import Network
from tests.support import cradle, current

READERS = 50
UPLOADS = 40
FROZEN = 2017
INDICATOR = "grade3_reading_proficient_pct"
UPLOAD = Path("reedmere") / "2018" / "values.csv"
BETWEEN_READS = (3.0, 9.0)
BETWEEN_UPLOADS = 0.5
WAITED = "writes this home; waiting for it to end"


def read(home: Path, communities: int, stop: threading.Event, faults: list[str], chance: random.Random) -> int:
    """Open what is current again and again as a BI tool does; how often it was read."""
    times = 0
    while not stop.is_set():
        try:
            with duckdb.connect(str(home / "publish" / "current.duckdb"), read_only=True) as connection:
                found = connection.execute("select count(*) from marts.dim_community").fetchone()
            shown = current(home)
            if found != (communities,) or not shown.manifest["tables"]:
                faults.append(f"{found} communities in {shown.folder}")
        except (duckdb.Error, OSError, ValueError) as error:
            faults.append(f"{type(error).__name__}: {error}")
        times += 1
        stop.wait(chance.uniform(*BETWEEN_READS))
    return times


def upload(home: Path) -> None:
    """A file that is corrected again and again, each time whole, as a synchronising service puts it."""
    for number in range(UPLOADS):
        part = home / f"upload-{number}"
        part.write_text(HEADER + lines(INDICATOR, {2017: (44, 80), 2018: (40 + number, 90)}), encoding="utf-8")
        part.replace(home / "drop" / UPLOAD)
        time.sleep(BETWEEN_UPLOADS)


def test_runs_uploads_a_freeze_the_public_edition_and_readers_at_once_end_in_one_right_release(
    network: Network, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(network.calm.home, home)
    own = network.settings(home)
    first, second, *_ = sorted(path.name for path in (home / "drop").iterdir() if not path.name.startswith("_"))
    commands = (
        ("run", "--community", first),
        ("run", "--community", second, "--years", "2018"),
        ("freeze", str(FROZEN)),
        ("public", "--now"),
        ("public", "--dry-run"),
        ("status", "--json"),
        ("verify",),
        ("doctor",),
    )
    stop, faults = threading.Event(), list[str]()
    (communities,) = current(home).rows("select count(*) from marts.dim_community")[0]
    with ThreadPoolExecutor(READERS + len(commands) + 1) as pool:
        chances = [random.Random(number) for number in range(READERS)]
        readers = [pool.submit(read, home, communities, stop, faults, chance) for chance in chances]
        uploading = pool.submit(upload, home)
        try:
            running = [pool.submit(cradle, *command, **own) for command in commands]
            ended: list[subprocess.CompletedProcess[str]] = [one.result() for one in running]
            uploading.result()
        finally:
            stop.set()
        times = [reader.result() for reader in readers]
    assert [(one.args[1:], one.stdout, one.stderr) for one in ended if one.returncode] == []
    assert faults == []
    assert min(times) > 1, "every reader read while the others wrote"
    assert sum(WAITED in one.stderr for one in ended) >= 2, "they did overlap"
    assert all("cradle " in line for one in ended for line in one.stderr.splitlines() if WAITED in line), "who holds it"
    _is_right(network, home, tmp_path / "quiet")


def _is_right(network: Network, home: Path, quiet: Path) -> None:
    """After one more run: the release of one quiet run over the same uploads and the same frozen cycle."""
    done = network.run(home)
    assert done.returncode == 0, done.stderr
    shutil.copytree(home / "drop", quiet / "drop")
    shutil.copytree(home / "lake" / "frozen", quiet / "lake" / "frozen")
    done = network.run(quiet)
    assert done.returncode == 0, done.stderr
    assert current(quiet).hashes == current(home).hashes
    assert current(home).hashes != network.calm.release.hashes, "the uploads are in it"
    for command in ("verify", "reconcile", "doctor"):
        done = cradle(command, **network.settings(home))
        assert done.returncode == 0, done.stdout + done.stderr
