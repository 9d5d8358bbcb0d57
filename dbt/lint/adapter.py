"""What sqlfluff takes for dbt's `adapter` while it renders models without dbt.

Belongs here: the two functions of it that macros call: the choice of a macro by engine, and quoting.
Does not: run in a build, where dbt's own adapter stands.
"""

from collections.abc import Callable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context


def dispatch(name: str, macro_namespace: str | None = None) -> Callable[..., Any]:
    """The macro `duckdb__name` of the same file, else `default__name`, as dbt would choose it."""

    @pass_context
    def chosen(context: Context, *arguments: Any) -> Any:
        macro = context.get(f"duckdb__{name}") or context.get(f"default__{name}")
        return macro(*arguments)

    return chosen


RESERVED = frozenset({"group", "primary"})


def quote(name: str) -> str:
    """The name where it needs no quotes, so that rules on quoting see the models and not the macros."""
    return f'"{name}"' if name in RESERVED else name
