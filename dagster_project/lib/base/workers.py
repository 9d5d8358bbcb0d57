"""Work side by side: what costs processor time in Python and falls into independent pieces.

Belongs here: what whoever asks sees of where it is done, and processes of this machine: how many, how they start.
Does not: the work itself, a cluster (app/spark), waiting for stores and servers (threads do that where it happens).
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")


class Each(Protocol):
    """A function over items: results in the order of the items."""

    def __call__(self, function: Callable[[Asked], Given], items: Iterable[Asked], /) -> Iterable[Given]: ...


class Spread(Protocol):
    """Where independent pieces are done. Given how many there are: a function over them, to be used within the block.

    What is mapped must be importable by its name, and so must what it takes and gives; it does not know where it runs.
    """

    def __call__(self, pieces: int, /) -> AbstractContextManager[Each]: ...


@dataclass(frozen=True)
class Processes:
    """A `Spread` over at most so many processes of this machine; with one, everything happens in this process."""

    most: int = 1

    def __call__(self, pieces: int, /) -> AbstractContextManager[Each]:
        """A function over so many pieces."""
        return side_by_side(min(self.most, pieces))


HERE = Processes()


def processes(pieces: int, worth: int) -> int:
    """How many processes so many pieces are worth, at most one a core; a process is worth its start for `worth`."""
    return max(1, min(pieces // worth, os.cpu_count() or 1))


def shares(items: Sequence[Asked], number: int) -> list[Sequence[Asked]]:
    """Items in that many parts of about one length, in their order; fewer where there are fewer items."""
    length = -(-len(items) // number)
    return [items[first : first + length] for first in range(0, len(items), max(length, 1))]


@contextmanager
def side_by_side(number: int) -> Iterator[Each]:
    """Give a `map` over that many processes; with one, everything happens here, when a result is asked for.

    What is mapped must be importable by its name, and so must what it takes and gives. The first error of an item is
    raised where its result is asked for.
    """
    if number <= 1:
        yield map
        return
    # A forked child would inherit the locks of threads it does not have.
    with ProcessPoolExecutor(number, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool.map
