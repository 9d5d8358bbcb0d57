"""The member's page: years, checking before sending, sending, receipts, answers, and taking back.

Belongs here: who asks, which page answers, and what a form does.
Does not: checks (commands.py), limits and headers (guard.py), words and tables (lib/member/page).
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.shown import visible
from dagster_project.lib.base.store import Store, StoreError
from dagster_project.lib.intake.bucket.drop import open_drop
from dagster_project.lib.intake.bucket.grant import upload_key
from dagster_project.lib.member.page import access, views
from dagster_project.lib.publish.release.opening import ReleaseMissingError, open_release
from dagster_project.lib.receipts.change_words import change_lines
from dagster_project.settings import Settings
from dagster_project.web.commands import call_cradle
from dagster_project.web.guard import Guard, Rate
from dagster_project.web.held import Held, Holding, complete, reduce, send

COOKIE = "cradle_member"
HERE = Path(__file__).parent
SLOWEST_SECONDS = 300
MOST_FILES, MOST_FIELDS, LARGEST_FIELD = 100, 20, 16 * 1024
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AUDIT = logging.getLogger("cradle.serve")
STATUSES = "select * from marts.fct_submission_status where community_id = ?"


@dataclass(frozen=True)
class Member:
    """Who asks: a community of the network, and the mark that its forms carry."""

    community_id: str
    name: str
    mark: str


@dataclass
class Page:
    """The application's state: settings as `read` gives them for each request, so that today moves on."""

    read: Callable[[], Settings]
    rate: Rate = field(default_factory=Rate)

    @cached_property
    def key(self) -> str:
        """What signs forms: the secret of links, or one of this process."""
        return self.read().serve_secret or secrets.token_hex(32)

    @cached_property
    def holding(self) -> Holding:
        """Uploads that wait."""
        return Holding(self.read().work / "serve")

    @cached_property
    def templates(self) -> Environment:
        """All member text is escaped and made visible."""
        loader = FileSystemLoader(HERE / "templates")
        made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        made.filters["visible"] = visible
        return made

    def member(self, request: Request) -> Member:
        """Who asks; HTTPException 403 for nobody that is known. The proxy's word comes before a link."""
        settings = self.read()
        community = None
        if settings.serve_user_header and (named := request.headers.getlist(settings.serve_user_header)):
            community = named[0] if len(named) == 1 else None
        elif settings.serve_secret and (link := request.cookies.get(COOKIE)):
            community = access.community_of(settings.serve_secret, link, settings.today)
        names = dict(Reference(settings.seeds).communities.select("community_id", "name").iter_rows())
        if community not in names:
            raise HTTPException(403, "Please open this page by the link that the network sent you. A link that is "
                                     "old no longer works: ask the network for a new one.")  # fmt: skip
        return Member(str(community), str(names[community]), access.form_mark(self.key, str(community)))

    def year(self, request: Request) -> int:
        """The reporting year of an address; HTTPException 404 for none of the network's."""
        settings = self.read()
        year = int(request.path_params["year"])
        if year not in Reference(settings.seeds).reporting_years(settings.today):
            raise HTTPException(404, f"{year} is not a reporting year.")
        return year

    async def form(self, request: Request, member: Member) -> FormData:
        """A form of the page itself; refused before it is read where another site sent it or there are too many."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise HTTPException(403, "This form was sent by another site. Please use the page itself.")
        self.rate.count(member.community_id)
        try:
            async with asyncio.timeout(SLOWEST_SECONDS):
                form = await request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD)
        except TimeoutError:
            raise HTTPException(408, "The upload took too long. Please send fewer files at once.") from None
        if not access.is_form_mark(self.key, member.community_id, str(form.get("mark", ""))):
            raise HTTPException(403, "This form is too old. Please open the page again and repeat it.")
        return form

    def show(self, template: str, member: Member | None, code: int = 200, **given: Any) -> HTMLResponse:
        """A page."""
        return HTMLResponse(self.templates.get_template(template).render(member=member, **given), code)

    def drop(self) -> Store:
        """The drop bucket."""
        return open_drop(self.read().drop_url, self.read().s3_endpoint)

    def statuses(self, community_id: str) -> list[dict[str, Any]]:
        """Rows of fct_submission_status of one community; none before the first release."""
        try:
            with open_release(self.read()) as connection:
                return connection.execute(STATUSES, [community_id]).pl().to_dicts()
        except ReleaseMissingError:
            return []

    def receipt(self, member: Member, year: int) -> dict[str, Any] | None:
        """The latest receipt that intake wrote."""
        settings = self.read()
        outbox = Store(settings.outbox_url, settings.s3_endpoint)
        found = outbox.get_or_none(f"{member.community_id}/{year}/receipt.json")
        return json.loads(found) if found else None

    def said(self, member: Member, action: str, year: int, result: str) -> None:
        """One line of the audit log: community, year and action, no names of files and nothing of a person."""
        AUDIT.info("%s %s %s %s", member.community_id, year, action, result)


def _back(year: int, done: str) -> RedirectResponse:
    return RedirectResponse(f"/year/{year}?done={done}", 303)


DONE = {
    "sent": "Your files were sent. The network's next run takes them; then their receipt stands here.",
    "withdrawn": "The file was taken back. The next receipt says what no longer counts.",
    "answered": "Your answer was sent. The next receipt shows it.",
    "nothing": "It was noted that you have nothing to report. The next receipt confirms it.",
    "discarded": "The files were deleted here and not sent.",
    "taken": "Some files were not sent: while you looked, a file of the same name was sent. Please check them again.",
}


def enter(page: Page) -> Callable[[Request], Response]:
    """Open a link: from then on a cookie, which scripts cannot read, says who asks."""

    def answer(request: Request) -> Response:
        settings, link = page.read(), request.query_params.get("link", "")
        if not settings.serve_secret or access.community_of(settings.serve_secret, link, settings.today) is None:
            raise HTTPException(403, "This link does not work, or no longer. Please ask the network for a new one.")
        response = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, link, httponly=True, samesite="lax", secure=secure, path="/")
        return response

    return answer


def overview(page: Page) -> Callable[[Request], Response]:
    """All years of the community."""

    def answer(request: Request) -> Response:
        member, settings = page.member(request), page.read()
        years = Reference(settings.seeds).reporting_years(settings.today)
        rows = views.year_rows(years, page.statuses(member.community_id))
        return page.show("overview.html", member, rows=rows, title="Your years")

    return answer


def one_year(page: Page) -> Callable[[Request], Response]:
    """One year: what lies in the folder, the receipt, questions, and the forms."""

    def answer(request: Request) -> Response:
        member, year = page.member(request), page.year(request)
        (row,) = views.year_rows([year], page.statuses(member.community_id))
        receipt = page.receipt(member, year)
        files = [info.key.rsplit("/", 1)[-1] for info in page.drop().files(f"{member.community_id}/{year}/")]
        return page.show(
            "year.html", member, title=f"Reporting year {year}", row=row, files=files, receipt=receipt,
            questions=views.open_questions(receipt), sections=views.finding_sections(receipt) if receipt else [],
            done=DONE.get(request.query_params.get("done", ""), ""), nothing=not files, longest=views.LONGEST_TEXT,
        )  # fmt: skip

    return answer


def check(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """Check chosen files as the folder would stand with them; nothing is sent."""

    async def answer(request: Request) -> Response:
        member = await run_in_threadpool(page.member, request)
        year = await run_in_threadpool(page.year, request)
        with page.rate.checking(member.community_id):
            form = await page.form(request, member)
            uploads = [f for f in form.getlist("files") if isinstance(f, UploadFile) and f.filename]
            if not uploads:
                raise HTTPException(400, "No file was chosen. Go back and choose one.")
            held = await run_in_threadpool(page.holding.new, member.community_id, year)
            try:
                await _take(page, member, year, held, uploads, "changes" in form)
            except BaseException:
                await run_in_threadpool(held.remove)
                raise
            finally:
                await form.close()
        return RedirectResponse(f"/year/{year}/checked/{held.ticket}", 303)

    return answer


async def _take(page: Page, member: Member, year: int, held: Held, uploads: list[UploadFile], changes: bool) -> None:
    """Write an upload, check it, and keep what the check said; a list of persons is deleted at once."""
    names = [str(upload.filename) for upload in uploads]
    for name in names:
        if reason := views.refused_name(member.community_id, year, name):
            raise HTTPException(400, f"{visible(name)}: {reason}")
    if len(set(names)) < len(names):
        raise HTTPException(400, "Two of the chosen files have the same name. Rename one of them.")
    for name, upload in zip(names, uploads, strict=True):
        await run_in_threadpool(_write, held.files / name, upload)
    replaced = await run_in_threadpool(complete, held, page.drop(), member.community_id, year)
    released = bool(await run_in_threadpool(page.statuses, member.community_id))
    arguments = ["check", str(held.files), "--community", member.community_id, "--year", str(year), "--json"]
    arguments += ["--against", "current"] if released else []
    arguments += ["--changes"] if released and changes else []
    try:
        ended = await call_cradle(arguments)
    except TimeoutError:
        raise HTTPException(503, "The check took too long. Please send fewer or smaller files at once.") from None
    if ended.code not in (0, 1) or not ended.out:
        # What the command said may name a file; the log holds no word of a member.
        AUDIT.error("check of %s %s ended with %s", member.community_id, year, ended.code)
        raise HTTPException(500, "The check failed. The network's data team finds the reason in its log.")
    receipt = json.loads(ended.out)
    persons = views.persons_in(receipt, names)
    await run_in_threadpool(reduce, held, [] if persons else names)
    held.keep({"names": names, "replaced": replaced, "receipt": ended.out.decode(), "persons": persons})
    page.said(member, "check", year, f"{receipt['status']}{' persons' if persons else ''}")


def _write(target: Path, upload: UploadFile) -> None:
    with target.open("xb") as out:
        while piece := upload.file.read(1024 * 1024):
            out.write(piece)


def checked(page: Page) -> Callable[[Request], Response]:
    """What the check said of an upload, and the choice between sending and deleting it."""

    def answer(request: Request) -> Response:
        member, year = page.member(request), page.year(request)
        held = page.holding.find(member.community_id, year, request.path_params["ticket"])
        if held is None:
            raise HTTPException(404, "These files are no longer here. Please choose them again.")
        note = held.read()
        receipt = json.loads(note["receipt"])
        changes = list(change_lines(receipt["changes"])) if receipt["changes"]["state"] != "pending" else []
        if note["persons"]:
            held.remove()
        return page.show(
            "checked.html", member, title="What the check says", year=year, ticket=held.ticket, note=note,
            receipt=receipt, sections=views.finding_sections(receipt), changes=changes,
        )  # fmt: skip

    return answer


def decide(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """Send an upload that was checked, or delete it."""

    async def answer(request: Request) -> Response:
        member = await run_in_threadpool(page.member, request)
        year = await run_in_threadpool(page.year, request)
        form = await page.form(request, member)
        held = page.holding.find(member.community_id, year, request.path_params["ticket"])
        if held is None or (note := held.read())["persons"]:
            raise HTTPException(404, "These files are no longer here. Please choose them again.")
        if form.get("do") != "send":
            await run_in_threadpool(held.remove)
            return _back(year, "discarded")
        taken = await run_in_threadpool(send, held, page.drop(), member.community_id, year)
        page.said(member, "send", year, f"{len(note['names']) - len(taken)} of {len(note['names'])}")
        return _back(year, "taken" if taken else "sent")

    return answer


def change(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """Small forms: an answer, nothing to report, taking a file back."""

    async def answer(request: Request) -> Response:
        member = await run_in_threadpool(page.member, request)
        year = await run_in_threadpool(page.year, request)
        form = await page.form(request, member)
        do = str(form.get("do", ""))
        done = await run_in_threadpool(_change, page, member, year, do, {k: str(v) for k, v in form.items()})
        page.said(member, do, year, done)
        return _back(year, done)

    return answer


def _change(page: Page, member: Member, year: int, do: str, given: dict[str, str]) -> str:
    drop, folder = page.drop(), f"{member.community_id}/{year}/"
    text = views.one_line(given.get("text", ""))
    if do in ("answer", "nothing") and not 1 <= len(text) <= views.LONGEST_TEXT:
        raise HTTPException(400, f"Please write a reason of at most {views.LONGEST_TEXT:,} characters.")
    if do == "answer":
        asked = {row["finding_id"] for row in views.open_questions(page.receipt(member, year))}
        if given.get("finding_id") not in asked:
            raise HTTPException(400, "This question is not open any more.")
        key = upload_key(member.community_id, year, views.ANSWERS_FILE)
        drop.put(key, views.with_answer(drop.get_or_none(key), given["finding_id"], text))
        return "answered"
    if do == "nothing":
        if drop.files(folder):
            raise HTTPException(400, "There are files in the folder of this year. Take them back first.")
        drop.create(upload_key(member.community_id, year, views.NOTHING_FILE), views.nothing_to_report(text))
        return "nothing"
    if do == "withdraw" and given.get("sure") == "yes":
        keys = [info.key for info in drop.files(folder) if info.key == f"{folder}{given.get('name')}"]
        drop.delete(keys)
        return "withdrawn" if keys else ""
    raise HTTPException(400, "Please tick the box that says that you are sure.")


def template(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """The workbook to fill in, made by the command."""

    async def answer(request: Request) -> Response:
        member = await run_in_threadpool(page.member, request)
        year = await run_in_threadpool(page.year, request)
        with page.rate.checking(member.community_id), tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "template.xlsx"
            ended = await call_cradle(
                ["template", "--community", member.community_id, "--year", str(year), "-o", str(file)]
            )
            if ended.code:
                AUDIT.error("template of %s %s ended with %s", member.community_id, year, ended.code)
                raise HTTPException(500, "The template could not be made. The network's data team finds the reason.")
            data = await run_in_threadpool(file.read_bytes)
        named = f'attachment; filename="template-{year}.xlsx"'
        return Response(data, media_type=EXCEL, headers={"content-disposition": named})

    return answer


def application(read: Callable[[], Settings]) -> Guard:
    """The application; `read` gives the settings. What a dead server left of uploads is deleted first."""
    page = Page(read)
    page.holding.clear()

    def told(_: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else 503
        words = error.detail if isinstance(error, HTTPException) else "The bucket cannot be reached. Try again later."
        return page.show("message.html", None, code, title="This did not work", words=words)

    year = "/year/{year:int}"
    routes = [
        Route("/", overview(page)),
        Route("/enter", enter(page)),
        Route(year, one_year(page)),
        Route(f"{year}/template", template(page)),
        Route(f"{year}/check", check(page), methods=["POST"]),
        Route(f"{year}/change", change(page), methods=["POST"]),
        Route(f"{year}/checked/{{ticket}}", checked(page)),
        Route(f"{year}/checked/{{ticket}}", decide(page), methods=["POST"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={HTTPException: told, StoreError: told}))
