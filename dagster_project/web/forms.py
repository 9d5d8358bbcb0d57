"""What a form of the page does: checking files, sending or deleting them, answers, declarations, taking back.

Belongs here: reading forms and writing into the drop bucket, so that nothing that somebody else changed is lost unseen.
Does not: running checks (checks.py), which pages there are (pages.py), limits (guard.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from dagster_project.lib.intake.bucket.grant import upload_key
from dagster_project.lib.member.page import tables, views
from dagster_project.web.checks import begin
from dagster_project.web.held import Held, send
from dagster_project.web.site import AUDIT, Refusal, Visit

NO_ROOM = "The files could not be kept here. Please try again later, or tell the data team."


async def check(visit: Visit) -> Response:
    """Take chosen files and begin to check the folder as it would stand with them; nothing is sent."""
    with _where_there_is_room(visit), visit.site.rate.checking(visit.member.community_id) as until_done:
        form = await visit.form()
        uploads = [f for f in form.getlist("files") if isinstance(f, UploadFile) and f.filename]
        if not uploads:
            raise Refusal(400, "No file was chosen. Go back and choose one.")
        held = await run_in_threadpool(visit.site.holding.new, visit.member.community_id, visit.year)
        try:
            names = await _written(visit, held, uploads)
        except BaseException:
            await run_in_threadpool(held.remove)
            raise
        finally:
            await form.close()
        await begin(visit, held, names, "changes" in form, until_done)
    return RedirectResponse(f"/year/{visit.year}/checked/{held.ticket}", 303)


@contextmanager
def _where_there_is_room(visit: Visit) -> Iterator[None]:
    """Say in words that this machine could not keep what was uploaded; its log says why, and no word of a member."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        AUDIT.error("upload of %s %s ended with %s", visit.member.community_id, visit.year, why)
        raise Refusal(503, NO_ROOM) from error


async def _written(visit: Visit, held: Held, uploads: list[UploadFile]) -> list[str]:
    names = [str(upload.filename) for upload in uploads]
    for name in names:
        if reason := views.refused_name(visit.member.community_id, visit.year, name):
            raise Refusal(400, reason, name=name)
    if len(set(names)) < len(names):
        raise Refusal(400, "Two of the chosen files have the same name. Rename one of them.")
    for name, upload in zip(names, uploads, strict=True):
        await run_in_threadpool(_write, held.files / name, upload)
    return names


def _write(target: Path, upload: UploadFile) -> None:
    with target.open("xb") as out:
        while piece := upload.file.read(1024 * 1024):
            out.write(piece)


async def decide(visit: Visit) -> Response:
    """Send an upload that was checked, or delete it."""
    form = await visit.form()
    held = visit.site.holding.find(visit.member.community_id, visit.year, visit.request.path_params["ticket"])
    if held is None or (note := held.read()).state != "checked" or note.persons:
        raise Refusal(404, "These files are no longer here. Please choose them again.")
    if form.get("do") != "send":
        if not await run_in_threadpool(held.remove):
            raise Refusal(503, "The files could not be deleted here. They were not sent. Please tell the data team.")
        return visit.back("discarded")
    taken = await run_in_threadpool(send, held, visit.drop, visit.member.community_id, visit.year)
    visit.said("send", f"{len(note.names) - len(taken)} of {len(note.names)}")
    return visit.back("taken" if taken else "sent")


async def change(visit: Visit) -> Response:
    """Small forms: an answer, nothing to report, taking a file back."""
    form = await visit.form()
    given = {name: str(value) for name, value in form.items()}
    act = ACTS.get(given.get("do", ""))
    if act is None:
        raise Refusal(400, "This form is too old. Please open the page again and repeat it.")
    done = await run_in_threadpool(act, visit, given)
    visit.said(given["do"], done)
    return visit.back(done)


def _reason(given: dict[str, str]) -> str:
    text = tables.one_line(given.get("text", ""))
    if not 1 <= len(text) <= views.LONGEST_TEXT:
        raise Refusal(400, "Please write a reason of at most {most} characters.", most=f"{views.LONGEST_TEXT:,}")
    return text


def _answer(visit: Visit, given: dict[str, str]) -> str:
    """One more answer in the folder's table of answers; another that comes at the same time is kept too."""
    text, finding_id = _reason(given), given.get("finding_id", "")
    if finding_id not in {row["finding_id"] for row in views.open_questions(visit.receipt())}:
        raise Refusal(400, "This question is not open any more.")
    reason = given.get("reason", "")
    if reason and reason not in views.reasons():
        raise Refusal(400, "Please choose one of the listed kinds of reasons.")
    place = upload_key(visit.member.community_id, visit.year, tables.ANSWERS_FILE)
    row = {"finding_id": finding_id, "text": text, "reason": reason}
    try:
        tables.add_row(visit.drop, place, tables.ANSWER_COLUMNS, tables.ANSWER_KEY, row)
    except tables.NoTableError:
        raise Refusal(400, "{name} in your folder is not as this page wrote it. Take it back first, then answer.",
                      name=tables.ANSWERS_FILE) from None  # fmt: skip
    except tables.BusyError:
        raise Refusal(503, "Others are writing at the same time. Please try again.") from None
    return "answered"


def _nothing(visit: Visit, given: dict[str, str]) -> str:
    text = _reason(given)
    if visit.drop.files(visit.folder):
        raise Refusal(400, "There are files in the folder of this year. Take them back first.")
    key = upload_key(visit.member.community_id, visit.year, views.NOTHING_FILE)
    visit.drop.create(key, views.nothing_to_report(text))
    return "nothing"


def _withdraw(visit: Visit, given: dict[str, str]) -> str:
    if given.get("sure") != "yes":
        raise Refusal(400, "Please tick the box that says that you are sure.")
    listed = next((i for i in visit.drop.files(visit.folder) if i.key == f"{visit.folder}{given.get('name')}"), None)
    if listed is None:
        return ""
    if listed.etag != given.get("tag"):
        return "changed"
    visit.drop.delete([listed.key])
    return "withdrawn"


ACTS = {"answer": _answer, "nothing": _nothing, "withdraw": _withdraw}
