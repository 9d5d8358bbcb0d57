"""The report's pages: every figure is the stored one, every page says what it is, nothing comes from outside.

Belongs here: claims about write_report on a small fixture database (tests/fixtures/report_marts.py).
Does not: look at pages in a browser (tests/browser), or compute slopes.
"""

from __future__ import annotations

import csv
import posixpath
import re
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest
from markupsafe import escape

from dagster_project.lib.publish.report import words
from dagster_project.lib.publish.report.arranging import folder_name, page_name
from dagster_project.lib.publish.report.marts import REQUIRED_COLUMNS, ReportContext, ReportError, RuleParameter
from dagster_project.lib.publish.report.render import EDITION_NOTICES, write_report
from dagster_project.lib.publish.report.stacking import COLUMNS, LONG, stacked
from tests.fixtures import report_marts

NOTICE = "Internal: contains small groups, not for distribution"


SINCE: dict[str, object] = {
    "state": "compared",
    "release_id": "2024-06-30-0123",
    "today": "2024-06-30",
    "values_new": 1_204,
    "values_changed": 1,
    "values_gone": 0,
    "values_communities": 3,
    "values_withheld": 0,
    "statuses_moved": 2,
}


def context(**changes: object) -> ReportContext:
    stated: dict[str, object] = {
        "release_id": "2024-12-31-abc",
        "today": "2024-12-31",
        "ruleset_id": "toa-default",
        "ruleset_version": "1.0.0",
        "contract_version": "1",
        "code_version": "0.1.0",
        "network_name": "Example network",
        "parameters": [RuleParameter(*p) for p in report_marts.PARAMETERS],
        "since": SINCE,
    }
    return ReportContext(**(stated | changes))  # type: ignore[arg-type]


def written(database: Path, out: Path, **changes: object) -> dict[str, str]:
    """The pages by their path below report/."""
    with duckdb.connect(str(database), read_only=True) as connection:
        files = write_report(connection, out, "internal", context(**changes))
    return {
        f.relative_to(out / "report").as_posix(): f.read_text(encoding="utf-8") for f in files if f.suffix == ".html"
    }


def of_community(pages: dict[str, str], community: str) -> str:
    """Every page of a community, one after the other."""
    return "".join(html for name, html in sorted(pages.items()) if name.startswith(f"communities/{community}"))


def detail_page(community: str, indicator: str = "graduation_4yr_pct") -> str:
    return f"communities/{community}/indicator-{indicator}.html"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report_marts.build(tmp_path_factory.mktemp("marts") / "internal.duckdb")


@pytest.fixture(scope="module")
def pages(database: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return written(database, tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def style(database: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The one style file of a report, which every page names."""
    out = tmp_path_factory.mktemp("styled")
    written(database, out)
    return (out / "report" / "style.css").read_text(encoding="utf-8")


class Page(HTMLParser):
    """The text of a page and its elements; fails on markup that does not nest."""

    VOID = frozenset({"meta", "link", "br", "img", "hr", "input", "wbr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], f"unclosed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_there_is_a_page_for_the_network_its_methods_its_data_and_every_community(pages: dict[str, str]) -> None:
    cards = {f"communities/c{n:02d}.html" for n in range(5)}
    beside = {f"communities/c{n:02d}/{name}.html" for n in range(5) for name in ("standing", "sources", "submissions")}
    details = {detail_page(f"c{n:02d}", each) for n in range(4) for each, *_ in report_marts.INDICATORS}
    whole = {"index.html", "over-the-years.html", "methods.html", "data-quality.html", "explore.html"}
    assert set(pages) == whole | cards | beside | details


def test_every_page_says_that_it_is_internal(pages: dict[str, str]) -> None:
    assert EDITION_NOTICES["internal"] == NOTICE
    for name, html in pages.items():
        assert NOTICE in Page(html).text, name


def test_no_edition_is_written_that_is_not_protected(database: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection, pytest.raises(ReportError, match="public"):
        write_report(connection, tmp_path, "public", context())
    assert list(tmp_path.iterdir()) == []


def test_the_same_rows_in_another_order_give_the_same_bytes(pages: dict[str, str], tmp_path: Path) -> None:
    other = report_marts.build(tmp_path / "other.duckdb", reverse=True)
    assert written(other, tmp_path) == pages


def test_further_columns_do_not_disturb_and_missing_ones_are_named(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute("alter table marts.fct_trend add column brand_new varchar")
        assert write_report(connection, tmp_path, "internal", context())
        connection.execute("alter table marts.fct_trend drop column slope")
        connection.execute("drop table marts.fct_gap")
        with pytest.raises(ReportError, match=r"fct_trend\.slope.*fct_gap"):
            write_report(connection, tmp_path, "internal", context())


def test_the_columns_asked_for_are_all_in_the_fixture() -> None:
    built = {t: {c.partition("#")[0] for c in columns} for t, columns in report_marts.TABLES.items()}
    assert all(set(columns) <= built[table] for table, columns in REQUIRED_COLUMNS.items())


def test_the_headline_figures_are_counts_of_stored_statuses(pages: dict[str, str], database: Path) -> None:
    text = Page(pages["index.html"]).text
    with duckdb.connect(str(database), read_only=True) as connection:
        for column, good in (("trend_status", "improving"), ("gap_reduced", "met")):
            row = connection.execute(
                f"select count(*) filter ({column} = ?), count(*) filter ({column} <> 'undetermined') "
                "from marts.fct_outcome_status",
                [good],
            ).fetchone()
            assert row is not None and row[1] > 0
            assert f"{100 * row[0] / row[1]:.1f}% {row[0]} of {row[1]} community outcomes" in text


def test_the_report_is_on_the_newest_year_with_an_accepted_submission(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        for table in ("fct_outcome_status", "fct_submission_status", "fct_trend"):
            rows = f"select * replace (reporting_year + 1 as reporting_year) from marts.{table}"
            connection.execute(f"insert into marts.{table} {rows} where reporting_year = 2024")
        connection.execute("update marts.fct_submission_status set status = 'expected' where reporting_year = 2025")
    index = written(copy, tmp_path)["index.html"]
    assert "Network summary, 2024" in index and "No submission has been accepted yet for 2025" in index
    assert "Network summary, 2025" in written(copy, tmp_path, reporting_year=2025)["index.html"]


def test_a_year_in_which_nothing_can_be_determined_says_so(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute("update marts.fct_outcome_status set trend_status = 'undetermined'")
    pages = written(copy, tmp_path)
    assert "None of the 28 community outcomes can be determined." in Page(pages["index.html"]).text
    assert "None of the 7 outcomes can be determined for 2024." in Page(pages["communities/c00.html"]).text


def test_communities_are_listed_by_name_and_never_ranked(pages: dict[str, str]) -> None:
    for name in ("index.html", "data-quality.html"):
        found = re.findall(r'<a href="communities/c\d\d\.html">([^<]+)</a>', pages[name])
        assert found == sorted(found, key=str.casefold) and len(found) == 5
    assert not re.search(r"\b(rank(ed)?|best|worst|top \d+|league)\b", Page(pages["index.html"]).text, re.I)


def test_every_point_stands_with_its_file_and_row(pages: dict[str, str], database: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        points = connection.execute(
            "select count(*), count(distinct source_file) from marts.fct_trend_point where community_id = 'c00'"
        ).fetchone()
    html = of_community(pages, "c00")
    assert points is not None and len(re.findall(r'<span class="src">\d+:\d+</span>', html)) == points[0] > 500
    listed = html.split("Files behind this page")[1]
    assert len(re.findall(r"_\d{4}\.csv</td>", listed)) == points[1]


def test_a_charts_figures_are_those_of_the_marts(pages: dict[str, str], database: Path) -> None:
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select school_year, value from marts.fct_trend_point where community_id = 'c01' and value is not null "
            "and indicator_id = 'graduation_4yr_pct' and population_group_id = 'all' order by 1"
        ).fetchall()
    chart = re.search(r'<svg[^>]*aria-labelledby="graduation_4yr_pct-t.*?</svg>', pages[detail_page("c01")], re.S)
    assert chart and len(re.findall("<circle", chart[0])) == len(rows)
    for year, value in rows:
        assert f"<title>{year}: {value:.1f}%" in chart[0]


def test_suppressed_and_range_values_are_marked_and_never_become_numbers(pages: dict[str, str]) -> None:
    row = re.search(r"American Indian or Alaska Native</th><td>s<sup>.*?</tr>", of_community(pages, "c00"), re.S)
    assert row and "≤20.0" in row[0]


def test_an_undetermined_result_says_why(pages: dict[str, str]) -> None:
    for name, html in pages.items():
        if name.startswith("communities/"):
            for cell in re.findall(r"<tr><th scope=\"row\">[^<]*</th>\s*<td class=\"num\">.*?</tr>", html, re.S):
                if "Undetermined" in cell:
                    assert "determined because" in cell


def test_a_community_that_never_submitted_has_a_page_that_says_so(pages: dict[str, str]) -> None:
    card, standing = (Page(pages[f"communities/c04{name}.html"]).text for name in ("", "/standing"))
    assert "has not submitted yet" in standing and "no value of any core indicator has been accepted" in card


def test_names_from_outside_are_never_markup(pages: dict[str, str]) -> None:
    assert "<h1>Cedar &amp; Sons &lt;Valley&gt;</h1>" in pages["communities/c02.html"]
    assert not any("<Valley>" in html for html in pages.values())


def test_no_page_asks_for_anything_from_outside_and_only_one_runs_scripts_of_its_folder(pages: dict[str, str]) -> None:
    for name, html in pages.items():
        if name == "explore.html":
            own = [f'<script src="explore/{each}.js"></script>' for each in ("picture", "explore", "names")]
            assert re.findall(r"<script.*", html) == own
            for script in own:
                html = html.replace(script, "")
        style = f'<link rel="stylesheet" href="{"../" * name.count("/")}style.css">'
        assert html.count(style) == 1, name
        html = html.replace(style, "")
        assert not re.search(r"<script|<link|<img|url\(|@import|https?://|\son\w+=", html), name


def test_every_link_leads_to_a_page_and_place_that_exist(database: Path, tmp_path: Path) -> None:
    pages = written(database, tmp_path)
    beside = {path.relative_to(tmp_path / "report").as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    ids = {name: set(re.findall(r'\bid="([^"]+)"', html)) for name, html in pages.items()}
    for name, html in pages.items():
        assert len(re.findall(r'\bid="', html)) == len(ids[name]), f"an id stands twice in {name}"
        for href in re.findall(r'href="([^"]+)"', html):
            target, _, anchor = href.partition("#")
            place = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(target))) if target else name
            assert not anchor or anchor in ids[place], f"{href} in {name}"
            assert place in pages or place in beside, f"{href} in {name}"


def test_pages_are_accessible_in_their_structure(pages: dict[str, str]) -> None:
    for name, html in pages.items():
        page = Page(html)
        tags = [tag for tag, _ in page.tags]
        assert ("html", {"lang": "en"}) in page.tags and tags.count("h1") == 1 and tags.count("main") == 1, name
        levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
        assert all(b <= a + 1 for a, b in pairwise(levels)), name
        assert tags.count("table") == tags.count("caption"), name
        assert all("scope" in attrs for tag, attrs in page.tags if tag == "th"), name
        for tag, attrs in page.tags:
            if tag == "svg":
                assert attrs.get("aria-hidden") == "true" or attrs.get("role") == "img", name
        drawn = len(re.findall(r'<svg[^>]*role="img"', html))
        assert drawn == len(re.findall(r'<title id="[^"]+-t">[^<]+</title><desc id="[^"]+-d">[^<]+</desc>', html)), name
        assert page.tags[tags.index("body") + 1][1].get("href") == "#main", name


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_pair_of_text_and_ground_has_the_contrast_of_wcag_aa(style: str) -> None:
    pairs = re.findall(r"background: (#[0-9a-f]{6}); color: (#[0-9a-f]{6})", style)
    assert len(pairs) >= 5
    for ground, ink in [*pairs, ("#ffffff", "#515c6b"), ("#f5f7f9", "#515c6b"), ("#ffffff", "#1f4e79")]:
        dark, light = sorted((_luminance(ground), _luminance(ink)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ground, ink)


def test_methods_quote_the_parameters_of_the_ruleset(pages: dict[str, str]) -> None:
    text = Page(pages["methods.html"]).text
    for name, value, _ in report_marts.PARAMETERS:
        assert f"{name} {value}" in text
    assert "at least 10 people" in text and "has not been measured" in text and "not set" not in text


def test_the_false_positive_rate_is_shown_where_it_is_known(database: Path, tmp_path: Path) -> None:
    text = Page(written(database, tmp_path, false_positive_rate=0.2137)["methods.html"]).text
    assert "21.4% are nevertheless called improving" in text


def test_false_alarm_rates_of_the_release_are_shown_in_words(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            "create table marts.fct_false_positive as "
            "select 'stylised' as basis, 'outcome_improving' as measure, 0.4987 as rate, 70000 as n_trials"
        )
    text = Page(written(copy, tmp_path)["methods.html"]).text
    assert "an outcome is called improving 49.9% 70,000" in text and "has not been measured" not in text


def test_further_facts_of_the_marts_are_told_where_they_are_present(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute("alter table marts.fct_outcome_status add column widened_groups varchar")
        connection.execute("update marts.fct_outcome_status set widened_groups = 'race_ethnicity:black,gender:male'")
        connection.execute("alter table marts.dim_outcome add column position integer")
        connection.execute(
            "update marts.dim_outcome set position = case outcome_id when 'employment' then 7 else 1 end"
        )
    pages = written(copy, tmp_path)
    assert "Gaps widened for Black and Male." in pages["communities/c00/standing.html"]
    assert pages["index.html"].index(">Postsecondary completion<") < pages["index.html"].index(">Employment<")


@pytest.mark.parametrize(
    ("parameter", "value", "before", "after"),
    [
        ("gap.eliminated_years", "3", "caught up in the latest two years", "caught up in the latest three years"),
        ("gap.dimensions", "gender", "Only gaps by race and ethnicity decide", "Only gaps by gender decide"),
        ("gap.majority_share", "0.6", "more than 50.0% of the groups", "more than 60.0% of the groups"),
        ("outcome.majority_share", "0.75", "more than 50.0% of its core", "more than 75.0% of its core"),
        ("trend.confidence", "0.9", "(confidence 95.0%)", "(confidence 90.0%)"),
        ("trend.min_points", "4", "Three to five points", "Four to five points"),
        ("values.agreement", "0.5", "within 0.05 percentage points", "within 0.5 percentage points"),
    ],
)
def test_another_parameter_makes_other_words(
    database: Path, pages: dict[str, str], tmp_path: Path, parameter: str, value: str, before: str, after: str
) -> None:
    stated = [(name, value if name == parameter else old, *more) for name, old, *more in report_marts.PARAMETERS]
    changed = written(database, tmp_path, parameters=[RuleParameter(*each) for each in stated])
    was, now = (Page(each["methods.html"]).text for each in (pages, changed))
    assert before in was and after not in was
    assert after in now and before not in now


def test_the_simulation_speaks_of_as_many_outcomes_as_its_parameters_say() -> None:
    limits = {"simulation.outcomes": "6", "simulation.outcomes_min": "3", "simulation.gaps_min": "1"}
    assert words.simulated_words("stylised", limits) == "Invented communities with six unchanged outcomes"
    assert words.simulated_words("four_of_seven_gaps_reduced", limits).startswith("at least three of six outcomes")
    assert words.simulated_words("two_of_seven_gaps_reduced", limits).startswith("at least one of six outcomes")


def test_every_page_names_the_gaps_that_decide_and_the_network(database: Path, tmp_path: Path) -> None:
    stated = [(name, "gender" if name == "gap.dimensions" else old, *m) for name, old, *m in report_marts.PARAMETERS]
    changed = written(database, tmp_path, parameters=[RuleParameter(*each) for each in stated], network_name="Delta")
    assert "reduced gaps by gender" in Page(changed["index.html"]).text
    assert "Gaps by gender reduced" in Page(changed["communities/c00/standing.html"]).text
    assert all("<title>" in page and "| Delta</title>" in page for page in changed.values())
    assert not any("ace and ethnicity reduced" in page for page in changed.values())


def test_a_community_page_lists_the_district_rows_behind_its_pooled_values(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            "create table marts.fct_pooled_part as select 'c00' as community_id, 'hs_grad' as indicator_id, "
            "'all' as population_group_id, district as geography_id, 2023 as school_year, 'default' as series, "
            "2000 as known_from, until as known_to, 41 as numerator, 80 as denominator, 2023 as reporting_year, "
            "'s1' as submission_id, 'north.csv' as source_file, '' as source_sheet, 7 as source_row "
            "from (values ('north', 9999), ('gone_before', 2001)) as t(district, until)"
        )
    pages = written(copy, tmp_path)
    text = Page(pages["communities/c00/sources.html"]).text
    assert "District rows behind pooled values" in text
    assert "2023 north 41 of 80 north.csv 7 2023" in text and "gone_before" not in text
    others = [page for name, page in pages.items() if name != "communities/c00/sources.html"]
    assert not any("District rows behind pooled values" in page for page in others)


def test_a_page_says_where_the_total_is_missing_and_only_groups_were_submitted(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    said = "cannot be determined because the total is missing: only groups were submitted"
    assert said not in of_community(written(database, tmp_path / "whole"), "c00")
    with duckdb.connect(str(copy)) as connection:
        query = (
            "select indicator_id from marts.fct_trend where community_id = 'c00' and geography_id = community_id "
            "group by 1 having bool_or(population_group_id = 'all') and bool_or(population_group_id <> 'all') limit 1"
        )
        (indicator,) = connection.execute(query).fetchone() or (None,)
        for table in ("fct_trend", "fct_trend_point"):
            where = "community_id = 'c00' and indicator_id = ? and population_group_id = 'all'"
            connection.execute(f"delete from marts.{table} where {where}", [indicator])
    assert said in of_community(written(copy, tmp_path / "without"), "c00")


def test_no_page_claims_a_cause_or_a_forecast(pages: dict[str, str]) -> None:
    claims = r"\b(because of the partnership|thanks to|led to|resulted in|will (rise|fall|improve|reach)|expected to)\b"
    for name, html in pages.items():
        assert not re.search(claims, Page(html).text, re.I), name
        assert "It does not show why they moved" in html


def test_community_ids_give_safe_and_different_file_names() -> None:
    ids = ["a", "a/b", "a%2Fb", "..", "a b", "Ä"]
    names = [page_name(i) for i in ids]
    assert len(set(names)) == len(ids) and not any("/" in n or n in ("..", ".") for n in names)


def test_marts_without_a_reporting_year_are_refused_in_one_line(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        for table in REQUIRED_COLUMNS:
            connection.execute(f"delete from marts.{table}")
        with pytest.raises(ReportError, match="no reporting year"):
            write_report(connection, tmp_path, "internal", context())


def test_a_headline_says_how_many_are_certain_and_what_chance_alone_gives(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            "create table marts.fct_false_positive as select 'stylised' basis, 'outcome_improving' measure, 0.499 rate,"
            " 70000::bigint n_trials"
        )
        row = connection.execute(
            "select count(*), count(*) filter (t.robustness = 'robust' and i.direction * if(i.direction > 0,"
            " t.slope_ci_low, t.slope_ci_high) > 0) from marts.fct_outcome_status o join marts.fct_trend t on"
            " t.community_id = o.community_id and t.indicator_id = o.deciding_indicator_id and"
            " t.reporting_year = o.reporting_year and t.population_group_id = 'all' join marts.dim_indicator i on"
            " i.indicator_id = t.indicator_id where o.trend_status = 'improving'"
        ).fetchone()
    assert row is not None and row[0] > 0
    text = Page(written(copy, tmp_path)["index.html"]).text
    said = re.search(
        r"Of the improving ones, (\d+) (?:is|are) certain, (\d+) (?:is|are) likely and (\d+) could be chance", text
    )
    assert said and (sum(map(int, said.groups())), int(said[1])) == row
    assert "Chance alone would give 49.9%" in text


def test_a_community_that_left_is_named_as_such_and_counted_nowhere(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    before = Page(written(copy, tmp_path)["index.html"]).text
    with duckdb.connect(str(copy)) as connection:
        connection.execute("alter table marts.dim_community add column left_year integer")
        connection.execute("update marts.dim_community set left_year = 2022 where community_id = 'c00'")
    pages = written(copy, tmp_path)
    text = Page(pages["index.html"]).text
    assert "5 communities" in before and "4 communities" in text and "1 former member is named" in text
    assert "Alder Falls left in 2022" in text
    assert "a former member, in no count of the network" in Page(pages["communities/c00.html"]).text
    with duckdb.connect(str(copy)) as connection:
        row = connection.execute(
            "select count(*) filter (trend_status <> 'undetermined' and community_id <> 'c00'),"
            " count(*) filter (trend_status <> 'undetermined') from marts.fct_outcome_status"
        ).fetchone()
    assert row is not None and row[0] < row[1]
    assert f"of {row[1]} community outcomes with a trend" in before
    assert f"of {row[0]} community outcomes with a trend" in text
    with duckdb.connect(str(copy)) as connection:
        connection.execute("delete from marts.fct_outcome_status where community_id = 'c00'")
    pages = written(copy, tmp_path / "judged")
    card, standing = (Page(pages[f"communities/c00{name}.html"]).text for name in ("", "/standing"))
    assert "No outcome is assessed for 2024." in card and "None of the 0" not in card
    assert "the community left in 2022" in standing and "has not submitted yet" not in standing


def test_a_submission_after_its_community_left_or_before_it_joined_is_in_no_count_of_its_year(
    database: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        status = "update marts.fct_submission_status set status = 'accepted' where reporting_year in (2021, 2024)"
        connection.execute(status)
        connection.execute("alter table marts.dim_community add column left_year integer")
        connection.execute("update marts.dim_community set joined_year = 2015")
        connection.execute("update marts.dim_community set left_year = 2022 where community_id = 'c00'")
        connection.execute("update marts.dim_community set joined_year = 2022 where community_id = 'c01'")
    page = written(copy, tmp_path)["data-quality.html"]
    where = r'data-count="fct_submission_status\|reporting_year=(2021|2024)\|status=accepted">(\d+)<'
    assert dict(re.findall(where, page)) == {"2021": "4", "2024": "4"}


def test_a_community_that_joins_after_the_reports_year_is_named_as_such_and_counted_nowhere(
    database: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute("update marts.dim_community set joined_year = 2025 where community_id = 'c00'")
        row = connection.execute(
            "select count(*) filter (trend_status <> 'undetermined' and community_id <> 'c00')"
            " from marts.fct_outcome_status"
        ).fetchone()
    pages = written(copy, tmp_path)
    text = Page(pages["index.html"]).text
    assert "4 communities" in text and "1 community that joins later is named in the list and in no count." in text
    assert row is not None and f"of {row[0]} community outcomes with a trend" in text and "former member" not in text
    assert "Joins in 2025: not a member yet, in no count" in Page(pages["communities/c00.html"]).text


def test_of_all_outcomes_a_share_is_a_least_one_where_some_are_withheld(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute("update marts.fct_outcome_status set trend_status = 'improving'")
        for status, community in (("withheld", "c00"), ("undetermined", "c01")):
            where = "outcome_id = 'employment' and community_id = ?"
            connection.execute(
                f"update marts.fct_outcome_status set trend_status = '{status}' where {where}", [community]
            )
    text = Page(written(copy, tmp_path)["index.html"]).text
    assert "1 of 28 is withheld" in text
    assert "1 more of 28 cannot be determined and is not in the share; of all 28 it is at least 92.9%" in text


def test_a_denominator_that_an_indicator_has_not_is_not_said_to_be_counted_of(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        for column in ("numerator_text", "denominator_text"):
            connection.execute(f"alter table marts.dim_indicator add column {column} varchar")
        connection.execute("update marts.dim_indicator set numerator_text = 'Graduates', denominator_text = 'Cohort'")
        connection.execute(
            "update marts.dim_indicator set unit = 'count', denominator_text = 'Not used: a plain count' "
            "where indicator_id = 'chronic_absence_pct'"
        )
    pages = written(copy, tmp_path)
    assert "Counted: Graduates, of Cohort." in Page(pages[detail_page("c00")]).text
    plain = Page(pages[detail_page("c00", "chronic_absence_pct")]).text
    assert "Counted: Graduates. Denominator: Not used: a plain count." in plain


def test_groups_with_a_value_are_never_said_to_have_none_on_file(database: Path, tmp_path: Path) -> None:
    pages = written(database, tmp_path)
    blocks = [
        block.partition("</section>")[0]
        for name, page in pages.items()
        if re.fullmatch(r"communities/[^/]+\.html", name)
        for block in page.split('<section class="card"')[1:]
    ]
    with_values = [block for block in blocks if re.search(r'race_ethnicity:\w+/[^"]*"><span data-col="value@', block)]
    assert with_values
    assert not any(re.search(r"Groups with a value: (<[^>]+>)*nothing on file", block) for block in with_values)


def test_the_certainty_of_a_status_stands_in_words_and_in_its_mark(pages: dict[str, str]) -> None:
    marks = re.findall(r'class="pill s-(\w+) c-(\w+)">[^<]*<span class="sure">([^<]+)<', "".join(pages.values()))
    assert marks and {status for status, _, _ in marks} <= {"improving", "declining"}
    said = {"certain": "certain", "likely": "likely", "chance": "could be chance"}
    assert all(said[code] == word for _, code, word in marks)


def with_targets(database: Path, path: Path) -> Path:
    path.write_bytes(database.read_bytes())
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table marts.fct_target_progress as select community_id, indicator_id, population_group_id, "
            "geography_id, reporting_year, date '2027-06-30' as deadline, 'long' as horizon, 'off_track' as status, "
            "61.25::double as target_value, 40.75::double as baseline_value, 2015 as baseline_year, "
            "true as is_in_force, 0.125 as fitted_slope, 2.5 as required_slope "
            "from marts.fct_trend where reporting_year = 2024"
        )
        connection.execute(
            "create table marts.fct_story as select 'c00' as community_id, 1 as story_number, 2024 as reporting_year, "
            "'<b>Bus</b>' as title, n as text, 'graduation_4yr_pct' as indicator_id, 'parent' as author_role, "
            "c as consent from (values ('Told <script>alert(1)</script>' || repeat('x ', 5000), true), "
            "('Never told aloud', false)) as t(n, c)"
        )
        connection.execute(
            "create table marts.fct_strategy as select 'c00' as community_id, 2024 as reporting_year, kind, "
            "kind as strategy_id, title, 'graduation_4yr_pct' as indicator_id, 'active' as status, "
            "null::date as first_evidenced_on, '' as action from (values ('strategy', 'Tutors in every school'), "
            "('factor', 'Unreliable transport')) as t(kind, title)"
        )
    return path


def test_a_card_has_every_core_indicator_with_target_strategy_and_consented_story(
    database: Path, tmp_path: Path
) -> None:
    pages = written(with_targets(database, tmp_path / "copy.duckdb"), tmp_path)
    card = Page(pages["communities/c00.html"]).text
    for _, _, name, role, *_ in report_marts.INDICATORS:
        blocks = pages["communities/c00.html"].split('<nav class="screen"')[0]
        assert (name in blocks) == (role == "core")
    assert f"{61.25:.1f}% by 2027-06-30: not on the way" in card
    assert f"{40.75:.1f}% in 2015" in card and "Tutors in every school" in card
    assert "told with consent; shortened" in card and "Never told" not in of_community(pages, "c00")
    assert "Unreliable transport" not in card
    assert "&lt;b&gt;Bus" in pages["communities/c00.html"] and "<script" not in of_community(pages, "c00")


PARTS = ("value", "baseline", "target", "trend", "groups", "notes", "strategies", "source")
"""What every block of a card holds; the gaps stand in the table of groups."""


@pytest.mark.parametrize("richer", [False, True])
def test_every_block_of_every_card_has_all_its_parts_and_says_what_is_not_on_file(
    database: Path, tmp_path: Path, richer: bool
) -> None:
    pages = written(with_targets(database, tmp_path / "copy.duckdb") if richer else database, tmp_path)
    blocks = [
        block.partition("</section>")[0]
        for name, page in pages.items()
        if re.fullmatch(r"communities/[^/]+\.html", name)
        for block in page.split('<section class="card"')[1:]
    ]
    assert blocks
    parts = [dict(re.findall(r'data-part="(\w+)"[^>]*>(.*?)</(?:div|p)>', block, re.DOTALL)) for block in blocks]
    assert {tuple(of_block) for of_block in parts} == {PARTS}
    assert all(unescape(re.sub("<[^>]+>", "", text)).strip() for of_block in parts for text in of_block.values())
    said = {name: {"nothing on file" in of_block[name] for of_block in parts} for name in ("strategies", "source")}
    assert said == {"strategies": {True, False} if richer else {True}, "source": {True}}
    assert {"none in force" in of_block["target"] for of_block in parts} == {not richer}


def test_the_csv_beside_a_page_holds_the_rows_of_its_table(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        connection.execute("update marts.fct_trend_point set source_file = '=cmd()' where community_id = 'c01'")
        count = "select count(*) from marts.fct_trend_point where community_id = 'c01' and indicator_id = ?"
        expected = connection.execute(count, ["graduation_4yr_pct"]).fetchone()
    written(copy, tmp_path)
    path = (tmp_path / "report" / detail_page("c01")).with_suffix(".csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert expected == (len(rows),) and {row["source_file"] for row in rows} == {"'=cmd()"}
    assert path.with_suffix(".svg").read_text(encoding="utf-8").startswith("<svg ")


def test_a_chart_says_to_those_who_do_not_see_it_what_the_sentence_beside_it_says(pages: dict[str, str]) -> None:
    described = 0
    for name, html in pages.items():
        for chart in re.findall(r'<svg class="chart trend".*?<desc id="[^"]+">(.*?)</desc>', html):
            described += 1
            assert f">{chart.split('. ')[0]}" in html.split("</svg>")[0].split("<svg")[0], name
    assert described == 4 * len(report_marts.INDICATORS)


def test_each_gap_is_drawn_with_two_fitted_lines_and_told_in_the_words_of_the_table(pages: dict[str, str]) -> None:
    html = pages[detail_page("c00")]
    shown = re.search(
        r'<div class="panels" role="group" aria-label="[^"]*gaps by race and ethnicity">(.*?)</div>', html
    )
    assert shown
    drawn = re.findall(r"<title[^>]*>(.*?)</title><desc[^>]*>(.*?)</desc>(.*?)</svg>", shown[1])
    assert {title for title, _, _ in drawn} >= {"Black and White", "Hispanic and White"}
    for title, said, marks in drawn:
        assert marks.count('class="fit"') == marks.count('class="other-fit"') == 1, title
        meaning = said.split(". ", 1)[1]
        assert f">{meaning}</td>" in html, title


def test_every_column_of_a_table_is_named_beside_its_cells_on_a_phone(pages: dict[str, str], style: str) -> None:
    assert not re.search(r"url\(|@import|https?://|[<>]{2}|&[a-z]+;", style)
    assert {int(n) for n in re.findall(r"nth-child\((\d+)\)::before", style)} == set(range(2, COLUMNS + 1))
    for name, html in pages.items():
        for css, stated, rest in re.findall(r'<table class="([^"]*)" style="([^"]*)">(.*?)</thead>', html, re.DOTALL):
            heads = [Page(f"<p>{head}</p>").text for head in re.findall(r"<th\b[^>]*>(.*?)</th>", rest, re.DOTALL)]
            said = dict(re.findall(r'--h(\d+):"([^"]*)"', unescape(stated)))
            assert "stack" in css and said == {str(n): head for n, head in enumerate(heads, 1) if n > 1}, name
        unnamed = re.findall(r"<table(?! class=\"[^\"]*stack)[^>]*>", html)
        assert set(unnamed) <= {'<table class="matrix">'}, name


def test_a_box_behind_a_long_table_names_the_table_and_a_list_that_is_filtered_has_none() -> None:
    def framed(rows: int, css: str = "") -> str:
        body = "<tr><td>x</td></tr>" * rows
        head = "<caption>by &lt;name&gt;</caption><thead><tr><th>g</th></tr></thead>"
        return stacked(f'<div class="scroll"><table{css}>{head}<tbody>{body}</tbody></table>\n</div>')

    assert 'class="more"' not in framed(LONG) + framed(99, ' class="listed"') + framed(99, ' class="matrix"')
    assert 'aria-label="Show all rows: by &lt;name&gt;"' in framed(LONG + 1)


def test_a_heading_cannot_leave_the_style_it_stands_in() -> None:
    hostile = 'a"; } </table><script>&lt;b&gt; \\'
    page = stacked(f"<table><caption>c</caption><thead><tr><th>g</th><th>{escape(hostile)}</th></tr></thead></table>")
    stated = re.search(r'style="([^"]*)"', page)
    assert stated and "<script" not in page and unescape(stated[1]).count('"') == 2


def test_a_card_and_a_folder_of_two_communities_never_meet() -> None:
    ids = ["a", "a.html", "..", ".", "%2E%2E", "a/b"]
    names = [page_name(i) for i in ids] + [folder_name(i) for i in ids]
    assert len(set(names)) == len(names) and not any(set(name) <= {"."} or "/" in name for name in names)


def changed(database: Path, tmp_path: Path, *statements: str) -> dict[str, str]:
    """The pages of a copy of the database after some statements."""
    copy = tmp_path / "changed.duckdb"
    copy.write_bytes(database.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        for statement in statements:
            connection.execute(statement)
    return written(copy, tmp_path)


def test_gateways_are_offered_in_the_order_of_the_way_and_not_of_letters(database: Path, tmp_path: Path) -> None:
    way = ("systems_change", "completed", "sustaining", "exploring")
    pages = changed(
        database,
        tmp_path,
        *(
            f"update marts.fct_gateway_status set operating_in = '{g}' where community_id = 'c0{n}'"
            for n, g in enumerate(way)
        ),
    )
    box = pages["index.html"].split("<legend>Gateway</legend>")[1].split("</fieldset>")[0]
    offered = [" ".join(each.split()) for each in re.findall(r"> ([^<]+)</label>", box)]
    assert offered == ["all", "Exploring", "Sustaining", "Systems Change", "All gateways met"]


@pytest.mark.parametrize("measures", [(), ("timeliness",), ("timeliness", "completeness", "validity", "consistency")])
def test_a_measure_that_no_submission_has_is_no_column(
    database: Path, tmp_path: Path, measures: tuple[str, ...]
) -> None:
    adding = [f"alter table marts.fct_submission_status add column {name} double default 1" for name in measures]
    page = changed(database, tmp_path, *adding)["data-quality.html"]
    table = page.split("by community, communities by name</caption>")[1].split("</thead>")[0]
    assert re.findall(r"<th[^>]*>(\w+)</th>", table)[2:] == [name.capitalize() for name in measures]
    assert ("Four measures" in page) == (len(measures) == 4)
    assert ("Timeliness: whether" in page) == (len(measures) == 1)


def test_a_remark_of_a_requirement_names_outcomes_and_indicators_and_no_codes(database: Path, tmp_path: Path) -> None:
    remark = "2 of 7 (employment, grade3_reading_proficient_pct); score 83.0, none is set"
    page = changed(
        database,
        tmp_path,
        f"alter table marts.fct_designation_requirement add column evidence varchar default '{remark}'",
    )
    said = Page(page["communities/c00/standing.html"]).text
    assert "2 of 7 (Employment, Grade 3 students proficient in reading); score 83.0, none is set" in said


@pytest.mark.parametrize(("state", "is_closed"), [("frozen", True), ("provisional", False)])
def test_the_page_of_a_closed_cycle_says_by_which_rules_it_was_decided_and_that_trends_are_of_now(
    database: Path, tmp_path: Path, state: str, is_closed: bool
) -> None:
    page = changed(
        database,
        tmp_path,
        f"alter table marts.fct_designation add column record_state varchar default '{state}'",
        "alter table marts.fct_designation add column ruleset_id varchar default 'own'",
        "update marts.fct_designation set ruleset_version = '0.7.0'",
    )
    said = Page(page["communities/c00/standing.html"]).text
    assert ("stand as they were decided then, by the rules own 0.7.0." in said) == is_closed
    assert ("follow the data of this release and its rules" in said) == is_closed


def public_copy(database: Path, folder: Path) -> Path:
    """The marts as a public edition has them, to be changed."""
    copy = folder / "copy.duckdb"
    copy.write_bytes(database.read_bytes())
    report_marts.make_public(copy)
    return copy


def test_a_figure_that_nobody_has_is_not_said_to_be_kept_from_the_public(database: Path, tmp_path: Path) -> None:
    copy = public_copy(database, tmp_path)
    with duckdb.connect(str(copy)) as connection:
        connection.execute("alter table marts.fct_designation_requirement add column reason varchar")
        connection.execute("update marts.fct_designation_requirement set actual = null")
        connection.execute(
            "update marts.fct_designation_requirement set reason = 'no_score' where community_id = 'c00'"
        )
    with duckdb.connect(str(copy), read_only=True) as connection:
        write_report(connection, tmp_path, "public", context())
    pages = {name: (tmp_path / "report" / f"communities/{name}/standing.html").read_text() for name in ("c00", "c01")}
    assert "not published" in pages["c01"] and "not published" not in pages["c00"]


def test_a_public_card_without_a_core_figure_does_not_say_that_none_was_accepted(
    database: Path, tmp_path: Path
) -> None:
    # A term that lets out one other indicator of a community alone leaves its card without a block.
    copy = public_copy(database, tmp_path)
    with duckdb.connect(str(copy)) as connection:
        for table in ("fct_indicator_value", "fct_trend", "fct_trend_point", "fct_gap"):
            connection.execute(f"delete from marts.{table} where community_id = 'c00'")
    with duckdb.connect(str(copy), read_only=True) as connection:
        write_report(connection, tmp_path, "public", context())
    said = Page((tmp_path / "report/communities/c00.html").read_text()).text
    assert "There is no figure to show: no value of any core indicator is published." in said
    assert "accepted so far" not in said


def test_the_public_csv_gives_no_reason_for_a_used_value_and_the_counts_that_the_public_table_has(
    database: Path, tmp_path: Path
) -> None:
    copy = public_copy(database, tmp_path)
    coded = "community_id = 'c00' and indicator_id = 'graduation_4yr_pct' and population_group_id = 'gender:female'"
    with duckdb.connect(str(copy)) as connection:
        connection.execute(f"delete from marts.fct_trend_point where {coded} and school_year = 2024")
        connection.execute(
            "update marts.fct_indicator_value set value = null, numerator = null, value_status = 'range',"
            f" value_low = 98, value_high = 100, denominator = 160 where {coded} and school_year = 2024"
        )
    with duckdb.connect(str(copy), read_only=True) as connection:
        write_report(connection, tmp_path, "public", context())
    file = tmp_path / "report" / detail_page("c00").replace(".html", ".csv")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert {row["left_out_reason"] for row in rows if row["used"] == "true"} == {""}
    (told,) = [r for r in rows if (r["population_group_id"], r["school_year"]) == ("gender:female", "2024")]
    kept = ("value", "denominator", "left_out_reason", "value_low", "value_high")
    assert [told[name] for name in kept] == ["", "160", "range", "98.0", "100.0"]
