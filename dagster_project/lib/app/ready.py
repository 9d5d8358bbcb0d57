"""Whether reference data and layouts are right, asked as a whole before anything runs.

Belongs here: one list of faults over seeds, the ruleset in force and the layouts, and remembering that there is none.
Does not: finding any of them (base/seeds/forms.py, base/seeds/lint.py, intake/layouts/soundness.py), or printing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from pathlib import Path

import contracts
from dagster_project.lib.base.reference import Reference, SeedError, hash_files
from dagster_project.lib.base.ruleset import RulesetKey
from dagster_project.lib.publish.release.dependencies import code_version, lock_sha256
from dagster_project.settings import PROJECT_ROOT

FOUND_RIGHT = "found_right.txt"
"""In the folder of scratch: the digest of what was looked at last and had no fault."""
SEED_ENDINGS = (".csv", ".yml")


def reference_faults(reference: Reference, ruleset: RulesetKey | dt.date) -> list[str]:
    """Every fault of seeds and layouts, one line each, with file and lines.

    ruleset: id and version, or the day of the run, whose ruleset is in force.
    """
    # Loaded where it is asked for: a run that finds nothing new remembers that all is right, and needs no engine.
    from dagster_project.lib.base.seeds.lint import faults
    from dagster_project.lib.intake.layouts.soundness import layout_faults

    return [*map(str, faults(reference, ruleset)), *layout_faults(contracts.LAYOUTS)]


def require_ready(reference: Reference, ruleset: RulesetKey | dt.date, work: Path | None = None) -> None:
    """SeedError that names the first faults of seeds and layouts; nothing when there are none.

    work: a folder that remembers what was found right, where it is there; the same is not looked at again.
    """
    kept = None if work is None or not work.is_dir() else work / FOUND_RIGHT
    digest = _digest(reference.folder, ruleset) if kept else ""
    if kept and kept.is_file() and kept.read_bytes() == digest.encode():
        return
    if found := reference_faults(reference, ruleset):
        from dagster_project.lib.base.seeds.lint import first_of

        raise SeedError(first_of(found))
    if kept:
        partial = kept.with_name(f".{kept.name}.{os.getpid()}")
        partial.write_text(digest, encoding="utf-8")
        partial.replace(kept)


def _digest(seeds: Path, ruleset: RulesetKey | dt.date) -> str:
    """What faults depend on: files of these seeds and of the project's own, the code, the lock, the rules."""
    folders = dict.fromkeys((seeds.resolve(), PROJECT_ROOT / "seeds"))
    files = [hash_files([path for path in at.rglob("*") if path.suffix in SEED_ENDINGS], at) for at in folders]
    parts = (*files, code_version(PROJECT_ROOT), lock_sha256(PROJECT_ROOT), repr(ruleset))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
