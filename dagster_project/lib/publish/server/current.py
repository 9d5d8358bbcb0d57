"""The PostgreSQL server for BI tools: which release each of its schemas is to hold.

Belongs here: the current internal and public release, the files they lie in, bringing the server up to them.
Does not: SQL (lib/publish/server), making releases (pipeline.py, public.py), printing (cli/server.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster_project.lib.base.names import MARTS
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import FOR_ALL, Store
from dagster_project.lib.publish.public.declared import declared_public
from dagster_project.lib.publish.public.files import DATABASE
from dagster_project.lib.publish.public.shown import current_public, manifest_or_none
from dagster_project.lib.publish.release.opening import database_path, fetch
from dagster_project.lib.publish.release.pointing import current_release, read_manifest
from dagster_project.lib.publish.server.loading import PUBLIC_MARTS, Load, Loaded, Server
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import TableWords, declared_marts
from dagster_project.settings import Settings

SCHEMAS = (MARTS, PUBLIC_MARTS)


@dataclass(frozen=True)
class BiServer:
    """The server of one set of settings that name one."""

    settings: Settings
    server: Server

    @classmethod
    def of(cls, settings: Settings) -> BiServer | None:
        """None where CRADLE_POSTGRES_URL is not set."""
        return cls(settings, Server(settings.postgres_url)) if settings.postgres_url else None

    @cached_property
    def _published(self) -> Store:
        return Store(self.settings.publish_url, self.settings.s3_endpoint)

    @cached_property
    def _public(self) -> Store:
        return Store(self.settings.public_url, self.settings.s3_endpoint, mode=FOR_ALL)

    def _words(self, schema: str) -> dict[str, TableWords]:
        told = declared_marts(MANIFEST, Reference(self.settings.seeds), public=schema != MARTS)
        return told if schema == MARTS else declared_public(told)

    def wanted(self, schema: str) -> str | None:
        """The id of the release that a schema is to hold: what is current there; None for none."""
        return current_release(self._published) if schema == MARTS else current_public(self._public)

    def bring(self, schema: str) -> Loaded | None:
        """Have a schema hold what is current, or nothing where nothing is; ServerError leaves it as it was."""
        release_id = self.wanted(schema)
        if release_id is None:
            if schema in self.server.loaded():
                self.server.clear(schema)
            return None
        manifest = self._manifest(schema, release_id)
        keys = {table["name"]: table["key"] for table in manifest["tables"]}
        database = self._database(schema, release_id)
        return self.server.load(Load(schema, release_id, database, keys, self._words(schema)))

    def _manifest(self, schema: str, release_id: str) -> Mapping[str, Any]:
        if schema == MARTS:
            return read_manifest(self._published, release_id)
        return manifest_or_none(self._public, release_id) or {"tables": []}

    def _database(self, schema: str, release_id: str) -> Path:
        if schema == MARTS:
            return database_path(self.settings, release_id)
        key = f"releases/{release_id}/{DATABASE}"
        local = self._public.local(key)
        if local is None:
            local = self.settings.work / "fetched" / "public" / release_id / DATABASE
            fetch(self._public, key, local)
        return local
