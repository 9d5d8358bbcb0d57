"""The command in a process that has its libraries already: what a user types, without the seconds of imports.

Belongs here: one call of `cradle` in a child of a process that has read the libraries and nothing of the project.
Does not: claims about starting, hash seeds, signals or rights, which a program gets when it starts: those call the
command as it is installed (support.cradle).
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.support import PATIENCE_SECONDS, PROJECT, clean_environment

LIBRARIES = [
    *("dagster", "dagster_dbt", "dbt.cli.main", "dbt.adapters.duckdb.impl"),
    *("duckdb", "polars", "pyarrow.parquet", "pandera.polars", "sklearn.linear_model", "highspy"),
    *("openpyxl", "jinja2", "babel.support", "fsspec"),
]
"""What a run imports beside the project. None of them reads a setting or starts a thread while it is imported."""

NOWHERE = Path(os.devnull)


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context


def warm_cradle(*arguments: str, **settings: str | Path) -> subprocess.CompletedProcess[str]:
    """As support.cradle: the same environment, folder, output and exit code."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = start_warm(arguments, settings, out, err)
        process.join(PATIENCE_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, PATIENCE_SECONDS)
        said = [path.read_text(encoding="utf-8") for path in (out, err)]
    return subprocess.CompletedProcess(arguments, process.exitcode, *said)


def start_warm(
    arguments: Sequence[str], settings: Mapping[str, str | Path], out: Path = NOWHERE, err: Path = NOWHERE
) -> BaseProcess:
    """The same, not waited for: a process that leads a session of its own, with all that it starts."""
    process = _server().Process(target=_call, args=(arguments, clean_environment(**settings), out, err))
    process.start()
    return process


def _call(arguments: Sequence[str], environment: Mapping[str, str], out: Path, err: Path) -> None:
    """In the child: become what a shell would have started, then what the installed script does."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(PROJECT)
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["cradle", *arguments]
    from dagster_project.cli.main import main

    main()
