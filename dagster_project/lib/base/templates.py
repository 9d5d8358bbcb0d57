"""One way to make pages from templates: everything that a member wrote is text, never markup.

Belongs here: the environment that every page is rendered in.
Does not: any page, its templates or its filters' words (receipts, publish, web).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.bccache import Bucket
from jinja2.filters import FILTERS as DEFAULT_FILTERS

from dagster_project.lib.base.shown import visible


class Compiled(BytecodeCache):
    """What templates were compiled to, kept in memory: compiling them is half of the time of a small report."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket, unless the template is new or its text has changed (the bucket looks at its hash)."""
        if (code := self._code.get(bucket.key)) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled of a template in place of what was compiled of it before."""
        self._code[bucket.key] = bucket.bytecode_to_string()


def share(made: Environment, compiled: Compiled) -> None:
    """Let a finished environment use what others of the same folders and extensions compiled.

    A compiler may work out what a filter says of a constant, and each environment may speak another language: from now
    on every filter that is not Jinja's own is asked when a page is made.
    """
    own = {name: said for name, said in made.filters.items() if DEFAULT_FILTERS.get(name) is not said}
    made.filters.update({name: _when_made(said) for name, said in own.items()})
    made.bytecode_cache = compiled


def _when_made(said: Callable[..., object]) -> Callable[..., object]:
    @pass_context
    @wraps(said)
    def asked(_context: object, *values: Any, **named: Any) -> object:
        return said(*values, **named)

    return asked


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
