"""What is public now, and what communities are shown before the next edition is.

Belongs here: the places of the public edition, `current` and manifests, the first day of previews of a reporting year.
Does not: making an edition (edition.py) or a preview (preview.py), what was ever out (register.py).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dagster_project.lib.base.shown import some
from dagster_project.lib.base.store import Store

PAGE = "public_preview.html"
STATE = "disclosure/previews.json"
MANIFEST = "manifest.json"
SHOWN = 5


@dataclass(frozen=True)
class Places:
    """Where a public release goes: the public tree, the house's own publish folder, the lake, a folder for scratch."""

    public: Store
    published: Store
    lake: Store
    scratch: Path


def current_public(public: Store) -> str | None:
    """Id of the current public release, or None before the first or when it was taken down."""
    data = public.get_or_none("current")
    return data.decode().strip() or None if data is not None else None


def manifest_or_none(public: Store, public_id: str) -> dict[str, Any] | None:
    """The manifest of a public release, None where there is none or it was taken down."""
    data = public.get_or_none(f"releases/{public_id}/{MANIFEST}")
    return None if data is None else dict(json.loads(data))


def out_and_unknown(places: Places, registered: Collection[str]) -> list[str]:
    """Public releases that are or were out and that the register does not name: its lake is older than they are."""
    certified = [info.key.split("/")[1] for info in places.published.objects("public/")]
    there = [name for name in places.public.folders("releases") if manifest_or_none(places.public, name)]
    return sorted({*certified, *there} - set(registered))


def unknown_words(unknown: Sequence[str]) -> str:
    """What is wrong then, and the one way out."""
    return (
        f"what went out as {some(unknown, SHOWN)} is not known to the lake, so what would be made public next cannot "
        "be held against it; put the folder disclosure/ of the lake back from a backup that is as new "
        "as the public edition"
    )


@dataclass(frozen=True)
class Preview:
    """The previews of one reporting year: when the first was written, and how many days communities have.

    waived_on: the day on which somebody waived the rest of the days. facts: what the last previews were made of.
    refused: communities whose outbox took no preview, and why.
    """

    reporting_year: int
    days: int
    first_written_on: str
    waived_on: str | None
    facts: Mapping[str, str]
    refused: Mapping[str, str]

    @property
    def public_from(self) -> dt.date:
        """The first day on which a run may make it public."""
        return dt.date.fromisoformat(self.first_written_on) + dt.timedelta(days=self.days)

    def holds(self, today: dt.date) -> bool:
        """Whether communities still have days to look at it."""
        return self.waived_on is None and today < self.public_from


@dataclass(frozen=True)
class Previews:
    """What the lake keeps of previews, by reporting year. Only the holder of the home's lock writes."""

    lake: Store

    def _held(self) -> dict[str, dict[str, Any]]:
        return dict(json.loads(self.lake.get_or_none(STATE) or b"{}"))

    def of(self, reporting_year: int, days: int) -> Preview | None:
        """The previews of a reporting year under today's number of days; None before the first was written."""
        held = self._held().get(str(reporting_year))
        return None if held is None else Preview(reporting_year, days, **held)

    def keep(self, preview: Preview) -> None:
        """Keep that previews were written, or that their days were waived."""
        line = {name: value for name, value in asdict(preview).items() if name not in ("reporting_year", "days")}
        held = {**self._held(), str(preview.reporting_year): line}
        data = (json.dumps(held, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
        if self.lake.get_or_none(STATE) != data:
            self.lake.put(STATE, data)
