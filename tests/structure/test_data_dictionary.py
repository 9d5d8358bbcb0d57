"""The generated pages say what contracts and seeds say now.

Belongs here: comparing the committed pages with what docs/generate.py makes.
Does not: the content of contracts and seeds.
"""

from __future__ import annotations

import pytest

import contracts
from dagster_project.lib.intake.findings import catalogue
from docs.generate import DOCS, PAGES, data_dictionary


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run make docs"


def test_the_dictionary_names_every_column_of_every_table_and_every_rule() -> None:
    page = data_dictionary()
    versions = page.split("## Submitted tables, contract version ")[1:]
    for known, part in zip(contracts.VERSIONS, versions, strict=True):
        for table in contracts.stated(known.version).values():
            section = part.split(f"### {table.table}\n")[1].split("### ")[0]
            assert all(f"| `{column.name}` |" in section and column.description in section for column in table.columns)
    assert all(f"| {rule_id} |" in page for rule_id in catalogue().rules["rule_id"])


def test_a_table_of_the_page_has_as_many_cells_in_every_row() -> None:
    widths: dict[int, int] = {}
    block = 0
    for line in data_dictionary().splitlines():
        if not line.startswith("|"):
            block += 1
            continue
        cells = line.replace("\\|", "").count("|")
        assert widths.setdefault(block, cells) == cells, line
