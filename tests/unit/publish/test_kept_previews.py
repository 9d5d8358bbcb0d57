"""Previews kept from the last time: taken again where a community's rows are the same, and never where they are not.

Belongs here: claims about write_previews with a folder of kept pages, against pages made whole.
Does not: what is public (tests/unit/disclosure), or when a run writes previews (tests/integration/test_previews.py).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.public import preview as previews
from dagster_project.lib.publish.public.preview import Names, names_of, write_previews
from dagster_project.lib.publish.public.shown import Preview

FIRST = Preview(2024, 14, "2024-12-31", None, {"release_id": "2024-12-31-abc"}, {})
NAMES = Names({}, {}, {}, {"math": "Mathematics"})
COMMUNITIES = pl.DataFrame({"community_id": ["c0", "c1"], "name": ["Nought", "One"]})


def tables(trend: str = "improving") -> dict[str, pl.DataFrame]:
    rows = {"community_id": ["c0", "c1"], "outcome_id": ["math", "math"], "reporting_year": [2024, 2024]}
    return {"fct_outcome_status": pl.DataFrame(rows | {"trend_status": ["steady", trend], "gap_reduced": ["met"] * 2})}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The communities whose pages were made, in order."""
    found: list[str] = []
    rendered = previews._rendered

    def watched(rows, name, names, preview):  # type: ignore[no-untyped-def]
        found.append(name)
        return rendered(rows, name, names, preview)

    monkeypatch.setattr(previews, "_rendered", watched)
    return found


def written(outbox: Path, kept: Path | None, preview: Preview, names: Names = NAMES, trend: str = "improving") -> str:
    """The pages of all communities after one call, one after the other."""
    assert write_previews(Store(str(outbox)), tables(trend), COMMUNITIES, names, preview, kept) == {}
    return "".join(path.read_text() for path in sorted(outbox.rglob("*.html")))


def test_only_the_community_whose_rows_changed_gets_a_page_made_anew(tmp_path: Path, made: list[str]) -> None:
    written(tmp_path / "out", tmp_path / "kept", FIRST)
    assert made == ["Nought", "One"]
    made.clear()
    later = replace(FIRST, facts={"release_id": "2025-01-07-def"}, refused={"c0": "full"})
    again = written(tmp_path / "out", tmp_path / "kept", later, trend="declining")
    assert made == ["One"] and again == written(tmp_path / "whole", None, later, trend="declining")


@pytest.mark.parametrize(
    ("preview", "names"),
    [
        (replace(FIRST, waived_on="2025-01-02"), NAMES),
        (replace(FIRST, days=0), NAMES),
        (FIRST, replace(NAMES, outcomes={"math": "Arithmetic"})),
    ],
)
def test_other_days_or_names_make_every_page_anew(
    tmp_path: Path, made: list[str], preview: Preview, names: Names
) -> None:
    written(tmp_path / "out", tmp_path / "kept", FIRST)
    made.clear()
    again = written(tmp_path / "out", tmp_path / "kept", preview, names)
    assert len(made) == 2 and again == written(tmp_path / "whole", None, preview, names)


def test_a_target_is_shown_as_a_value_and_not_as_a_change(tmp_path: Path) -> None:
    target = {"community_id": "c0", "indicator_id": "reading", "population_group_id": "all", "geography_id": "c0"}
    target |= {"reporting_year": 2024, "target_value": 65.0, "deadline": "2026-06-30", "status": "on_track"}
    held = tables() | {"fct_target_progress": pl.DataFrame([target])}
    assert write_previews(Store(str(tmp_path)), held, COMMUNITIES, NAMES, replace(FIRST, days=1)) == {}
    page = next(tmp_path.rglob("c0/*.html")).read_text()
    assert ">65.0<" in page and "+65.0" not in page and "1 day is kept free" in page


def test_a_preview_is_laid_out_and_shows_no_word_of_its_style(tmp_path: Path) -> None:
    page = written(tmp_path, None, FIRST).split("<!DOCTYPE html>")[1]
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style and ".page {" in style[1] and "{" not in page.replace(style[0], "")


def test_an_indicator_of_which_lower_is_better_says_so_beside_its_trend(tmp_path: Path) -> None:
    trend = {"population_group_id": "all", "geography_id": "c0", "reporting_year": 2024, "trend_status": "declining"}
    rows = [trend | {"community_id": "c0", "indicator_id": one, "slope": 1.5} for one in ("absent", "reading")]
    known = {"indicator_id": ["absent", "reading"], "name": ["Absent", "Reading"], "direction": [-1, 1]}
    held = tables() | {"fct_trend": pl.DataFrame(rows), "dim_indicator": pl.DataFrame(known)}
    write_previews(Store(str(tmp_path)), held, COMMUNITIES, names_of(held), FIRST)
    (page,) = [path.read_text() for path in tmp_path.rglob("*.html") if "Absent" in path.read_text()]
    assert 'Absent <span class="small">(lower is better)</span></th>' in page and page.count("lower is better") == 1
