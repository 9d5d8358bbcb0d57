"""What changed since the release before: counted over values, said in words, quoted by nothing that a hash covers.

Belongs here: counts of two tables of values, the section in each language, the state that a manifest gives.
Does not: the page in a release that was made (tests/integration/test_retention.py), tracing it (test_report_traced.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lib.publish.release.compare import FIRST, GONE, ValueCounts, count_values, since_stated
from dagster_project.lib.publish.release.release import since_mark
from dagster_project.lib.publish.report.languages import catalogue
from dagster_project.lib.publish.report.languages.catalogue import speaking
from dagster_project.lib.publish.report.national.since_release import SENTENCES, section, sections
from tests import traced

KEY = ["community_id", "indicator_id", "school_year"]
SCHEMA = {
    "community_id": pl.String,
    "indicator_id": pl.String,
    "school_year": pl.Int32,
    "value": pl.Float64,
    "denominator": pl.Int64,
    "value_status": pl.String,
    "source_file": pl.String,
}
Rows = Mapping[tuple[str, int], tuple[float | None, str]]


def values(rows: Rows, source: str = "values.csv") -> pl.DataFrame:
    """A table of values by community and year."""
    made = [(town, "reading", year, value, 10, status, source) for (town, year), (value, status) in rows.items()]
    return pl.DataFrame(made, schema=SCHEMA, orient="row")


KEYS = st.tuples(st.sampled_from("abc"), st.integers(2015, 2018))
CELLS = st.one_of(st.tuples(st.sampled_from([0.1 + 0.2, 1.5, 2.25]), st.just("reported")), st.just((None, "withheld")))


@given(st.dictionaries(KEYS, CELLS), st.dictionaries(KEYS, CELLS))
def test_counts_are_those_of_the_keys_and_of_what_they_say(before: Rows, after: Rows) -> None:
    new, gone = after.keys() - before.keys(), before.keys() - after.keys()
    changed = {key for key in before.keys() & after.keys() if before[key] != after[key]}
    withheld = sum(after[key][1] == "withheld" for key in changed)
    towns = {town for town, _ in new | gone | changed}
    expected = ValueCounts(len(new), len(changed), len(gone), len(towns), withheld)
    assert count_values(values(before), values(after, "resubmitted.csv"), KEY) == expected


def test_ten_digits_decide_whether_a_value_has_changed() -> None:
    was = values({("a", 2015): (0.1 + 0.2, "reported")})
    assert count_values(was, values({("a", 2015): (0.3, "reported")}), KEY).changed == 0
    assert count_values(was, values({("a", 2015): (0.300000001, "reported")}), KEY).changed == 1


def test_a_column_that_an_older_release_lacks_is_not_a_change_and_without_its_table_all_is_new() -> None:
    now = values({("a", 2015): (1.5, "reported")})
    assert count_values(now.drop("denominator"), now, KEY) == ValueCounts(0, 0, 0, 0, 0)
    assert count_values(None, now, KEY) == ValueCounts(1, 0, 0, 1, 0)


def said(since: Mapping[str, Any], language: str = "en") -> str:
    """The text of the section without its marks."""
    with speaking(catalogue.language(language)):
        return " ".join(re.sub("<[^>]+>", " ", section(since)).split())


def since(**counts: int) -> dict[str, Any]:
    """A manifest's `since` of a release on which only these counts are not zero."""
    none = since_stated("2024-06-30-def", "2024-06-30", ValueCounts(0, 0, 0, 0, 0), statuses_moved=0)
    return none | counts


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", SENTENCES)
def test_every_count_is_said_in_the_number_it_has_and_traced_to_its_field(name: str, language: str) -> None:
    one, many = (said(since(**{name: n}), language) for n in (1, 1_204))
    assert re.search(r"\b1 ", one) and "1,204 " in many
    assert one.replace("1", "") != many.replace("1,204", ""), "a number above one has its own form"
    with speaking(catalogue.language(language)):
        html = str(section(since(**{name: 1_204})))
    stated = dict(traced.Traced(html).stated)
    assert stated.keys() == {"since.release_id", "since.today", f"since.{name}"}
    assert traced.stated_faults(html, {"since": since(**{name: 1_204})}, catalogue.language(language).day) == []
    assert traced.stated_faults(html, {"since": since(**{name: 1_203})}, catalogue.language(language).day) != []


def test_what_is_zero_is_not_listed_and_nothing_at_all_is_one_line() -> None:
    assert "no longer there" not in said(since(values_new=2))
    compared = "Since the last release Compared with release 2024-06-30-def of 2024-06-30 no value has changed"
    assert said(since()) == (
        f"{compared}, and no status of a trend, a gap, an outcome, a designation, a gateway or a criterion."
    )


def test_of_statuses_nothing_is_denied_that_was_not_counted() -> None:
    values_alone = {name: stated for name, stated in since().items() if "moved" not in name and "judged" not in name}
    assert len(values_alone) < len(since()) and "status" not in said(values_alone)


@pytest.mark.parametrize(
    ("state", "language", "words"),
    [
        (FIRST, "en", "This is the first release"),
        (FIRST, "es", "Esta es la primera publicación"),
        (GONE, "en", "the one before it was withdrawn or is not kept"),
        (GONE, "es", "la anterior se retiró o no se conserva"),
    ],
)
def test_where_nothing_is_compared_one_line_says_why(state: str, language: str, words: str) -> None:
    told = said({"state": state}, language)
    assert words in told and not re.search(r"\d", told)


def test_each_language_has_its_own_words_for_its_own_mark() -> None:
    texts = sections(since(values_new=1), ["en", "es"])
    assert texts.keys() == {since_mark("en"), since_mark("es")}
    assert "1</span> value is new." in texts[since_mark("en")]
    assert "1</span> valor es nuevo." in texts[since_mark("es")]
