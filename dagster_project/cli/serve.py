"""Commands of the member's page: serve and invite.

Belongs here: arguments, exit codes and output of these commands.
Does not: the page (web/), who may see what (lib/member/page/access.py).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging

import click

from dagster_project.cli.base import CradleError, known_communities, settings

USAGE = 2


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
    """A signed link that opens the pages of one community for some days. Whoever has it may use it."""
    from dagster_project.lib.base.reference import Reference
    from dagster_project.lib.member.page.access import link_text

    config = settings()
    known_communities(Reference(config.seeds), [community])
    if not config.serve_secret:
        raise CradleError("links need a secret", "set CRADLE_SERVE_SECRET, the same for cradle serve", USAGE)
    until = config.today + dt.timedelta(days=days)
    click.echo(f"{at.rstrip('/')}/enter?link={link_text(config.serve_secret, community, until)}")
    click.echo(f"It works up to and including {until}.", err=True)


COMMANDS: list[click.Command] = [serve, invite]
