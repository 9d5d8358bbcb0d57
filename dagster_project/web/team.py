"""The data team's page: what waits, one answer for a shared cause, reviews of members' answers.

Belongs here: the page of the network's own staff and its two forms.
Does not: what waits and what may be decided (lib/monitoring), who somebody is (site.py), pages of members (pages.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.member.page import views
from dagster_project.lib.monitoring import deciding
from dagster_project.lib.monitoring.worklist import Worklist, current_worklist
from dagster_project.lib.publish.release.pointing import ReleaseMissingError
from dagster_project.web import pages
from dagster_project.web.site import Refusal, Site, Visit

TEAM = "/team"
MOST_SHOWN = 100
"""Lines of one kind on a page; the page of one year shows those of that year."""
APPROVER = "data team"
DONE = {
    "answered": "The answer was written down for all folders that share the cause. The network's next run takes it.",
    "reviewed": "The review was written down. The network's next run takes it.",
}
ASKING = ("shared", "answers")
LISTS = (*ASKING, "folders", "own")
"""What the page shows of a worklist, and which of it is answered there."""


def home(site: Site) -> Callable[[Request], Response]:
    """The first page: the years of a member, the worklist for the data team."""

    def answer(request: Request) -> Response:
        if site.is_team(request):
            return RedirectResponse(TEAM, 303)
        return pages.overview(site.visit(request))

    return answer


def worklist_page(site: Site) -> Callable[[Request], Response]:
    """Who is due, late, has open questions, opened its receipt; causes to answer; answers to review."""

    def answer(request: Request) -> Response:
        visit = site.team(request)
        reference = Reference(visit.settings.seeds)
        years = sorted(reference.reporting_years(visit.today), reverse=True)
        asked = request.query_params.get("year", "")
        year = next((known for known in years if str(known) == asked), None)
        if asked and year is None:
            raise Refusal(404, "{year} is not a reporting year.", year=asked)
        work = _work(visit, year)
        lists = {name: _first(getattr(work, name)) for name in LISTS} if work else {}
        held = [int(row["reporting_year"]) for name in ASKING for row in (lists[name]["shown"] if lists else ())]
        names = dict(reference.communities.select("community_id", "name").iter_rows())
        return visit.show(
            "team.html", years=years, year=year, lists=lists, names=names, status_words=views.YEAR_WORDS,
            decided=deciding.decided(visit.drop, held), reasons=views.reasons(), longest=views.LONGEST_TEXT,
            done=DONE.get(request.query_params.get("done", ""), ""),
        )  # fmt: skip

    return answer


async def answer_cause(visit: Visit) -> Response:
    """One answer for all folders that share a cause."""

    def decide(work: Worklist, given: dict[str, str]) -> str:
        _short(given)
        return deciding.answer(
            visit.drop, work, given.get("finding_id", ""), given.get("text", ""), given.get("reason", "")
        )

    return await _decided(visit, "answered", decide)


async def review_answer(visit: Visit) -> Response:
    """A member's answer accepted, or rejected with a reason that the member reads."""

    def decide(work: Worklist, given: dict[str, str]) -> str:
        _short(given)
        return deciding.review(
            visit.drop, work, given.get("finding_id", ""), given.get("decision", ""), given.get("text", ""),
            APPROVER, visit.today,
        )  # fmt: skip

    return await _decided(visit, "reviewed", decide)


def _short(given: dict[str, str]) -> None:
    if len(given.get("text", "")) > views.LONGEST_TEXT:
        raise Refusal(400, "Please write a reason of at most {most} characters.", most=f"{views.LONGEST_TEXT:,}")


async def _decided(visit: Visit, done: str, decide: Callable[[Worklist, dict[str, str]], str]) -> Response:
    form = await visit.form()
    given = {name: str(value) for name, value in form.items()}

    def write() -> None:
        work = _work(visit, None)
        if work is None:
            raise Refusal(400, deciding.NOT_OPEN)
        try:
            decide(work, given)
        except deciding.DecisionError as error:
            raise Refusal(400, error.words, **error.given) from None

    await run_in_threadpool(write)
    visit.said("team", done)
    shown = {"done": done, **({"year": given["year"]} if given.get("year") else {})}
    return RedirectResponse(f"{TEAM}?{urlencode(shown)}", 303)


def _work(visit: Visit, year: int | None) -> Worklist | None:
    """What waits by the current release; None before the first one."""
    try:
        return current_worklist(visit.settings, year)
    except ReleaseMissingError:
        return None


def _first(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"shown": rows[:MOST_SHOWN], "all": len(rows)}
