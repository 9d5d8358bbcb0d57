"""Progress of a command: a bar on a terminal, plain lines elsewhere.

Belongs here: how the records of lib/base/progress.py are shown on standard error.
Does not: any command, how far a step is (lib).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Lines(logging.Handler):
    """Progress as plain lines, or as a bar that is redrawn on a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self.terminal = sys.stderr.isatty()
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record of the progress logger."""
        done, total = getattr(record, "done", 0), getattr(record, "total", 0)
        step = record.getMessage()
        if self.terminal and total:
            filled = 30 * done // total
            sys.stderr.write(f"\r  {step} [{'#' * filled}{'.' * (30 - filled)}] {done:,}/{total:,}")
            sys.stderr.write("\n" if done >= total else "")
        elif step != self.last or (total and done >= total):
            sys.stderr.write(f"  {step}{f' {done:,}/{total:,}' if total else ''}\n")
        sys.stderr.flush()
        self.last = step


@contextmanager
def shown_progress() -> Iterator[None]:
    """Show progress on standard error while the block runs."""
    from dagster_project.lib.base.progress import LOGGER

    handler = _Lines()
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
