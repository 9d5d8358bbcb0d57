"""What of the current release is public, and whether that is what stands.

Belongs here: the stores of the public edition, what it is made of, whether it is up to date or waits for previews.
Does not: protecting, previews or publishing (app/public.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import FOR_ALL, Store
from dagster_project.lib.publish.public.register import Register
from dagster_project.lib.publish.public.shown import (
    Places,
    Preview,
    Previews,
    current_public,
    manifest_or_none,
    out_and_unknown,
)
from dagster_project.lib.publish.release.dependencies import code_version
from dagster_project.lib.publish.release.pointing import ReleaseMissingError, current_release
from dagster_project.lib.publish.release.states import nothing_current
from dagster_project.settings import PROJECT_ROOT, Settings

CALENDAR = "network/calendar"


@dataclass(frozen=True)
class PublicStands:
    """What is public, over one set of settings."""

    settings: Settings

    @cached_property
    def reference(self) -> Reference:
        """The seeds."""
        return Reference(self.settings.seeds)

    @cached_property
    def places(self) -> Places:
        """The public tree, the house's own releases, the lake."""
        s = self.settings
        published, lake = (Store(url, s.s3_endpoint) for url in (s.publish_url, s.lake_url))
        public = Store(s.public_url, s.s3_endpoint, mode=FOR_ALL)
        return Places(public, published, lake, s.work)

    @cached_property
    def register(self) -> Register:
        """What was ever out."""
        return Register(self.places.lake)

    @cached_property
    def previews(self) -> Previews:
        """What was shown to communities before."""
        return Previews(self.places.lake)

    def out_and_unknown(self) -> list[str]:
        """Public releases that the register of a lake from an older backup does not know."""
        return out_and_unknown(self.places, [line["public_id"] for line in self.register.lines()])

    def facts(self) -> dict[str, str]:
        """What a public edition depends on beside the register: the internal release, the seeds, the code, the day."""
        release_id = current_release(self.places.published)
        if release_id is None:
            raise ReleaseMissingError(nothing_current(self.places.published))
        return {
            "release_id": release_id,
            "seeds_sha256": self.reference.fingerprint(),
            "code_version": code_version(PROJECT_ROOT),
            "today": self.settings.today.isoformat(),
        }

    def up_to_date(self) -> str | None:
        """The public release's id if exactly this was made public last and is up, else None."""
        facts, public_id = self.register.built()
        if public_id is None or current_public(self.places.public) != public_id or facts != self.facts():
            return None
        return public_id if manifest_or_none(self.places.public, public_id) else None

    def made_of(self, release_id: str) -> list[str]:
        """Public releases that were made of an internal one, last or at first, and are up; oldest first."""
        facts, built = self.register.built()
        last = {built} if facts.get("release_id") == release_id else set()
        lines = self.register.lines()
        made = [x["public_id"] for x in lines if x["release_id"] == release_id or x["public_id"] in last]
        return [public_id for public_id in made if manifest_or_none(self.places.public, public_id)]

    def waiting(self) -> Preview | None:
        """The previews for which the current release waits, if exactly this was shown and days are left, else None."""
        facts, today = self.facts(), self.settings.today
        for year in reversed(self.reference.reporting_years(today)):
            preview = self.previews.of(year, self._preview_days(year))
            if preview is not None and preview.facts == facts:
                return preview if preview.holds(today) else None
        return None

    def _preview_days(self, year: int) -> int:
        """Days that communities have to look at the previews of a reporting year (`preview_days` of the calendar)."""
        calendar = self.reference.table(CALENDAR)
        if "preview_days" not in calendar.columns:
            return 0
        said = calendar.filter(pl.col("reporting_year") == str(year))["preview_days"].drop_nulls()
        return int(said[0]) if said.len() else 0
