"""Communities that go by another id than before: one line of network/community_successions.csv a rename.

Belongs here: what is wrong with these lines, the id of now and the first id of a community, in frames and in text.
Does not: mergers (their communities end and a new one begins), places within a community, or any store that is read.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import polars as pl

from dagster_project.lib.base.names import CONTACTS

COMMUNITY_SUCCESSIONS = "network/community_successions"
FORMER, NOW = "community_id", "successor_id"
# Columns of seeds and tables that hold a community's id, alone or before the name of a place that no list governs.
OWN_COLUMNS = ("community_id", "scope_id", "geography_id", "parent_id", "successor_id")
PART = ":"


@dataclass(frozen=True)
class Succession:
    """One line: the number it stands at, the id before and the id after."""

    line: int
    former: str
    successor: str


@dataclass(frozen=True)
class CommunityIds:
    """Ids of communities: `now` gives the id of a former one, `first` the id that one of today began with."""

    now: Mapping[str, str] = field(default_factory=dict)
    first: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    """The next id of each former one."""

    def __bool__(self) -> bool:
        return bool(self.now)

    def of(self, community_id: str) -> str:
        """The id that a community has now."""
        return self.now.get(community_id, community_id)

    def first_of(self, community_id: str) -> str:
        """The id that a community of today began with."""
        return self.first.get(community_id, community_id)

    def age_of(self, community_id: str) -> int:
        """How many renames lie between an id and the id of now."""
        steps = 0
        while community_id in self.after:
            community_id, steps = self.after[community_id], steps + 1
        return steps

    def not_known(self, community_id: str) -> str:
        """What is said of an id that is no community's of today; of a former one, what it is called now."""
        now = self.now.get(community_id)
        called = f"; it is called {now} since its rename" if now else ""
        return f"{community_id} is not a community of the network{called}"

    def all_of(self, community_id: str) -> tuple[str, ...]:
        """A community's id now, then its former ones."""
        return (community_id, *sorted(former for former, now in self.now.items() if now == community_id))

    def read(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame with every community, and every place named by it, under the id of now."""
        return _replaced(frame, self.now)

    def begun(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame with every community, and every place named by it, under its first id."""
        return _replaced(frame, self.first)


NO_RENAMES = CommunityIds()


def names_of(successions: Iterable[Succession]) -> CommunityIds:
    """The names that sound lines give (see `succession_faults`)."""
    after = {line.former: line for line in successions}
    now, first = {}, {}
    for former in after:
        last = former
        while last in after:
            last = after[last].successor
        now[former] = last
    successors = {line.successor for line in after.values()}
    for former, last in now.items():
        if former not in successors:
            first[last] = former
    lines = {former: line.line for former, line in after.items()}
    return CommunityIds(now, first, lines, {former: line.successor for former, line in after.items()})


def succession_faults(
    successions: Sequence[Succession], members: Mapping[str, int]
) -> Iterator[tuple[tuple[int, ...], str]]:
    """What is wrong with the lines, each with their numbers. `members`: ids of communities.csv with their lines."""
    by_former, by_successor = _grouped(successions, "former"), _grouped(successions, "successor")
    for former, same in by_former.items():
        if len(same) > 1:
            named = " and ".join(line.successor for line in same)
            yield _numbers(same), f"{former} has {len(same)} successors ({named}); a community is renamed to one id"
    for successor, same in by_successor.items():
        if len(same) > 1:
            named = " and ".join(line.former for line in same)
            yield (
                _numbers(same),
                f"{named} both become {successor}; that is a merger, not a rename: give each its left_year in "
                "network/communities.csv and the new community a line of its own",
            )
    if any(len(same) > 1 for same in (*by_former.values(), *by_successor.values())):
        return
    yield from _cycles(by_former)
    for chain in _chains(by_former):
        ids = [chain[0].former, *(line.successor for line in chain)]
        listed = [name for name in ids if name in members]
        if not listed:
            yield _numbers(chain), f"neither {' nor '.join(ids)} is in network/communities.csv; correct the id"
        elif len(listed) > 1:
            where = ", ".join(f"line {members[name]}" for name in listed)
            yield (
                _numbers(chain),
                f"{' and '.join(listed)} are one community and have a line each in network/communities.csv ({where}); "
                "keep one of them",
            )


def _grouped(successions: Sequence[Succession], column: str) -> dict[str, list[Succession]]:
    groups: dict[str, list[Succession]] = defaultdict(list)
    for line in successions:
        groups[getattr(line, column)].append(line)
    return groups


def _numbers(lines: Sequence[Succession]) -> tuple[int, ...]:
    return tuple(line.line for line in lines)


def _cycles(by_former: Mapping[str, Sequence[Succession]]) -> Iterator[tuple[tuple[int, ...], str]]:
    told: set[str] = set()
    for start in by_former:
        seen: list[Succession] = []
        name = start
        while name in by_former and name not in {line.former for line in seen}:
            seen.append(by_former[name][0])
            name = seen[-1].successor
        if name == start and start not in told:
            told |= {line.former for line in seen}
            round_ = " to ".join([start, *(line.successor for line in seen)])
            yield _numbers(seen), f"the renames go in a circle ({round_}); take one line out"


def _chains(by_former: Mapping[str, Sequence[Succession]]) -> Iterator[list[Succession]]:
    """Renames one after the other, from each first id on; circles have none."""
    successors = {line.successor for (line,) in by_former.values()}
    for start in by_former:
        if start in successors:
            continue
        chain, name = [], start
        while name in by_former:
            chain.append(by_former[name][0])
            name = chain[-1].successor
        yield chain


def _replaced(frame: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    columns = [name for name in OWN_COLUMNS if frame.schema.get(name) == pl.String()]
    if not names or not columns:
        return frame
    in_scope = pl.col("scope") == "community" if "scope" in frame.columns else pl.lit(True)
    return frame.with_columns(
        pl.when(in_scope).then(_renamed(pl.col(name), names)).otherwise(name).alias(name)
        if name == "scope_id"
        else _renamed(pl.col(name), names).alias(name)
        for name in columns
    )


def _renamed(column: pl.Expr, names: Mapping[str, str]) -> pl.Expr:
    """An id, or the id before the first colon of an invented place, under its other name."""
    parts = column.str.split_exact(PART, 1)
    head = parts.struct.field("field_0")
    rest = column.str.slice(head.str.len_chars())
    return pl.when(head.is_in(list(names))).then(pl.concat_str(head.replace(names), rest)).otherwise(column)


def write_as_read(seeds: Path, target: Path, names: CommunityIds) -> None:
    """A copy of a seeds folder with every community under its id of now, for programs that read files themselves."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(seeds, target, ignore=shutil.ignore_patterns(f"{PurePosixPath(CONTACTS).name}.csv"))
    for path in sorted(target.rglob("*.csv")):
        if path.relative_to(target).with_suffix("").as_posix() != COMMUNITY_SUCCESSIONS:
            path.write_bytes(_as_read(path.read_bytes(), names.of))


def _as_read(data: bytes, of: Callable[[str], str]) -> bytes:
    reader = csv.reader(io.StringIO(data.removeprefix(b"\xef\xbb\xbf").decode("utf-8"), newline=""))
    rows = list(reader)
    header = [name.strip() for name in rows[0]] if rows else []
    places = [place for place, name in enumerate(header) if name in OWN_COLUMNS]
    scope = header.index("scope") if "scope" in header else None
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for number, row in enumerate(rows):
        if number and len(row) == len(header):
            for place in places:
                own = header[place] != "scope_id" or scope is None or row[scope].strip() == "community"
                if own and of(row[place].strip()) != row[place].strip():
                    row[place] = of(row[place].strip())
        writer.writerow(row)
    return text.getvalue().encode("utf-8")
