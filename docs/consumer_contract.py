"""The committed contracts of both editions, which nobody breaks unnoticed: `python -m docs.generate`.

Belongs here: their files in docs/, and the refusal to write a contract that breaks the committed one.
Does not: what a contract says or what breaks it (lib/publish/release/contract.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.seeds.declarations import read_yaml
from dagster_project.lib.publish.public.declared import declared_public
from dagster_project.lib.publish.release.contract import INTERNAL, PUBLIC, contract, require_version, text
from dagster_project.lib.warehouse.dbt_run import MANIFEST
from dagster_project.lib.warehouse.declared import declared_marts

DOCS = Path(__file__).resolve().parent
SEEDS = DOCS.parent / "seeds"


def internal() -> dict[str, Any]:
    """The contract of the internal marts as they are declared now."""
    return contract(declared_marts(MANIFEST, Reference(SEEDS)).values(), INTERNAL)


def public() -> dict[str, Any]:
    """The contract of the public marts as they are declared now."""
    return contract(declared_public(declared_marts(MANIFEST, Reference(SEEDS), public=True)).values(), PUBLIC)


CONTRACTS: Mapping[Path, tuple[Callable[[], dict[str, Any]], Any]] = {
    DOCS / "marts.odcs.yaml": (internal, INTERNAL),
    DOCS / "public-marts.odcs.yaml": (public, PUBLIC),
}
"""How each committed file is made, and the edition it speaks of."""


def committed(file: Path) -> dict[str, Any] | None:
    """A contract as it was last made; None before the first."""
    if not file.is_file():
        return None
    known: dict[str, Any] = read_yaml(file.read_text(encoding="utf-8"))
    return known


def write() -> None:
    """Write the contracts anew; ContractBrokenError where one breaks the one that is there and does not say so."""
    for file, (make, edition) in CONTRACTS.items():
        before, after = committed(file), make()
        if before is not None:
            require_version(before, after)
        file.write_text(text(after, edition), encoding="utf-8")
