"""What the command line says beside the public edition.

Belongs here: objections of communities that could not be read.
Does not: what is public, previews and their days (tests/integration/test_previews.py), or the audit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from dagster_project.cli.public import tell_public
from dagster_project.lib.app.stands.public import PublicStands
from dagster_project.lib.monitoring import worklist
from dagster_project.settings import Settings, from_environment

MARTS = """
create schema marts;
create table marts.fct_finding (finding_id text, community_id text, reporting_year int, severity text, status text,
    message text, source_file text, source_sheet text, submission_id text, allowed text);
create table marts.fct_submission_file (submission_id text, source_file text, layout_id text, folder text);
insert into marts.fct_submission_file values
    ('s', 'notes.csv', 'publication_objections_v1', '_network'), ('s', 'scores.csv', 'scores_v1', '_network'),
    ('t', 'notes.csv', 'scores_v1', '_network'), ('u', 'post.xlsx', null, '_network'),
    ('u', 'board.xlsx', 'review_decisions_v1, publication_objections_v1', '_network'),
    ('u', 'old.xlsx', null, '_network'), ('v', 'old.xlsx', null, 'nowhere'), ('u', 'marks.xlsx', null, '_network');
insert into marts.fct_finding select *, null from (values
    ('a', null, 2024, 'explainable', 'open', 'Our rate is unknown.', 'publication_objections.csv', '', 's'),
    ('b', null, 2023, 'error', 'open', 'No such day.', 'network.xlsx', 'Publication_Objections', 's'),
    ('c', null, 2024, 'info', 'closed', 'The same row twice.', 'publication_objections.csv', '', 's'),
    ('d', null, 2024, 'error', 'open', 'No such score.', 'scores.csv', '', 's'),
    ('f', null, null, 'error', 'open', 'It lies in no folder.', 'publication_objections.csv', null, null),
    ('g', null, 2024, 'error', 'open', 'No such community.', 'notes.csv', '', 's'),
    ('h', null, 2024, 'error', 'open', 'No such decision.', 'notes.csv', '', 't'),
    ('e', 'alder', 2024, 'fatal', 'open', 'Not yours to send.', 'publication_objections.csv', '', 'u'));
insert into marts.fct_finding values
    ('i', null, 2025, 'fatal', 'open', 'No day.', 'post.xlsx', '', 'u', 'the columns of publication_objections: day'),
    ('j', null, 2025, 'error', 'open', 'No such day.', 'board.xlsx', 'A', 'u', 'a date'),
    ('k', null, 2025, 'fatal', 'open', 'No layout fits.', 'old.xlsx', 'A', 'u', 'a contract table'),
    ('l', null, 2025, 'fatal', 'open', 'No layout fits.', 'old.xlsx', 'A', 'v', 'a contract table'),
    ('m', null, 2025, 'fatal', 'open', 'No score.', 'marks.xlsx', 'A', 'u', 'the columns of scores: code');
"""


def test_an_objection_that_could_not_be_read_is_told_beside_the_public_edition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def invented(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect() as connection:
            connection.execute(MARTS)
            yield connection

    monkeypatch.setattr(worklist, "open_release", invented)
    monkeypatch.setattr(PublicStands, "waiting", lambda _: None)
    tell_public(from_environment({"CRADLE_HOME": str(tmp_path)}))
    assert capsys.readouterr().err.splitlines() == [
        "Note: an objection of the bucket withholds nothing: It lies in no folder.",
        "Note: an objection of _network/2023 withholds nothing: No such day.",
        "Note: an objection of _network/2024 withholds nothing: Our rate is unknown.",
        "Note: an objection of _network/2024 withholds nothing: No such community.",
        "Note: an objection of _network/2025 withholds nothing: No day.",
        "Note: what was not taken of _network/2025, if it is an objection, withholds nothing: No such day.",
        "Note: what was not taken of _network/2025, if it is an objection, withholds nothing: No layout fits.",
    ]
