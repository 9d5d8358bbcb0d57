"""What every command needs: the error that is one line and a hint, and the settings.

Belongs here: CradleError, reading the settings for a command.
Does not: any command (cli/main.py, cli/intake.py).
"""

from __future__ import annotations

from typing import Any

import click

from dagster_project.settings import Settings, SettingsError, from_environment


class CradleError(click.ClickException):
    """An error in one line, with a hint on the next."""

    def __init__(self, message: str, hint: str = "", exit_code: int = 1) -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance as well

    def show(self, file: Any = None) -> None:
        """Print the error and its hint."""
        click.echo(f"cradle: {self.message}", err=True)
        if self.hint:
            click.echo(f"  hint: {self.hint}", err=True)


def settings() -> Settings:
    """The validated settings, or a one-line error."""
    try:
        return from_environment()
    except SettingsError as error:
        raise CradleError(str(error), "see docs/settings.md for every setting", 2) from None
