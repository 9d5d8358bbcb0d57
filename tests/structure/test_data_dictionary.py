"""The generated pages say what contracts, seeds and models say now.

Belongs here: comparing the committed pages with what docs/generate.py makes.
Does not: the content of contracts, seeds and models.
"""

from __future__ import annotations

import pytest

import contracts
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.findings import catalogue
from dagster_project.lib.publish.release.dictionary import FAMILIES
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import declared_marts, table_keys
from docs.generate import DOCS, PAGES, ROOT, data_dictionary, marts_dictionary


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


@pytest.mark.parametrize("known", contracts.VERSIONS, ids=lambda known: str(known.version))
def test_every_submitted_column_says_what_it_is_used_for_and_the_dictionary_prints_it(
    known: contracts.Version,
) -> None:
    page = data_dictionary()
    for table in contracts.tables(known.version).values():
        section = page.split(f"### {table.table}\n")[1].split("### ")[0]
        for column in table.columns:
            assert column.purpose.strip(), f"{table.table}.{column.name} has no purpose"
            assert column.purpose != column.description and f"| {column.purpose} |" in section


def test_every_mart_and_every_column_of_it_has_its_meaning_and_its_key_on_the_page() -> None:
    page, keys = marts_dictionary(), table_keys(MANIFEST)
    for name, table in declared_marts(MANIFEST, Reference(ROOT / "seeds")).items():
        assert name.startswith(tuple(FAMILIES)), f"{name} belongs to no family of the page"
        section = page.split(f"### {name}\n")[1].split("### ")[0]
        assert list(table.key) == keys[name] and all(f"`{column}`" in section for column in table.key)
        assert all(f"| `{column.name}` | {column.data_type} |" in section for column in table.columns)
        assert "ne row per" in table.description, f"{name} does not state its grain"
        assert all(column.description.strip() for column in table.columns)


def test_a_column_of_a_mart_names_its_closed_words_and_what_it_refers_to() -> None:
    columns = {
        column.name: column for column in declared_marts(MANIFEST, Reference(ROOT / "seeds"))["fct_trend"].columns
    }
    assert columns["community_id"].refers_to == "dim_community.community_id"
    assert "improving" in columns["trend_status"].words
    assert columns["trend_status"].comment.endswith(
        f"One of: {', '.join(columns['trend_status'].words)} (dim_status, domain trend_status)."
    )


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_table_of_the_page_has_as_many_cells_in_every_row(name: str) -> None:
    widths: dict[int, int] = {}
    block = 0
    for line in PAGES[name]().splitlines():
        if not line.startswith("|"):
            block += 1
            continue
        cells = line.replace("\\|", "").count("|")
        assert widths.setdefault(block, cells) == cells, line
