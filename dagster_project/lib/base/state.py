"""What the warehouse keeps for itself and cannot read any more: said in one line, with what to do.

Belongs here: the error, and turning what a damaged file raises into it.
Does not: which files there are, or making any of them again (their own rooms).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

LONGEST = 160


class StateError(RuntimeError):
    """A kept file is damaged; the message names it, what is wrong with it and what to do."""


@contextmanager
def whole(where: str, remedy: str) -> Iterator[None]:
    """Reading one kept file: StateError where its bytes are not what they should be. `remedy` is what to do then."""
    try:
        yield
    except (pl.exceptions.PolarsError, ValueError, KeyError, TypeError, AttributeError, EOFError, zlib.error) as error:
        raise _damaged(where, remedy, error) from error
    except gzip.BadGzipFile as error:
        raise _damaged(where, remedy, error) from error


def _damaged(where: str, remedy: str, error: Exception) -> StateError:
    said = " ".join(str(error).split())[:LONGEST]
    return StateError(f"{where} is damaged ({said or type(error).__name__}); {remedy}")
