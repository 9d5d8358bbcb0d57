"""A real Spark cluster on loopback: one master and its workers as processes of their own, started and stopped.

Belongs here: the processes, what they may listen on and hold, and the settings that a client of them needs.
Does not: SQL, dbt or figures; nothing of the product starts it, and pyspark is no part of the lock (docs/spark.md).
"""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.settings import SECRET

LOOPBACK = "127.0.0.1"
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
MASTER_URL = re.compile(rf"Starting Spark master at (spark://{re.escape(LOOPBACK)}:\d+)")
REGISTERED = "Successfully registered with master"
START_SECONDS, STOP_SECONDS, LOOK_SECONDS = 600.0, 20.0, 0.1
DAEMON_MEMORY = "256m"
"""What master and each worker's own process may hold, beside what executors are given."""
CLIENT, DEFAULTS = "client", "spark-defaults.conf"
# A client on the machine of its cluster, for networks that one machine holds: making code for each query of a small
# table, and the fastest machine code for that, costs more than the query; a second part of it is not worth a task.
BRIEF_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
CLIENT_PROPERTIES = {
    "spark.driver.extraJavaOptions": BRIEF_JAVA,
    "spark.executor.extraJavaOptions": BRIEF_JAVA,
    "spark.driver.host": LOOPBACK,
    "spark.driver.bindAddress": LOOPBACK,
    "spark.driver.memory": "1500m",
    "spark.executor.memory": "700m",
    "spark.log.level": "ERROR",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
}


class ClusterError(RuntimeError):
    """The cluster cannot start here; the message says what is missing or what the process said last."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster. `workers` are its worker processes, which a test may kill; `processes` the master and they."""

    url: str
    scratch: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to be a client of this cluster: its settings lie in a file."""
        return {
            "SPARK_CONF_DIR": str(self.scratch / CLIENT),
            "SPARK_LOCAL_IP": LOOPBACK,
            "PYSPARK_PYTHON": sys.executable,
            "CRADLE_SPARK_MASTER": self.url,
        }


@contextmanager
def cluster(workers: int = 2, *, cores: int = 1, memory: str = "1g") -> Iterator[Cluster]:
    """A cluster of so many workers, each with so many cores and so much memory for executors; ClusterError.

    Master, workers and their pages listen on loopback only, the REST port is off, and who does not know the secret of
    this cluster is not answered. All processes and all files of it are gone afterwards, however the block ends: with
    an error, with Ctrl-C, or because the process is asked to end (SIGTERM). Only signal 9 leaves them.
    """
    with _asked_to_end(), tempfile.TemporaryDirectory(prefix="cradle-spark-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        shared = {"spark.authenticate": "true", "spark.authenticate.secret": secrets.token_hex(32)}
        _write(scratch / "daemons.conf", shared | {"spark.master.rest.enabled": "false"})
        (scratch / CLIENT).mkdir()
        own = {"spark.local.dir": str(scratch / "local")}
        _write(scratch / CLIENT / DEFAULTS, shared | CLIENT_PROPERTIES | own)
        started: list[subprocess.Popen[bytes]] = []
        try:
            master = _start(MASTER, ["--port", "0"], scratch, "master")
            started.append(master)
            url = _until(master, scratch / "master.log", _url_of)
            made: list[subprocess.Popen[bytes]] = []
            for number in range(workers):
                options = ["--cores", str(cores), "--memory", memory, "--work-dir", str(scratch / f"work{number}"), url]
                made.append(_start(WORKER, options, scratch, f"worker{number}"))
                started.append(made[-1])
            for number, worker in enumerate(made):
                _until(worker, scratch / f"worker{number}.log", _registered)
            yield Cluster(url, scratch, made, started)
        finally:
            for process in reversed(started):
                _stop(process)


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """SIGTERM ends the block as an exit does, so that what stands behind it is done; other threads hear no signal."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _frame: object) -> None:
        # A second one must not interrupt the clearing away.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _start(main: str, options: list[str], scratch: Path, name: str) -> subprocess.Popen[bytes]:
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise ClusterError("the package pyspark is not installed; make spark-env installs it (docs/spark.md)")
    home = Path(spec.origin).parent
    # A cluster that others keep is not started where secrets of the warehouse stand.
    environment = {name: value for name, value in os.environ.items() if name not in SECRET} | {
        "SPARK_HOME": str(home),
        # Without it the pages of master and workers listen on every address.
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_DAEMON_MEMORY": DAEMON_MEMORY,
        "SPARK_DAEMON_JAVA_OPTS": BRIEF_JAVA,
        "SPARK_LOCAL_DIRS": str(scratch / "local"),
        "PYSPARK_PYTHON": sys.executable,
    }
    command = [str(home / "bin" / "spark-class"), main, "--host", LOOPBACK, "--webui-port", "0"]
    command += ["--properties-file", str(scratch / "daemons.conf"), *options]
    with (scratch / f"{name}.log").open("wb") as log:
        # A group of its own, so that executors end with the worker that started them.
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)


def _write(path: Path, properties: dict[str, str]) -> None:
    path.touch(mode=0o600)
    path.write_text("".join(f"{name} {value}\n" for name, value in properties.items()), encoding="utf-8")


def _url_of(said: str) -> str | None:
    found = MASTER_URL.search(said)
    return found[1] if found else None


def _registered(said: str) -> str | None:
    return REGISTERED if REGISTERED in said else None


def _until(process: subprocess.Popen[bytes], log: Path, found: Callable[[str], str | None]) -> str:
    """What `found` finds in the log of a process; ClusterError where the process ends, or says nothing, before."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        ended = process.poll() is not None
        said = log.read_text(encoding="utf-8", errors="replace")
        answer = found(said)
        if answer is not None:
            return answer
        if ended:
            break
        time.sleep(LOOK_SECONDS)
    last = said.strip().splitlines()[-1:] or ["nothing"]
    raise ClusterError(f"the {log.stem} of the cluster did not start; it said last: {last[0]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process with the group it leads, by request first."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
