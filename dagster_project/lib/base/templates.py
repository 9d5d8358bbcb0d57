"""One way to make pages from templates: everything that a member wrote is text, never markup.

Belongs here: the environment that every page is rendered in.
Does not: any page, its templates or its filters' words (receipts, publish, web).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dagster_project.lib.base.shown import visible


def environment(*folders: Path, **filters: Callable[..., object]) -> Environment:
    """Templates of some folders, the first that has one; what is printed is escaped, a name that is not given an error.

    Every page has the filter `visible`, which shows signs that act or hide.
    """
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(visible=visible, **filters)
    return made
