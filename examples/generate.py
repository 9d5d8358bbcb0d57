"""Write the example network's drop bucket.

Belongs here: the command, and putting all folders together, byte for byte the same each time.
Does not: the figures (model.py), the files' shapes (exports.py, registers.py), or anything the warehouse itself runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from examples.faults import ALONE, Fault, faults, figure_faults
from examples.folders import Sheets, value_files
from examples.model import Value, simulate
from examples.network import HEADERS, network_rows
from examples.registers import REGISTERS, Rows, register_rows, story
from examples.tables import LAST_YEAR, Community, communities
from examples.workbook import delimited, workbook

FIRST_YEAR = 2015


@dataclass(frozen=True)
class Summary:
    """What was written: how many communities, folders (community-years) and files, their bytes, the deliberate faults,
    and the files below the drop that the generator did not write and left alone."""

    communities: int
    folders: int
    files: int
    size: int
    faults: tuple[Fault, ...]
    others: tuple[str, ...]


def generate(
    drop: Path, communities: int = 70, first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR, seed: int = 1
) -> Summary:
    """Write the drop bucket of the first `communities` communities for the reporting years asked for.

    A community's files depend on the seed, its id and the year only, so a smaller call writes a part of a larger
    one. Files that already stand with the same bytes are left untouched; nothing is ever deleted.
    ValueError for a number of communities or years that the example network does not have.
    """
    chosen = _chosen(communities)
    if not FIRST_YEAR <= first_year <= last_year <= LAST_YEAR:
        raise ValueError(f"years must lie between {FIRST_YEAR} and {LAST_YEAR}, first before last")
    years = range(first_year, last_year + 1)
    made: list[Fault] = []
    content: dict[str, bytes] = {}
    for community in chosen:
        values = simulate(community, seed)
        for year in years:
            if community.sends_in(year):
                content.update(folder(community, values, year))
                made.extend(figure_faults(community, values, year))
    made.extend(_faults_for(chosen, years))
    content.update({_path(fault): fault.content for fault in made})
    content.update(network_files(chosen, years))
    return _write(drop, content, made, len(chosen))


def _chosen(number: int) -> Sequence[Community]:
    every = communities()
    if not 1 <= number <= len(every):
        raise ValueError(f"the example network has 1 to {len(every)} communities, not {number}")
    return every[:number]


def folder(community: Community, values: Sequence[Value], year: int) -> dict[str, bytes]:
    """All files of one community and reporting year, by their path below the drop."""
    if (community.community_id, str(year)) in ALONE:
        return {}
    files, sheets = value_files(community, values, year)
    rows = register_rows(community, year)
    if sheets:
        book: Sheets = {**sheets, **{name: (REGISTERS[name][0], rows[name]) for name in rows}}
        files[f"{community.community_id}_{year}.xlsx"] = workbook(book)
    else:
        files.update({f"{name}.csv": _register_csv(community, name, rows) for name in rows})
    return {f"{community.community_id}/{year}/{name}": files[name] for name in sorted(files)}


def _register_csv(community: Community, name: str, rows: dict[str, Rows]) -> bytes:
    return delimited(REGISTERS[name][0], rows[name]).encode(community.encoding)


def network_files(chosen: Sequence[Community], years: Sequence[int]) -> dict[str, bytes]:
    """The network's own tables, by their path below the drop."""
    stories = [story(community) for community in chosen]
    return {
        f"_network/{year}/{name}.csv": delimited(HEADERS[name], rows).encode("utf-8")
        for year in years
        for name, rows in network_rows(stories, year).items()
    }


def _faults_for(chosen: Sequence[Community], years: Sequence[int]) -> Iterator[Fault]:
    known = {community.community_id for community in communities()}
    here = {community.community_id for community in chosen}
    inside = {str(year) for year in years}
    for fault in faults():
        if fault.community_id in here or fault.community_id not in known:
            odd = not fault.folder.isdigit() or int(fault.folder) > LAST_YEAR
            if odd or fault.folder in inside:
                yield fault


def _is_open(fault: Fault) -> bool:
    """Whether a fault lies in the folder of a community and year of the network."""
    sending = {community.community_id: community for community in communities()}.get(fault.community_id)
    return sending is not None and fault.folder.isdigit() and sending.sends_in(int(fault.folder))


def _path(fault: Fault) -> str:
    return "/".join(part for part in (fault.community_id, fault.folder, fault.name) if part)


def _write(drop: Path, content: dict[str, bytes], made: Sequence[Fault], number: int) -> Summary:
    for path, data in content.items():
        target = drop / path
        if not target.is_file() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    found = {path.relative_to(drop).as_posix() for path in drop.rglob("*") if path.is_file()}
    strange = {_path(fault) for fault in made if not _is_open(fault)}
    folders = {path.rsplit("/", 1)[0] for path in content.keys() - strange if not path.startswith("_")}
    return Summary(
        communities=number,
        folders=len(folders),
        files=len(content),
        size=sum(len(data) for data in content.values()),
        faults=tuple(made),
        others=tuple(sorted(found - content.keys())),
    )


def _years(text: str) -> tuple[int, int]:
    first, _, last = text.partition("..")
    return int(first), int(last or first)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `python -m examples.generate`; 0 when the bucket stands, 2 for a wrong argument."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.generate", description="Write the example network's drop."
    )
    parser.add_argument("--home", type=Path, required=True, help="the files go to HOME/drop")
    parser.add_argument("--communities", type=int, default=70)
    parser.add_argument("--years", type=_years, default=(FIRST_YEAR, LAST_YEAR), metavar="2015..2026")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    drop = options.home / "drop"
    try:
        first, last = options.years
        summary = generate(drop, options.communities, first, last, options.seed)
    except ValueError as error:
        parser.error(str(error))
    sys.stdout.write(
        f"{drop}: {summary.communities} communities, {summary.folders} folders, {summary.files} files, "
        f"{summary.size / 1e6:.1f} MB, {len(summary.faults)} deliberate faults\n"
    )
    if summary.others:
        sys.stdout.write(f"{len(summary.others)} other files below {drop} were left alone, first {summary.others[0]}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
