"""Checks in the background, and a page that says how far they are while it waits for them.

Belongs here: starting a check in a process of its own, what it said, the page that grows until it is done.
Does not: what a check does (cli/intake.py), uploads (held.py), forms (forms.py).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from dagster_project.lib.base.store import StoreError
from dagster_project.lib.member.page import views
from dagster_project.lib.receipts.change_words import change_lines
from dagster_project.web.commands import call_cradle
from dagster_project.web.held import Held, Note, complete, reduce
from dagster_project.web.site import AUDIT, Refusal, Visit, spoken_by

LOOK_SECONDS = 1.0
TELL_SECONDS = 10
RECEIVED, BESIDE, STILL = "Files received.", "Files of your folder read.", "Still checking: {seconds} seconds."
TOO_SLOW = "The check took too long. Please send fewer or smaller files at once."
FAILED = "The check failed. The network's data team finds the reason in its log."
SPLIT = "[[here]]"


async def begin(
    visit: Visit, held: Held, names: Sequence[str], changes: bool, until_done: Callable[[asyncio.Task[None]], None]
) -> None:
    """Start the check of an upload; `until_done` counts it as running until it ends."""
    held.keep(Note("running", list(names), steps=[RECEIVED]))
    task = asyncio.create_task(_run(visit, held, list(names), changes))
    visit.site.running[held.ticket] = task
    until_done(task)
    task.add_done_callback(lambda _: visit.site.running.pop(held.ticket, None))


async def _run(visit: Visit, held: Held, names: list[str], changes: bool) -> None:
    """Check an upload and keep what the check said; whatever goes wrong leaves no file of it."""
    try:
        note = await _checked(visit, held, names, changes)
    except (OSError, StoreError, ValueError, LookupError) as error:
        # Not its words: they may name a file. The log holds no word of a member.
        AUDIT.error("check of %s %s ended with %s", visit.member.community_id, visit.year, type(error).__name__)
        note = Note("failed", names, words=TOO_SLOW if isinstance(error, TimeoutError) else FAILED)
    except BaseException:
        held.remove()
        raise
    if note.state == "failed" or note.persons:
        await run_in_threadpool(reduce, held, [])
    held.keep(note)


async def _checked(visit: Visit, held: Held, names: list[str], changes: bool) -> Note:
    steps = [RECEIVED]

    def told(step: str) -> None:
        steps.append(step)
        held.keep(Note("running", names, steps=steps))

    folder = await run_in_threadpool(complete, held, visit.drop, visit.member.community_id, visit.year)
    told(BESIDE)
    released = bool(await run_in_threadpool(lambda: visit.statuses))
    place = ["--community", visit.member.community_id, "--year", str(visit.year)]
    against = ["--against", "current", *(["--changes"] if changes else [])] if released else []
    ended = await call_cradle(["check", str(held.files), *place, "--json", *against], told=told)
    if ended.code not in (0, 1) or not ended.out:
        AUDIT.error("check of %s %s ended with %s", visit.member.community_id, visit.year, ended.code)
        return Note("failed", names, words=FAILED)
    receipt = json.loads(ended.out)
    persons = views.persons_in(receipt, names)
    await run_in_threadpool(reduce, held, [] if persons else names)
    visit.said("check", f"{receipt['status']}{' persons' if persons else ''}")
    return Note("checked", names, receipt=ended.out.decode(), persons=persons, folder=folder)


async def checked(visit: Visit) -> Response:
    """What the check said of an upload, and the choice between sending and deleting it; while it runs, how far it is.

    The answer begins at once and grows: no script asks again, and nothing is loaded anew under a reader.
    """
    ticket = visit.request.path_params["ticket"]
    held = visit.site.holding.find(visit.member.community_id, visit.year, ticket)
    if held is None:
        raise Refusal(404, "These files are no longer here. Please choose them again.")
    if held.read().state != "running":
        return await run_in_threadpool(_done, visit, held)
    return StreamingResponse(_growing(visit, held), media_type="text/html", headers={"x-accel-buffering": "no"})


def _done(visit: Visit, held: Held) -> Response:
    note = held.read()
    if note.state == "failed":
        held.remove()
        raise Refusal(503, note.words)
    return visit.show("checked.html", **_shown(visit, held, note))


def _shown(visit: Visit, held: Held, note: Note) -> dict[str, Any]:
    receipt = json.loads(note.receipt)
    changes = list(change_lines(receipt["changes"])) if receipt["changes"]["state"] != "pending" else []
    if note.persons:
        held.remove()
    return {
        "year": visit.year, "ticket": held.ticket, "note": note, "receipt": receipt, "changes": changes,
        "sections": views.told_sections(receipt, asking=True),
        "replaced": sorted(set(note.folder) & set(note.names)),
    }  # fmt: skip


async def _growing(visit: Visit, held: Held) -> AsyncIterator[str]:
    """A page piece by piece: its beginning, a line for each step, at last what the check said."""
    spoken = spoken_by(visit.request)
    whole = visit.site.page("waiting.html", visit.request, visit.member, year=visit.year, split=SPLIT)
    beginning, between, end = whole.split(SPLIT)
    yield beginning
    shown, waited, said = 0, 0.0, 0
    while True:
        # Asked for before the note is read: a check that is over has kept what it said.
        task = visit.site.running.get(held.ticket)
        note = held.read()
        if note.state != "running" or task is None:
            break
        for step in note.steps[shown:]:
            yield visit.site.page("step.html", visit.request, None, words=spoken.say(step))
        shown = len(note.steps)
        await asyncio.wait({task}, timeout=LOOK_SECONDS)
        waited += LOOK_SECONDS
        if waited // TELL_SECONDS > said:
            said = int(waited // TELL_SECONDS)
            yield visit.site.page(
                "step.html", visit.request, None, words=spoken.say(STILL, seconds=said * TELL_SECONDS)
            )
    yield between
    if note.state != "checked":
        held.remove()
        words = spoken.say(note.words or FAILED)
        yield visit.site.page("failed.html", visit.request, visit.member, words=words, year=visit.year)
    else:
        yield await run_in_threadpool(
            lambda: visit.site.page("result.html", visit.request, visit.member, **_shown(visit, held, note))
        )
    yield end
