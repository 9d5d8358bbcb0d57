"""Commands that decide what becomes of releases: release finalize, release withdraw, prune.

Belongs here: arguments, exit codes and plain-text output of these commands.
Does not: what a decision moves (lib/publish/release/decisions.py), what is pruned (lib/publish/release/retention.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from dagster_project.cli.base import CradleError, settings
from dagster_project.cli.release import database_of, manifest_of_release, told_since
from dagster_project.cli.server import serve_current
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.lib.publish.release.retention import Fate


COMMUNITIES_NAMED = 10


@contextmanager
def _deciding(config: Settings) -> Iterator[None]:
    """Hold the home's lock; what cannot be decided is one line."""
    from dagster_project.instance.runs import only_one
    from dagster_project.lib.base.store import StoreError
    from dagster_project.lib.publish.release.decisions import DecisionError
    from dagster_project.lib.publish.release.states import StatesError

    try:
        with only_one(config):
            yield
    except DecisionError as error:
        raise CradleError(str(error), f"see {config.publish_url}/states.csv") from None
    except StatesError as error:
        raise CradleError(str(error), f"correct the line in {config.publish_url}/states.csv") from None
    except StoreError as error:
        raise CradleError(str(error), "check CRADLE_PUBLISH_URL and its rights") from None


@click.group("release")
def release_group() -> None:
    """The state of a release: provisional until it is made final or withdrawn."""


@release_group.command()
@click.argument("release")
@click.option("--reason", default="", help="Why, in a sentence; kept beside the state.")
@click.option("--waive-reviews", default="", metavar="WHY", help="Do not ask for a review per community, and why.")
def finalize(release: str, reason: str, waive_reviews: str) -> None:
    """Make RELEASE final (`current`: the current one): never pruned, and its inputs are pinned.

    Every community that counts in the latest reporting year must have looked at its figures (community_reviews).
    """
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.release import decisions
    from dagster_project.lib.publish.release.compare import verify_release

    config = settings()
    store = Store(config.publish_url, config.s3_endpoint)
    with _deciding(config):
        manifest = manifest_of_release(config, release)
        # Before anything is asked of communities or hashed: no answer to it would change that.
        decisions.require_open(store, manifest["release_id"])
        verdicts = verify_release(database_of(config, manifest), manifest, store)
        bad = [verdict.table for verdict in verdicts if not verdict.ok]
        if bad:
            raise CradleError(
                f"release {manifest['release_id']} is not what its manifest says ({', '.join(bad)})",
                "make a new one with `cradle run` and withdraw this one",
            )
        waived = _reviews_asked_for(config, manifest["release_id"], waive_reviews)
        decisions.finalize(store, manifest["release_id"], config.today, "; ".join(filter(None, [reason, waived])))
        pinned = decisions.pinned(store)[manifest["release_id"]]
    n_folders = sum(1 for row in pinned if row["submission_id"])
    click.echo(f"Final    {manifest['release_id']}, from {config.today} on; its data files are never pruned")
    click.echo(f"Pinned   the raw files of its {n_folders:,} folders and its frozen cycles")
    for line in told_since(config, manifest):
        click.echo(line)
    _return_results(config, manifest["release_id"])


def _return_results(config: Settings, release_id: str) -> None:
    """Put each community's results beside the public figures into its outbox folder; exit 1 for refused ones."""
    from dagster_project.lib.app.public import PublicEdition

    with _deciding(config):
        refused = PublicEdition(config).return_results(release_id)
    if refused is None:
        click.echo("Returned nothing: no public edition of this release is out; `cradle public` and then")
        click.echo(f"         `cradle release results {release_id}` put each community's results beside it")
        return
    click.echo(f"Returned each community's results beside the public figures, to {config.outbox_url}")
    for community, why in sorted(refused.items()):
        click.echo(f"refused  the results of {community}: {why}", err=True)
    if refused:
        raise CradleError("some results were not written", f"mend the outbox and: cradle release results {release_id}")


@release_group.command()
@click.argument("release")
def results(release: str) -> None:
    """Return results again: each community's own figures of a final RELEASE beside the public network figures."""
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.release.states import FINAL, read_states

    config = settings()
    release_id = manifest_of_release(config, release)["release_id"]
    if read_states(Store(config.publish_url, config.s3_endpoint)).state(release_id) != FINAL:
        raise CradleError(f"release {release_id} is not final", f"`cradle release finalize {release_id}` first")
    _return_results(config, release_id)


def _named(communities: Sequence[str]) -> str:
    return ", ".join(communities[:COMMUNITIES_NAMED]) + (", ..." if len(communities) > COMMUNITIES_NAMED else "")


def _reviews_asked_for(config: Settings, release_id: str, waiver: str) -> str:
    """What the state says of waived reviews, empty where none is missing; a one-line error without a waiver."""
    from dagster_project.lib.publish.release.decisions import unreviewed
    from dagster_project.lib.publish.release.opening import open_release

    with open_release(config, release_id) as connection:
        missing = unreviewed(connection)
    if not missing:
        return ""
    several = "1 community has" if len(missing) == 1 else f"{len(missing):,} communities have"
    if not waiver.strip():
        raise CradleError(
            f"{several} not looked at the figures: {_named(missing)}",
            "each puts a table community_reviews (day, body, reading) into its folder; or --waive-reviews WHY",
        )
    return f"reviews of {', '.join(missing)} waived: {waiver.strip()}"


@release_group.command()
@click.argument("release")
@click.option("--reason", required=True, help="Why, in a sentence; kept beside the state.")
def withdraw(release: str, reason: str) -> None:
    """Withdraw RELEASE (`current`: the current one); the newest that is not withdrawn becomes current in its place.

    The id of a public release takes that one down: its files are deleted, and what it had let out is told. One that
    was made of a withdrawn internal release stays out until then.
    """
    from dagster_project.lib.app.stands.cycles import read_frozen
    from dagster_project.lib.app.stands.public import PublicStands
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.release import decisions

    config = settings()
    store = Store(config.publish_url, config.s3_endpoint)
    if _is_public(config, release):
        _take_down(config, release, reason)
        return
    with _deciding(config):
        release_id = manifest_of_release(config, release)["release_id"]
        current = decisions.withdraw(store, release_id, config.today, reason)
    click.echo(f"Withdrawn {release_id}, from {config.today} on")
    click.echo(f"Current   {current or 'none: every release is withdrawn; `current` and `current.duckdb` are gone'}")
    click.echo("The same content is not published again; correct what was wrong before the next `cradle run`.")
    for cycle in read_frozen(Store(config.lake_url, config.s3_endpoint)):
        if cycle.release_id == release_id:
            click.echo(f"Frozen    reporting year {cycle.reporting_year} was decided from it, and its records stay so")
    for public_id in PublicStands(config).made_of(release_id):
        click.echo(f"Public    {public_id} was made of it and is still out; take it down as well:")
        click.echo(f"          cradle release withdraw {public_id} --reason WHY")
    _serve_and_tell(config, release_id)


def _is_public(config: Settings, release: str) -> bool:
    from dagster_project.lib.app.public import PublicEdition

    return release in {line["public_id"] for line in PublicEdition(config).register.lines()}


def _take_down(config: Settings, public_id: str, reason: str) -> None:
    from dagster_project.lib.app.public import PublicEdition
    from dagster_project.lib.publish.public.edition import take_down

    with _deciding(config):
        lines = take_down(PublicEdition(config).places, public_id, config.today.isoformat(), reason)
    for line in lines:
        click.echo(line)
    _serve_and_tell(config, public_id)


def _serve_and_tell(config: Settings, withdrawn: str) -> None:
    # The server first: an outbox that cannot be read must not leave it with what was withdrawn.
    serve_current(config)
    _tell_returned(config, withdrawn)


def _tell_returned(config: Settings, withdrawn: str) -> None:
    """Say whose folders go on holding results that name what was withdrawn: a member who reads them is not told."""
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.store import Store, StoreError
    from dagster_project.lib.publish.public.results import returned_with

    reference = Reference(config.seeds)
    members = reference.communities["community_id"].sort()
    communities = [name for member in members for name in reference.names.all_of(member)]
    try:
        held = returned_with(Store(config.outbox_url, config.s3_endpoint), communities, withdrawn)
    except StoreError as error:
        raise CradleError(f"it is withdrawn; whose results name it is not known: {error}", "check the outbox") from None
    if held:
        several = "1 community holds" if len(held) == 1 else f"{len(held):,} communities hold"
        click.echo(f"Results   {several} results that name it in the outbox: {_named(held)}")
        click.echo(
            "          tell them; `cradle release results RELEASE` of the next final one replaces those of its year"
        )


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
def prune(dry_run: bool) -> None:
    """Delete the data files of old provisional and of withdrawn releases; manifests, raw files and the ledger stay.

    Kept are the current release, final ones, those that frozen cycles and the change log need, and the newest
    CRADLE_RELEASES_KEPT provisional ones.
    """
    from dagster_project.lib.app.pruning import carry_out, prune_plan, to_be_freed
    from dagster_project.lib.base.store import Store

    config = settings()
    published, lake = (Store(url, config.s3_endpoint) for url in (config.publish_url, config.lake_url))
    with _deciding(config):
        fates = prune_plan(published, lake, config.releases_kept)
        freed, stay = to_be_freed(published, fates)
        if not dry_run:
            carry_out(published, fates)
    for line in prune_lines(fates):
        click.echo(line)
    said = f"{freed:,} bytes would be freed (dry run, nothing was deleted)" if dry_run else f"{freed:,} bytes freed"
    click.echo(f"{said}, {stay:,} bytes of releases stay.")
    click.echo("Raw files, accepted rows and the ledger stay in the lake, also where no kept release needs them.")


def prune_lines(fates: Sequence[Fate]) -> list[str]:
    """One line a release that has data files, the newest first."""
    return [
        f"{'keep ' if fate.is_kept else 'prune'} {fate.release_id}  {fate.state:<11}  {fate.data_bytes:>13,} bytes  "
        f"{fate.why}"
        for fate in fates
    ]


COMMANDS: list[click.Command] = [release_group, prune]
