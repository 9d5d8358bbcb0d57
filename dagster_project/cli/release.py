"""Commands that read published releases: explain, compare, verify.

Belongs here: arguments, exit codes and plain-text output of these commands.
Does not: reading or judging releases (lib/publish), records and their words (lib/analysis).
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dagster_project.cli.base import CradleError, communities_option, known_communities, settings
from dagster_project.lib.base.shown import visible
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.lib.analysis.records.inputs import RecordInputs
    from dagster_project.lib.app.rebuild import Rebuilt
    from dagster_project.lib.base.engine import Connection
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.successions import CommunityIds
    from dagster_project.lib.publish.release.compare import CellDifference

OTHER_CODE = {
    **dict.fromkeys(("code_version", "figures_version"), "The code that makes figures is"),
    "lock_sha256": "the locked packages are",
}
SHOWN = 20
SINCE_SHOWN = 5
CURRENT = "current"  # the word for the release that `current` names
SEVEN_OUTCOMES_RECORD = "proof_point_ongoing"  # the designation whose record holds all seven outcomes with their gaps


def manifest_of_release(config: Settings, release_id: str | None) -> dict[str, Any]:
    """The manifest of a release, the current one by default, or a one-line error."""
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.release.pointing import current_release, read_manifest
    from dagster_project.lib.publish.release.states import nothing_current

    store = Store(config.publish_url, config.s3_endpoint)
    chosen = current_release(store) if release_id in (None, CURRENT) else release_id
    if chosen is None:
        raise CradleError(nothing_current(store), "run `cradle run` first")
    try:
        return read_manifest(store, chosen)
    except FileNotFoundError:
        raise _no_release(config, chosen) from None


def told_since(config: Settings, manifest: Mapping[str, Any]) -> list[str]:
    """A line for who decides over a release while the lake holds other submissions than it; none where it does not."""
    from dagster_project.lib.app.stands.house import WhatStands

    house = WhatStands(config)
    # A build that gave the same release again was made from what came since.
    inputs = {**manifest, **house.as_built.facts_of(manifest["release_id"])}["inputs"]
    places = folders_apart(house.release_facts().folders, inputs, house.reference.names)
    if not places:
        return []
    more = f" and {len(places) - SINCE_SHOWN:,} more" if len(places) > SINCE_SHOWN else ""
    return [f"Note: the release is older than what was taken in of {', '.join(places[:SINCE_SHOWN])}{more}."]


def folders_apart(
    standing: Iterable[Mapping[str, Any]], inputs: Iterable[Mapping[str, Any]], names: CommunityIds
) -> list[str]:
    """Folders (community/year) of which what stands is another submission than the one a release was made from."""
    now, then = (
        {
            (names.of(row["community_id"]), row["reporting_year"]): row["submission_id"]
            for row in rows
            if row.get("submission_id")
        }
        for rows in (standing, inputs)
    )
    return [f"{place[0]}/{place[1]}" for place in sorted(now.keys() | then.keys()) if now.get(place) != then.get(place)]


def _no_release(config: Settings, chosen: str) -> CradleError:
    """A public edition has an id of its own, which people read on its pages: where it lies, and how to check it."""
    from dagster_project.lib.base.store import FOR_ALL, Store, StoreError
    from dagster_project.lib.publish.public.shown import manifest_or_none

    hint = "see its folder releases/"
    try:
        public = manifest_or_none(Store(config.public_url, config.s3_endpoint, mode=FOR_ALL), chosen)
    except StoreError:
        public = None
    if public is not None:
        hint = (
            f"it is the id of a public edition, in releases/{chosen} of {config.public_url}; there "
            "`sha256sum -c SHA256SUMS` holds its files against what was published"
        )
    return CradleError(f"there is no release {chosen} at {config.publish_url}", hint)


def database_of(config: Settings, manifest: Mapping[str, Any]) -> Path:
    """The database of a release, or a one-line error where its data files were pruned."""
    from dagster_project.lib.publish.release.opening import database_path
    from dagster_project.lib.publish.release.pointing import ReleaseMissingError

    try:
        return database_path(config, manifest["release_id"])
    except ReleaseMissingError as error:
        hint = f"`cradle verify {manifest['release_id']} --rebuild` makes it again from the kept raw bytes"
        raise CradleError(str(error), f"{hint}, where they are kept") from None


@click.command()
@click.argument("community")
@click.argument("what", required=False, metavar="[OUTCOME | DESIGNATION]")
@click.option("--year", type=int, required=True, help="Reporting year.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON.")
def explain(community: str, what: str | None, year: int, as_json: bool) -> None:
    """Why a community's designation or outcome is what it is, from the current release.

    Where the record is frozen, it is the frozen one that is told, and what would be now beside it.
    """
    found = _records(settings(), community, what, year)
    if found.outcome is None:
        _tell_records(found, as_json)
    else:
        _tell_outcome(found, found.outcome, as_json)


def _tell_records(found: _Found, as_json: bool) -> None:
    from dagster_project.lib.analysis.records.beside import beside_lines, would_be_now
    from dagster_project.lib.analysis.records.explain import explain_record
    from dagster_project.lib.analysis.vocabulary import FROZEN

    if as_json:
        told = [
            record | {"would_be_now": would_be_now(record, now)} if record["state"] == FROZEN else record
            for record, now in found.pairs
        ]
        click.echo(json.dumps(told if len(told) > 1 else told[0], ensure_ascii=False, indent=1))
        return
    for number, (record, now) in enumerate(found.pairs):
        if number:
            click.echo("")
        beside = beside_lines(record, now) if record["state"] == FROZEN else []
        for line in explain_record(record, found.folders, beside):
            click.echo(line)


def _tell_outcome(found: _Found, outcome: str, as_json: bool) -> None:
    """The outcome alone, out of the record that holds it."""
    from dagster_project.lib.analysis.records.beside import beside_outcome
    from dagster_project.lib.analysis.records.explain import explain_outcome
    from dagster_project.lib.analysis.records.one_outcome import (
        outcome_beside,
        outcome_record,
        outcome_would_be_now,
        pooled_behind,
    )
    from dagster_project.lib.analysis.vocabulary import FROZEN

    ((record, now),) = found.pairs
    try:
        one = outcome_record(record, outcome, found.folders)
        one["pooled_parts"] = pooled_behind(one, found.parts)
    except KeyError:
        held = ", ".join(row["outcome_id"] for row in record["computed"].get("outcomes", []))
        raise CradleError(f"no verdict is made of the outcome {outcome}", f"verdicts are made of {held}", 2) from None
    frozen = record["state"] == FROZEN
    if as_json:
        beside = {"would_be_now": outcome_would_be_now(record, now, outcome)} if frozen else {}
        click.echo(json.dumps(one | beside, ensure_ascii=False, indent=1))
        return
    for line in explain_outcome(one, beside_outcome(outcome_beside(record, now, outcome)) if frozen else []):
        click.echo(line)


@dataclass(frozen=True)
class _Found:
    """Records with what today's data give, folder years of submissions, the outcome asked for, and parts of sums."""

    pairs: list[Pair]
    folders: dict[str, int]
    outcome: str | None
    parts: list[dict[str, Any]]


Pair = tuple[dict[str, Any], dict[str, Any] | None]


def _records(config: Settings, community: str, what: str | None, year: int) -> _Found:
    """Each determination asked for: its record (frozen where it is), and the record that today's data give."""
    from dagster_project.lib.app.analysis import record_inputs
    from dagster_project.lib.app.frozen import cycle_of
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.ruleset import read_ruleset
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.release.opening import open_release

    manifest = manifest_of_release(config, None)
    reference = Reference(config.seeds)
    rules = (manifest["ruleset_id"], manifest["ruleset_version"])
    designations = reference.table("rubric/designations").filter(ruleset_id=rules[0])["designation"].to_list()
    outcomes = reference.outcomes["outcome_id"].to_list()
    if what is not None and what not in (*designations, *outcomes):
        known = ", ".join([*designations, *outcomes])
        raise CradleError(f"{what} is neither an outcome nor a designation", f"known are {known}", 2)
    known_communities(reference, [community])
    wanted = designations if what is None else [what if what in designations else SEVEN_OUTCOMES_RECORD]
    ruleset = read_ruleset(reference, rules)
    lake = Store(config.lake_url, config.s3_endpoint)
    with open_release(config) as connection:
        inputs = record_inputs(connection, community, reference, dt.date.fromisoformat(manifest["today"]), ruleset)
        cycle = cycle_of(connection, lake, year, reference.names)
        folders = connection.execute(
            "select submission_id, reporting_year from marts.dim_submission where community_id = ?", [community]
        ).fetchall()
        parts = _pooled_parts(connection, community, year)
    frozen = cycle.read().records if cycle else []
    mine = [record for record in frozen if cycle and cycle.place_of(record) == community]
    kept = {record["designation"]: record for record in mine}
    try:
        pairs = [_pair(inputs, kept.get(name), (community, name, year)) for name in wanted]
    except KeyError as error:
        says = f"no verdict of {what} for {community} in {year}" if what in outcomes else str(error.args[0])
        hint = no_member(reference, community, year) or "see `cradle status` for communities and years"
        raise CradleError(says, hint) from None
    return _Found(pairs, dict(folders), what if what in outcomes else None, parts)


def no_member(reference: Reference, community: str, year: int) -> str:
    """Why nothing is determined of a community in a year in which it was no member; blank where it was one."""
    row = next(row for row in reference.communities.iter_rows(named=True) if row["community_id"] == community)
    if row["left_year"] is not None and year > row["left_year"]:
        return f"{community} left the network in {row['left_year']}; later years of it are not judged"
    return f"{community} joined the network in {row['joined_year']}" if year < row["joined_year"] else ""


def _pooled_parts(connection: Connection, community: str, year: int) -> list[dict[str, Any]]:
    """The districts' rows behind the community's values as known in a reporting year; none in older releases."""
    from dagster_project.lib.base import engine
    from dagster_project.lib.base.names import MARTS

    if "fct_pooled_part" not in engine.tables_of(connection, MARTS):
        return []
    query = (
        "select * from marts.fct_pooled_part where community_id = ? and ? between known_from and known_to order by all"
    )
    return connection.execute(query, [community, year]).pl().to_dicts()


def _pair(inputs: RecordInputs, kept: dict[str, Any] | None, place: tuple[str, str, int]) -> Pair:
    from dagster_project.lib.analysis.records.build import build_record

    try:
        now = build_record(inputs, *place)
    except KeyError:
        if kept is None:
            raise
        return kept, None
    return kept or now, now


@click.command()
@click.argument("release_a")
@click.argument("release_b")
@click.option("--table", "tables", multiple=True, metavar="TABLE", help="Cells of this table only (repeatable).")
@communities_option("Only what is this community's")
@click.option("--cells", "all_cells", is_flag=True, help=f"Print every line and cell, not the first {SHOWN} of each.")
@click.option("--json", "as_json", is_flag=True, help="Print [table, key, column, a, b] rows.")
def compare(
    release_a: str,
    release_b: str,
    tables: tuple[str, ...],
    communities: tuple[str, ...],
    all_cells: bool,
    as_json: bool,
) -> None:
    """What changed between two releases; `current` names the newest.

    First a summary: what was submitted, which reference data and rules differ, counts by table, statuses and
    designations that moved, each with its cause. Then the cells.
    """
    from dagster_project.lib.app.kept import kept_seeds
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.release.compare import compare_releases
    from dagster_project.lib.receipts.difference import Side, as_named_now, difference, summary_lines

    config = settings()
    manifest_a, manifest_b = (manifest_of_release(config, release) for release in (release_a, release_b))
    _known_tables(tables, manifest_a, manifest_b)
    reference = Reference(config.seeds)
    known_communities(reference, communities)
    with ExitStack() as sides:
        a, b = (
            sides.enter_context(as_named_now(Side(manifest, database_of(config, manifest)), reference.names))
            for manifest in (manifest_a, manifest_b)
        )
        differences = compare_releases(a.database, b.database, a.manifest, b.manifest, tables, communities)
        if as_json:
            rows = [[d.table, d.key, d.column, d.a, d.b] for d in differences]
            click.echo(json.dumps(rows, ensure_ascii=False, default=str))
            return
        shown = None if all_cells else SHOWN
        if manifest_a["content_sha256"] != manifest_b["content_sha256"]:
            lake = Store(config.lake_url, config.s3_endpoint)
            for line in summary_lines(difference(a, b, partial(kept_seeds, lake), communities), shown):
                click.echo(visible(line))
        _tell_cells(differences, shown)


def _known_tables(tables: tuple[str, ...], *manifests: Mapping[str, Any]) -> None:
    known = {table["name"] for manifest in manifests for table in manifest["tables"]}
    for table in tables:
        if table not in known:
            raise CradleError(f"neither release has a table {table}", f"tables are {', '.join(sorted(known))}", 2)


def _tell_cells(differences: Iterable[CellDifference], shown: int | None) -> None:
    """Cells table by table, each headed by its name and cut after `shown`; last, how many there are in all."""
    count = 0
    for table, cells in groupby(differences, key=lambda cell: cell.table):
        click.echo(f"\n{table}:")
        n = 0
        for n, d in enumerate(cells, 1):
            if shown is None or n <= shown:
                click.echo(visible(f"  {cell_line(d)}"))
        if shown is not None and n > shown:
            click.echo(f"  and {n - shown:,} more (--cells prints them)")
        count += n
    click.echo(f"\n{count:,} cells differ" if count else "the two releases hold the same tables")


def cell_line(cell: CellDifference) -> str:
    """A cell, or a row or table that only one side has, in words."""
    if not cell.column:
        return f"{cell.key or 'the table'}: {'new' if cell.a is None else 'gone'}"
    return f"{cell.key}  {cell.column}: {cell.a} -> {cell.b}"


@click.command()
@click.argument("release", required=False)
@click.option("--rebuild", "again", is_flag=True, help="Make it again from kept raw bytes and compare every hash.")
@click.option("--keep", is_flag=True, help="With --rebuild: leave the side home in the work folder.")
def verify(release: str | None, again: bool, keep: bool) -> None:
    """Hash every table and file of a release again and compare with its manifest; exit 1 if one differs.

    --rebuild runs the whole job over the folders as they stood, with the seeds and on the day of the release, in a
    side home. Where code or packages are others than the release's own, values are compared instead, at 1e-9.
    """
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.release.compare import verify_release

    config = settings()
    manifest = manifest_of_release(config, release)
    if again:
        _verify_by_rebuild(config, manifest, keep)
        return
    verdicts = verify_release(database_of(config, manifest), manifest, Store(config.publish_url, config.s3_endpoint))
    for verdict in verdicts:
        click.echo(f"{'ok  ' if verdict.ok else 'BAD '} {verdict.table}: {verdict.found}")
    bad = sum(not verdict.ok for verdict in verdicts)
    state = f"{bad} {'differs' if bad == 1 else 'differ'} from the manifest" if bad else "all as the manifest says"
    click.echo(f"{manifest['release_id']}: {len(verdicts)} tables and files, {state}")
    if bad:
        sys.exit(1)


def _verify_by_rebuild(config: Settings, manifest: Mapping[str, Any], keep: bool) -> None:
    from dagster_project.cli.progress import shown_progress
    from dagster_project.instance.runs import only_one
    from dagster_project.lib.app.rebuild import RebuildError, rebuild
    from dagster_project.lib.base.store import StoreError
    from dagster_project.lib.publish.release.opening import database_path
    from dagster_project.lib.publish.release.pointing import ReleaseMissingError
    from dagster_project.lib.warehouse.dbt_run import WarehouseError

    try:
        database: Path | None = database_path(config, manifest["release_id"])
    except ReleaseMissingError:
        database = None
    try:
        with only_one(config), shown_progress():
            result = rebuild(config, manifest, database, keep)
    except RebuildError as error:
        raise CradleError(str(error), "it cannot be made again; `cradle verify` hashes what is published") from None
    except (WarehouseError, StoreError, ValueError) as error:
        # ValueError: what seeds are refused for, or what analysis says of rules that contradict each other.
        raise CradleError(f"the rebuild stopped: {error}", "nothing published has changed") from None
    for line in rebuilt_lines(result):
        click.echo(line)
    if not result.is_same:
        sys.exit(1)


def rebuilt_lines(result: Rebuilt) -> list[str]:
    """What came out of a rebuild in plain lines: what was compared, what differs, and the verdict last."""
    lines = []
    if result.other_code:
        names = " and ".join(OTHER_CODE[name] for name in result.other_code)
        what = (
            "values are compared at 1e-9" if result.cells is not None else "its data were pruned: hashes are compared"
        )
        lines.append(f"{names} not those of the release: {what}.")
    if result.cells is not None:
        lines += [f"BAD  {cell.table}  {cell.key}  {cell.column}: {cell.a} -> {cell.b}" for cell in result.cells]
        found = f"{len(result.cells):,} cells differ" if result.cells else "every value came out again"
        return [*lines, f"{result.release_id}: {result.n_tables} tables made again, {found}"]
    lines += [f"BAD  {table}: another hash" for table in result.differing]
    if result.pages_alike is False and not result.differing:
        lines.append("BAD  the report's pages: another hash")
    pages = "" if result.pages_alike is None else " and of the pages"
    found = (
        f"{len(result.differing)} with another hash" if result.differing else f"every hash of tables{pages} came out"
    )
    if result.pages_alike is False and not result.differing:
        found = "every hash of tables came out, that of the pages did not"
    return [*lines, f"{result.release_id}: {result.n_tables} tables made again, {found}"]


COMMANDS: list[click.Command] = [explain, compare, verify]
