"""Declarations in YAML by libyaml: PyYAML's own parser takes six times as long, at the start of every command.

Belongs here: a text to plain values and back. Does not: what a declaration must hold (the room that reads it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

# A PyYAML that was built without libyaml has its own, of which the values and the text are the same.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
WIDTH = 116


def read_yaml(text: str | bytes) -> Any:
    """The values of a YAML document, none of them of a kind of its own; yaml.YAMLError for a text that is none."""
    return yaml.load(text, _LOADER)


def write_yaml(content: Mapping[str, Any]) -> str:
    """Plain values as a YAML document, in their order, short lists on one line."""
    written: str = yaml.dump(
        content, Dumper=_DUMPER, sort_keys=False, default_flow_style=None, width=WIDTH, allow_unicode=True
    )
    return written
