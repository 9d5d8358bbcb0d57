"""Commands of the member's page: serve, invite and mail.

Belongs here: arguments, exit codes and output of these commands.
Does not: the page (web/), who may see what (lib/member/page/access.py).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from dagster_project.cli.base import CradleError, known_communities, settings
from dagster_project.lib.base.shown import some, visible
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.lib.app.pipeline import Pipeline
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.monitoring.mail.contacts import Contact
    from dagster_project.lib.monitoring.mail.day import Sent
    from dagster_project.lib.monitoring.mail.occasions import Occasion
    from dagster_project.lib.monitoring.mail.sending import Memory

USAGE, SHOWN = 2, 8


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Where it listens.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="A loopback address.")
def serve(port: int, host: str) -> None:
    """The member's page, on loopback behind the site's own proxy.

    Who asks is known by signed links (CRADLE_SERVE_SECRET) or by a header of the proxy (CRADLE_SERVE_USER_HEADER).
    """
    import uvicorn

    from dagster_project.lib.app.ready import require_ready
    from dagster_project.lib.base.reference import Reference
    from dagster_project.web.app import application

    config = settings()
    if not (config.serve_secret or config.serve_user_header):
        raise CradleError("nobody could open the page", "set CRADLE_SERVE_SECRET or CRADLE_SERVE_USER_HEADER", USAGE)
    if not _loopback(host):
        raise CradleError(f"{host} is not a loopback address", "put a proxy with TLS in front of 127.0.0.1", USAGE)
    require_ready(Reference(config.seeds), config.today)
    logging.basicConfig(format="%(asctime)s %(name)s %(message)s", level=logging.INFO)
    click.echo(f"Members' page on http://{host}:{port}")
    # No access log: its lines would hold links.
    uvicorn.run(application(settings), host=host, port=port, access_log=False, log_level="warning",
                server_header=False, limit_concurrency=200)  # fmt: skip


@click.command()
@click.argument("community")
@click.option("--days", type=click.IntRange(1, 400), default=14, show_default=True, help="How long the link works.")
@click.option("--at", default="http://127.0.0.1:8000", show_default=True, metavar="ADDRESS", help="The page's address.")
def invite(community: str, days: int, at: str) -> None:
    """A signed link that opens the pages of one community for some days. Whoever has it may use it.

    With _network as COMMUNITY the link opens the data team's page: send it to nobody else.
    """
    from dagster_project.lib.base.names import NETWORK_FOLDER
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.member.page.access import link_text

    config = settings()
    if community != NETWORK_FOLDER:
        known_communities(Reference(config.seeds), [community])
    if not config.serve_secret:
        raise CradleError("links need a secret", "set CRADLE_SERVE_SECRET, the same for cradle serve", USAGE)
    until = config.today + dt.timedelta(days=days)
    click.echo(f"{at.rstrip('/')}/enter?link={link_text(config.serve_secret, community, until)}")
    click.echo(f"It works up to and including {until}.", err=True)


def _page_of(config: Settings, at: str | None, days: int) -> Callable[[str], str | None]:
    """The address of a community's page, with a link that opens it where links are signed."""
    from dagster_project.lib.member.page.access import link_text

    def page(community: str) -> str | None:
        if at is None:
            return None
        if not config.serve_secret:
            return at
        link = link_text(config.serve_secret, community, config.today + dt.timedelta(days=days))
        return f"{at.rstrip('/')}/enter?link={link}"

    return page


@click.command()
@click.option("--at", metavar="ADDRESS", help="The page's address; messages then hold a link that opens it.")
@click.option("--days", type=click.IntRange(1, 400), default=14, show_default=True, help="How long the link works.")
@click.option("--dry-run", is_flag=True, help="Say what would be told of which community; send nothing.")
def mail(at: str | None, days: int, dry_run: bool) -> None:
    """Write to communities what is due, late, received, to be mended or accepted: once each, one message a day at most.

    Addresses stand in network/contacts.csv. With CRADLE_SMTP_URL messages are sent; without it they are files in
    {CRADLE_HOME}/mail that a mail program opens. Run it once a day.
    """
    from dagster_project.instance.runs import only_one
    from dagster_project.lib.app.pipeline import Pipeline
    from dagster_project.lib.base.store import StoreError
    from dagster_project.lib.member.page.opened import store
    from dagster_project.lib.monitoring.mail.contacts import COLUMNS, ContactError, read_contacts
    from dagster_project.lib.monitoring.mail.day import send_due
    from dagster_project.lib.monitoring.mail.sending import MailError, Memory, as_files, by_server, server

    config = settings()
    try:
        home = Pipeline(config)
        whom = read_contacts(home.reference, config.today)
        if whom is None:
            raise CradleError(
                "there is no network/contacts.csv",
                f"write {','.join(COLUMNS)} as its header, below {config.seeds}",
                USAGE,
            )
        memory = Memory(store(config.home))
        if dry_run:
            _tell_news(home.reference, memory, whom, _told(home))
            return
        to = server(config.smtp_url) if config.smtp_url else None
        # One at a time: of two, each would write to whom the other has not noted yet. What is told is looked at once
        # no run is at work: what that run has yet to take would else be told as it was before.
        with only_one(config), by_server(to) if to else as_files(config.home / "mail", config.today) as deliver:
            sender, page = to.sender if to else None, _page_of(config, at, days)
            done = send_due(home.reference, memory, config.today, whom, _told(home), deliver, sender, page)
    except (ContactError, ValueError) as error:
        raise CradleError(str(error), "see Mail in docs/operations.md", USAGE) from None
    except (MailError, StoreError) as error:
        raise CradleError(str(error), "nothing is lost: what was not sent is sent by the next cradle mail") from None
    _tell_sent(done, "sent" if to else f"written to {config.home / 'mail'}")


def _told(home: Pipeline) -> list[Occasion]:
    from dagster_project.lib.monitoring.mail.day import occasions

    return occasions(home.reference, home.ledger.events(), home.listing(), home.outbox, home.settings.today)


def _tell_news(reference: Reference, memory: Memory, whom: Sequence[Contact], told: Sequence[Occasion]) -> None:
    """What a message would tell that its address was not told before, and what nobody would be told."""
    from dagster_project.lib.monitoring.mail.day import news, without_contact

    new = [one for _, of_address in news(reference, memory, whom, told) for one in of_address]
    alone = without_contact(whom, told)
    lines = [(one, "") for one in told if one in new]
    lines += [(one, ", and there is no contact") for one in told if one.community_id in alone]
    for one, more in lines:
        click.echo(f"{one.reporting_year}  {one.community_id:<28} {one.kind.replace('_', ' ')}{more}")


def _tell_sent(done: Sent, how: str) -> None:
    click.echo(f"{done.sent:,} message{'' if done.sent == 1 else 's'} {how}")
    if done.waiting:
        click.echo(f"{done.waiting:,} wait until tomorrow: these addresses were written to today")
    if done.without_contact:
        shown = some(done.without_contact, SHOWN)
        click.echo(f"without a contact: {len(done.without_contact):,} ({shown})")
    for community, role, reason in done.refused:
        click.echo(visible(f"refused  {community}, {role or 'no role'}: {reason}"), err=True)
    if done.refused:
        raise CradleError(f"{len(done.refused):,} not sent", "the next cradle mail tries again")


COMMANDS: list[click.Command] = [serve, invite, mail]
