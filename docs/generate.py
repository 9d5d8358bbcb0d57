"""Files that are made from the project's own declarations: `python -m docs.generate`.

Belongs here: the dictionaries, from contracts, seeds, declared tables and dbt's manifest; writing all generated files.
Does not: pages that people write, or any fact of its own: it stands in contracts/, seeds/, lib/analysis and dbt/models.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import contracts
from bi import bundle
from contracts.base import ALLOWED_WORDS, Column, TableContract
from dagster_project.lib.analysis.tables import TABLES, TableSpec
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import newest_in_force, read_ruleset
from dagster_project.lib.intake.findings import catalogue
from dagster_project.lib.publish.release.dictionary import PAGE, Row, grid, page
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import declared_marts, vocabularies
from docs import consumer_contract
from docs.dbt_files import DBT_TYPES, dbt_files

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
MEMORY = {
    "values": "For one key the newest reporting year that holds a row wins, masked or not.",
    "state": "The table of the newest reporting year that holds it replaces earlier ones as a whole.",
    "log": "Rows of all reporting years count; for one key the newest reporting year wins.",
}
SEVERITIES = {
    "fatal": "its file is not taken",
    "error": "its row is not taken",
    "explainable": "the row counts; the network asks, and one answer in the table explanations lasts until the value "
    "changes",
    "info": "told, and nothing more",
}


def data_dictionary(seeds: Path = ROOT / "seeds") -> str:
    """The page docs/data-dictionary.md."""
    reference = Reference(seeds)
    largest = read_ruleset(reference, newest_in_force(reference)).values.largest_count
    parts = [
        _head(),
        *_tables(largest),
        *_kinds(),
        *_codes(reference),
        *_computed(),
        *_statuses(reference),
        *_findings(),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _head() -> str:
    return (
        "# Data dictionary\n\n"
        "Made by `make docs` from contracts/, seeds/ and dagster_project/lib/analysis/tables; change those, never this "
        "page.\n\n"
        "What may be submitted, the codes it is turned into, the tables that are computed from it, their words, and "
        "every finding a check can make. A table is a CSV, "
        "TSV, TXT, XLSX, XLS or Parquet file with its header, or a sheet named like the table. `community_id` and "
        "`reporting_year` come from the folder. `cradle template` writes a workbook with all of it, `cradle check` "
        "runs the checks before an upload.\n"
    )


def _tables(largest: int) -> Iterator[str]:
    for known in contracts.VERSIONS:
        first_year = known.first_reporting_year
        since = f"reporting years from {first_year}" if first_year else "all reporting years"
        yield f"## Submitted tables, contract version {known.version} ({since})\n"
        yield from _inherited(known.version)
        for contract in sorted(contracts.stated(known.version).values(), key=_place_on_page):
            yield from _table(contract.with_largest_count(largest))


def _place_on_page(contract: TableContract) -> tuple[bool, bool, str]:
    return contract.table != contracts.VALUES_TABLE, contract.network, contract.table


def _inherited(version: int) -> Iterator[str]:
    """What a version takes over from the ones before it, and what it no longer takes."""
    own, every = contracts.stated(version), contracts.tables(version)
    taken = [name for name in every if name not in own]
    if taken:
        yield f"As in the version before: {', '.join(f'`{name}`' for name in taken)}.\n"
    before = [known.version for known in contracts.VERSIONS if known.version < version]
    if gone := sorted({name for earlier in before for name in contracts.tables(earlier)} - set(every)):
        yield f"No longer taken: {', '.join(f'`{name}`' for name in gone)}.\n"


def _table(contract: TableContract) -> Iterator[str]:
    place = "In the network's own folder. " if contract.network else ""
    place = "In the network's own folder as well. " if contract.also_network else place
    names = [contract.renamed.get(name, name) for name in contract.key]
    key = f"Key: {', '.join(f'`{name}`' for name in names)}." if names else "One row."
    yield f"### {contract.table}\n\n{contract.description} {place}{key} {MEMORY[contract.memory]}\n"
    rows = [
        (
            f"`{column.name}`",
            "yes" if column.required else "",
            column.kind,
            column.description,
            _allowed(column),
            column.purpose,
        )
        for column in contract.columns
    ]
    yield from grid(("column", "required", "kind", "meaning", "allowed", "used for"), rows)
    for rule in contract.row_rules:
        column = contract.renamed.get(rule.column, rule.column)
        yield f"Within a row, `{column}`: {rule.allowed} (`{rule.rule_id}`).\n"


def _allowed(column: Column) -> str:
    if column.choices:
        return ", ".join(f"`{choice}`" for choice in column.choices)
    if column.kind.endswith("_cell") or (column.minimum is None and column.maximum is None):
        return column.allowed
    low = "" if column.minimum is None else f"at least {column.minimum:,.0f}"
    high = "" if column.maximum is None else f"at most {column.maximum:,.0f}"
    return f"{column.allowed}; {' and '.join(part for part in (low, high) if part)}"


def _kinds() -> Iterator[str]:
    yield "## Kinds of columns\n"
    yield from grid(("kind", "what may stand in it"), sorted(ALLOWED_WORDS.items()))


def _codes(reference: Reference) -> Iterator[str]:
    yield "## Codes\n"
    yield "Local labels are welcome everywhere: the crosswalks in seeds/crosswalks map them to these codes.\n"
    yield "### Outcomes\n"
    yield from grid(("outcome", "name", "sector"), reference.outcomes.select("outcome_id", "name", "sector").rows())
    yield "### Indicators\n"
    names = ("indicator_id", "name", "outcome_id", "role", "unit", "direction", "poolable")
    texts = ("numerator_text", "denominator_text")
    header = ("indicator", "name", "outcome", "role", "unit", "direction", "poolable", "numerator", "denominator")
    yield from grid(header, reference.table("dictionary/indicators").select(*names, *texts).rows())
    yield "### Dimensions and groups\n"
    yield "`population_group_id` is `dimension:group`; the total is `all`.\n"
    dimensions = reference.dimensions.select("dimension", "label", "kind", "geography_level", "reference_group").rows()
    yield from grid(("dimension", "name", "kind", "place it names", "reference group"), dimensions)
    groups = reference.groups.select("dimension", "group_code", "label", "scheme", "ceds_code").rows()
    yield from grid(("dimension", "group", "name", "scheme", "CEDS"), groups)
    yield "### Units and masks\n"
    units = reference.table("dictionary/units").select("unit", "stored_unit", "factor", "minimum", "maximum").rows()
    yield from grid(("unit", "stored as", "times", "from", "to"), units)
    yield (
        "Bounds and ranges such as `<5`, `<=5%`, `LE5`, `>95`, `GE95`, `5-9` become an interval with the status "
        "`range`. An empty cell is `missing`.\n"
    )
    masks = reference.table("dictionary/masks").select("mask", "value_status").rows()
    yield from grid(("mask", "status"), [(f"`{mask}`", status) for mask, status in masks])


def _computed() -> Iterator[str]:
    yield "## Computed tables\n"
    yield (
        "What Python computes from the values and registers, in schema `marts` of a release. Key columns are in bold. "
        "Words of a domain are listed under [Words of the marts](#words-of-the-marts).\n"
    )
    for spec in TABLES.values():
        yield f"### {spec.name}\n\n{spec.description}\n"
        yield from grid(("column", "type", "meaning", "words", "found in"), _computed_rows(spec))


def _computed_rows(spec: TableSpec) -> Iterator[Row]:
    for column in spec.columns:
        # Bold stands outside the backticks, so the cell is left as it is.
        name = f"**`{column.name}`**" if column.name in spec.key else f"`{column.name}`"
        words = "" if column.words is None else f"`{column.words}`"
        if column.without:
            words += f" without {', '.join(f'`{word}`' for word in column.without)}"
        dimension = "" if column.refers_to is None else f"`{column.refers_to}`"
        yield name, DBT_TYPES[column.kind], column.description, words, dimension


def _statuses(reference: Reference) -> Iterator[str]:
    yield "## Words of the marts\n"
    yield (
        "Every closed vocabulary (`dim_status`, from seeds/dictionary/statuses.csv). Words marked public stand in the "
        "public edition only.\n"
    )
    rows = reference.table("dictionary/statuses").iter_rows(named=True)
    header = ("domain", "word", "label", "meaning", "edition")
    yield from grid(
        header,
        (
            (r["domain"], f"`{r['status']}`", r["label"], r["meaning"], "public" if r["public_only"] == "true" else "")
            for r in rows
        ),
    )


def _findings() -> Iterator[str]:
    yield "## Findings\n"
    yield from grid(("severity", "consequence"), SEVERITIES.items())
    rules = catalogue().rules
    yield f"{rules.height} rules. Each has a failing and a passing example in contracts/examples.\n"
    names = ("rule_id", "severity", "dimension", "title", "remedy")
    for severity in SEVERITIES:
        yield f"### {severity}\n"
        rows = rules.filter(rules["severity"] == severity).select(names).drop("severity").rows()
        yield from grid(("rule", "quality dimension", "what it says", "how to fix it"), rows)


def marts_dictionary(manifest: Path = MANIFEST, seeds: Path = ROOT / "seeds") -> str:
    """The page docs/marts.md. It is made from dbt's manifest, so dbt has to parse what changed before."""
    preface = (
        "Made by `make docs` from dbt/models; change the yml there, never this page. It lies in every release as "
        f"`{PAGE}`. How to ask: [for analysts](analysts.md).\n\n"
    )
    reference = Reference(seeds)
    return page(declared_marts(manifest, reference), vocabularies(reference), preface)


PAGES: Mapping[str, Callable[[], str]] = {"data-dictionary.md": data_dictionary, "marts.md": marts_dictionary}
"""Generated pages by their name below docs/."""


def main() -> None:
    """Write every generated file of dbt, let dbt parse them, then write every generated page and the dashboard."""
    for name, make in dbt_files().items():
        (ROOT / name).write_text(make(), encoding="utf-8")
    _parse()
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
    consumer_contract.write()
    bundle.write()


def _parse() -> None:
    """The manifest anew: pages of the marts are made from it."""
    places = ("--project-dir", str(ROOT / "dbt"), "--profiles-dir", str(ROOT / "dbt"), "--target-path", "target")
    command = [str(Path(sys.executable).with_name("dbt")), "--quiet", "parse", "--no-partial-parse", "--warn-error"]
    environment = {**os.environ, "CRADLE_SEEDS": str(ROOT / "seeds"), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    subprocess.run([*command, *places], check=True, env=environment)


if __name__ == "__main__":
    main()
