"""Putting a public release together and into place: files, manifest, certificate, `current`.

Belongs here: the order of steps from public tables to a release that is out, its id, taking one down.
Does not: protecting (lib/disclosure), choosing rows (tables.py), reading settings or the internal release (lib/app).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lib.base.store import Store, make_private, remove_whole
from dagster_project.lib.base.successions import NO_RENAMES, CommunityIds
from dagster_project.lib.disclosure import Protected
from dagster_project.lib.publish.public import files
from dagster_project.lib.publish.public.register import Register
from dagster_project.lib.publish.public.results import public_frames
from dagster_project.lib.publish.public.selection import read_selection
from dagster_project.lib.publish.public.shown import MANIFEST, Places, current_public, manifest_or_none
from dagster_project.lib.publish.release.compare import FIRST, GONE, VALUE_TABLE, count_values, since_stated
from dagster_project.lib.publish.release.contract import FILE, PUBLIC, contract, require_kept
from dagster_project.lib.publish.release.dictionary import write_dictionary
from dagster_project.lib.publish.release.release import SINCE, hash_tables, move_into_place
from dagster_project.lib.publish.release.retention import CARDS
from dagster_project.lib.publish.release.states import PROVISIONAL, WITHDRAWN, StateLine, States, add, read_states
from dagster_project.lib.warehouse.declared import TableWords, Word

EDITION = "public"
NOTICE = "Public: figures that could say something about a small group are withheld"
CERTIFICATE = "certificate.json"
ID_CHARACTERS = 12
TEXTS = "texts_version"


class AuditFailedError(RuntimeError):
    """The final audit found a cell that what is published leaves too little choice for; nothing was published."""


class WithdrawnEditionError(RuntimeError):
    """What would go out is what a public release held that was taken down; it is not put out again."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A public edition that could go out: its tables, what was withheld, and what its papers say.

    release_id: the internal release it was made of. about: what the manifest says beside counts and files (today,
    ruleset, contract, code). package: name, title, licences of the data package. counts: for the public manifest.
    certificate: for the house. words and vocabularies: what is declared of the tables and of their closed words.
    names: the ids of now of communities that an earlier edition has under a former one. pages_version: of what makes
    the words of pages (pages.py).
    """

    tables: Mapping[str, pl.DataFrame]
    protected: Protected
    release_id: str
    about: Mapping[str, Any]
    package: Mapping[str, Any]
    counts: Mapping[str, Any]
    certificate: Mapping[str, Any]
    words: Mapping[str, TableWords]
    vocabularies: Mapping[str, Sequence[Word]] = field(default_factory=dict)
    names: CommunityIds = NO_RENAMES
    pages_version: str = ""

    def texts_version(self) -> str:
        """A hash over all that an edition's papers are made from beside its tables, its day and the edition before."""
        said = (self.pages_version, self.about.get("publication"), self.package)
        declared = (sorted(each.items()) for each in (self.words, self.vocabularies))
        return hashlib.sha256(repr((*said, *declared)).encode()).hexdigest()[:ID_CHARACTERS]


@dataclass(frozen=True)
class PublicRelease:
    """A public release that is out."""

    public_id: str
    manifest: Mapping[str, Any]
    is_new: bool


WriteReport = Callable[[Path, Path, Mapping[str, Any]], None]
"""From public.duckdb, the release's folder and its manifest so far to pages below the folder."""


def failure_lines(candidate: Candidate) -> list[str]:
    """The cells that failed the final audit, why, and the sums that give them away; for the operator alone."""
    lines = []
    for each in candidate.protected.audit.failures:
        place = " ".join(str(part) for part in each.cell)
        sums = "; ".join(str(held) for held in each.sums)
        lines.append(f"{place}: {each.why}{f' ({sums})' if sums else ''}")
    return lines


def publish_public(places: Places, candidate: Candidate, write_report: WriteReport) -> PublicRelease:
    """Write the files aside, keep the register, move the release into place whole, then point `current` at it.

    Where tables and texts (pages, publisher's words, dictionary) are those of the current public release nothing is
    written. The id is the day and a hash over public tables only: a release of that id that is there already stays as
    it is, and other texts over its tables come out on another day. AuditFailedError where the final audit failed,
    WithdrawnEditionError where the same tables were taken down before: nothing is written then.
    """
    failed = failure_lines(candidate)
    if failed or not candidate.protected.audit.passed:
        raise AuditFailedError("; ".join(failed) or "the audit did not pass")
    make_private(places.scratch)
    building = Path(tempfile.mkdtemp(prefix="public-", dir=places.scratch))
    try:
        files.write_tables(candidate.tables, building, candidate.words)
        keys = {name: table.key for name, table in read_selection().items()}
        hashes = hash_tables(building / files.DATABASE, keys)
        content = _content_sha256(hashes)
        current = current_public(places.public)
        held = None if current is None else manifest_or_none(places.public, current)
        if current is not None and held is not None and _says_the_same(held, content, candidate):
            return PublicRelease(current, held, False)
        _refuse_withdrawn(places, content)
        if current is not None:
            released = places.public.get_or_none(f"releases/{current}/{FILE}")
            require_kept(released, contract(candidate.words.values(), PUBLIC))
        public_id = f"{candidate.about['today']}-{content[:ID_CHARACTERS]}"
        since = _since(places, held, candidate)
        Register(places.lake).keep(
            replace(candidate.protected.release, public_id=public_id), candidate.release_id, candidate.about["today"]
        )
        _keep_certificate(places.published, public_id, candidate.certificate)
        manifest = manifest_or_none(places.public, public_id)
        is_new = manifest is None
        if manifest is None:
            manifest = _write_papers(building, candidate, public_id, content, hashes, since, write_report)
            move_into_place(building, places.public, f"releases/{public_id}")
        places.public.put("current", f"{public_id}\n".encode())
        return PublicRelease(public_id, manifest, is_new)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _since(places: Places, held: Mapping[str, Any] | None, candidate: Candidate) -> dict[str, Any]:
    """What is stated of the edition that is current: counts over the public tables of both, which anybody can count.

    Nothing is compared with an edition that was taken down, not even by what the house still knows of it.
    """
    before, states = None if held is None else str(held["public_id"]), read_states(places.published)
    if held is None or before is None or states.state(before) == WITHDRAWN:
        was_out = any(_was_out(places, states, line["public_id"]) for line in Register(places.lake).lines())
        return {"state": GONE if was_out else FIRST}
    try:
        was = public_frames(places.public, before, [VALUE_TABLE])[VALUE_TABLE]
    except FileNotFoundError:
        return {"state": GONE}
    stands, key = candidate.tables[VALUE_TABLE], read_selection()[VALUE_TABLE].key
    return since_stated(before, held["today"], count_values(candidate.names.read(was), stands, key))


def _was_out(places: Places, states: States, public_id: str) -> bool:
    """Whether an edition of the register ever lay there: one whose making ended after its line was kept never did."""
    return (
        public_id == current_public(places.public)
        or states.state(public_id) == WITHDRAWN
        or manifest_or_none(places.public, public_id) is not None
    )


def _says_the_same(held: Mapping[str, Any], content: str, candidate: Candidate) -> bool:
    """Whether a release holds the candidate's tables in the same words; one of an older form does not say of which."""
    return bool(held["content_sha256"] == content and held.get(TEXTS) == candidate.texts_version())


def _refuse_withdrawn(places: Places, content: str) -> None:
    out = {line["public_id"] for line in Register(places.lake).lines()}
    for line in read_states(places.published).withdrawn():
        if line.release_id in out and line.release_id.endswith(f"-{content[:ID_CHARACTERS]}"):
            raise WithdrawnEditionError(
                f"the public tables are those of release {line.release_id}, taken down on {line.at} ({line.reason}); "
                f"correct what was wrong (seeds, folders) and run again, or add a line "
                f"{line.release_id},{PROVISIONAL},DAY,REASON to states.csv if it was taken down by mistake"
            )


def _content_sha256(hashes: Sequence[Mapping[str, Any]]) -> str:
    """One hash over the public tables by name; nothing internal enters it."""
    content = {table["name"]: table["sha256"] for table in hashes}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _write_papers(
    building: Path,
    candidate: Candidate,
    public_id: str,
    content: str,
    hashes: list[dict[str, Any]],
    since: Mapping[str, Any],
    write_report: WriteReport,
) -> dict[str, Any]:
    """Pages, data package, manifest, checksums, in this order; the manifest."""
    manifest: dict[str, Any] = {"public_id": public_id, **candidate.about, "edition": EDITION, "notice": NOTICE}
    manifest[TEXTS] = candidate.texts_version()
    manifest[SINCE] = dict(since)
    write_report(building / files.DATABASE, building, manifest)
    write_dictionary(building, candidate.words, candidate.vocabularies, PUBLIC)
    package = files.data_package(candidate.tables, {**candidate.package, "version": public_id}, candidate.words)
    files.write_json(building / files.PACKAGE, package)
    manifest |= {"content_sha256": content, "disclosure": dict(candidate.counts), "tables": hashes}
    manifest["files"] = files.listed(building)
    files.write_json(building / MANIFEST, manifest)
    files.write_checksums(building, manifest["files"])
    return manifest


def certificate_key(public_id: str) -> str:
    """Where the certificate of a public release lies, below the house's own publish folder."""
    return f"public/{public_id}/{CERTIFICATE}"


def _keep_certificate(published: Store, public_id: str, certificate: Mapping[str, Any]) -> None:
    key = certificate_key(public_id)
    text = json.dumps({**certificate, "public_id": public_id}, ensure_ascii=False, indent=1, default=str) + "\n"
    published.put(key, text.encode())
    local = published.local(key)
    if local is not None:
        # It names cells that are withheld: for those who run the house, not for all who may read releases.
        local.chmod(0o600)


def take_down(places: Places, public_id: str, at: str, reason: str) -> list[str]:
    """Delete every file of a public release, and say what it had let out: lines for the operator.

    `current` then names the newest public release that is still up, or is removed. The register keeps the release:
    what was out once is known to the attacker. LookupError for an id that never was out.
    """
    lines = Register(places.lake).lines()
    if public_id not in {line["public_id"] for line in lines}:
        raise LookupError(f"there is no public release {public_id}")
    manifest = manifest_or_none(places.public, public_id)
    states = add(places.published, StateLine(public_id, WITHDRAWN, at, reason))
    found = [info.key for below in ("releases", CARDS) for info in places.public.objects(f"{below}/{public_id}")]
    if current_public(places.public) == public_id:
        up = [
            line["public_id"]
            for line in lines
            if line["public_id"] != public_id
            and states.state(line["public_id"]) != WITHDRAWN
            and manifest_or_none(places.public, line["public_id"])
        ]
        if up:
            places.public.put("current", f"{up[-1]}\n".encode())
        else:
            places.public.delete(["current"])
    # The manifest goes first: without it the release counts as taken down even if this dies half way.
    places.public.delete(sorted(found, key=lambda key: not key.endswith(f"/{MANIFEST}")))
    folder = places.public.local(f"releases/{public_id}")
    if folder is not None:
        remove_whole(folder)
    told = [f"Public release {public_id} is taken down: {len(found)} files deleted"]
    if manifest is not None:
        told += [f"It had let out {table['rows']:,} rows of {table['name']}" for table in manifest["tables"]]
    return [*told, "What was out is known: later editions are audited together with it."]
