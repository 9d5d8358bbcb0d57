"""The member's pages that read: years, one year, what lies in the outbox, the template.

Belongs here: which page answers, and what is shown on it.
Does not: forms (forms.py), checks (checks.py), words and tables (lib/member/page).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.intake.bucket.grant import upload_key
from dagster_project.lib.member.page import access, language, opened, tables, views
from dagster_project.lib.receipts.marked_files import MARKED
from dagster_project.web.commands import call_cradle
from dagster_project.web.site import AUDIT, COOKIE, LANGUAGE_COOKIE, Refusal, Site, Visit

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
RECEIPT_PAGE = "receipt.html"
YEAR_SECONDS = 365 * 24 * 3600


def enter(site: Site) -> Callable[[Request], Response]:
    """Open a link: from then on a cookie, which scripts cannot read, says who asks."""

    def answer(request: Request) -> Response:
        settings, link = site.read(), request.query_params.get("link", "")
        if not settings.serve_secret or access.community_of(settings.serve_secret, link, settings.today) is None:
            raise Refusal(403, "This link does not work, or no longer. Please ask the network for a new one.")
        response = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, link, httponly=True, samesite="lax", secure=secure, path="/")
        return response

    return answer


def choose_language(request: Request) -> Response:
    """Keep the language that somebody chose, and go back to the page."""
    code, back = request.path_params["code"], request.query_params.get("back", "/")
    if code not in language.languages():
        raise Refusal(404, "There is no such page.")
    # Another site's address would begin with two slashes or name a scheme.
    response = RedirectResponse(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/", 303)
    secure = request.url.scheme == "https"
    response.set_cookie(
        LANGUAGE_COOKIE, code, max_age=YEAR_SECONDS, httponly=True, samesite="lax", secure=secure, path="/"
    )
    return response


def overview(visit: Visit) -> Response:
    """All years of the community."""
    years = Reference(visit.settings.seeds).reporting_years(visit.today)
    return visit.show("overview.html", rows=views.year_rows(years, visit.statuses, visit.member.left_year))


def one_year(visit: Visit) -> Response:
    """One year: what lies in the folder, the receipt, questions, and the forms."""
    receipt = visit.receipt()
    if receipt:
        opened.note(visit.site.opened, visit.member.community_id, visit.year, receipt, visit.today)
    files = [{"name": info.key.rsplit("/", 1)[-1], "tag": info.etag} for info in visit.drop.files(visit.folder)]
    given = visit.drop.get_or_none(upload_key(visit.member.community_id, visit.year, tables.ANSWERS_FILE))
    return visit.show(
        "year.html", row=visit.status(), files=files, receipt=receipt,
        questions=views.open_questions(receipt), answers=views.answers_in(given), reasons=views.reasons(),
        sections=views.told_sections(receipt) if receipt else [], earlier=_earlier(visit, receipt),
        done=views.DONE.get(visit.request.query_params.get("done", ""), ""), longest=views.LONGEST_TEXT,
    )  # fmt: skip


def _earlier(visit: Visit, receipt: dict[str, Any] | None) -> list[dict[str, str]]:
    """Receipts of the states before: their first lines, by submission id."""
    found = []
    for submission_id in visit.outbox.folders(visit.folder):
        data = visit.outbox.get_or_none(f"{visit.folder}{submission_id}/receipt.json")
        if data and submission_id != (receipt or {}).get("submission_id"):
            found.append({"id": submission_id, "line": json.loads(data)["first_line"]})
    return found


def receipt_page(visit: Visit) -> Response:
    """The receipt as a file to keep and to print: the latest, or that of an earlier state by its submission id."""
    state = visit.request.path_params.get("submission", "")
    known = not state or state in visit.outbox.folders(visit.folder)
    place = f"{visit.folder}{state}/" if state else visit.folder
    data = visit.outbox.get_or_none(f"{place}{RECEIPT_PAGE}") if known else None
    if data is None:
        raise Refusal(404, "There is no such receipt.")
    return download(data, f"receipt-{visit.year}{f'-{state}' if state else ''}.html", "text/html; charset=utf-8")


def marked_copy(visit: Visit) -> Response:
    """A file of the member with the cells marked that the latest receipt speaks of."""
    name = visit.request.path_params["name"]
    copies = {file["marked_copy"] for file in (visit.receipt() or {"files": []})["files"]}
    data = visit.outbox.get_or_none(f"{visit.folder}{name}") if name in copies and name.endswith(MARKED) else None
    if data is None:
        raise Refusal(404, "There is no such copy.")
    return download(data, name, EXCEL)


def download(data: bytes, name: str, kind: str) -> Response:
    """Bytes that a browser saves under a name and never shows as a page of this site."""
    plain = name if name.isascii() and not {'"', "\\"} & set(name) else None
    said = f'filename="{plain}"' if plain else f"filename*=UTF-8''{quote(name)}"
    return Response(data, media_type=kind, headers={"content-disposition": f"attachment; {said}"})


async def template(visit: Visit) -> Response:
    """The workbook to fill in, made by the command."""
    place = [visit.member.community_id, "--year", str(visit.year)]
    with visit.site.rate.checking(visit.member.community_id), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.xlsx"
        ended = await call_cradle(["template", "--community", *place, "-o", str(file)])
        if ended.code:
            AUDIT.error("template of %s %s ended with %s", visit.member.community_id, visit.year, ended.code)
            raise Refusal(500, "The template could not be made. The network's data team finds the reason in its log.")
        data = await run_in_threadpool(file.read_bytes)
    return download(data, f"template-{visit.year}.xlsx", EXCEL)
