"""What a changed folder changed: values, statuses and eligibility of its community, before and after.

Belongs here: which tables and columns are compared, the comparison as pure functions on tables, reading the tables.
Does not: words (change_words.py), where results are kept (change_log.py), or comparing whole releases (compare.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.lib.base import engine
from dagster_project.lib.base.names import MARTS, NETWORK_FOLDER
from dagster_project.lib.base.successions import NO_RENAMES, CommunityIds
from dagster_project.lib.publish.release.compare import SIGNIFICANT, VALUE_COLUMNS, VALUE_TABLE, present
from dagster_project.lib.receipts.change_words import Names, label

Tables = Mapping[str, pl.DataFrame]
Changes = dict[str, Any]
Place = tuple[str, int]

VALUES, STATUSES, ELIGIBILITY = "values", "statuses", "eligibility"
ADDED, GONE, CHANGED, SAME, KEPT = "added", "gone", "changed", "same", "frozen"
FIRST, REPLACED, WITHDRAWN = "first", "replaced", "withdrawn"
# What each kind of change counts; a frozen determination stays, whatever today's data would say.
COUNTED = {
    VALUES: (ADDED, GONE, CHANGED, SAME),
    STATUSES: (ADDED, GONE, CHANGED),
    ELIGIBILITY: (ADDED, GONE, CHANGED, KEPT),
}
# Facts of a manifest that can move figures of folders that did not change; other words move none.
CAUSES = {
    "rules": ("ruleset_id", "ruleset_version", "contract_version"),
    "reference_data": ("seeds_sha256",),
    "code": ("figures_version",),
}

DESIGNATION_TABLE = "fct_designation"
SOURCE_COLUMNS = ("submission_id", "source_file", "source_sheet", "source_row")
VALUE_NAMES = ("unit", "origin")
DETERMINATION = ["community_id", "designation", "reporting_year"]
DETERMINED = ("status", "standing")


@dataclass(frozen=True)
class Judgement:
    """A table whose rows are judgements: the columns that can flip, and columns that help to name a row."""

    kind: str
    table: str
    columns: tuple[str, ...]
    names: tuple[str, ...] = ()


# In the order in which a member reads them.
JUDGEMENTS = (
    Judgement(STATUSES, "fct_trend", ("trend_status",)),
    Judgement(STATUSES, "fct_gap", ("gap_status",), ("reference_group_id",)),
    Judgement(STATUSES, "fct_outcome_status", ("trend_status", "gap_reduced")),
    Judgement(ELIGIBILITY, DESIGNATION_TABLE, DETERMINED),
    Judgement(ELIGIBILITY, "fct_gateway_status", ("operating_in",)),
    Judgement(ELIGIBILITY, "fct_criterion_status", ("status",)),
)
# The columns by which the rows of these tables are known, and what they are called.
NAMED = {
    "dim_indicator": ("indicator_id", "name"),
    "dim_outcome": ("outcome_id", "name"),
    "dim_population_group": ("population_group_id", "label"),
    "dim_criterion": ("criterion_id", "statement"),
    "dim_geography": ("geography_id", "name"),
}
OF_COMMUNITY = (VALUE_TABLE, *(judgement.table for judgement in JUDGEMENTS), "dim_geography")
OWNER = ["community_id"]
FOLDER = ["community_id", "folder_year"]
FOLDERS = pl.Schema(
    {
        "community_id": pl.String(),
        "folder_year": pl.Int32(),
        "folder_before": pl.String(),
        "folder_after": pl.String(),
    }
)


@dataclass(frozen=True)
class State:
    """What was released (or would be): facts of its manifest, and the tables that `read_tables` gives.

    Facts: release_id (None if it is only thought of), today, inputs, and those of CAUSES as far as they are known.
    """

    facts: Mapping[str, Any]
    tables: Tables


@dataclass(frozen=True)
class ChangedFolder:
    """A folder that differs between two states; None: it was not there, or is there no more."""

    community_id: str
    reporting_year: int
    before: str | None
    after: str | None

    @property
    def kind(self) -> str:
        """first, replaced or withdrawn."""
        return FIRST if self.before is None else WITHDRAWN if self.after is None else REPLACED


def changed_folders(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[ChangedFolder]:
    """Folders whose submission differs between the inputs of two manifests, by community and year."""
    was, stands = (
        {(row["community_id"], row["reporting_year"]): row["submission_id"] for row in rows if row["community_id"]}
        for rows in (before, after)
    )
    return [
        ChangedFolder(*place, was.get(place), stands.get(place))
        for place in sorted(was.keys() | stands.keys())
        if was.get(place) != stands.get(place)
    ]


def read_tables(
    database: Path, communities: Collection[str], names: CommunityIds = NO_RENAMES
) -> dict[str, pl.DataFrame]:
    """What is compared of a release or warehouse, rows of the given communities, and the names; opened read-only.

    A table that an older release lacks is left out. A community's former `names` are read as its id of now.
    """
    with engine.opened(database) as connection:
        query = "select table_name from information_schema.tables where table_schema = ?"
        there = {name for (name,) in connection.execute(query, [MARTS]).fetchall()}
        wanted = sorted({name for community in communities for name in names.all_of(community)})
        connection.register("wanted", pl.DataFrame({"community_id": wanted}, schema={"community_id": pl.String}))
        own = "semi join wanted using (community_id)"
        return {
            name: names.read(
                connection.execute(f'select * from {MARTS}."{name}" {own if name in OF_COMMUNITY else ""}').pl()
            )
            for name in dict.fromkeys((*OF_COMMUNITY, *NAMED))
            if name in there
        }


# ---- the changes of each folder ----


def changes_between(before: State | None, after: State, keys: Mapping[str, Sequence[str]]) -> dict[Place, Changes]:
    """What each changed folder's receipt says of its effects, by community and year.

    before None: nothing was released before. `keys` are the key columns of each table. Judgements belong to the
    community: folders of one community that changed together have the same flips and name each other. What a first
    submission adds is counted and not listed.
    """
    changed = changed_folders(() if before is None else before.facts["inputs"], after.facts["inputs"])
    folders = [folder for folder in changed if folder.community_id != NETWORK_FOLDER]
    was: Tables = {} if before is None else before.tables
    names = {name: _names(after.tables.get(name), *NAMED[name]) for name in NAMED}
    values = _by(value_changes(was, after.tables, keys[VALUE_TABLE], folders), FOLDER)
    flips = judgement_flips(was, after.tables, keys)
    judged = {kind: _by(flips.filter(kind=kind).drop("kind"), OWNER) for kind in (STATUSES, ELIGIBILITY)}
    of_community = {
        (community, is_first): {
            kind: _told(frames.get((community,)), kind, is_first, names) for kind, frames in judged.items()
        }
        for community, is_first in {(folder.community_id, folder.kind == FIRST) for folder in folders}
    }
    causes = _causes(before, after)
    found = {}
    for folder in folders:
        place, is_first = (folder.community_id, folder.reporting_year), folder.kind == FIRST
        own = _told(values.get(place), VALUES, is_first, names)
        told = {VALUES: own, **of_community[folder.community_id, is_first]}
        found[place] = {
            "kind": folder.kind,
            "previous_submission_id": folder.before,
            **_releases(before, after),
            "also_changed": {"folders": _others(folder, changed), "causes": causes},
            "totals": {kind: totals for kind, (totals, _) in told.items()},
            **{kind: rows for kind, (_, rows) in told.items()},
        }
    return found


def _others(folder: ChangedFolder, changed: Sequence[ChangedFolder]) -> list[str]:
    """Other folders that changed as well and can move this community's judgements."""
    owners = (folder.community_id, NETWORK_FOLDER)
    return [f"{o.community_id}/{o.reporting_year}" for o in changed if o.community_id in owners and o != folder]


def _by(frame: pl.DataFrame, by: Sequence[str]) -> dict[tuple[Any, ...], pl.DataFrame]:
    return frame.partition_by(by, as_dict=True, maintain_order=True)


def _told(
    frame: pl.DataFrame | None, kind: str, is_first: bool, names: Names
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """How many of each change there are, and the rows that are told one by one, each with what it is called."""
    totals = dict.fromkeys(COUNTED[kind], 0)
    if frame is None:
        return totals, []
    totals |= dict(frame["change"].value_counts().iter_rows())
    counted_only = [SAME, ADDED] if is_first else [SAME]
    listed = frame.filter(~pl.col("change").is_in(counted_only))
    return totals, [_row(row, names) for row in listed.iter_rows(named=True)]


def _row(row: dict[str, Any], names: Names) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if value is not None or name in ("before", "after")}
    for name in FOLDER:
        kept.pop(name, None)
    return {"label": label(row, names), **kept}


def _releases(before: State | None, after: State) -> dict[str, Any]:
    earlier: Mapping[str, Any] = {} if before is None else before.facts
    return {
        "release_id": after.facts["release_id"],
        "previous_release_id": earlier.get("release_id"),
        "today": after.facts["today"],
        "previous_today": earlier.get("today"),
    }


def _causes(before: State | None, after: State) -> list[str]:
    return [] if before is None else [name for name, facts in CAUSES.items() if _differ(before, after, facts)]


def _differ(before: State, after: State, facts: Sequence[str]) -> bool:
    # A release of an older edition may not state a fact; what is not known is not said to differ.
    return any(before.facts.get(name, after.facts.get(name)) != after.facts.get(name) for name in facts)


def _names(frame: pl.DataFrame | None, key: str, name: str) -> dict[str, str]:
    return {} if frame is None else dict(frame.select(key, name).drop_nulls().iter_rows())


# ---- values ----


def value_changes(before: Tables, after: Tables, key: Sequence[str], folders: Sequence[ChangedFolder]) -> pl.DataFrame:
    """Values of which the row before or after is the changed folder's, and every changed pooled value.

    Columns: FOLDER, folder_kind, change (added, gone, changed, same), the key, VALUE_NAMES,
    before and after (structs of VALUE_COLUMNS and SOURCE_COLUMNS, null where there is no such row). Figures are
    compared at 10 significant digits, as releases are. A value made of several districts' rows names only one of
    their submissions, so that it is told wherever it changed.
    """
    places = pl.DataFrame(
        [(f.community_id, f.reporting_year, f.before, f.after) for f in folders], schema=FOLDERS, orient="row"
    )
    sides = [_values_of(tables, after[VALUE_TABLE], key) for tables in (before, after)]
    both = (
        sides[0]
        .join(sides[1], on=list(key), how="full", suffix="_after", coalesce=True)
        .rename({"row": "before", "row_after": "after"})
    )
    differs = pl.any_horizontal(
        pl.col("before").struct.field(name).ne_missing(pl.col("after").struct.field(name)) for name in VALUE_COLUMNS
    )
    both = both.select(
        *key,
        *[pl.coalesce(f"{name}_after", name).alias(name) for name in VALUE_NAMES],
        "before",
        "after",
        change=pl.when(pl.col("before").is_null())
        .then(pl.lit(ADDED))
        .when(pl.col("after").is_null())
        .then(pl.lit(GONE))
        .when(differs)
        .then(pl.lit(CHANGED))
        .otherwise(pl.lit(SAME)),
    )
    named = both.with_columns(
        pl.col(side).struct.field("submission_id").alias(f"folder_{side}") for side in ("before", "after")
    )
    pooled = both.filter((pl.col("origin") == "pooled") & (pl.col("change") != SAME))
    keyed = [name for name in key if name != "community_id"]
    columns = [*FOLDER, "change", *keyed, *VALUE_NAMES, "before", "after"]
    found = [
        *(
            places.join(named, on=["community_id", side], how="inner").select(columns)
            for side in ("folder_before", "folder_after")
        ),
        places.join(pooled, on="community_id", how="inner").select(columns),
    ]
    return pl.concat(found).unique([*FOLDER, *keyed], keep="any").sort(*FOLDER, *keyed)


def _values_of(tables: Tables, like: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    frame = present(tables.get(VALUE_TABLE), like.select(*key, *VALUE_NAMES, *VALUE_COLUMNS, *SOURCE_COLUMNS))
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    rounded = frame.with_columns(pl.col(floats).round_sig_figs(SIGNIFICANT))
    return rounded.select(*key, *VALUE_NAMES, row=pl.struct(*VALUE_COLUMNS, *SOURCE_COLUMNS))


# ---- judgements ----


def judgement_flips(before: Tables, after: Tables, keys: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Every judgement that is another one than before: one row a key, table and column, in the order of JUDGEMENTS.

    Columns: kind, table, column, change (added, gone, changed, frozen), the keys of all tables (null where a table has
    no such key), names, before, after. Of a frozen determination it is what today's data give that is compared; the
    determination itself stays, which is why its change is called frozen.
    """
    return pl.concat(
        [
            _flips(before, after, judgement, column, list(keys[judgement.table]))
            for judgement in JUDGEMENTS
            for column in judgement.columns
        ],
        how="diagonal",
    )


def _flips(before: Tables, after: Tables, judgement: Judgement, column: str, key: list[str]) -> pl.DataFrame:
    sides = [_judged(tables, after[judgement.table], judgement, column, key) for tables in (before, after)]
    both = sides[0].join(sides[1], on=key, how="full", suffix="_after", coalesce=True)
    kept = pl.any_horizontal(pl.col("frozen", "frozen_after").fill_null(False))
    was, stands = pl.col("judged"), pl.col("judged_after")
    return (
        both.filter(was.ne_missing(stands))
        .select(
            *key,
            *[pl.coalesce(f"{name}_after", name).alias(name) for name in judgement.names],
            kind=pl.lit(judgement.kind),
            table=pl.lit(judgement.table),
            column=pl.lit(column),
            change=pl.when(kept)
            .then(pl.lit(KEPT))
            .when(was.is_null())
            .then(pl.lit(ADDED))
            .when(stands.is_null())
            .then(pl.lit(GONE))
            .otherwise(pl.lit(CHANGED)),
            before=was,
            after=stands,
        )
        .sort(key)
    )


def _judged(tables: Tables, like: pl.DataFrame, judgement: Judgement, column: str, key: list[str]) -> pl.DataFrame:
    frame = tables.get(judgement.table, like.clear())
    if judgement.table == DESIGNATION_TABLE:
        frame = as_of_now(frame)
    else:
        frame = present(frame, like.select(*key, *judgement.names, column)).with_columns(frozen=pl.lit(False))
    return frame.select(*key, *judgement.names, "frozen", judged=column)


def compare_designations(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Determinations of which another status or standing would come out, by community, designation, reporting year.

    before, after: fct_designation. Columns: DETERMINATION, status_before, status_after, standing_before,
    standing_after (null where there is no such determination), frozen: whether a frozen record keeps what was decided.
    """
    both = as_of_now(before).join(as_of_now(after), on=DETERMINATION, how="full", suffix="_after", coalesce=True)
    moved = [pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in DETERMINED]
    return (
        both.filter(pl.any_horizontal(moved))
        .select(
            *DETERMINATION,
            pl.col("status").alias("status_before"),
            "status_after",
            pl.col("standing").alias("standing_before"),
            "standing_after",
            pl.any_horizontal(pl.col("frozen", "frozen_after").fill_null(False)).alias("frozen"),
        )
        .sort(DETERMINATION)
    )


def as_of_now(rows: pl.DataFrame) -> pl.DataFrame:
    """Determinations as today's data give them; a frozen row holds that in columns of its own."""
    if "record_state" not in rows.columns:
        return rows.select(*DETERMINATION, *DETERMINED, frozen=pl.lit(False))
    now = [pl.col(f"{name}_now").alias(name) for name in DETERMINED]
    return rows.select(*DETERMINATION, *now, frozen=pl.col("record_state") == "frozen")
