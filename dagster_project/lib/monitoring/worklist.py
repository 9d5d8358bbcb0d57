"""What waits for the network's data team: shared causes to answer, answers to review, folders that do not go on alone,
and the network's own list.

Belongs here: reading these from a release, as rows and as lines of text.
Does not: answering and deciding (deciding.py), deadlines (freshness.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import DECISIONS_TABLE, INPUTS, NETWORK_FOLDER
from dagster_project.lib.member.page import opened
from dagster_project.lib.monitoring.freshness import NOTICE_DAYS
from dagster_project.lib.publish.release.opening import open_release
from dagster_project.settings import Settings

Row = dict[str, Any]
NO_DECISIONS = "select null::varchar as finding_id where false"
SHARED = f"""
select finding_id, reporting_year, rule_id, message, n_rows
from marts.fct_finding
where community_id = '{NETWORK_FOLDER}' and severity = 'explainable' and status = 'open'
  and (? is null or reporting_year = ?)
order by reporting_year desc, n_rows desc, finding_id
"""
ANSWERS = """
select f.finding_id, f.community_id, f.reporting_year, f.message, f.explanation as answer
from marts.fct_finding as f
where f.severity = 'explainable' and f.status = 'explained' and (? is null or f.reporting_year = ?)
  and f.finding_id not in (select d.finding_id from ({decisions}) as d where d.finding_id is not null)
order by f.reporting_year desc, f.community_id, f.finding_id
"""
FOLDERS = """
select s.community_id, s.reporting_year, s.status, s.due_on, s.submission_id, s.findings_blocking, s.findings_open
from marts.fct_submission_status as s
left join marts.dim_community as c using (community_id)
where s.status not in ('accepted', 'waived', 'not_expected') and (? is null or s.reporting_year = ?)
  and s.reporting_year <= coalesce(c.left_year, s.reporting_year)
order by reporting_year desc, community_id
"""
OWN_LIST = """
select finding_id, reporting_year, rule_id, severity, message, allowed
from marts.fct_finding
where community_id is null and (? is null or reporting_year is null or reporting_year = ?)
order by reporting_year desc nulls first, severity, rule_id, message
"""
# Known by a name, by the columns that are asked for, or by the layout that alone read the file. A sheet that no layout
# takes, or one of a file in which others are something else, may be an objection. Releases of version 0.1.0 have no
# column folder.
UNREAD_OBJECTIONS = f"""
with told as (
    select
        findings.*,
        regexp_matches(concat_ws(' ', source_file, source_sheet, allowed), 'objection', 'i')
            or coalesce(regexp_full_match(layout_id, 'publication_objections_v[0-9]+'), false) as is_one,
        coalesce(regexp_matches(layout_id, 'publication_objections_v[0-9]+(,|$)'), false)
            or folder = '{NETWORK_FOLDER}' and severity = 'fatal'
            and not starts_with(coalesce(allowed, ''), 'the columns of ') as may_be_one
    from marts.fct_finding as findings
    left join (
        select distinct submission_id, source_file, layout_id, to_json(files) ->> 'folder' as folder
        from marts.fct_submission_file as files
    ) using (submission_id, source_file)
    where community_id is null and status = 'open' and severity <> 'info'
)
select coalesce('{NETWORK_FOLDER}/' || reporting_year, 'the bucket') as place, message, is_one
from told
where is_one or may_be_one
order by reporting_year nulls first, finding_id
"""
LATE, EXPECTED = "late", "expected"


@dataclass(frozen=True)
class Worklist:
    """`shared`: open questions to the network. `answers`: members' answers that nobody has reviewed. `folders`: due
    soon, late, or with something open, and since when their receipt was opened (None: it was not); none of a year after
    their community left, of which nothing is asked. `own`: what is of no community, in folders of unknown communities
    and years, between folders and in the network's own.
    """

    shared: list[Row]
    answers: list[Row]
    folders: list[Row]
    own: list[Row] = field(default_factory=list)


def unread_objections(settings: Settings) -> list[tuple[str, str]]:
    """Communities' objections to publication in the current release that could not be read, and what may be one.

    Each as a sentence, with its place (a folder of the network's own, or the bucket where it lies in none), and what is
    wrong there. They withhold nothing, and what is public cannot be taken back from who copied it: so they are told.
    ReleaseMissingError where there is no release.
    """
    with open_release(settings) as release:
        found = release.execute(UNREAD_OBJECTIONS).fetchall()
    return [(_withholds_nothing(place, is_one), str(message)) for place, message, is_one in found]


def _withholds_nothing(place: str, is_one: bool) -> str:
    what = f"an objection of {place}" if is_one else f"what was not taken of {place}, if it is an objection,"
    return f"{what} withholds nothing"


def worklist(
    release: Connection,
    seen: Mapping[tuple[str, int], tuple[str, str]],
    today: dt.date,
    notice_days: int,
    year: int | None = None,
) -> Worklist:
    """What waits, of all reporting years or of one. `seen`: receipts opened (member/page/opened.py)."""
    given = [year, year]
    tables = "select table_name from information_schema.tables where table_schema = ? and table_name = ?"
    kept = release.execute(tables, [INPUTS, DECISIONS_TABLE]).fetchall()
    decisions = f"select finding_id from {INPUTS}.{DECISIONS_TABLE}" if kept else NO_DECISIONS
    folders = []
    for row in _rows(release, FOLDERS, given):
        days = (row["due_on"] - today).days if row["due_on"] else None
        if row["status"] == EXPECTED and days is not None and days < 0:
            row["status"] = LATE  # the day has come since the release was made
        if row["status"] == EXPECTED and (days is None or days > notice_days):
            continue
        submission, since = seen.get((row["community_id"], row["reporting_year"]), (None, None))
        folders.append({**row, "receipt_opened": since if submission == row["submission_id"] else None})
    answers = _rows(release, ANSWERS.format(decisions=decisions), given)
    return Worklist(_rows(release, SHARED, given), answers, folders, _rows(release, OWN_LIST, given))


def current_worklist(settings: Settings, year: int | None = None) -> Worklist:
    """What waits by the current release; ReleaseMissingError where there is none."""
    seen = opened.read(opened.store(settings.home))
    with open_release(settings) as release:
        return worklist(release, seen, settings.today, max(NOTICE_DAYS), year)


def _rows(release: Connection, query: str, given: Sequence[Any]) -> list[Row]:
    return release.execute(query, list(given)).pl().to_dicts()


def lines(work: Worklist) -> Iterator[str]:
    """The worklist for a terminal."""
    yield f"Shared causes to answer: {len(work.shared):,} (cradle answer FINDING TEXT)"
    for row in work.shared:
        yield f"  {row['finding_id']}  {row['reporting_year']}  {row['message']}"
    yield f"Answers to review: {len(work.answers):,} (cradle review FINDING accepted|rejected)"
    for row in work.answers:
        yield f"  {row['finding_id']}  {row['reporting_year']}  {row['community_id']}: {row['message']}"
        yield f"      answer: {row['answer']}"
    yield f"Folders that wait: {len(work.folders):,}"
    for row in work.folders:
        yield f"  {row['reporting_year']}  {row['community_id']:<28} {row['status'].replace('_', ' ')}{_more(row)}"
    yield f"Of no community, in the bucket: {len(work.own):,}"
    for row in work.own:
        yield f"  {row['severity']:<11} {row['message']} Allowed: {row['allowed'] or 'nothing'}"


def _more(row: Row) -> str:
    parts = [f"due on {row['due_on']}"] if row["status"] in (LATE, EXPECTED) else []
    if row["findings_blocking"]:
        parts.append(f"{row['findings_blocking']:,} to mend")
    if row["findings_open"]:
        parts.append(f"{row['findings_open']:,} open question{'' if row['findings_open'] == 1 else 's'}")
    if row["submission_id"]:
        since = row["receipt_opened"]
        parts.append(f"receipt opened {since}" if since else "receipt not opened on the page")
    return f": {', '.join(parts)}" if parts else ""
