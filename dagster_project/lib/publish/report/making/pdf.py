"""Report cards as PDF, printed from the released pages by the system's Chromium.

Belongs here: finding the browser, printing a card of a release, where its PDF lies beside the release.
Does not: lay out a card (templates), or write into a release: its folder and manifest stay as they are.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from dagster_project.lib.base.store import Store
from dagster_project.lib.publish.release.retention import CARDS
from dagster_project.lib.publish.report.arranging import page_name
from dagster_project.lib.publish.report.languages.catalogue import ENGLISH

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 120
# Nothing of the machine but the file itself: no other host has a name, no profile is read, no update is asked for.
_FLAGS = (
    *("--headless", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"),
    *("--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer"),
)
# Links to other pages lead nowhere from a PDF, and would say in which folder it was printed.
_INNER = re.compile(rb'(<a\b[^>]*?) href="(?!https?://)[^"]*"')
_TIMES = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)\d{14}")


class PdfError(RuntimeError):
    """No PDF can be made; the message says why in one line."""


class NoCardError(PdfError):
    """A release has no card of a community, or none in a language; `hint` says what helps."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


NO_LANGUAGE = "network/publication.csv names the languages of the next release"
NO_COMMUNITY = (
    "it joined or was renamed since, or is not published there; the next `cradle run` makes the cards of all that are"
)


def browser(named: str | None = None) -> str:
    """The program that prints: the one named, else the first of BROWSERS on PATH; PdfError where there is none."""
    for name in [named] if named else BROWSERS:
        found = shutil.which(name)
        if found is not None:
            return found
    wanted = f"there is no program {named}" if named else f"no Chromium is on PATH (looked for {', '.join(BROWSERS)})"
    raise PdfError(wanted)


def cards(
    store: Store, release_id: str, day: str, communities: Sequence[str] | None, program: str, language: str = ENGLISH
) -> Iterator[tuple[str, int]]:
    """Print the card of each community of a release, or of those named, beside it: key and bytes, one by one.

    `day`: the day of the release, ISO; the PDF states it as its own, so that the same pages and browser give the same
    bytes. `language`: its code; PDFs of another language than English lie in a folder of its name. NoCardError where a
    card is not there, PdfError where the browser fails.
    """
    folder_of = "" if language == ENGLISH else f"{language}/"
    report = f"releases/{release_id}/report/{folder_of}"
    below = f"{report}communities/"
    pages = [below + page_name(name) for name in communities] if communities else _every_card(store, below)
    if not pages:
        raise NoCardError(f"release {release_id} has no card in the language {language}", NO_LANGUAGE)
    with tempfile.TemporaryDirectory(prefix="cradle-cards-") as scratch:
        folder = Path(scratch)
        (folder / "communities").mkdir()
        style = store.get_or_none(f"{report}style.css")
        if style is not None:  # a release of an older form has it in each page
            (folder / "style.css").write_bytes(style)
        for key in pages:
            name = key.removeprefix(below).removesuffix(".html")
            page = store.get_or_none(key)
            if page is None:
                raise _no_card(f"release {release_id} has no card of {name}", language, bool(_every_card(store, below)))
            # The page's own name may be too odd for a command line; what is printed does not say it.
            source = folder / "communities" / "card.html"
            source.write_bytes(_INNER.sub(rb"\1", page))
            data = _TIMES.sub(rb"\g<1>" + day.replace("-", "").encode() + b"000000", _printed(program, source, folder))
            made = f"{CARDS}/{release_id}/{folder_of}{name}.pdf"
            store.put(made, data)
            yield made, len(data)


def _no_card(says: str, language: str, has_others: bool) -> NoCardError:
    """Where others have a card in that language, it is not the language that is missing."""
    return (
        NoCardError(says, NO_COMMUNITY)
        if has_others
        else NoCardError(f"{says} in the language {language}", NO_LANGUAGE)
    )


def _every_card(store: Store, below: str) -> list[str]:
    """The keys of the cards themselves: pages of indicators lie in folders beside them."""
    names = [info.key for info in store.objects(below.rstrip("/")) if "/" not in info.key.removeprefix(below)]
    return sorted(name for name in names if name.endswith(".html"))


def _printed(program: str, page: Path, folder: Path) -> bytes:
    target = folder / "card.pdf"
    target.unlink(missing_ok=True)
    profile = folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)  # a browser that has seen nothing, for each card
    # Chromium's own sandbox cannot be had by root; a released page runs no script.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [program, *_FLAGS, *sandbox, f"--user-data-dir={profile}", f"--print-to-pdf={target}"]
    try:
        done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PdfError(f"{program} printed nothing: {error}") from None
    if done.returncode or not target.is_file():
        said = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise PdfError(f"{program} printed nothing: {said}")
    return target.read_bytes()
