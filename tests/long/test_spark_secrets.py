"""Nothing secret reaches a cluster: no setting that holds a password, no key of the lake, not the cluster's own secret.

Belongs here: one run on a real cluster with recognizable secrets, and everything that the cluster says and keeps of it.
Does not: what a run leaves behind on any engine (tests/integration/test_main_job.py), figures (test_spark_run.py).
"""

from __future__ import annotations

import importlib.util
import os
import stat
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from benchmarks.spark_cluster import CLIENT, DEFAULTS, Cluster, cluster
from benchmarks.spark_run import CRADLE
from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.public.register import Register
from dagster_project.settings import SECRET
from tests.integration.postgres_server import running_server
from tests.reference.networks import make_drop, make_seeds
from tests.support import PROJECT

HAS_SPARK = all(importlib.util.find_spec(name) for name in ("pyspark", "dbt.adapters.spark"))
pytestmark = pytest.mark.skipif(not HAS_SPARK, reason="pyspark and dbt-spark have a lock of their own; make spark-env")
LOOK_SECONDS = 0.2
CONTROL = "shown-to-the-cluster-Wq7"
# Java's serializers mark the last letter of a text, so what is looked for is never the end of what is planted.
PLANTED = {name: f"canary-{name.lower().replace('_', '-')}-Wq7" for name in SECRET}
FORMS = {
    "CRADLE_SERVE_SECRET": "{}-and-so-many-more-characters",
    "CRADLE_SMTP_URL": "smtp://network:{}-end@127.0.0.1:9/?from=data@example.org",
}
# Nothing is packed, everything is told: what passes through the cluster can be read where it lies.
TELLING = {
    "spark.broadcast.compress": "false",
    "spark.eventLog.compress": "false",
    "spark.eventLog.enabled": "true",
    "spark.executorEnv.SHOWN": CONTROL,
    "spark.log.level": "INFO",
    "spark.shuffle.compress": "false",
    "spark.shuffle.spill.compress": "false",
    "spark.sql.parquet.compression.codec": "uncompressed",
}


@dataclass
class Seen:
    """Where each text that is looked for was seen, by kind of place."""

    wanted: Mapping[str, bytes]
    places: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    looked_at: dict[Path, tuple[int, int]] = field(default_factory=dict)
    commands: set[str] = field(default_factory=set)
    rights: int | None = None

    def look(self, kind: str, place: str, content: bytes) -> None:
        """Note what stands in some bytes."""
        for name, text in self.wanted.items():
            if text in content:
                self.places[kind][name].add(place)

    def files(self, kind: str, folder: Path) -> None:
        """Look through the files of a folder that are new or changed; one that is gone meanwhile is none."""
        for path in (Path(place) / name for place, _, names in os.walk(folder) for name in names):
            try:
                state = path.stat()
                if self.looked_at.get(path) != (state.st_size, state.st_mtime_ns):
                    self.look(kind, path.name, path.read_bytes())
                    self.looked_at[path] = state.st_size, state.st_mtime_ns
            except FileNotFoundError:
                continue

    def processes(self, sessions: Mapping[int, str]) -> None:
        """Look at commands and environments of the processes of some sessions, by what the session is called."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    session = sessions.get(os.getsid(int(entry.name)))
                    if session is not None:
                        command = (entry / "cmdline").read_bytes()
                        self.commands.add(command.replace(b"\0", b" ").decode(errors="replace"))
                        self.look("command", entry.name, command)
                        self.look(f"environment of {session}", entry.name, (entry / "environ").read_bytes())
                except (FileNotFoundError, ProcessLookupError):
                    continue


@contextmanager
def watched(seen: Seen, sessions: Mapping[int, str], folders: Mapping[str, Path]) -> Iterator[None]:
    """Look again and again within the block, and once more at its end."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            seen.processes(sessions)
            for kind, folder in folders.items():
                seen.files(kind, folder)

    with ThreadPoolExecutor(1) as watchers:
        watcher = watchers.submit(look)
        try:
            yield
        finally:
            over.set()
        watcher.result()
    for kind, folder in folders.items():
        seen.files(kind, folder)


def tell_everything(running: Cluster, events: Path) -> bytes:
    """Let sessions of a cluster write an event log and pack nothing; the cluster's own secret."""
    settings = running.scratch / CLIENT / DEFAULTS
    lines = dict(line.split(" ", 1) for line in settings.read_text(encoding="utf-8").splitlines())
    events.mkdir()
    told = lines | TELLING | {"spark.eventLog.dir": events.as_uri()}
    settings.write_text("".join(f"{name} {value}\n" for name, value in told.items()), encoding="utf-8")
    return lines["spark.authenticate.secret"].encode()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """A run on a cluster, both started where every secret setting is set, and what was seen of it."""
    folder = tmp_path_factory.mktemp("secrets")
    chance, home = Random(56), folder / "home"
    make_seeds(chance, folder / "seeds")
    make_drop(chance, folder / "drop")
    with running_server() as address, pytest.MonkeyPatch.context() as environment:
        forms = FORMS | {"CRADLE_POSTGRES_URL": address.replace("@", ":{}-end@")}
        for name, text in PLANTED.items():
            environment.setenv(name, forms.get(name, "{}-end").format(text))
        with cluster() as running:
            # The run would make the key of the register's hashes; made before, it can be looked for from the start.
            key = Register(Store(str(home / "lake"))).key()
            wanted = {name: text.encode() for name, text in PLANTED.items()}
            wanted |= {"control": CONTROL.encode(), "key": key, "key as text": key.hex().encode()}
            found = Seen(wanted | {"cluster": tell_everything(running, folder / "events")})
            found.rights = stat.S_IMODE(running.scratch.stat().st_mode)
            run(folder, running, found)
    yield found


def places(folder: Path, running: Cluster) -> dict[str, Path]:
    """The folders that a cluster and its session write."""
    return {"events": folder / "events", "cluster's folder": running.scratch, "work": folder / "home" / "work"}


def run(folder: Path, running: Cluster, seen: Seen) -> None:
    """One run of the command on the cluster, watched."""
    settings = {
        "CRADLE_DROP_URL": str(folder / "drop"),
        "CRADLE_ENGINE": "spark",
        "CRADLE_HOME": str(folder / "home"),
        "CRADLE_SEEDS": str(folder / "seeds"),
        "CRADLE_SETTLE_SECONDS": "0",
        "CRADLE_TODAY": "2021-06-30",
        "PYTHONPATH": str(PROJECT),
    }
    environment = os.environ | settings | running.environment()
    with (
        (folder / "said").open("wb") as said,
        subprocess.Popen(
            [*CRADLE, "run"], env=environment, stdout=said, stderr=said, start_new_session=True
        ) as command,
    ):
        sessions = dict.fromkeys((process.pid for process in running.processes), "cluster") | {command.pid: "run"}
        with watched(seen, sessions, places(folder, running)):
            code = command.wait()
    seen.look("said", "said", (folder / "said").read_bytes())
    assert code == 0, (folder / "said").read_text(encoding="utf-8")[-2000:]


def where(seen: Seen, kind: str) -> dict[str, set[str]]:
    """Where secrets were seen in places of a kind."""
    return {name: set(at) for name, at in seen.places[kind].items() if name != "control"}


def test_what_is_shown_to_the_cluster_is_seen(seen: Seen) -> None:
    """Else nothing that follows means anything."""
    for kind in ("events", "environment of cluster"):
        assert "control" in seen.places[kind], kind
    for name in PLANTED:
        assert seen.places["environment of run"][name], name
    for part in ("CoarseGrainedExecutorBackend", "pyspark.daemon", "deploy.master.Master", "SparkSubmit"):
        assert any(part in command for command in seen.commands), part
    names = {path.name for path in seen.looked_at}
    assert {"stderr", "_SUCCESS"} <= names


def test_no_secret_stands_in_the_event_log(seen: Seen) -> None:
    assert where(seen, "events") == {}


def test_no_secret_stands_in_a_command_line(seen: Seen) -> None:
    assert where(seen, "command") == {}


def test_no_secret_lies_in_the_folders_of_the_cluster_and_of_its_session(seen: Seen) -> None:
    """The cluster's own secret is known to all of its processes: Spark's scratch, its owner's alone, may hold it."""
    assert where(seen, "work") == where(seen, "said") == {}
    assert set(where(seen, "cluster's folder")) == {"cluster"}
    assert seen.rights == 0o700


def test_no_process_of_the_cluster_is_given_a_secret_of_the_warehouse(seen: Seen) -> None:
    assert set(where(seen, "environment of cluster")) <= {"cluster"}
