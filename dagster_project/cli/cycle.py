"""Commands around a reporting cycle: freeze it, rehearse a change of rules.

Belongs here: arguments, exit codes and plain-text output of these commands.
Does not: keeping frozen records (lib/app/frozen.py), running a rehearsal (lib/app/rehearsal.py).
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dagster_project.cli.base import CradleError, at_a_terminal, settings
from dagster_project.cli.release import cell_line, manifest_of_release, told_since
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.lib.app.rehearsal import Rehearsal

CELLS_SHOWN = 20


@click.command()
@click.argument("year", type=int)
def freeze(year: int) -> None:
    """Close a cycle: keep the records of reporting YEAR as the current release holds them, for good."""
    from dagster_project.instance.runs import only_one
    from dagster_project.lib.app.frozen import FreezeError, FrozenAlreadyError
    from dagster_project.lib.base.reference import SeedError
    from dagster_project.lib.base.store import StoreError
    from dagster_project.lib.publish.release.pointing import ReleaseMissingError

    config = settings()
    try:
        _ask_if_early(config, year)
        with only_one(config):
            lines = _freeze(config, year)
    except FrozenAlreadyError as error:
        raise CradleError(str(error)) from None
    except (FreezeError, StoreError, SeedError, ReleaseMissingError) as error:
        raise CradleError(str(error), "run `cradle run`, then freeze what `cradle explain` shows") from None
    for line in lines:
        click.echo(line)


def _ask_if_early(config: Settings, year: int) -> None:
    """Ask who sits at a terminal before a cycle that has not ended, or by a release that is older than the lake, is
    closed for good; a program is told afterwards."""
    from dagster_project.lib.app import frozen
    from dagster_project.lib.base.store import Store

    if not at_a_terminal():
        return
    frozen.refuse_frozen(Store(config.lake_url, config.s3_endpoint), year)
    manifest = manifest_of_release(config, None)
    today = dt.date.fromisoformat(manifest["today"])
    early = [f"Reporting year {year} ends on {year}-12-31, and the current release is of {today}."]
    says = "\n".join([*(early if today < dt.date(year, 12, 31) else []), *told_since(config, manifest)])
    if says:
        click.confirm(f"{says}\nWhat is frozen stays as it is for good. Freeze it now?", abort=True)


def _freeze(config: Settings, year: int) -> list[str]:
    from dagster_project.lib.app import frozen
    from dagster_project.lib.app.stands.cycles import FrozenContent, frozen_key
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.ruleset import read_ruleset
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.release.opening import open_release

    lake = Store(config.lake_url, config.s3_endpoint)
    frozen.refuse_frozen(lake, year)
    manifest = manifest_of_release(config, None)
    today = dt.date.fromisoformat(manifest["today"])
    reference = Reference(config.seeds)
    ruleset_id, version = manifest["ruleset_id"], manifest["ruleset_version"]
    try:
        ruleset = read_ruleset(reference, (ruleset_id, version))
    except ValueError as error:
        raise CradleError(str(error), "the seeds are not those of the current release; run `cradle run`") from None
    with open_release(config, manifest["release_id"]) as connection:
        records = frozen.records_to_freeze(connection, year, reference, today, ruleset)
        distances, judged = frozen.distances_to_freeze(connection, year), frozen.judged_to_freeze(connection, year)
        held = FrozenContent(records, distances, judged)
    content = frozen.file_bytes(year, held, manifest["release_id"], (ruleset_id, version))
    sha256 = frozen.freeze_cycle(lake, year, content)
    n_communities = len({record["community_id"] for record in records})
    lines = [
        f"Frozen   reporting year {year}: {len(records)} records of {n_communities} communities",
        f"Rules    {ruleset_id} {version}, release {manifest['release_id']}",
        f"File     {config.lake_url}/{frozen_key(year)}, sha256 {sha256}",
        "The next `cradle run` takes them as an input; later data will stand beside them as what would be now.",
    ]
    if today < dt.date(year, 12, 31):
        lines.append(f"Note: the cycle had not ended; the records speak as of {today}.")
    return [*lines, *told_since(config, manifest)]


@click.command()
@click.option(
    "--seeds", type=click.Path(path_type=Path, file_okay=False), help="Changed seeds (default: those in use)."
)
@click.option("--ruleset", "ruleset", metavar="ID[@VERSION]", help="Another ruleset of the seeds.")
@click.option("--json", "as_json", is_flag=True, help="Print counts, designations and [table, key, column, a, b] rows.")
@click.option("--all", "all_cells", is_flag=True, help=f"Print every cell, not the first {CELLS_SHOWN} of each table.")
@click.option("--keep", is_flag=True, help="Leave the side home in the work folder.")
def rehearse(seeds: Path | None, ruleset: str | None, as_json: bool, all_cells: bool, keep: bool) -> None:
    """What would move against the current release under changed seeds, contracts or rules; nothing is published.

    Runs over the drop as it stands, in a side home, on the current release's day.
    """
    result = _rehearse(settings(), seeds, ruleset, keep)
    if as_json:
        click.echo(json.dumps(_as_json(result), ensure_ascii=False, default=str))
        return
    for line in rehearsal_lines(result, None if all_cells else CELLS_SHOWN):
        click.echo(line)


def _rehearse(config: Settings, seeds: Path | None, wanted: str | None, keep: bool) -> Rehearsal:
    from dagster_project.cli.progress import shown_progress
    from dagster_project.instance.runs import only_one
    from dagster_project.lib.app import rehearsal
    from dagster_project.lib.base.reference import Reference, SeedError
    from dagster_project.lib.base.ruleset import in_force_on
    from dagster_project.lib.base.store import StoreError
    from dagster_project.lib.publish.release.opening import database_path
    from dagster_project.lib.warehouse.dbt_run import WarehouseError

    folder = (seeds or config.seeds).expanduser().resolve()
    if not (folder / "network" / "communities.csv").is_file():
        raise CradleError(f"--seeds {seeds} has no network/communities.csv", "point it at a folder of seeds", 2)
    manifest = manifest_of_release(config, None)
    reference, today = Reference(folder), dt.date.fromisoformat(manifest["today"])
    try:
        ruleset = rehearsal.choose_ruleset(reference, wanted, in_force_on(reference, today))
    except (SeedError, ValueError) as error:
        raise CradleError(str(error), "see rulesets/ruleset_parameters.csv of the seeds", 2) from None
    try:
        with only_one(config), shown_progress():
            release = database_path(config, manifest["release_id"])
            return rehearsal.rehearse(config, folder, ruleset, release, manifest, keep)
    except (WarehouseError, StoreError, ValueError) as error:
        # ValueError: what seeds are refused for, or what analysis says of rules that contradict each other.
        raise CradleError(f"the rehearsal stopped: {error}", "nothing published has changed") from None


def _as_json(result: Rehearsal) -> dict[str, Any]:
    return {
        "release_id": result.release_id,
        "ruleset": list(result.ruleset),
        "changed_folders": list(result.changed_folders),
        "tables": [asdict(moves) for moves in result.tables],
        "designations": result.designations.to_dicts(),
        "cells": [[cell.table, cell.key, cell.column, cell.a, cell.b] for cell in result.cells],
    }


def rehearsal_lines(result: Rehearsal, shown: int | None) -> list[str]:
    """The rehearsal in plain lines: counts by table, designations, then cells (`shown` of each table; None: all)."""
    lines = [f"Against release {result.release_id}, under {' '.join(result.ruleset)}."]
    if result.changed_folders:
        folders = ", ".join(result.changed_folders)
        lines.append(f"Folders that changed since that release move too: {folders}.")
    if not result.tables:
        return [*lines, "Nothing would move."]
    for kind in dict.fromkeys(moves.kind for moves in result.tables):
        lines += ["", f"{kind.capitalize()}:"]
        for moves in result.tables:
            if moves.kind == kind:
                counts = f"{moves.cells:,} cells, {moves.rows_added:,} new rows, {moves.rows_gone:,} rows gone"
                lines.append(f"  {moves.table}: {counts}")
    lines += ["", *_designation_lines(result.designations.to_dicts())]
    for moves in result.tables:
        cells = [cell for cell in result.cells if cell.table == moves.table]
        lines += ["", f"{moves.table}:", *[f"  {cell_line(cell)}" for cell in cells[:shown]]]
        if shown is not None and len(cells) > shown:
            lines.append(f"  and {len(cells) - shown:,} more (--all prints them)")
    return lines


def _designation_lines(rows: list[dict[str, Any]]) -> list[str]:
    """Determinations one by one; those that only one side knows are counted by designation."""
    both = [row for row in rows if row["status_before"] and row["status_after"]]
    lines = [f"Determinations that would come out otherwise: {len(both)}"]
    for row in both:
        pairs = [(row[f"{name}_before"], row[f"{name}_after"]) for name in ("status", "standing")]
        moves = ", ".join(f"{before} -> {after}" for before, after in pairs if before != after)
        stays = " (its frozen record stays)" if row["frozen"] else ""
        lines.append(f"  {row['community_id']}  {row['designation']}  {row['reporting_year']}  {moves}{stays}")
    for side, words in (("status_after", "no longer determined"), ("status_before", "determined only then")):
        counts = Counter(row["designation"] for row in rows if not row[side])
        lines += [f"  {name}: {count} {words}" for name, count in sorted(counts.items())]
    return lines


COMMANDS: list[click.Command] = [freeze, rehearse]
