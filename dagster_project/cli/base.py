"""What every command needs: the error that is one line and a hint, and the settings.

Belongs here: CradleError, a full disk, the settings of a command, communities and years as options and if they exist.
Does not: any command (cli/main.py, cli/intake.py).
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dagster_project.lib.base.shown import visible
from dagster_project.settings import Settings, SettingsError, from_environment

if TYPE_CHECKING:
    from dagster_project.lib.base.reference import Reference


Command = TypeVar("Command", bound=Callable[..., Any])
FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_WORDS = ("disk is full", "no space left", "quota exceeded", "not enough space")
"""How SQLite, DuckDB, the object store and the system say it; most libraries pass the words on and lose the number."""
FULL_HINT = "make room and run again: cradle prune deletes old releases; what was published is whole"


class CradleError(click.ClickException):
    """An error in one line, with a hint on the next."""

    def __init__(self, message: str, hint: str = "", exit_code: int = 1) -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance as well

    def show(self, file: Any = None) -> None:
        """Print the error and its hint."""
        click.echo(f"cradle: {visible(self.message)}", err=True)
        if self.hint:
            click.echo(f"  hint: {visible(self.hint)}", err=True)


def is_full(error: BaseException) -> bool:
    """Whether an error, or what led to it, is a disk without room."""
    seen: list[BaseException] = []
    led_to: BaseException | None = error
    while led_to is not None and led_to not in seen:
        seen.append(led_to)
        led_to = led_to.__cause__ or led_to.__context__
    said = " ".join(str(one) for one in seen).lower()
    return any(getattr(one, "errno", None) in FULL for one in seen) or any(words in said for words in FULL_WORDS)


def at_a_terminal() -> bool:
    """Whether somebody can be asked; a program may have been started without any input."""
    return sys.stdin is not None and sys.stdin.isatty()


def settings() -> Settings:
    """The validated settings, or a one-line error."""
    try:
        return from_environment()
    except SettingsError as error:
        raise CradleError(str(error), "see docs/settings.md for every setting", 2) from None


def communities_option(words: str) -> Callable[[Command], Command]:
    """`--community ID`, as often as one likes, or several with commas: a tuple `communities`, each once, in order."""

    def split(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
        names = [name.strip() for text in given for name in text.split(",")]
        if not all(names):
            raise CradleError("--community holds a blank name", "write ID or ID,ID without a comma at the end", 2)
        return tuple(dict.fromkeys(names))

    return click.option(
        "--community", "communities", multiple=True, metavar="ID[,ID...]", callback=split,
        help=f"{words} (several: with commas, or again).",
    )  # fmt: skip


def known_communities(reference: Reference, wanted: Iterable[str], *others: str) -> None:
    """A usage error for the first that is no community of the network (nor one of `others`); SeedError for the seed."""
    known = {*reference.communities["community_id"], *others}
    for community in wanted:
        if community not in known:
            now = reference.names.now.get(community)
            hint = f"write {now}" if now else "see network/communities.csv"
            raise CradleError(reference.names.not_known(community), hint, 2)


def known_year(years: range, year: int) -> None:
    """A usage error for a year that is none of the network's reporting years."""
    if year not in years:
        raise CradleError(f"{year} is not a reporting year", f"they run from {years.start} to {years.stop - 1}", 2)


@contextmanager
def asking_a_release() -> Iterator[None]:
    """What a command asks of a release: where there is none, what makes one is told."""
    from dagster_project.lib.publish.release.pointing import ReleaseMissingError

    try:
        yield
    except ReleaseMissingError as error:
        raise CradleError(str(error), "run `cradle run` first") from None


def held_by_release(config: Settings, year: int | None, communities: Iterable[str] = ()) -> None:
    """A usage error for a year or a community of which the current release holds nothing.

    The seeds and the day of today may be ahead of it; nothing found would then look like nothing to be done.
    """
    from dagster_project.lib.publish.release.opening import open_release

    with asking_a_release(), open_release(config) as release:
        rows = release.execute("select distinct community_id, reporting_year from marts.fct_submission_status")
        held = rows.fetchall()
    years = {held_year for _, held_year in held}
    if year is not None and year not in years:
        told = f"it holds {min(years)} to {max(years)}; " if years else ""
        raise CradleError(f"the current release holds nothing of {year}", f"{told}`cradle run` makes a new one", 2)
    for community in communities:
        if community not in {name for name, _ in held}:
            says = f"the current release holds nothing of {community}"
            raise CradleError(says, "it is older than that community's line; `cradle run` makes a new one", 2)
