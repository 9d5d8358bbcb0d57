"""What makes the figures of a release, what only puts them into words, and what makes public pages, declared.

Belongs here: which code, contracts and models a table of a release can depend on, which not, versions, the lock's hash.
Does not: what the kept rows of one folder depend on (intake/dependencies.py), or the hash of a table (hashing.py).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from dagster_project.lib.base.reference import named_content

Tags: TypeAlias = tuple[tuple[str, int, int, int, int], ...]
"""Each file by its path, and what of it changes with its content."""
CODE_FOLDERS = ("contracts", "dagster_project", "dbt")
CODE_ENDINGS = frozenset({".py", ".sql", ".yml", ".csv", ".html", ".js", ".po"})
NO_CODE = frozenset({"target", "logs", "__pycache__"})
LIB = "dagster_project/lib"
FIGURES = (
    "contracts",
    "dagster_project/__init__.py",
    "dagster_project/partitions.py",
    "dagster_project/settings.py",
    f"{LIB}/__init__.py",
    *(f"{LIB}/{room}" for room in ("base", "intake", "warehouse", "analysis")),
    *(f"{LIB}/app/{module}.py" for module in ("__init__", "analysis", "frozen", "pipeline")),
    f"{LIB}/app/spark",
    f"{LIB}/app/stands",
    f"{LIB}/publish/release/hashing.py",
    *("dbt/dbt_project.yml", "dbt/profiles.yml", "dbt/macros", "dbt/models"),
)
"""Files and folders below the project's root that a table of a release can depend on, but for WORDS within them."""
WORDS = (
    *("contracts/examples", "contracts/languages", "contracts/layouts/samples", "contracts/reasons.csv"),
    f"{LIB}/analysis/records/explain.py",
    f"{LIB}/analysis/records/one_outcome.py",
    f"{LIB}/base/progress.py",
    f"{LIB}/base/templates.py",
    f"{LIB}/base/seeds/upgrade.py",
    f"{LIB}/base/workbook_bytes.py",
    f"{LIB}/intake/bucket/grant.py",
    f"{LIB}/intake/bucket/reconcile.py",
    f"{LIB}/warehouse/declared.py",
    *("dbt/models/reporting/exposures.yml", "dbt/models/semantic"),
    *(f"{LIB}/{room}" for room in ("disclosure", "receipts", "member", "monitoring")),
    *(f"{LIB}/app/{module}.py" for module in ("doctor", "forgetting", "kept", "prediction", "pruning")),
    *(f"{LIB}/app/{module}.py" for module in ("public", "ready", "rebuild", "rehearsal", "scanning", "state")),
    f"{LIB}/app/stands/public.py",
    f"{LIB}/publish",
    *(f"dagster_project/{room}" for room in ("cli", "defs", "instance", "web", "definitions.py", "history.py")),
    *("dbt/lint", "dbt/tests"),
)
"""Pages, receipts, commands, what protects copies and what tests: no table of a release is another for them.

Of a file that both lists hold, the narrower name counts.
"""

PAGES = (
    *("contracts/findings.csv", "contracts/languages"),
    f"{LIB}/base/templates.py",
    *(f"{LIB}/publish/{room}" for room in ("public", "report")),
)
"""What makes the words of public pages: where it is another, their texts can be others over the same tables."""
PROTECTS = (f"{LIB}/base", f"{LIB}/disclosure")
"""What finds which cells are withheld and what can be told of them: where it is another, no kept answer holds."""

OF_MANIFESTS = ("code_version", "figures_version", "words_version")
OF_PAGES, OF_PROTECTION = "pages_version", "protection_version"


def versions(root: Path) -> dict[str, str]:
    """What a manifest says of the code: figures, words, and both with the distribution's version."""
    found = _versions(root, _tags(root))
    return {name: found[name] for name in OF_MANIFESTS}


def code_version(root: Path) -> str:
    """The distribution's version and a hash over all of its code: figures and words."""
    return versions(root)["code_version"]


def pages_version(root: Path) -> str:
    """A hash over the code that makes the words of public pages."""
    return _versions(root, _tags(root))[OF_PAGES]


def protection_version(root: Path) -> str:
    """A hash over the code that protects small groups."""
    return _versions(root, _tags(root))[OF_PROTECTION]


def _tags(root: Path) -> Tags:
    return tuple(_tag(path, path.stat()) for path in code_files(root))


def _tag(path: Path, found: os.stat_result) -> tuple[str, int, int, int, int]:
    return str(path), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


# A run names its code a dozen times, a look at the bucket every few seconds: it is read when a file changed.
@lru_cache(maxsize=1)
def _versions(root: Path, tags: Tags) -> dict[str, str]:
    code, figures, words, pages, protection = (hashlib.sha256() for _ in range(5))
    for path in sorted(Path(tag[0]) for tag in tags):
        content, name = named_content(path, root), path.relative_to(root)
        code.update(content)
        (figures if is_figures(name) else words).update(content)
        for part, digest in ((PAGES, pages), (PROTECTS, protection)):
            if _depth(name.as_posix(), part):
                digest.update(content)
    named = f"{importlib.metadata.version('cradle-warehouse')}+{_short(code)}"
    found = dict(zip(OF_MANIFESTS, (named, _short(figures), _short(words)), strict=True))
    return {**found, OF_PAGES: _short(pages), OF_PROTECTION: _short(protection)}


def lock_sha256(root: Path) -> str:
    """sha256 of the lock file."""
    return hashlib.sha256((root / "requirements.lock").read_bytes()).hexdigest()


def _short(digest: hashlib._Hash) -> str:
    return digest.hexdigest()[:12]


def is_figures(path: Path) -> bool:
    """Whether a file, by its path below the project's root, is declared to make figures."""
    name = path.as_posix()
    return _depth(name, FIGURES) > _depth(name, WORDS)


def code_files(root: Path) -> Iterator[Path]:
    """Every file of code below the project's root, in order."""
    for folder in CODE_FOLDERS:
        found = []
        for place, inner, names in os.walk(root / folder):
            inner[:] = [name for name in inner if name not in NO_CODE]
            found += [path for name in names if (path := Path(place, name)).suffix in CODE_ENDINGS]
        yield from sorted(found)


def _depth(path: str, names: Sequence[str]) -> int:
    """How narrowly a list names a file: the parts of the longest name that holds it, 0 where none does."""
    return max((name.count("/") + 1 for name in names if f"{path}/".startswith(f"{name}/")), default=0)
