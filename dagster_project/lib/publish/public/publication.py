"""What the public edition says of itself: publisher, title, licence, citation, contact (network/publication.csv).

Belongs here: reading the seed, the words of the data package, the manifest and the public pages that come from it.
Does not: figures, or where they are written (files.py, pages.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from dagster_project.lib.base.reference import Reference

PUBLICATION = "network/publication"
PACKAGE_NAME = "cradle-public"
OF_THE_HOUSE = "internal_details"
"""A line that says nothing of the public edition."""
LICENCE = {"licence_name": "name", "licence_title": "title", "licence_url": "path"}


@dataclass(frozen=True)
class Publication:
    """Lines of publication.csv that say something, by name."""

    said: Mapping[str, str]

    @property
    def publisher(self) -> str:
        """Who publishes: the network's name on every page."""
        return self.said["publisher"]

    def stated(self) -> dict[str, str]:
        """What is stated, by name in order, for the manifest and the pages."""
        return dict(sorted(self.said.items()))

    def package(self) -> dict[str, Any]:
        """The head of the data package, in the words of the Data Package standard."""
        package: dict[str, Any] = {"name": PACKAGE_NAME, "title": self.said["title"]}
        package |= {name: self.said[name] for name in ("description", "homepage", "citation") if name in self.said}
        contributor = {"title": self.publisher, "role": "publisher"}
        if "contact" in self.said:
            contributor["email"] = self.said["contact"]
        package["contributors"] = [contributor]
        licence = {word: self.said[name] for name, word in LICENCE.items() if name in self.said}
        if licence:
            package["licenses"] = [licence]
        return package


def read_publication(reference: Reference) -> Publication:
    """The seed's lines; SeedError where the file is missing. That publisher and title stand in it is seed lint's."""
    lines = reference.table(PUBLICATION).select("name", "value").drop_nulls().filter(pl.col("name") != OF_THE_HOUSE)
    return Publication({"publisher": "The network", "title": "Public edition", **dict(lines.iter_rows())})
