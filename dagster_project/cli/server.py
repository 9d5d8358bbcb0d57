"""What commands say of the PostgreSQL server for BI tools, and bringing it up to what is current.

Belongs here: one call that every command makes after it changed what is current, and its one line on failure.
Does not: which release belongs there (lib/publish/server/current.py), SQL (lib/publish/server).
"""

from __future__ import annotations

import click

from dagster_project.cli.base import CradleError
from dagster_project.settings import Settings


def serve_current(config: Settings) -> None:
    """Have the server hold the releases that are current; exit 1 with one line where it cannot, they stand."""
    if config.postgres_url is None:
        return
    from dagster_project.instance.runs import only_one
    from dagster_project.lib.publish.server.current import SCHEMAS, BiServer
    from dagster_project.lib.publish.server.loading import Server, ServerError

    bi_server = BiServer(config, Server(config.postgres_url))
    try:
        with only_one(config):
            for schema in SCHEMAS:
                loaded = bi_server.bring(schema)
                held = f"release {loaded.release_id}" if loaded else "nothing: no release is current"
                click.echo(f"Server   schema {schema}: {held}")
    except ServerError as error:
        raise CradleError(
            f"the releases stand, the PostgreSQL server was not loaded: {error}",
            "mend the server and run `cradle run` again; cradle doctor looks at the connection",
        ) from None
