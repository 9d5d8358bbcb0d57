"""Commands that read published releases: explain, compare, verify.

Belongs here: arguments, exit codes and plain-text output of these commands.
Does not: reading or judging releases (lib/publish), records and their words (lib/analysis).
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import TYPE_CHECKING, Any

import click

from dagster_project.cli.base import CradleError, known_communities, settings
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.lib.analysis.records.inputs import RecordInputs

CURRENT = "current"  # the word for the release that `current` names
SEVEN_OUTCOMES_RECORD = "proof_point_ongoing"  # the designation whose record holds all seven outcomes with their gaps


def manifest_of_release(config: Settings, release_id: str | None) -> dict[str, Any]:
    """The manifest of a release, the current one by default, or a one-line error."""
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.release.release import current_release, read_manifest

    store = Store(config.publish_url, config.s3_endpoint)
    chosen = current_release(store) if release_id in (None, CURRENT) else release_id
    if chosen is None:
        raise CradleError(f"nothing is published at {config.publish_url} yet", "run `cradle run` first")
    try:
        return read_manifest(store, chosen)
    except FileNotFoundError:
        raise CradleError(f"there is no release {chosen} at {config.publish_url}", "see its folder releases/") from None


@click.command()
@click.argument("community")
@click.argument("what", required=False, metavar="[OUTCOME | DESIGNATION]")
@click.option("--year", type=int, required=True, help="Reporting year.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON.")
def explain(community: str, what: str | None, year: int, as_json: bool) -> None:
    """Why a community's designation or outcome is what it is, from the current release.

    Where the record is frozen, it is the frozen one that is told, and what would be now beside it.
    """
    from dagster_project.lib.analysis.records.beside import beside_lines, would_be_now
    from dagster_project.lib.analysis.records.explain import explain_record
    from dagster_project.lib.analysis.vocabulary import FROZEN

    config = settings()
    pairs, outcome = _records(config, community, what, year)
    if as_json:
        told = [
            record | {"would_be_now": would_be_now(record, now)} if record["state"] == FROZEN else record
            for record, now in pairs
        ]
        click.echo(json.dumps(told if len(told) > 1 else told[0], ensure_ascii=False, indent=1))
        return
    for number, (record, now) in enumerate(pairs):
        if number:
            click.echo("")
        beside = beside_lines(record, now) if record["state"] == FROZEN else []
        for line in explain_record(record, outcome, beside):
            click.echo(line)


Pair = tuple[dict[str, Any], dict[str, Any] | None]


def _records(config: Settings, community: str, what: str | None, year: int) -> tuple[list[Pair], str | None]:
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
        cycle = cycle_of(connection, lake, year)
    mine = [record for record in (cycle.read().records if cycle else []) if record["community_id"] == community]
    kept = {record["designation"]: record for record in mine}
    try:
        pairs = [_pair(inputs, kept.get(name), (community, name, year)) for name in wanted]
    except KeyError as error:
        raise CradleError(str(error.args[0]), "see `cradle status` for communities and years") from None
    return pairs, what if what in outcomes else None


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
@click.option("--json", "as_json", is_flag=True, help="Print [table, key, column, a, b] rows.")
def compare(release_a: str, release_b: str, as_json: bool) -> None:
    """Every cell that differs between two releases; `current` names the newest."""
    from dagster_project.lib.publish.release.compare import compare_releases
    from dagster_project.lib.publish.release.opening import database_path

    config = settings()
    manifest_a, manifest_b = (manifest_of_release(config, release) for release in (release_a, release_b))
    path_a, path_b = (database_path(config, manifest["release_id"]) for manifest in (manifest_a, manifest_b))
    differences = compare_releases(path_a, path_b, manifest_a, manifest_b)
    if as_json:
        rows = [[d.table, d.key, d.column, d.a, d.b] for d in differences]
        click.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    count = 0
    for d in differences:
        count += 1
        click.echo(f"{d.table}  {d.key}  {d.column}: {d.a} -> {d.b}")
    click.echo(f"{count:,} cells differ" if count else "the two releases hold the same tables")


@click.command()
@click.argument("release", required=False)
def verify(release: str | None) -> None:
    """Hash every table of a release again and compare with its manifest; exit 1 if one differs."""
    from dagster_project.lib.publish.release.compare import verify_release
    from dagster_project.lib.publish.release.opening import database_path

    config = settings()
    manifest = manifest_of_release(config, release)
    verdicts = verify_release(database_path(config, manifest["release_id"]), manifest)
    for verdict in verdicts:
        click.echo(f"{'ok  ' if verdict.ok else 'BAD '} {verdict.table}: {verdict.found}")
    bad = sum(not verdict.ok for verdict in verdicts)
    state = f"{bad} differ from the manifest" if bad else "all as the manifest says"
    click.echo(f"{manifest['release_id']}: {len(verdicts)} tables, {state}")
    if bad:
        sys.exit(1)


COMMANDS: list[click.Command] = [explain, compare, verify]
