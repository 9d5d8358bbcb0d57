"""Write the example network's drop bucket.

Belongs here: the command, and putting all folders together, byte for byte the same each time.
Does not: the figures (model.py), the files' shapes (exports.py, registers.py), or anything the warehouse itself runs.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from examples import seeds, tables
from examples.bucket import Bucket
from examples.exports import table_file
from examples.faults import ALONE, Fault, faults, figure_faults
from examples.folders import Sheets, value_files
from examples.model import Value, simulate
from examples.network import HEADERS, network_rows
from examples.registers import REGISTERS, register_rows
from examples.tables import LAST_YEAR, Community
from examples.workbook import workbook

FIRST_YEAR = 2015
NETWORK_FOLDER = "_network"


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
    drop: Path,
    communities: int | None = None,
    first_year: int = FIRST_YEAR,
    last_year: int = LAST_YEAR,
    seed: int = 1,
    *,
    scale: int = 1,
    container: str = "csv",
) -> Summary:
    """Write the drop bucket of the first `communities` communities (else of all) for the reporting years asked for.

    `scale`: a network so many times as large as the example network; its seeds are seeds.write. `container`: what
    tables in the contract's form come as, csv or parquet. A community's files depend on the seed, its id and the year
    only, so a smaller call writes a part of a larger one, and one community at a time is in memory. Files that already
    stand with the same bytes are left untouched; nothing is ever deleted. ValueError for a number of communities or
    years that the network does not have.
    """
    most = scale * len(tables.communities())
    number = most if communities is None else communities
    if not 1 <= number <= most:
        raise ValueError(f"the network has 1 to {most} communities, not {number}")
    if not FIRST_YEAR <= first_year <= last_year <= LAST_YEAR:
        raise ValueError(f"years must lie between {FIRST_YEAR} and {LAST_YEAR}, first before last")

    def chosen() -> Iterator[Community]:
        return itertools.islice(tables.network(scale, container), number)

    years = range(first_year, last_year + 1)
    bucket, made, folders = Bucket(drop), list[Fault](), 0
    for community in chosen():
        content, met = community_files(community, years, seed)
        bucket.folder(community.community_id, content)
        made += met
        strange = {_path(fault) for fault in met if not _is_open(fault)}
        folders += len({path.rsplit("/", 1)[0] for path in content.keys() - strange})
    nobodys = [fault for fault in faults() if fault.community_id not in tables.by_id() and _asked(fault, years)]
    for fault in nobodys:
        bucket.folder(fault.community_id, {_path(fault): fault.content})
    bucket.tables(
        NETWORK_FOLDER,
        (
            (f"{NETWORK_FOLDER}/{year}/{name}.{container}", header, network_rows(name, chosen(), year))
            for year in years
            for name, header in HEADERS.items()
        ),
    )
    bucket.finish()
    return Summary(number, folders, bucket.files, bucket.size, (*made, *nobodys), tuple(bucket.others))


def community_files(community: Community, years: range, seed: int) -> tuple[dict[str, bytes], list[Fault]]:
    """All files of a community in some reporting years, by their path below the drop, and the faults among them."""
    values = simulate(community, seed)
    content: dict[str, bytes] = {}
    made: list[Fault] = []
    for year in years:
        if community.sends_in(year):
            content.update(folder(community, values, year))
            made += figure_faults(community, values, year)
    made += [fault for fault in faults() if fault.community_id == community.community_id and _asked(fault, years)]
    content.update({_path(fault): fault.content for fault in made})
    return content, made


def _asked(fault: Fault, years: range) -> bool:
    """Whether a fault lies in the folder of one of these years, or in none of a year of the network."""
    odd = not fault.folder.isdigit() or int(fault.folder) > LAST_YEAR
    return odd or int(fault.folder) in years


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
        for name in rows:
            files.update(table_file(community, name, REGISTERS[name][0], rows[name]))
    return {f"{community.community_id}/{year}/{name}": files[name] for name in sorted(files)}


def _is_open(fault: Fault) -> bool:
    """Whether a fault lies in the folder of a community and year of the network."""
    sending = tables.by_id().get(fault.community_id)
    return sending is not None and fault.folder.isdigit() and sending.sends_in(int(fault.folder))


def _path(fault: Fault) -> str:
    return "/".join(part for part in (fault.community_id, fault.folder, fault.name) if part)


def _years(text: str) -> tuple[int, int]:
    first, _, last = text.partition("..")
    return int(first), int(last or first)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `python -m examples.generate`; 0 when the bucket stands, 2 for a wrong argument."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.generate", description="Write the example network's drop."
    )
    parser.add_argument("--home", type=Path, required=True, help="the files go to HOME/drop")
    parser.add_argument("--communities", type=int, help="only the first so many")
    parser.add_argument("--years", type=_years, default=(FIRST_YEAR, LAST_YEAR), metavar="2015..2026")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--scale", type=int, default=1, help="a network so many times as large; its seeds go to HOME/seeds"
    )
    parser.add_argument(
        "--container", choices=("csv", "parquet"), default="csv", help="what tables in the contract's form come as"
    )
    options = parser.parse_args(arguments)
    drop, (first, last) = options.home / "drop", options.years
    wanted = {"scale": options.scale, "container": options.container}
    try:
        summary = generate(drop, options.communities, first, last, options.seed, **wanted)
    except ValueError as error:
        parser.error(str(error))
    sys.stdout.write(
        f"{drop}: {summary.communities} communities, {summary.folders} folders, {summary.files} files, "
        f"{summary.size / 1e6:.1f} MB, {len(summary.faults)} deliberate faults\n"
    )
    if options.scale > 1:
        seeds.write(options.home / "seeds", options.scale)
        sys.stdout.write(f"{options.home / 'seeds'}: the seeds of this network, for CRADLE_SEEDS\n")
    if summary.others:
        sys.stdout.write(f"{len(summary.others)} other files below {drop} were left alone, first {summary.others[0]}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
