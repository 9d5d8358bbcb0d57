"""Frozen cycles: what was judged in a reporting year, its records and distances, kept as when the cycle was closed.

Belongs here: writing a year's records and judged rows once, reading them, frozen rows beside what would be now.
Does not: deciding anything (lib/analysis), words for people (lib/analysis/records/beside.py), publishing.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from dagster_project.lib.analysis.records.build import build_records, verify
from dagster_project.lib.analysis.records.recompute import Record, recompute, stated
from dagster_project.lib.analysis.rubric.criteria import designation_criteria
from dagster_project.lib.analysis.rubric.editions import in_editions
from dagster_project.lib.analysis.tables import TABLES, before_freezing
from dagster_project.lib.analysis.vocabulary import FROZEN, PROVISIONAL
from dagster_project.lib.app.analysis import record_inputs
from dagster_project.lib.app.stands.cycles import FILE_FORMAT, FrozenContent, FrozenCycle, frozen_key
from dagster_project.lib.base.engine import Connection
from dagster_project.lib.base.names import INPUTS
from dagster_project.lib.base.reference import Reference
from dagster_project.lib.base.ruleset import Ruleset
from dagster_project.lib.base.state import StateError
from dagster_project.lib.base.store import Store
from dagster_project.lib.base.successions import NO_RENAMES, CommunityIds

FROZEN_TABLE = "frozen_cycles"
DISTANCE_TABLE = "fct_designation_distance"
DETERMINATION = ["community_id", "designation", "reporting_year"]
REQUIREMENT = [*DETERMINATION, "requirement_id"]
RULESET = ("ruleset_id", "ruleset_version")
KEPT = ("status", "standing", "decided_on", "next_review_due", "record_id", *RULESET)
KEPT_FIGURES = ("required", "actual", "status", "n_undetermined", "n_members", "measure", "statement", "evidence")
KEPT_OF_REQUIREMENT = (*KEPT_FIGURES, "reason", *RULESET)
PLACE = ["community_id", "reporting_year"]
# Tables of the rubric that are kept row by row, and what of each is also shown as it would be now.
JUDGED = {
    "fct_criterion_status": ("status",),
    "fct_benchmark_status": ("status",),
    "fct_gateway_step": ("status",),
    "fct_gateway_status": ("operating_in", "gateways_met"),
}
MISSING_TABLE = "fct_gateway_missing"
RELEASED = pl.Schema({"reporting_year": pl.Int32(), "sha256": pl.String(), "content": pl.Binary()})


class FreezeError(RuntimeError):
    """A cycle cannot be frozen; the message says why in one line."""


class FrozenAlreadyError(FreezeError):
    """The cycle is frozen, and nothing changes it."""

    def __init__(self, reporting_year: int) -> None:
        super().__init__(f"reporting year {reporting_year} is frozen already; frozen records never change")


# ---- writing, once ----


def records_to_freeze(
    connection: Connection, reporting_year: int, reference: Reference, today: dt.date, ruleset: Ruleset
) -> list[Record]:
    """All records of a year, made from a release alone, each proven: the release's id, and deciding again agrees.

    `today` and `ruleset` are the release's own. FreezeError where the release has no record of the year, or where the
    reference data at hand no longer give the release's records.
    """
    rows = connection.execute(
        "select community_id, designation, record_id from marts.fct_designation where reporting_year = ?",
        [reporting_year],
    ).fetchall()
    if not rows:
        raise FreezeError(f"the current release holds no determination of reporting year {reporting_year}")
    inputs = record_inputs(connection, None, reference, today, ruleset)
    records = [{**record, "state": FROZEN} for record in build_records(inputs, reporting_year)]
    released = {(community, designation): record_id for community, designation, record_id in rows}
    made = {(record["community_id"], record["designation"]): record["record_id"] for record in records}
    if made != released:
        n = sum(made.get(place) != released.get(place) for place in made.keys() | released.keys())
        raise FreezeError(f"{n} of {len(released)} records of {reporting_year} are not those of the current release")
    for record in records:
        if not verify(record) or recompute(record) != stated(record):
            place = f"{record['community_id']}, {record['designation']}"
            raise FreezeError(f"the record of {place} cannot be decided again from itself")
    return records


def distances_to_freeze(connection: Connection, reporting_year: int) -> list[dict[str, Any]]:
    """A release's rows of fct_designation_distance for a year, sorted by key: what its records were away from."""
    order = ", ".join([*REQUIREMENT, "rank"])
    query = f"select * from marts.{DISTANCE_TABLE} where reporting_year = ? order by {order}"
    return connection.execute(query, [reporting_year]).pl().to_dicts()


def judged_to_freeze(connection: Connection, reporting_year: int) -> dict[str, list[dict[str, Any]]]:
    """A release's judged rows of a year by table, sorted by key, in the columns that they had when they were judged."""
    found = {}
    for name in (*JUDGED, MISSING_TABLE):
        columns, order = ", ".join(before_freezing(TABLES[name])), ", ".join(TABLES[name].key)
        query = f"select {columns} from marts.{name} where reporting_year = ? order by {order}"
        found[name] = connection.execute(query, [reporting_year]).pl().to_dicts()
    return found


def file_bytes(reporting_year: int, content: FrozenContent, release_id: str, ruleset: tuple[str, str]) -> bytes:
    """The frozen file: one JSON object, gzipped, a record or distance a line; the same content gives the same bytes."""
    head = {
        "file_format": FILE_FORMAT,
        "reporting_year": reporting_year,
        "release_id": release_id,
        "ruleset_id": ruleset[0],
        "ruleset_version": ruleset[1],
    }
    judged = ",".join(_lines(name, rows) for name, rows in content.judged.items())
    parts = [_lines("records", content.records), _lines("distances", content.distances), f'"judged":{{{judged}}}']
    text = f"{_json(head)[:-1]},{','.join(parts)}}}\n"
    # No time of writing in the header: it would be all that differs between two writings.
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def _lines(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    return f'"{name}":[\n' + ",\n".join(_json(row) for row in rows) + "\n]"


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def refuse_frozen(lake: Store, reporting_year: int) -> None:
    """FrozenAlreadyError if the year is frozen."""
    if lake.get_or_none(frozen_key(reporting_year)) is not None:
        raise FrozenAlreadyError(reporting_year)


def freeze_cycle(lake: Store, reporting_year: int, content: bytes) -> str:
    """Keep a year's frozen file and return its sha256; FrozenAlreadyError if the year is frozen."""
    if not lake.create(frozen_key(reporting_year), content):
        raise FrozenAlreadyError(reporting_year)
    return hashlib.sha256(content).hexdigest()


# ---- reading ----


def released_cycles(cycles: Sequence[FrozenCycle]) -> pl.DataFrame:
    """RELEASED: what a release carries of frozen cycles, each file byte for byte."""
    rows = [(cycle.reporting_year, cycle.sha256, cycle.content) for cycle in cycles]
    return pl.DataFrame(rows, schema=RELEASED, orient="row").sort("reporting_year")


def put_back(connection: Connection, lake: Store, lost: Mapping[int, str]) -> Iterator[str]:
    """Frozen cycles that the lake lost (`lost_cycles`), put back as the release carries them; what was done, in words.

    StateError where the release holds other bytes than its manifest says.
    """
    for year, sha256 in sorted(lost.items()):
        query = f"select content from {INPUTS}.{FROZEN_TABLE} where reporting_year = ?"
        row = connection.execute(query, [year]).fetchone()
        content = bytes(row[0]) if row else b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StateError(f"{lake.url}/{frozen_key(year)} is missing; put it back from a backup: it is made once")
        freeze_cycle(lake, year, content)
        yield f"{frozen_key(year)} was missing and is put back from the current release, which carries it"


def cycle_of(
    connection: Connection, lake: Store, reporting_year: int, names: CommunityIds = NO_RENAMES
) -> FrozenCycle | None:
    """A frozen cycle as released, else as frozen since the release was made; None where the year is not frozen."""
    place = [INPUTS, FROZEN_TABLE]
    query = "select count(*) from information_schema.tables where table_schema = ? and table_name = ?"
    content = None
    # A release made before any cycle could be frozen has no such table.
    if connection.execute(query, place).fetchone() == (1,):
        query = f"select content from {INPUTS}.{FROZEN_TABLE} where reporting_year = ?"
        row = connection.execute(query, [reporting_year]).fetchone()
        content = bytes(row[0]) if row else None
    content = content or lake.get_or_none(frozen_key(reporting_year))
    return None if content is None else FrozenCycle(reporting_year, content, names)


# ---- beside what would be now ----


def keep_frozen(
    tables: Mapping[str, pl.DataFrame], cycles: Sequence[FrozenCycle], communities: Sequence[str], rubric: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """The tables, with what is said of a determination as frozen where its record is frozen.

    fct_designation and fct_designation_requirement: frozen rows stay as they were, also where nothing of the community
    stands any more; what today's data give stands beside them in the columns `*_now` (equal where provisional). So do
    criteria, benchmarks and gateways (JUDGED), under whatever edition of the rubric they were judged. The designation
    rows of fct_criterion_status (`rubric`: seeds/rubric/rubric.csv), fct_designation_distance and fct_gateway_missing
    follow. `communities`: those of the network; records of others are left aside, as every line about them is.
    """
    decided, required = tables["fct_designation"], tables["fct_designation_requirement"]
    held: list[dict[str, Any]] = []
    requirement_rows: list[dict[str, Any]] = []
    away: list[dict[str, Any]] = []
    judged: dict[str, list[dict[str, Any]]] = {name: [] for name in (*JUDGED, MISSING_TABLE)}
    members = set(communities)
    for cycle in cycles:
        content = cycle.read()
        for record in ({**record, "community_id": cycle.place_of(record)} for record in content.records):
            if record["community_id"] in members:
                held.append({name: record[name] for name in (*DETERMINATION, *KEPT)})
                requirement_rows += _requirement_rows(record)
        away += _of_members(cycle, content.distances, members)
        for name, rows in content.judged.items():
            judged[name] += _of_members(cycle, rows, members)
    kept, figures = _frame(held, decided), _frame(requirement_rows, required)
    # A frozen determination keeps its own requirements: one that came with later rules is none of its.
    now = pl.concat(
        [required.join(figures, on=REQUIREMENT, how="semi"), required.join(figures, on=DETERMINATION, how="anti")]
    )
    requirements = _beside(now, figures, REQUIREMENT, KEPT_OF_REQUIREMENT, ("actual", "status"))
    distance = tables[DISTANCE_TABLE]
    others = distance.join(kept, on=DETERMINATION, how="anti")
    made = {name: _judged(name, tables[name], judged[name]) for name in JUDGED}
    made["fct_criterion_status"] = _following(
        made["fct_criterion_status"], tables["fct_criterion_status"], requirements, kept, rubric
    )
    return {
        **tables,
        **made,
        "fct_designation": _beside(decided, kept, DETERMINATION, KEPT, ("status", "standing", "record_id")),
        "fct_designation_requirement": requirements,
        DISTANCE_TABLE: pl.concat([others, _frame(away, distance)], how="diagonal").sort(*REQUIREMENT, "rank"),
        MISSING_TABLE: _missing(tables[MISSING_TABLE], judged),
    }


def _of_members(cycle: FrozenCycle, rows: Sequence[dict[str, Any]], members: Collection[str]) -> list[dict[str, Any]]:
    """Rows of the network's communities, each under the id that its community has now."""
    named = [{**row, "community_id": cycle.place_of(row)} for row in rows]
    return [row for row in named if row["community_id"] in members]


def _judged(name: str, now: pl.DataFrame, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """One table of JUDGED: frozen rows as they were, beside what would be now; the rest as it is."""
    key, frozen = list(TABLES[name].key), _frame(rows, now)
    # A frozen place keeps its own lines: a criterion that came with a later booklet is none of its.
    standing = pl.concat([now.join(frozen, on=key, how="semi"), now.join(frozen, on=PLACE, how="anti")])
    return _beside(standing, frozen, key, [column for column in now.columns if column not in key], JUDGED[name])


def _following(
    criteria: pl.DataFrame, now: pl.DataFrame, requirements: pl.DataFrame, kept: pl.DataFrame, rubric: pl.DataFrame
) -> pl.DataFrame:
    """fct_criterion_status whose designation rows say what their requirements say: one source for both tables."""
    follow = in_editions(rubric, lambda edition, years: designation_criteria(requirements.filter(years), edition))
    is_frozen = pl.col("record_state") == FROZEN
    # What was frozen with its rubric rows stays as it was judged, whatever booklet there is today.
    follow = follow.join(criteria.filter(is_frozen), on=PLACE, how="anti")
    key = list(TABLES["fct_criterion_status"].key)
    places = kept.select(PLACE).unique().with_columns(pl.lit(FROZEN).alias("record_state"))
    follow = follow.join(places, on=PLACE, how="left").with_columns(pl.col("record_state").fill_null(PROVISIONAL))
    follow = follow.join(now.select(*key, pl.col("status").alias("status_now")), on=key, how="left")
    others = criteria.filter(is_frozen | ~pl.col("criterion_id").is_in(set(follow["criterion_id"])))
    return pl.concat([others, follow.select(criteria.columns)])


def _missing(now: pl.DataFrame, judged: Mapping[str, list[dict[str, Any]]]) -> pl.DataFrame:
    """fct_gateway_missing: of frozen places what was missing then, also where that was nothing."""
    rows = judged["fct_gateway_status"]
    places = pl.DataFrame(
        [{name: row[name] for name in PLACE} for row in rows], schema={n: now.schema[n] for n in PLACE}
    )
    return pl.concat([now.join(places, on=PLACE, how="anti"), _frame(judged[MISSING_TABLE], now).select(now.columns)])


def _requirement_rows(record: Record) -> list[dict[str, Any]]:
    measures = {rule["requirement_id"]: rule["measure"] for rule in record["rules"]}
    fixed = {name: record[name] for name in (*DETERMINATION, *RULESET)}
    return [{**fixed, **row, "measure": measures[row["requirement_id"]]} for row in record["requirements"]]


def _frame(rows: Sequence[Mapping[str, Any]], like: pl.DataFrame) -> pl.DataFrame:
    """Rows of records, typed as the table they stand in; dates are ISO text in a record."""
    schema = {name: kind for name, kind in like.schema.items() if not rows or name in rows[0]}
    text = {name: pl.String() if kind == pl.Date else kind for name, kind in schema.items()}
    frame = pl.DataFrame([{name: row[name] for name in schema} for row in rows], schema=text)
    return frame.with_columns(pl.col(name).str.to_date() for name, kind in schema.items() if kind == pl.Date)


def _beside(
    now: pl.DataFrame, frozen: pl.DataFrame, key: list[str], kept: Sequence[str], shown: Sequence[str]
) -> pl.DataFrame:
    """Rows of both: columns `kept` as frozen where frozen; columns `shown` also as they would be now."""
    marked = frozen.select(*key, *kept).with_columns(pl.lit(FROZEN).alias("record_state"))
    rows = now.join(marked, on=key, how="full", suffix="_frozen", coalesce=True)
    is_frozen = pl.col("record_state").is_not_null()
    rows = rows.with_columns(
        *[pl.col(name).alias(f"{name}_now") for name in shown],
        *[pl.when(is_frozen).then(f"{name}_frozen").otherwise(name).alias(name) for name in kept],
        pl.col("record_state").fill_null(PROVISIONAL),
    )
    return rows.select(*now.columns, "record_state", *[f"{name}_now" for name in shown]).sort(key)
