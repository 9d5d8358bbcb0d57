"""What waits for the data team is listed, and nothing else.

Belongs here: the four lists from the marts of an invented release, and their lines.
Does not: the commands over a whole home (browser/test_member_page.py), the marts themselves (dbt).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import pytest

from dagster_project.lib.monitoring.worklist import lines, worklist

TODAY = dt.date(2018, 12, 5)
MARTS = """
create schema marts; create schema inputs;
create table marts.fct_finding (finding_id text, community_id text, reporting_year int, rule_id text, severity text,
    status text, message text, explanation text, n_rows int, allowed text);
insert into marts.fct_finding values
    ('cause', '_network', 2018, 'shared_cause', 'explainable', 'open', 'A new test in OH.', null, 12, null),
    ('known', '_network', 2018, 'shared_cause', 'explainable', 'explained', 'Another test.', 'Yes.', 12, null),
    ('asked', 'alder', 2018, 'jump', 'explainable', 'open', 'It jumped.', null, 1, null),
    ('given', 'birch', 2018, 'jump', 'explainable', 'explained', 'It jumped.', 'We joined.', 1, null),
    ('looked', 'birch', 2017, 'jump', 'explainable', 'explained', 'It fell.', 'We left.', 1, null),
    ('wrong', 'birch', 2018, 'bad_number', 'error', 'open', 'No number.', null, 1, null),
    ('astray', null, null, 'unknown_community', 'error', 'open', 'The folder Alder is not known.', null, 1, 'an id'),
    ('own', null, 2018, 'bad_number', 'error', 'open', 'No number in a decision.', null, 1, null);
create table marts.fct_submission_status (community_id text, reporting_year int, status text, due_on date,
    submission_id text, findings_blocking int, findings_open int);
create table marts.dim_community (community_id text, left_year int);
insert into marts.dim_community values ('alder', 2018), ('birch', null), ('gum', 2017);
insert into marts.fct_submission_status values
    ('gum', 2017, 'rejected', '2017-11-30', 's4', 1, 0),
    ('gum', 2018, 'accepted_with_queries', '2018-11-30', 's5', 0, 3),
    ('alder', 2018, 'accepted_with_queries', '2018-11-30', 's1', 1, 2),
    ('birch', 2018, 'accepted_with_queries', '2018-11-30', 's2', 0, 1),
    ('cedar', 2018, 'expected', '2018-11-30', null, 0, 0),
    ('dogwood', 2018, 'expected', '2018-12-15', null, 0, 0),
    ('elder', 2018, 'expected', '2019-01-30', null, 0, 0),
    ('fir', 2018, 'accepted', '2018-11-30', 's3', 0, 0),
    ('fir', 2017, 'waived', '2017-11-30', null, 0, 0);
"""
DECISIONS = "create table inputs.register_explanation_decisions as select 'looked' as finding_id"
OPENED = {("alder", 2018): ("s1", "2018-12-01"), ("birch", 2018): ("an older state", "2018-11-01")}


@pytest.fixture
def release() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(MARTS)
        yield connection


def test_shared_causes_answers_without_a_review_and_folders_are_listed(release: duckdb.DuckDBPyConnection) -> None:
    release.execute(DECISIONS)
    work = worklist(release, OPENED, TODAY, 14)
    assert [row["finding_id"] for row in work.shared] == ["cause"]
    assert [row["finding_id"] for row in work.answers] == ["known", "given"]
    assert [(row["community_id"], row["status"], row["receipt_opened"]) for row in work.folders] == [
        ("alder", "accepted_with_queries", "2018-12-01"),
        ("birch", "accepted_with_queries", None),
        ("cedar", "late", None),
        ("dogwood", "expected", None),
        ("gum", "rejected", None),
    ]


def test_a_folder_of_a_year_after_its_community_left_waits_for_nobody(release: duckdb.DuckDBPyConnection) -> None:
    found = [(row["community_id"], row["reporting_year"]) for row in worklist(release, {}, TODAY, 14).folders]
    assert ("gum", 2017) in found and ("gum", 2018) not in found


def test_a_release_from_before_reviews_were_kept_lists_all_answers(release: duckdb.DuckDBPyConnection) -> None:
    assert [row["finding_id"] for row in worklist(release, {}, TODAY, 14).answers] == ["known", "given", "looked"]
    assert worklist(release, {}, TODAY, 14, 2016).folders == []


def test_what_is_of_no_community_is_listed_and_what_has_no_year_in_every_year(
    release: duckdb.DuckDBPyConnection,
) -> None:
    assert [row["finding_id"] for row in worklist(release, {}, TODAY, 14).own] == ["astray", "own"]
    assert [row["finding_id"] for row in worklist(release, {}, TODAY, 14, 2017).own] == ["astray"]


def test_lines_say_what_to_do(release: duckdb.DuckDBPyConnection) -> None:
    text = "\n".join(lines(worklist(release, OPENED, TODAY, 14)))
    assert "cause  2018  A new test in OH." in text
    assert "answer: We joined." in text
    assert "1 to mend, 2 open questions, receipt opened 2018-12-01" in text
    assert "late: due on 2018-11-30" in text
    assert "error       The folder Alder is not known. Allowed: an id" in text
