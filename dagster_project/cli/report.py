"""The command that prints report cards: `cradle report pdf`.

Belongs here: arguments, and which release's cards are printed.
Does not: printing (lib/publish/report/making/pdf.py), the report itself, which every run writes.
"""

from __future__ import annotations

import click

from dagster_project.cli.base import CradleError, communities_option, known_communities, settings


@click.group("report")
def report() -> None:
    """What is made of the report of a release, beside it."""


@report.command("pdf")
@communities_option("Only the cards of these communities")
@click.option("--public", "is_public", is_flag=True, help="The cards of the public edition, beside it.")
@click.option("--language", default="en", show_default=True, help="The cards in a language that is published: en, es.")
@click.option("--browser", "named", metavar="PROGRAM", help="The Chromium that prints (default: the one on PATH).")
def pdf(communities: tuple[str, ...], is_public: bool, language: str, named: str | None) -> None:
    """Print report cards of the current release as PDF, one a community, into cards/{release}/ beside releases/.

    No release is changed: the PDFs are in no manifest, and go when the release's data files go.
    """
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.base.store import Store
    from dagster_project.lib.publish.public.shown import current_public, manifest_or_none
    from dagster_project.lib.publish.release.pointing import current_release, read_manifest
    from dagster_project.lib.publish.release.states import nothing_current
    from dagster_project.lib.publish.report.making.pdf import NoCardError, PdfError, browser, cards

    config = settings()
    known_communities(Reference(config.seeds), communities)
    store = Store(config.public_url if is_public else config.publish_url, config.s3_endpoint)
    release_id = current_public(store) if is_public else current_release(store)
    if release_id is None:
        hint = "`cradle public` publishes the public edition" if is_public else "run `cradle run` first"
        raise CradleError(f"nothing is published at {store.url} yet" if is_public else nothing_current(store), hint)
    manifest = manifest_or_none(store, release_id) if is_public else read_manifest(store, release_id)
    try:
        program = browser(named)
        day = (manifest or {})["today"]
        for key, size in cards(store, release_id, day, communities or None, program, language):
            click.echo(f"{store.url}/{key}: {size:,} bytes")
    except NoCardError as error:
        raise CradleError(str(error), error.hint) from None
    except PdfError as error:
        raise CradleError(
            str(error), "install the system's package chromium, or name the program with --browser"
        ) from None


COMMANDS: list[click.Command] = [report]
