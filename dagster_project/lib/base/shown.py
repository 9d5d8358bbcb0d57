"""Text of a member made fit for a terminal, a page or a line of a log.

Belongs here: signs that act instead of being seen (controls, directions, zero width), shown as codes or escaped;
the first of many names.
Does not: what such signs mean in a file (intake/reading/text/signs.py), HTML escaping (the pages' templates).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

ACTING = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"
)
"""Signs that a display obeys or hides: controls but tab and line end, direction marks, zero width, lone surrogates."""


def sign_name(sign: str) -> str:
    """A sign that cannot be seen, by its code and name: `U+200B zero width space`."""
    name = unicodedata.name(sign, "").lower()
    return f"U+{ord(sign):04X}" + (f" {name}" if name else "")


def visible(value: object) -> str:
    """A text with the signs that act or hide as codes in brackets: `46.8[U+200B]`; nothing for None."""
    return "" if value is None else ACTING.sub(lambda found: f"[U+{ord(found[0]):04X}]", str(value))


def some(names: Sequence[str], most: int) -> str:
    """The first of many names, and whether there are others."""
    return ", ".join(names[:most]) + (" and others" if len(names) > most else "")


def escaped_json(text: str) -> str:
    r"""JSON in which no sign acts on a terminal: each stands as `\u202e`, so that what is read from it is the same."""
    return ACTING.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
