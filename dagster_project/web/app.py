"""The member's page as an application: which address leads to which page or form, and what is said of errors.

Belongs here: routes, and the page that says what did not work.
Does not: pages (pages.py), forms (forms.py), limits and headers (guard.py).
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dagster_project.lib.base.store import StoreError
from dagster_project.settings import Settings
from dagster_project.web import checks, forms, pages, team
from dagster_project.web.guard import Guard
from dagster_project.web.site import HERE, Refusal, Site, sent, shown, spoken_by

NO_PAGE = "There is no such page."
NO_FORM = "This form could not be read. Send at most 100 files at once, and begin on the page itself."
NO_BUCKET = "The bucket cannot be reached. Please try again later."


def application(read: Callable[[], Settings]) -> Guard:
    """The application; `read` gives the settings. What a dead server left of uploads is deleted first."""
    site = Site(read)
    site.holding.clear()
    year, ticket = "/year/{year:int}", "/year/{year:int}/checked/{ticket}"
    routes = [
        Route("/", team.home(site)),
        Route(team.TEAM, team.worklist_page(site)),
        Route(f"{team.TEAM}/answer", sent(site, team.answer_cause, team=True), methods=["POST"]),
        Route(f"{team.TEAM}/review", sent(site, team.review_answer, team=True), methods=["POST"]),
        Route("/enter", pages.enter(site)),
        Route("/language/{code}", pages.choose_language),
        Route(year, shown(site, pages.one_year)),
        Route(f"{year}/template", sent(site, pages.template)),
        Route(f"{year}/receipt", shown(site, pages.receipt_page)),
        Route(f"{year}/receipt/{{submission}}", shown(site, pages.receipt_page)),
        Route(f"{year}/copy/{{name}}", shown(site, pages.marked_copy)),
        Route(f"{year}/check", sent(site, forms.check), methods=["POST"]),
        Route(f"{year}/change", sent(site, forms.change), methods=["POST"]),
        Route(ticket, sent(site, checks.checked)),
        Route(ticket, sent(site, forms.decide), methods=["POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]

    def told(request: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else 503
        words = error.detail if isinstance(error, HTTPException) else NO_BUCKET
        given = error.given if isinstance(error, Refusal) else {}
        if not isinstance(error, Refusal):
            words = {400: NO_FORM, 404: NO_PAGE, 405: NO_PAGE}.get(code, words)
        return site.show("message.html", request, None, code, words=spoken_by(request).say(words, **given))

    return Guard(Starlette(routes=routes, exception_handlers={HTTPException: told, StoreError: told}))
