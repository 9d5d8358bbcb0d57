"""Who asks, in which language, for which year; and what every page is made with.

Belongs here: the application's state, the beginning that all pages share, refusing in words, rendering.
Does not: any page (pages.py), any form (forms.py), limits (guard.py), words and tables (lib/member/page).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dagster_project.lib.base.names import NETWORK_FOLDER
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.templates import environment
from dagster_project.lib.intake.bucket.drop import open_drop
from dagster_project.lib.member.page import access, language, opened, views
from dagster_project.lib.member.page.spoken import Speaker, speaker
from dagster_project.lib.publish.release.opening import open_release
from dagster_project.lib.publish.release.pointing import ReleaseMissingError
from dagster_project.lib.publish.report.languages.published import dictionary_names
from dagster_project.settings import Settings
from dagster_project.web.guard import MOST_FORMS, Rate
from dagster_project.web.held import Holding

COOKIE, LANGUAGE_COOKIE = "cradle_member", "cradle_language"
HERE = Path(__file__).parent
SLOWEST_SECONDS = 300
MOST_FILES, MOST_FIELDS, LARGEST_FIELD = 100, 20, 16 * 1024
TEAM_FORMS = 600  # a colleague reviews answer by answer
AUDIT = logging.getLogger("cradle.serve")
STATUSES = "select * from marts.fct_submission_status where community_id = ?"
NOT_KNOWN = (
    "Please open this page by the link that the network sent you. "
    "A link that is old no longer works: ask the network for a new one."
)


class Refusal(HTTPException):
    """An answer in words: a text of the catalogues, and what fills its places."""

    def __init__(self, code: int, words: str, **given: object) -> None:
        super().__init__(code, words)
        self.given = given


@dataclass(frozen=True)
class Member:
    """Who asks: a community of the network, the mark that its forms carry, and its last reporting year if it left."""

    community_id: str
    name: str
    mark: str
    left_year: int | None = None


@dataclass
class Site:
    """The application's state: settings as `read` gives them for each request, so that today moves on."""

    read: Callable[[], Settings]
    rate: Rate = field(default_factory=Rate)
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    """Checks that run, by the ticket of their upload."""

    @cached_property
    def key(self) -> str:
        """What signs forms: the secret of links, or one of this process."""
        return self.read().serve_secret or secrets.token_hex(32)

    @cached_property
    def holding(self) -> Holding:
        """Uploads that wait."""
        return Holding(self.read().work / "serve")

    @cached_property
    def opened(self) -> Store:
        """Where it is noted which receipt a community opened."""
        return opened.store(self.read().home)

    @cached_property
    def templates(self) -> Environment:
        """All member text is escaped and made visible."""
        return environment(HERE / "templates", link=quote)

    def asker(self, request: Request) -> str | None:
        """What a link or the proxy names: a community, or the network's own folder for its staff. The proxy's word
        comes before a link."""
        settings = self.read()
        community = None
        if settings.serve_user_header and (named := request.headers.getlist(settings.serve_user_header)):
            community = named[0] if len(named) == 1 else None
        elif settings.serve_secret and (link := request.cookies.get(COOKIE)):
            community = access.community_of(settings.serve_secret, link, settings.today)
        return community

    def is_team(self, request: Request) -> bool:
        """Whether the network's own staff asks."""
        return self.asker(request) == NETWORK_FOLDER

    def team(self, request: Request) -> Visit:
        """A request of the network's staff; for a member there is no such page, for nobody that is known no page."""
        if not self.is_team(request):
            self.member(request)
            raise Refusal(404, "There is no such page.")
        settings = self.read()
        member = Member(
            NETWORK_FOLDER, Reference(settings.seeds).network_name, access.form_mark(self.key, NETWORK_FOLDER)
        )
        return Visit(self, request, settings, member, 0)

    def member(self, request: Request) -> Member:
        """Which community asks; Refusal for nobody that is known."""
        settings, community = self.read(), self.asker(request)
        reference = Reference(settings.seeds)
        known = {row["community_id"]: row for row in reference.communities.iter_rows(named=True)}
        # A link, or a line of the sign-in, from before a rename opens the page of the same community.
        community = reference.names.of(community or "")
        if community not in known:
            raise Refusal(403, NOT_KNOWN)
        row = known[community]
        return Member(community, str(row["name"]), access.form_mark(self.key, community), row["left_year"])

    def visit(self, request: Request) -> Visit:
        """Who asks for which year; Refusal for nobody that is known, and for a year that is none of the network's."""
        member, settings = self.member(request), self.read()
        year = int(request.path_params.get("year", 0))
        if "year" in request.path_params and year not in Reference(settings.seeds).reporting_years(settings.today):
            raise Refusal(404, "{year} is not a reporting year.", year=year)
        return Visit(self, request, settings, member, year)

    def show(self, template: str, request: Request, member: Member | None, code: int = 200, **given: Any) -> Response:
        """A page in the language of who asks."""
        return HTMLResponse(self.page(template, request, member, **given), code)

    def speaker(self, code: str, member: Member | None) -> Speaker:
        """Who says findings in a language; to a member with the names that the network's dictionary has in it."""
        if member is None or code == language.ENGLISH:
            return speaker(code)
        names = dictionary_names(Reference(self.read().seeds)).get(code, {})
        return speaker(code, tuple(sorted(names.items())))

    def page(self, template: str, request: Request, member: Member | None, **given: Any) -> str:
        """The text of a page."""
        spoken = spoken_by(request)
        others = [each for each in language.languages().values() if each.code != spoken.code]
        return self.templates.get_template(template).render(
            _=spoken.say, language=spoken, others=others, here=request.url.path, member=member,
            checks=self.speaker(spoken.code, member), **given,
        )  # fmt: skip


def spoken_by(request: Request) -> language.Language:
    """The language that somebody chose, else the one that the browser asks for."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in language.languages():
        return language.language(chosen)
    return language.asked_for(request.headers.get("accept-language", ""))


@dataclass(frozen=True)
class Visit:
    """One request of a member: who, and for which reporting year (0 where the address names none)."""

    site: Site
    request: Request
    settings: Settings
    member: Member
    year: int

    @property
    def folder(self) -> str:
        """The folder of the year in the drop bucket and in the outbox, with its slash."""
        return f"{self.member.community_id}/{self.year}/"

    @property
    def today(self) -> dt.date:
        """The only today."""
        return self.settings.today

    @cached_property
    def drop(self) -> Store:
        """The drop bucket."""
        return open_drop(self.settings.drop_url, self.settings.s3_endpoint)

    @cached_property
    def outbox(self) -> Store:
        """Where receipts lie."""
        return Store(self.settings.outbox_url, self.settings.s3_endpoint)

    @cached_property
    def statuses(self) -> list[dict[str, Any]]:
        """Rows of fct_submission_status of the community; none before the first release."""
        try:
            with open_release(self.settings) as connection:
                return connection.execute(STATUSES, [self.member.community_id]).pl().to_dicts()
        except ReleaseMissingError:
            return []

    def status(self) -> dict[str, Any]:
        """How the year stands, in words."""
        return views.year_rows([self.year], self.statuses, self.member.left_year)[0]

    def receipt(self) -> dict[str, Any] | None:
        """The latest receipt that intake wrote."""
        found = self.outbox.get_or_none(f"{self.folder}receipt.json")
        return json.loads(found) if found else None

    async def form(self) -> FormData:
        """A form of the page itself; refused before it is read where another site sent it or there are too many."""
        if self.request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Refusal(403, "This form was sent by another site. Please use the page itself.")
        most = TEAM_FORMS if self.member.community_id == NETWORK_FOLDER else MOST_FORMS
        self.site.rate.count(self.member.community_id, most)
        try:
            async with asyncio.timeout(SLOWEST_SECONDS):
                form = await self.request.form(
                    max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD
                )
        except TimeoutError:
            raise Refusal(408, "The upload took too long. Please send fewer files at once.") from None
        if not access.is_form_mark(self.site.key, self.member.community_id, str(form.get("mark", ""))):
            raise Refusal(403, "This form is too old. Please open the page again and repeat it.")
        return form

    def show(self, template: str, **given: Any) -> Response:
        """A page of the member."""
        return self.site.show(template, self.request, self.member, **given)

    def back(self, done: str) -> Response:
        """To the page of the year, which says what was done."""
        return RedirectResponse(f"/year/{self.year}?done={done}", 303)

    def said(self, action: str, result: str) -> None:
        """One line of the audit log: community, year and action, no names of files and nothing of a person."""
        AUDIT.info("%s %s %s %s", self.member.community_id, self.year, action, result)


def shown(site: Site, page: Callable[[Visit], Response]) -> Callable[[Request], Awaitable[Response]]:
    """A page that reads: it runs beside the others."""

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(lambda: page(site.visit(request)))

    return answer


def sent(
    site: Site, act: Callable[[Visit], Awaitable[Response]], team: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    """A form, or a page that waits for something. team: of the network's staff alone."""

    async def answer(request: Request) -> Response:
        return await act(await run_in_threadpool(site.team if team else site.visit, request))

    return answer
