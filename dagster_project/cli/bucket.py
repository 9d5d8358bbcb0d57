"""Commands about the bucket itself: reconcile, grant.

Belongs here: arguments, exit codes and output of these commands.
Does not: any work of its own (lib/intake), other commands (cli/main.py).
"""

from __future__ import annotations

import json

import click

from dagster_project.cli.base import CradleError, known_communities, known_year, settings
from dagster_project.settings import Settings

DIFFERENT, USAGE = 1, 2
MINUTES = 60


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print every difference as JSON.")
def reconcile(as_json: bool) -> None:
    """Prove that bucket, ledger and lake agree; exit 1 and one line for each difference if they do not."""
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.store import Store, StoreError
    from dagster_project.lib.intake.bucket.drop import open_drop
    from dagster_project.lib.intake.bucket.reconcile import reconcile as find_differences

    config = settings()
    try:
        drop, lake = open_drop(config.drop_url, config.s3_endpoint), Store(config.lake_url, config.s3_endpoint)
        found = find_differences(drop, lake, Reference(config.seeds), config.today)
    except StoreError as error:
        raise CradleError(str(error), "check the address and the AWS_* variables, then try again") from None
    if as_json:
        lines = [{"between": line.between, "subject": line.subject, "what": line.what} for line in found]
        click.echo(json.dumps(lines, ensure_ascii=False, indent=1))
    elif found:
        for line in found:
            click.echo(f"{line.between}: {line.subject}: {line.what}")
        click.echo(f"{len(found):,} differences; `cradle run` takes up what is new, then reconcile again")
    else:
        click.echo("bucket = ledger = lake")
    if found:
        raise click.exceptions.Exit(DIFFERENT)


@click.command()
@click.argument("community")
@click.option("--policy", "as_policy", is_flag=True, help="Print the policy document (the default).")
@click.option("--principal", metavar="ARN", help="Make it a bucket policy for this principal.")
@click.option("--presign", metavar="NAME", help="Print a signed address that takes one upload of this file.")
@click.option("--year", type=int, help="Reporting year of the upload.")
@click.option("--minutes", type=click.IntRange(1, 7 * 24 * 60), default=60, help="How long the address holds.")
def grant(
    community: str, as_policy: bool, principal: str | None, presign: str | None, year: int | None, minutes: int
) -> None:
    """Print what lets COMMUNITY write below its own folder of the bucket only: a policy, or a signed address."""
    from dagster_project.lib.intake.bucket.grant import GrantError, policy

    config = settings()
    _known(config, community)
    if as_policy and presign:
        raise CradleError("--policy and --presign exclude each other", "ask for one of them", USAGE)
    if not config.drop_url.startswith("s3://"):
        raise CradleError(
            f"the drop bucket is a folder: let {community} write in {config.drop_url}/{community} "
            "by the file system's own rights (a group or an ACL on that folder)",
            exit_code=USAGE,
        )
    try:
        if presign:
            click.echo(_signed(config, community, year, presign, minutes))
        else:
            click.echo(json.dumps(policy(config.drop_url, community, principal), indent=2))
    except GrantError as error:
        raise CradleError(str(error), exit_code=USAGE) from None


def _known(config: Settings, community: str) -> None:
    from dagster_project.lib.base.names import NETWORK_FOLDER
    from dagster_project.lib.base.reference import Reference

    known_communities(Reference(config.seeds), [community], NETWORK_FOLDER)


def _signed(config: Settings, community: str, year: int | None, name: str, minutes: int) -> str:
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.store import Store, StoreError
    from dagster_project.lib.intake.bucket.grant import upload_key

    if year is None:
        raise CradleError("--presign needs --year", "for example --year 2024", USAGE)
    known_year(Reference(config.seeds).reporting_years(config.today), year)
    try:
        store = Store(config.drop_url, config.s3_endpoint)
        return store.upload_url(upload_key(community, year, name), minutes * MINUTES)
    except StoreError as error:
        raise CradleError(str(error), "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") from None


COMMANDS: list[click.Command] = [reconcile, grant]
