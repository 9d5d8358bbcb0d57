"""The catalogue kept in step with the report: every text that its templates and modules say, in each language's file.

Belongs here: finding the texts, bringing the .po files up to date (`python -m` this module).
Does not: translate, or read a catalogue for a page (catalogue.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import write_po

from dagster_project.lib.publish.report.languages.catalogue import ENGLISH, LOCALES, catalogue

REPORT = Path(__file__).parent.parent
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2"), ("explore/*.js", "javascript")]
_OPTIONS = {
    "templates/**.html": {
        "newstyle_gettext": "true",
        "trim_blocks": "true",
        "lstrip_blocks": "true",
        "keep_trailing_newline": "true",
        "silent": "false",
    }
}
_KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None}


def texts() -> Catalog:
    """Every text of the report with the files that say it, in the order of the files."""
    found = Catalog(project="cradle-warehouse", charset="utf-8", fuzzy=False)
    for name, _line, message, comments, context in extract_from_dir(
        REPORT, _METHODS, _OPTIONS, _KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        # Files and no lines: a line that moves is no change of the catalogue.
        found.add(message, None, [(name.replace("\\", "/"), 0)], auto_comments=comments, context=context)
    return found


def brought_up_to_date(code: str) -> bytes:
    """A language's file with every text that there is and no other; a new one stands without its translation."""
    own, every = catalogue(code), texts()
    made = Catalog(locale=LOCALES[code], project="cradle-warehouse", charset="utf-8", fuzzy=False)
    for message in every:
        if message.id:
            known = own.get(message.id[0] if isinstance(message.id, tuple) else message.id)
            same = known is not None and known.id == message.id
            made.add(message.id, known.string if same and known else None, locations=sorted(set(message.locations)))
    return _written(made)


def _written(made: Catalog) -> bytes:
    stream = BytesIO()
    write_po(stream, made, width=110, omit_header=True, include_lineno=False, sort_by_file=True)
    plural = made.plural_forms
    head = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Language: {made.locale}\\n"\n"Plural-Forms: {plural}\\n"\n\n'
    )
    return head.encode() + stream.getvalue()


def main() -> Iterator[str]:
    """Bring the file of each language up to date; says which."""
    for code in sorted(set(LOCALES) - {ENGLISH}):
        path = Path(__file__).parent / f"{code}.po"
        path.write_bytes(brought_up_to_date(code))
        yield f"{path.name}: {sum(1 for m in catalogue(code) if m.id and not m.string)} texts without a translation"


if __name__ == "__main__":
    for line in main():
        print(line)
